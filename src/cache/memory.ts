import type { Cache } from './cache.ts';

/** Forgets with the process; of more than `maxEntries` the oldest go first. */
export function createMemoryCache({ maxEntries = 1000 }: { readonly maxEntries?: number } = {}): Cache {
  const entries = new Map<string, string>();
  return {
    get: async (key) => entries.get(key),
    async set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries) break;
        entries.delete(oldest);
      }
    },
  };
}
