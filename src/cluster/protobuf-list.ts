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
export class ProtobufList {
  readonly #kind: string;
  readonly #handlers: ProtobufListHandlers;
  #place: 'magic' | 'envelope' | 'list' = 'magic';
  /** How much of the list is still to come. */
  #left = 0;
  #carry: Buffer = Buffer.allocUnsafe(1 << 14);
  #carried = 0;
  /** How many bytes the next field has, head and all, as far as that is known. */
  #needed = 1;

  constructor(kind: string, handlers: ProtobufListHandlers) {
    this.#kind = kind;
    this.#handlers = handlers;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (this.#carried > 0 && at < chunk.length) {
      const take = Math.min(this.#needed - this.#carried, chunk.length - at);
      this.#keep(chunk, at, at + take);
      at += take;
      if (this.#carried < this.#needed) return;
      const after = this.#readAll(this.#carry, 0, this.#carried);
      if (after > 0) this.#carried = 0;
    }
    if (at === chunk.length) return;
    const stopped = this.#readAll(chunk, at, chunk.length);
    if (stopped < chunk.length) this.#keep(chunk, stopped, chunk.length);
  }

  end(): void {
    if (this.#place !== 'envelope' || this.#carried > 0) throw new Error('it ends in the middle of the list');
  }

  /** Reads as many fields as there are, and says where it stopped. */
  #readAll(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const after = this.#next(bytes, at, end);
      if (after === undefined) return at;
      at = after;
      this.#needed = 1;
    }
    return at;
  }

  /** Reads the field at `at` and says where the next one starts; undefined where not all of it is there. */
  #next(bytes: Buffer, at: number, end: number): number | undefined {
    if (this.#place === 'magic') return this.#readMagic(bytes, at, end);
    const cursor: Cursor = { bytes, at };
    if (!hasHead(bytes, at, end)) return this.#wait(end - at + 1);
    const tag = readVarint(cursor);
    if (this.#place === 'envelope' && tag === RAW) {
      this.#left = readVarint(cursor);
      this.#place = 'list';
      return cursor.at;
    }
    const stop = endOf(cursor, tag);
    if (stop > end) return this.#wait(stop - at);
    if (this.#place === 'envelope') {
      if (tag === lengthTag(1)) this.#checkKind(readMessage(TypeMeta, bytes, cursor.at, stop));
    } else {
      if (tag === META) this.#handlers.onMeta(readMessage(ListMeta, bytes, cursor.at, stop) as ListMeta);
      if (tag === ITEM) this.#handlers.onItem(bytes, cursor.at, stop);
      this.#left -= stop - at;
      if (this.#left < 0) throw new Error('an object is longer than the list it is in');
      if (this.#left === 0) this.#place = 'envelope';
    }
    return stop;
  }

  #readMagic(bytes: Buffer, at: number, end: number): number | undefined {
    if (end - at < MAGIC.length) return this.#wait(MAGIC.length);
    if (bytes.toString('latin1', at, at + MAGIC.length) !== MAGIC) throw new Error('it is no Kubernetes protobuf');
    this.#place = 'envelope';
    return at + MAGIC.length;
  }

  #wait(bytes: number): undefined {
    this.#needed = bytes;
  }

  #checkKind(type: unknown): void {
    const found = (type as Of<typeof TypeMeta>).kind;
    if (found !== `${this.#kind}List`)
      throw new Error(`it is a ${found ?? 'nameless object'}, not a list of ${this.#kind}`);
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    const size = this.#carried + end - start;
    if (size > this.#carry.length) {
      const larger = Buffer.allocUnsafe(Math.max(size, this.#needed, this.#carry.length * 2));
      this.#carry.copy(larger, 0, 0, this.#carried);
      this.#carry = larger;
    }
    bytes.copy(this.#carry, this.#carried, start, end);
    this.#carried = size;
  }
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
