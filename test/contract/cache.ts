import { describe, expect, test } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';

/** What every cache must do. `create` gives an empty one. */
export function cacheContract(name: string, create: () => Cache): void {
  describe(`${name} keeps the contract of a cache`, () => {
    test('what was never kept is a miss', async () => {
      expect(await create().get('a')).toBeUndefined();
    });

    test.each([
      ['a text', 'key', 'value'],
      ['an empty text', 'key', ''],
      ['other scripts', 'ключ', '说明 🙂\n\u0000'],
      ['a key that is no file name', '../../etc/passwd', 'value'],
      ['a key as podlens makes them', 'ab'.repeat(32), '{"cause":[]}'],
      ['a very long key', 'k'.repeat(5000), 'value'],
      ['a megabyte', 'key', 'x'.repeat(1024 * 1024)],
    ])('gives back %s', async (_, key, value) => {
      const cache = create();
      await cache.set(key, value);
      expect(await cache.get(key)).toBe(value);
    });

    test('keys do not mix', async () => {
      const cache = create();
      await cache.set('a', '1');
      await cache.set('A', '2');
      await cache.set('a/', '3');
      expect(await Promise.all(['a', 'A', 'a/', 'b'].map((key) => cache.get(key)))).toEqual(['1', '2', '3', undefined]);
    });

    test('the last one stays', async () => {
      const cache = create();
      await cache.set('a', '1');
      await cache.set('a', '2');
      expect(await cache.get('a')).toBe('2');
    });

    test('many at once', async () => {
      const cache = create();
      await Promise.all(Array.from({ length: 40 }, (_, i) => cache.set(`k${i % 20}`, `v${i % 20}`)));
      const values = await Promise.all(Array.from({ length: 20 }, (_, i) => cache.get(`k${i}`)));
      expect(values).toEqual(Array.from({ length: 20 }, (_, i) => `v${i}`));
    });
  });
}
