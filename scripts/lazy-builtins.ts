import { builtinModules, createRequire } from 'node:module';
import type { Plugin } from 'esbuild';

/**
 * Node's own modules without their ES namespaces: building one reads every export, which loads half of Node for
 * `node:fs` or `node:process` alone. The dear ones are loaded when they are first used, since bundled libraries import
 * them for what podlens never does.
 */
export const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(build) {
    build.onResolve({ filter: /^(node:)?[a-z0-9_/]+$/ }, ({ path }) => {
      const name = path.replace(/^node:/, '');
      return builtinModules.includes(name) ? { path: name, namespace: 'builtin' } : undefined;
    });
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({ contents: contentsOf(path), loader: 'js' }));
  },
};

const DEAR = new Set(['child_process', 'http', 'https', 'http2', 'net', 'tls', 'worker_threads', 'crypto', 'zlib']);

function contentsOf(name: string): string {
  const load = `process.getBuiltinModule('node:${name}')`;
  if (!DEAR.has(name)) return `module.exports = ${load};`;
  const names = Object.keys(createRequire(import.meta.url)(`node:${name}`) as object);
  const getters = names.map(
    (key) => `${JSON.stringify(key)}: { enumerable: true, get: () => ${load}[${JSON.stringify(key)}] }`,
  );
  return `module.exports = Object.defineProperties({}, {\n${getters.join(',\n')}\n});`;
}
