import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { NotADump } from './dump-handler.ts';
import { LOG_TAIL_BYTES } from './dump-logs.ts';
import type { DumpFile } from './dump-walk.ts';

const SMALL = 1 << 20;

export type Bytes = AsyncIterable<Buffer>;

/** A file's bytes. Small files come in one piece, others as a stream. */
export async function* bytesOf({ path, size, regular }: DumpFile, signal: AbortSignal | undefined): Bytes {
  if (regular && size <= SMALL) yield await readFile(path, { signal });
  else yield* createReadStream(path, { highWaterMark: SMALL, signal });
}

/** The bytes as UTF-8 text: unpacked where they are gzip, converted where Windows wrote UTF-16, without a byte order mark. */
export async function* decoded(bytes: Bytes): Bytes {
  const { first, all } = await peek(bytes);
  if (first[0] === 0x1f && first[1] === 0x8b) return yield* decoded(unpacked(all));
  if (first[0] === 0xff && first[1] === 0xfe) return yield* recoded(all, 'utf-16le');
  if (first[0] === 0xfe && first[1] === 0xff) return yield* recoded(all, 'utf-16be');
  const archive = archiveOf(first);
  if (archive !== undefined) throw new NotADump(`it is a ${archive} archive; unpack it and name the folder`);
  let skip = first[0] === 0xef && first[1] === 0xbb && first[2] === 0xbf ? 3 : 0;
  for await (const chunk of all) {
    yield skip === 0 ? chunk : chunk.subarray(skip);
    skip = 0;
  }
}

async function* unpacked(bytes: Bytes): Bytes {
  const gunzip = createGunzip({ chunkSize: 64 << 10 });
  // Errors of either side come out of the loop below.
  pipeline(Readable.from(bytes), gunzip, () => {});
  yield* gunzip;
}

async function* recoded(bytes: Bytes, encoding: string): Bytes {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of bytes) yield Buffer.from(decoder.decode(chunk, { stream: true }));
  yield Buffer.from(decoder.decode());
}

/** The first bytes (at least 512 where there are as many), and all of them. */
async function peek(bytes: Bytes): Promise<{ first: Buffer; all: Bytes }> {
  const iterator = bytes[Symbol.asyncIterator]();
  let first: Buffer = Buffer.alloc(0);
  while (first.length < 512) {
    const next = await iterator.next();
    if (next.done) break;
    first = first.length === 0 ? next.value : Buffer.concat([first, next.value]);
  }
  return { first, all: rejoined(first, iterator) };
}

async function* rejoined(first: Buffer, rest: AsyncIterator<Buffer>): Bytes {
  try {
    if (first.length > 0) yield first;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

function archiveOf(first: Buffer): string | undefined {
  if (first.toString('latin1', 257, 262) === 'ustar') return 'tar';
  if (first.toString('latin1', 0, 4) === 'PK\u0003\u0004') return 'zip';
  return undefined;
}

/** The first characters of a file. */
export async function startOf({ path }: DumpFile): Promise<string> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The end of a log file as text; `cut` where it may begin in the middle of a line. */
export async function tailOf(
  file: DumpFile,
  signal: AbortSignal | undefined,
): Promise<{ text: string; cut: boolean; bytes: number }> {
  if (file.path.endsWith('.gz')) return streamedTail(file, signal);
  const handle = await open(file.path);
  try {
    const from = Math.max(0, file.size - LOG_TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(file.size - from), 0, file.size - from, from);
    return { text: buffer.toString('utf8', 0, bytesRead), cut: from > 0, bytes: bytesRead };
  } finally {
    await handle.close();
  }
}

async function streamedTail(file: DumpFile, signal: AbortSignal | undefined) {
  let kept: Buffer[] = [];
  let size = 0;
  let cut = false;
  for await (const chunk of decoded(bytesOf(file, signal))) {
    kept.push(chunk);
    size += chunk.length;
    if (size < 4 * LOG_TAIL_BYTES) continue;
    const all = Buffer.concat(kept);
    kept = [Buffer.from(all.subarray(-LOG_TAIL_BYTES))];
    size = LOG_TAIL_BYTES;
    cut = true;
  }
  return { text: Buffer.concat(kept).toString(), cut, bytes: file.size };
}
