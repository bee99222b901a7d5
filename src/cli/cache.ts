import { cacheFolder, createFileCache, type FileCache } from '../cache/file.ts';
import { PodlensError } from '../errors.ts';
import { plural } from '../report/words.ts';
import { type Io, write } from './io.ts';

function open(io: Io): FileCache {
  const folder = cacheFolder(io.env);
  if (folder === undefined) {
    throw new PodlensError('cache-missing', 'There is no place for a cache: neither XDG_CACHE_HOME nor HOME is set.');
  }
  return createFileCache({ folder });
}

/** `podlens cache path`: where explanations are kept. */
export const printCachePath = (io: Io): Promise<void> => write(io.stdout, `${open(io).path}\n`);

/** `podlens cache list`: what is kept, newest first. */
export async function listCache(io: Io): Promise<void> {
  const entries = await open(io).list();
  for (const { key, bytes, at } of entries) await write(io.stdout, `${at}  ${String(bytes).padStart(8)}  ${key}\n`);
  await write(io.stderr, `${plural(entries.length, 'explanation')} ${entries.length === 1 ? 'is' : 'are'} kept.\n`);
}

/** `podlens cache purge`: forgets them all. */
export async function purgeCache(io: Io): Promise<void> {
  await write(io.stderr, `Removed ${plural(await open(io).purge(), 'explanation')}.\n`);
}
