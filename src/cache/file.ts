import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PodlensError } from '../errors.ts';
import type { Cache } from './cache.ts';

export interface FileCacheOptions {
  /** "$XDG_CACHE_HOME/podlens/explanations": made, 0700, when something is first kept. */
  readonly folder: string;
  /** 64 MiB where absent. */
  readonly maxBytes?: number;
  /** 30 days where absent. */
  readonly maxAgeMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

interface CacheEntry {
  readonly key: string;
  readonly bytes: number;
  /** ISO 8601: when it was kept. */
  readonly at: string;
}

export interface FileCache extends Cache {
  readonly path: string;
  /** What is kept, newest first. */
  list(): Promise<CacheEntry[]>;
  /** Removes everything that is kept, and says how many entries that were. */
  purge(): Promise<number>;
}

const MEBIBYTE = 1024 * 1024;
const DAY_MS = 24 * 3600 * 1000;
const HOUR_MS = 3600 * 1000;

const ENTRY = /^([0-9a-f]{64})\.json$/;
const LEFTOVER = /^\.[0-9a-f-]+\.tmp$/;

/** `$XDG_CACHE_HOME/podlens`, or what stands for it: `~/.cache/podlens`. Undefined where there is no home. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { XDG_CACHE_HOME: xdg, HOME: home = env['USERPROFILE'] } = env;
  // The specification says that relative paths are to be ignored.
  if (xdg?.startsWith('/') === true) return join(xdg, 'podlens', 'explanations');
  return home === undefined || home === '' ? undefined : join(home, '.cache', 'podlens', 'explanations');
}

/**
 * One file per entry, written whole under another name and then renamed, so that two processes never see half of one.
 * Trouble of any kind is a miss.
 */
export function createFileCache({
  folder,
  maxBytes = 64 * MEBIBYTE,
  maxAgeMs = 30 * DAY_MS,
  now = Date.now,
}: FileCacheOptions): FileCache {
  const sweep = async (): Promise<void> => {
    let room = maxBytes;
    for (const { file, bytes, at } of await filesIn(folder)) {
      const old = now() - at > (LEFTOVER.test(file) ? HOUR_MS : maxAgeMs);
      if (!LEFTOVER.test(file)) room -= bytes;
      if (old || room < 0) await unlink(join(folder, file)).catch(() => undefined);
    }
  };
  return {
    path: folder,
    async get(key) {
      try {
        const entry = readEntry(await readFile(join(folder, fileOf(key)), 'utf8'), key);
        return entry === undefined || now() - entry.at > maxAgeMs ? undefined : entry.value;
      } catch {
        return undefined;
      }
    },
    async set(key, value) {
      const temporary = join(folder, `.${randomUUID()}.tmp`);
      try {
        await ownFolder(folder);
        await writeNew(temporary, writeEntry(key, value, now()), now());
        await rename(temporary, join(folder, fileOf(key)));
        await sweep();
      } catch {
        await unlink(temporary).catch(() => undefined);
      }
    },
    async list() {
      const files = await filesIn(folder);
      return files.flatMap(({ file, bytes, at }) => {
        const key = ENTRY.exec(file)?.[1];
        return key === undefined ? [] : [{ key, bytes, at: new Date(at).toISOString() }];
      });
    },
    async purge() {
      let count = 0;
      for (const { file } of await filesIn(folder)) {
        await removeFile(join(folder, file));
        if (ENTRY.test(file)) count++;
      }
      return count;
    },
  };
}

/** Keys become file names; one that is no SHA-256 is made one. */
const fileOf = (key: string): string => `${/^[0-9a-f]{64}$/.test(key) ? key : sha256(key)}.json`;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const writeEntry = (key: string, value: string, at: number): string =>
  JSON.stringify({ version: 1, key, at, sum: sha256(value), value });

function readEntry(text: string, key: string): { readonly at: number; readonly value: string } | undefined {
  const entry: unknown = JSON.parse(text);
  if (typeof entry !== 'object' || entry === null) return undefined;
  const { version, key: kept, at, sum, value } = entry as Readonly<Record<string, unknown>>;
  if (version !== 1 || kept !== key || typeof at !== 'number' || typeof value !== 'string') return undefined;
  return sum === sha256(value) ? { at, value } : undefined;
}

async function ownFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (((await stat(folder)).mode & 0o077) !== 0) await chmod(folder, 0o700);
}

async function writeNew(path: string, text: string, at: number): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.utimes(at / 1000, at / 1000);
  } finally {
    await file.close();
  }
}

interface Kept {
  readonly file: string;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Only the cache's own files, newest first; none where there is no folder yet. */
async function filesIn(folder: string): Promise<Kept[]> {
  const names = await readdir(folder).catch(() => []);
  const kept: Kept[] = [];
  for (const file of names) {
    if (!ENTRY.test(file) && !LEFTOVER.test(file)) continue;
    const info = await stat(join(folder, file)).catch(() => undefined);
    if (info?.isFile() === true) kept.push({ file, bytes: info.size, at: info.mtimeMs });
  }
  return kept.sort((a, b) => b.at - a.at || (a.file < b.file ? -1 : 1));
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new PodlensError('cache-not-removed', `${path} could not be removed.`, {
      hint: 'See who owns the folder.',
      cause,
    });
  }
}
