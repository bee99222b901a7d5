import { builtinModules, createRequire } from 'node:module';
import type { Plugin } from 'rolldown';

/**
 * Node's own modules without their ES namespaces: building one reads every export, which loads half of Node for
 * `node:fs` or `node:process` alone. The dear ones are loaded when they are first used, since bundled libraries import
 * them for what podlens never does.
 */
export const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  resolveId(id) {
    const name = id.replace(/^node:/, '');
    if (!builtinModules.includes(name)) return null;
    return { id: `${PREFIX}${name.replace('/', '+')}.cjs`, moduleSideEffects: false };
  },
  load(id) {
    return id.startsWith(PREFIX) ? contentsOf(id.slice(PREFIX.length, -'.cjs'.length).replace('+', '/')) : null;
  },
};

const PREFIX = '\0builtin-';

const DEAR = new Set(['child_process', 'crypto', 'http', 'http2', 'https', 'net', 'tls', 'worker_threads', 'zlib']);

function contentsOf(name: string): string {
  const load = `process.getBuiltinModule('node:${name}')`;
  if (!DEAR.has(name)) return `module.exports = ${load};`;
  const keys = Object.keys(createRequire(import.meta.url)(`node:${name}`) as object).map((key) => JSON.stringify(key));
  const getters = keys.map((key) => `${key}: { enumerable: true, get: () => ${load}[${key}] }`);
  return `module.exports = Object.defineProperties({}, {\n${getters.join(',\n')}\n});`;
}

/**
 * Packages that take milliseconds to set up and are seldom needed: they are set up when their default export is called. A
 * CommonJS module that requires one gets the package itself.
 */
export const lazyPackages = (...names: readonly string[]): Plugin => ({
  name: 'lazy-packages',
  resolveId: (id, importer, { kind }) =>
    names.includes(id) && kind !== 'require-call' && !importer?.startsWith(LAZY) ? `${LAZY}${id}` : null,
  load(id) {
    if (!id.startsWith(LAZY)) return null;
    const name = JSON.stringify(id.slice(LAZY.length));
    return `export default (...args) => require(${name}).default(...args);`;
  },
});

const LAZY = '\0lazy-';
