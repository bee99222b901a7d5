import type { Field } from '../objects/schema.ts';
import { freezeDeep } from './normalize.ts';
import { type Cursor, lengthTag, readEnd, readText, readVarint, skip, varintTag } from './protobuf-wire.ts';
import { formatMicroTime, formatTime } from './times.ts';

/** A value that is no message of a schema table. `unique`: hardly ever the same string twice. */
export function readScalar(type: Field['type'], cursor: Cursor, unique: boolean): unknown {
  switch (type) {
    case 'int':
      return readVarint(cursor);
    case 'bool':
      return readVarint(cursor) !== 0;
    case 'string':
      return readText(cursor, unique);
    case 'quantity':
      return readQuantity(cursor);
    case 'time':
    case 'microTime':
      return readTime(cursor, type);
    case 'intOrString':
      return readIntOrString(cursor);
    case 'json':
      return readJson(cursor);
    default:
      throw new Error('not a scalar');
  }
}

/** resource.Quantity: { string: 1 } */
export function readQuantity(cursor: Cursor): string {
  const end = readEnd(cursor);
  let text = '';
  while (cursor.at < end) {
    const tag = readVarint(cursor);
    if (tag === lengthTag(1)) text = readText(cursor);
    else skip(cursor, tag & 7);
  }
  return text;
}

/** meta.Time and meta.MicroTime: { seconds: 1, nanos: 2 }; the zero time has neither. */
function readTime(cursor: Cursor, type: 'time' | 'microTime'): string | undefined {
  const end = readEnd(cursor);
  if (cursor.at === end) return undefined;
  let seconds = 0;
  let nanos = 0;
  while (cursor.at < end) {
    const tag = readVarint(cursor);
    if (tag === varintTag(1)) seconds = readVarint(cursor);
    else if (tag === varintTag(2)) nanos = readVarint(cursor);
    else skip(cursor, tag & 7);
  }
  return type === 'time' ? formatTime(seconds) : formatMicroTime(seconds, Math.floor(nanos / 1000));
}

/** intstr.IntOrString: { type: 1 (0 int, 1 string), intVal: 2, strVal: 3 } */
function readIntOrString(cursor: Cursor): number | string {
  const end = readEnd(cursor);
  let isText = false;
  let number = 0;
  let text = '';
  while (cursor.at < end) {
    const tag = readVarint(cursor);
    if (tag === varintTag(1)) isText = readVarint(cursor) === 1;
    else if (tag === varintTag(2)) number = readVarint(cursor);
    else if (tag === lengthTag(3)) text = readText(cursor);
    else skip(cursor, tag & 7);
  }
  return isText ? text : number;
}

/** runtime.RawExtension: { raw: 1 }, which is JSON. */
function readJson(cursor: Cursor): unknown {
  const end = readEnd(cursor);
  let value: unknown;
  while (cursor.at < end) {
    const tag = readVarint(cursor);
    if (tag === lengthTag(1)) value = freezeDeep(JSON.parse(readText(cursor, true)));
    else skip(cursor, tag & 7);
  }
  return value;
}
