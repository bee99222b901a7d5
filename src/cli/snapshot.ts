import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { saveSnapshot } from '../cluster/save.ts';
import { PodlensError } from '../errors.ts';
import { sanitizeLine } from '../report/sanitize.ts';
import { readConfig } from './config-file.ts';
import { choose } from './filters.ts';
import { type Io, write } from './io.ts';
import { loadAnalyzers } from './plugins.ts';
import { kindsToRead, understand } from './scope.ts';
import { readSource, type SourceOptions } from './source.ts';

export interface SnapshotOptions extends SourceOptions {
  readonly output?: string;
}

/** `podlens snapshot`: saves what analyze would read, to be replayed elsewhere with `-f`. Values of Secrets are not in it. */
export async function snapshot(options: SnapshotOptions, io: Io): Promise<void> {
  const request = understand([], options);
  const chosen = choose(options.filter, await loadAnalyzers(await readConfig({}, io)));
  const source = await readSource(options, { kinds: kindsToRead(request, chosen), namespaces: request.namespaces }, io);
  io.signal.throwIfAborted();
  const { output = '-' } = options;
  if (output === '-') {
    for (const piece of saveSnapshot(source)) await write(io.stdout, piece);
    return;
  }
  const bytes = await writeFile(resolve(io.cwd, output), saveSnapshot(source));
  const pods = source.snapshot.list('Pod').length;
  const gaps = source.gaps.length + source.snapshot.unreadable.size;
  const missing =
    gaps === 0 ? '' : ` ${gaps} ${gaps === 1 ? 'thing' : 'things'} could not be read; the file says which.`;
  await write(
    io.stderr,
    `Saved ${pods} pods and what belongs to them to ${sanitizeLine(output)} (${bytes} bytes).${missing}\n`,
  );
}

/** As gzip where the name ends so. Readable by its owner alone: names and logs of a cluster are nobody else's business. */
async function writeFile(path: string, pieces: Iterable<string>): Promise<number> {
  let bytes = 0;
  try {
    const file = await open(path, 'w', 0o600);
    try {
      // Also where it was there before, for more eyes.
      if ((await file.stat()).isFile()) await file.chmod(0o600);
      const chunks = path.endsWith('.gz') ? Readable.from(pieces).pipe(createGzip()) : pieces;
      for await (const chunk of chunks) bytes += await writeAll(file, Buffer.from(chunk));
    } finally {
      await file.close();
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PodlensError('file-unwritable', `The snapshot cannot be written to ${path}: ${reason}.`, { cause });
  }
  return bytes;
}

async function writeAll(file: FileHandle, chunk: Buffer): Promise<number> {
  await file.appendFile(chunk);
  return chunk.length;
}
