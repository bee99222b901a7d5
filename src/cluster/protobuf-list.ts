import { int, message, type Of, string } from '../objects/schema.ts';
import { readMessage } from './protobuf.ts';
import { type Cursor, lengthTag, readVarint, skip } from './protobuf-wire.ts';

/** meta/v1 ListMeta: where the next page starts, and how many objects follow this one. */
const ListMeta = message({ continue: string(3), remainingItemCount: int(4) });
export type ListMeta = Of<typeof ListMeta>;

export interface ProtobufListHandlers {
  onMeta(meta: ListMeta): void;
  /** One object of the list. The bytes are only valid during the call. */
  onItem(bytes: Buffer, start: number, end: number): void;
}

// runtime.Unknown { typeMeta: 1, raw: 2, contentEncoding: 3, contentType: 4 } with a list { metadata: 1, items: 2 } as `raw`.
const MAGIC = 'k8s\0';
const TypeMeta = message({ apiVersion: string(1), kind: string(2) });
const RAW = lengthTag(2);
const META = lengthTag(1);
const ITEM = lengthTag(2);

// A tag and a length take at most ten bytes each; any field that podlens meets has a shorter head.
const HEAD = 20;

/**
 * Reads one list response piece by piece. An object goes on as soon as its last byte is there; only what lies across two
 * chunks is copied. `end` throws where the response stopped before the list did.
 */
export function protobufList(kind: string, { onMeta, onItem }: ProtobufListHandlers) {
  let place: 'magic' | 'envelope' | 'list' = 'magic';
  /** How much of the list is still to come. */
  let left = 0;
  let carry: Buffer = Buffer.allocUnsafe(1 << 14);
  let carried = 0;
  /** How many bytes the next field has, head and all, as far as that is known. */
  let needed = 1;

  /** Reads the field at `at` and says where the next one starts; undefined where not all of it is there. */
  function next(bytes: Buffer, at: number, end: number): number | undefined {
    if (place === 'magic') return readMagic(bytes, at, end);
    const cursor: Cursor = { bytes, at };
    if (!hasHead(bytes, at, end)) return wait(end - at + 1);
    const tag = readVarint(cursor);
    if (place === 'envelope' && tag === RAW) {
      left = readVarint(cursor);
      place = 'list';
      return cursor.at;
    }
    const stop = endOf(cursor, tag);
    if (stop > end) return wait(stop - at);
    if (place === 'envelope') {
      if (tag === lengthTag(1)) checkKind(readMessage(TypeMeta, bytes, cursor.at, stop));
    } else {
      if (tag === META) onMeta(readMessage(ListMeta, bytes, cursor.at, stop) as ListMeta);
      if (tag === ITEM) onItem(bytes, cursor.at, stop);
      left -= stop - at;
      if (left < 0) throw new Error('an object is longer than the list it is in');
      if (left === 0) place = 'envelope';
    }
    return stop;
  }

  function readMagic(bytes: Buffer, at: number, end: number): number | undefined {
    if (end - at < MAGIC.length) return wait(MAGIC.length);
    if (bytes.toString('latin1', at, at + MAGIC.length) !== MAGIC) throw new Error('it is no Kubernetes protobuf');
    place = 'envelope';
    return at + MAGIC.length;
  }

  function wait(bytes: number): undefined {
    needed = bytes;
  }

  function checkKind(type: unknown): void {
    const found = (type as Of<typeof TypeMeta>).kind;
    if (found !== `${kind}List`) throw new Error(`it is a ${found ?? 'nameless object'}, not a list of ${kind}`);
  }

  /** Reads as many fields as there are, and says where it stopped. */
  function readAll(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const after = next(bytes, at, end);
      if (after === undefined) return at;
      at = after;
      needed = 1;
    }
    return at;
  }

  function keep(bytes: Buffer, start: number, end: number): void {
    const size = carried + end - start;
    if (size > carry.length) {
      const larger = Buffer.allocUnsafe(Math.max(size, needed, carry.length * 2));
      carry.copy(larger, 0, 0, carried);
      carry = larger;
    }
    bytes.copy(carry, carried, start, end);
    carried = size;
  }

  return {
    push(chunk: Buffer): void {
      let at = 0;
      while (carried > 0 && at < chunk.length) {
        const take = Math.min(needed - carried, chunk.length - at);
        keep(chunk, at, at + take);
        at += take;
        if (carried < needed) return;
        const after = readAll(carry, 0, carried);
        if (after > 0) carried = 0;
      }
      if (at === chunk.length) return;
      const stopped = readAll(chunk, at, chunk.length);
      if (stopped < chunk.length) keep(chunk, stopped, chunk.length);
    },
    end(): void {
      if (place !== 'envelope' || carried > 0) throw new Error('it ends in the middle of the list');
    },
  };
}

/** Whether the tag and what follows it are all there: the length, or a number itself. */
function hasHead(bytes: Buffer, at: number, end: number): boolean {
  if (end - at >= HEAD) return true;
  let numbers = 0;
  for (let i = at; i < end; i++) if ((bytes[i] as number) < 0x80 && ++numbers === 2) return true;
  return false;
}

/** Where the field whose tag was just read ends, which may be beyond the bytes. Moves the cursor to its content. */
function endOf(cursor: Cursor, tag: number): number {
  if ((tag & 7) !== 2) {
    const peek = { bytes: cursor.bytes, at: cursor.at };
    skip(peek, tag & 7);
    return peek.at;
  }
  const length = readVarint(cursor);
  return cursor.at + length;
}
