import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { cacheFolder, createFileCache } from '../../src/cache/file.ts';
import { cacheContract } from '../contract/cache.ts';

const base = mkdtempSync(join(tmpdir(), 'podlens-cache-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

let count = 0;
const newFolder = () => join(base, `c${count++}`, 'explanations');
const key = (letter: string) => letter.repeat(64);
const only = (folder: string) => join(folder, readdirSync(folder)[0] ?? '');

cacheContract('the file cache', () => createFileCache({ folder: newFolder() }));

test('only its owner can read it', async () => {
  const folder = newFolder();
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  chmodSync(folder, 0o755);
  await createFileCache({ folder }).set(key('a'), 'x');
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(only(folder)).mode & 0o777).toBe(0o600);
});

test('a new process finds what an old one kept', async () => {
  const folder = newFolder();
  await createFileCache({ folder }).set(key('a'), 'x');
  expect(await createFileCache({ folder }).get(key('a'))).toBe('x');
});

test('reading makes no folder', async () => {
  const folder = newFolder();
  const cache = createFileCache({ folder });
  expect([await cache.get(key('a')), await cache.list(), await cache.purge()]).toEqual([undefined, [], 0]);
  expect(existsSync(folder)).toBe(false);
});

test.each([
  ['cut short', (text: string) => text.slice(0, 40)],
  ['empty', () => ''],
  ['not JSON', () => 'hello'],
  ['JSON of another shape', () => '[1]'],
  ['null', () => 'null'],
  ['of a later version', (text: string) => text.replace('"version":1', '"version":2')],
  ['changed by hand', (text: string) => text.replace('"value":"x"', '"value":"y"')],
  ['the file of another key', (text: string) => text.replaceAll('a'.repeat(64), 'b'.repeat(64))],
])('an entry that is %s is a miss, and can be kept again', async (_, damage) => {
  const folder = newFolder();
  const cache = createFileCache({ folder });
  await cache.set(key('a'), 'x');
  writeFileSync(only(folder), damage(readFileSync(only(folder), 'utf8')));
  expect(await cache.get(key('a'))).toBeUndefined();
  await cache.set(key('a'), 'x');
  expect(await cache.get(key('a'))).toBe('x');
});

test('what is too old is a miss, and goes when something else is kept', async () => {
  const folder = newFolder();
  let now = Date.now();
  const cache = createFileCache({ folder, maxAgeMs: 1000, now: () => now });
  await cache.set(key('a'), 'x');
  now += 5000;
  expect(await cache.get(key('a'))).toBeUndefined();
  utimesSync(only(folder), 0, 0);
  await cache.set(key('b'), 'y');
  expect(readdirSync(folder)).toEqual([`${key('b')}.json`]);
});

test('the oldest go when there is no more room', async () => {
  const folder = newFolder();
  const cache = createFileCache({ folder, maxBytes: 2500 });
  for (const [index, letter] of ['a', 'b', 'c', 'd'].entries()) {
    await cache.set(key(letter), 'x'.repeat(800));
    utimesSync(join(folder, `${key(letter)}.json`), 1e9 + index, Date.now() / 1000 - 100 + index);
  }
  expect((await cache.list()).map((entry) => entry.key.charAt(0))).toEqual(['d', 'c']);
});

test('leaves alone what is not its own', async () => {
  const folder = newFolder();
  const cache = createFileCache({ folder, maxBytes: 1 });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  await cache.set(key('a'), 'x');
  await cache.purge();
  expect(readdirSync(folder)).toEqual(['notes.txt']);
});

test('lists and purges what is kept', async () => {
  const folder = newFolder();
  const cache = createFileCache({ folder });
  await cache.set(key('a'), 'x');
  await cache.set(key('b'), 'yy');
  const list = await cache.list();
  expect(list.map((entry) => entry.key).sort()).toEqual([key('a'), key('b')]);
  expect(list.every(({ bytes, at }) => bytes > 0 && !Number.isNaN(Date.parse(at)))).toBe(true);
  expect(await cache.purge()).toBe(2);
  expect([await cache.list(), cache.path]).toEqual([[], folder]);
});

test('a folder that cannot be written is a miss and no failure', async () => {
  const file = join(base, 'a-file');
  writeFileSync(file, '');
  const cache = createFileCache({ folder: join(file, 'below') });
  await cache.set(key('a'), 'x');
  expect(await cache.get(key('a'))).toBeUndefined();
});

test('two processes at once never see half an entry', async () => {
  const folder = newFolder();
  const program = `
    import { createFileCache } from '${join(import.meta.dirname, '../../src/cache/file.ts')}';
    const cache = createFileCache({ folder: ${JSON.stringify(folder)} });
    const value = process.argv[1].repeat(20000);
    let wrong = 0;
    for (let i = 0; i < 60; i++) {
      await cache.set('shared', value);
      const read = await cache.get('shared');
      if (read === undefined || !/^(a+|b+)$/.test(read) || read.length !== 20000) wrong++;
    }
    process.stdout.write(String(wrong));`;
  const run = (letter: string) => promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, letter]);
  const results = await Promise.all([run('a'), run('b')]);
  expect(results.map(({ stdout }) => stdout)).toEqual(['0', '0']);
  expect(readdirSync(folder)).toHaveLength(1);
});

test.each([
  [{ XDG_CACHE_HOME: '/x/cache', HOME: '/home/me' }, '/x/cache/podlens/explanations'],
  [{ HOME: '/home/me' }, '/home/me/.cache/podlens/explanations'],
  [{ XDG_CACHE_HOME: 'relative', HOME: '/home/me' }, '/home/me/.cache/podlens/explanations'],
  [{ XDG_CACHE_HOME: '', HOME: '' }, undefined],
])('%j keeps it in %s', (env, folder) => expect(cacheFolder(env)).toBe(folder));
