import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'rolldown';
import { lazyBuiltins, lazyPackages } from './lazy-imports.ts';

const SOURCE = join(import.meta.dirname, '../src');

const common = {
  platform: 'node',
  transform: { target: 'node20' },
  // Loaded only for the few who need them.
  external: [/^@kubernetes\/client-node/, 'undici'],
  plugins: [lazyPackages('string-width'), lazyBuiltins],
} satisfies BuildOptions;
const output = {
  format: 'esm',
  // Names stay as they are: a stack trace is worth more than bytes.
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
} satisfies BuildOptions['output'];

// What `analyze` loads to read a live cluster. What it loads for less than all of them has files of its own.
const LIVE =
  /src\/(analyzers|objects|cli\/(analyze|config-file|filters|plugins|scope|source|targets)|cluster\/(?!client-node|dump|exec-plugin|files|proxied|saved))/;

const restIsBundled: Plugin = {
  name: 'rest-is-bundled',
  resolveId: (id) => (id === './cli.ts' ? { id: './bundle/podlens.js', external: 'relative' } : null),
};

/**
 * Writes the command line to `cli.js` in the folder: what is loaded together is one file, since opening a file costs more
 * than reading it.
 */
export async function bundleInto(folder: string): Promise<void> {
  await build({
    ...common,
    input: { podlens: join(SOURCE, 'cli.ts') },
    output: {
      ...output,
      dir: join(folder, 'bundle'),
      chunkFileNames: '[name]-[hash].js',
      codeSplitting: {
        groups: [
          { name: 'start', tags: ['$initial'] },
          { name: 'live', test: LIVE },
        ],
      },
    },
  });
  await build({
    ...common,
    input: { cli: join(SOURCE, 'boot.ts') },
    plugins: [restIsBundled],
    output: { ...output, dir: folder },
  });
  chmodSync(join(folder, 'cli.js'), 0o755);
}
