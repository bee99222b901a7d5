import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { type BuildOptions, build, type Plugin } from 'rolldown';
import { lazyBuiltins, lazyPackages } from './lazy-imports.ts';

rmSync('dist', { recursive: true, force: true });

// The library: one file per source file.
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });

// The command line: what is loaded together is one file, since opening a file costs more than reading it.
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

await build({
  ...common,
  input: { podlens: 'src/cli.ts' },
  output: {
    ...output,
    dir: 'dist/bundle',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: {
      groups: [
        { name: 'start', tags: ['$initial'] },
        { name: 'live', test: LIVE },
      ],
    },
  },
});

const restIsBundled: Plugin = {
  name: 'rest-is-bundled',
  resolveId: (id) => (id === './cli.ts' ? { id: './bundle/podlens.js', external: 'relative' } : null),
};
await build({
  ...common,
  input: { cli: 'src/boot.ts' },
  plugins: [restIsBundled],
  output: { ...output, dir: 'dist' },
});
chmodSync('dist/cli.js', 0o755);
