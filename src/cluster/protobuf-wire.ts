/** Where in the bytes a reader is. */
export interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

/** The wire types that Kubernetes' messages have. */
export const VARINT = 0;
export const LENGTH = 2;

/** A tag of the field `number`, for a value that says how long it is. */
export const lengthTag = (number: number): number => (number << 3) | LENGTH;
export const varintTag = (number: number): number => (number << 3) | VARINT;

/** A varint, also a tag. Negative numbers take ten bytes: the upper half is the sign. */
export function readVarint(cursor: Cursor): number {
  const { bytes, at } = cursor;
  // Nearly all of them take one byte or two.
  if (at + 1 < bytes.length) {
    const first = bytes[at] as number;
    if (first < 0x80) {
      cursor.at = at + 1;
      return first;
    }
    const second = bytes[at + 1] as number;
    if (second < 0x80) {
      cursor.at = at + 2;
      return (first & 0x7f) | (second << 7);
    }
  }
  return readLongVarint(cursor);
}

function readLongVarint(cursor: Cursor): number {
  const { bytes } = cursor;
  let low = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = byteAt(bytes, cursor.at++);
    low |= (byte & 0x7f) << shift;
    if (byte < 0x80) return low;
  }
  let high = 0;
  for (let shift = 0; shift < 42; shift += 7) {
    const byte = byteAt(bytes, cursor.at++);
    high += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) {
      return (high >= 2 ** 35 ? high - 2 ** 36 : high) * 2 ** 28 + low;
    }
  }
  throw new Error('a number is longer than ten bytes');
}

function byteAt(bytes: Buffer, at: number): number {
  if (at >= bytes.length) throw new Error('the message ends in the middle of a field');
  return bytes[at] as number;
}

/** Reads a length: where the value that begins now ends. */
export function readEnd(cursor: Cursor): number {
  const length = readVarint(cursor);
  const end = cursor.at + length;
  if (length < 0 || end > cursor.bytes.length) throw new Error('a field is longer than the message it is in');
  return end;
}

/** Passes over the field whose tag was just read. */
export function skip(cursor: Cursor, wireType: number): void {
  if (wireType === LENGTH) cursor.at = readEnd(cursor);
  else if (wireType === VARINT) readVarint(cursor);
  else if (wireType === 1) cursor.at += 8;
  else if (wireType === 5) cursor.at += 4;
  else throw new Error(`a field has wire type ${wireType}, which Kubernetes does not use`);
}

/** What `fieldAt` read last: the field's tag, and where its content begins. */
export const last = { tag: 0, from: 0, end: 0 };

/** A tag or a length, which is nearly always one byte. `last.end` is where it ends. */
function headVarint(bytes: Buffer, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) {
    last.end = at + 1;
    return first;
  }
  const cursor: Cursor = { bytes, at };
  const value = readVarint(cursor);
  last.end = cursor.at;
  return value;
}

/**
 * Reads the tag at `at`, and says where the field ends. `last.tag` is the tag, `last.from` where the field's content begins.
 * For walking over many fields without moving a cursor.
 */
export function fieldAt(bytes: Buffer, at: number, stop: number): number {
  const tag = headVarint(bytes, at);
  let from = last.end;
  let end: number;
  if ((tag & 7) === LENGTH) {
    const length = headVarint(bytes, from);
    from = last.end;
    end = from + length;
  } else {
    const cursor: Cursor = { bytes, at: from };
    skip(cursor, tag & 7);
    end = cursor.at;
  }
  if (end > stop || end < from) throw new Error('a field is longer than the message it is in');
  last.tag = tag;
  last.from = from;
  return end;
}

const TEXTS = 8192;
const texts: string[] = new Array(TEXTS).fill('');
const LONGEST_TEXT = 64;

/** A string. Short ones are shared, unless they are known to be unique. */
export function readText(cursor: Cursor, unique = false): string {
  const start = cursor.at;
  const { bytes } = cursor;
  const length = readVarint(cursor);
  const from = cursor.at;
  const end = from + length;
  if (length < 0 || end > bytes.length) throw new Error(`a string at ${start} is longer than the message it is in`);
  cursor.at = end;
  if (length === 0) return '';
  if (unique || length > LONGEST_TEXT) return bytes.toString('utf8', from, end);
  let hash = length;
  let seen = 0;
  for (let at = from; at < end; at++) {
    const byte = bytes[at] as number;
    seen |= byte;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  if (seen > 0x7f) return bytes.toString('utf8', from, end);
  const slot = (hash ^ (hash >>> 15)) & (TEXTS - 1);
  const known = texts[slot] as string;
  if (isText(known, bytes, from, length)) return known;
  const text = bytes.toString('latin1', from, end);
  texts[slot] = text;
  return text;
}

function isText(known: string, bytes: Buffer, from: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i++) if (known.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}
