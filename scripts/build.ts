import { execFileSync } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { lazyBuiltins } from './lazy-builtins.ts';

rmSync('dist', { recursive: true, force: true });

// The library: one file per source file.
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });

const restIsBundled: Plugin = {
  name: 'rest-is-bundled',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/cli\.ts$/ }, () => ({ path: './bundle/podlens.js', external: true }));
  },
};

// The command line: what is loaded together is one file, since opening a file costs more than reading it.
const options: BuildOptions = {
  outdir: 'dist',
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  plugins: [lazyBuiltins],
  logLevel: 'warning',
};
await build({
  ...options,
  entryPoints: { 'bundle/podlens': 'src/cli.ts' },
  chunkNames: 'bundle/[name]-[hash]',
  splitting: true,
  // Loaded only for the few who need them.
  external: ['@kubernetes/client-node', 'undici'],
});
await build({
  ...options,
  entryPoints: { cli: 'src/boot.ts' },
  plugins: [lazyBuiltins, restIsBundled],
});
chmodSync('dist/cli.js', 0o755);
