import { expect, test } from 'vitest';
import { createMemoryCache } from '../../src/cache/memory.ts';
import { cacheContract } from '../contract/cache.ts';

cacheContract('the memory cache', () => createMemoryCache());

test('forgets the oldest first', async () => {
  const cache = createMemoryCache({ maxEntries: 2 });
  for (const key of ['a', 'b', 'a', 'c']) await cache.set(key, key);
  expect(await Promise.all(['a', 'b', 'c'].map((key) => cache.get(key)))).toEqual(['a', undefined, 'c']);
});
