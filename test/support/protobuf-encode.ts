import type { Field, Message } from '../../src/objects/schema.ts';

/** Writes the fields of a schema table as Kubernetes' protobuf: what the reader is fed with where no server is. */
export function encodeMessage(message: Message, object: object): Buffer {
  const parts: Buffer[] = [];
  for (const { number, write } of writersOf(message)) write(object as Plain, number, parts);
  return Buffer.concat(parts);
}

/** A list response: the envelope, the list's metadata and its items. */
export function encodeList(kind: string, apiVersion: string, meta: ListMeta, items: readonly Buffer[]): Buffer {
  const raw = [encodeListMeta(meta), ...items.map((item) => lengthField(2, item))];
  return Buffer.concat([
    encodeListHead(
      kind,
      apiVersion,
      raw.reduce((sum, { length }) => sum + length, 0),
    ),
    ...raw,
  ]);
}

export interface ListMeta {
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}

/** Everything in front of the list's own fields, which have `length` bytes. */
export function encodeListHead(kind: string, apiVersion: string, length: number): Buffer {
  const type = Buffer.concat([lengthField(1, Buffer.from(apiVersion)), lengthField(2, Buffer.from(`${kind}List`))]);
  return Buffer.concat([Buffer.from('k8s\0'), lengthField(1, type), varint((2 << 3) | 2), varint(length)]);
}

export function encodeListMeta(meta: ListMeta): Buffer {
  const fields = [lengthField(2, Buffer.from('1'))];
  fields.push(lengthField(3, Buffer.from(meta.continue ?? '')));
  if (meta.remainingItemCount !== undefined) fields.push(varint(4 << 3), varint(meta.remainingItemCount));
  return lengthField(1, Buffer.concat(fields));
}

type Plain = Readonly<Record<string, unknown>>;

interface Writer {
  readonly number: number;
  readonly write: (object: Plain, number: number, parts: Buffer[]) => void;
}

const known = new WeakMap<Message, readonly Writer[]>();

function writersOf(message: Message): readonly Writer[] {
  const before = known.get(message);
  if (before !== undefined) return before;
  const writers = Object.entries(message.fields).map(([name, field]): Writer => {
    return { number: field.number, write: (object, _, parts) => writeField(field, object[name], parts) };
  });
  const { inlined } = message;
  if (inlined !== undefined) {
    const write: Writer['write'] = (object, number, parts) =>
      void parts.push(lengthField(number, encodeMessage(inlined.message, object)));
    writers.push({ number: inlined.number, write });
  }
  writers.sort((a, b) => a.number - b.number);
  known.set(message, writers);
  return writers;
}

function writeField(field: Field, value: unknown, parts: Buffer[]): void {
  const { number, type, repeated } = field;
  if (value === undefined || value === null) writeZero(field, parts);
  else if (repeated) for (const element of value as unknown[]) parts.push(encodeValue(number, type, element));
  else if (type === 'strings' || type === 'quantities' || type === 'keys') writeMap(field, value as Plain, parts);
  else parts.push(encodeValue(number, type, value));
}

/** Kubernetes writes every field that is no pointer, however empty. */
function writeZero({ number, type, repeated, keepsEmpty }: Field, parts: Buffer[]): void {
  if (repeated || keepsEmpty) return;
  if (type === 'string') parts.push(lengthField(number, Buffer.alloc(0)));
  else if (type === 'int' || type === 'bool') parts.push(varint(number << 3), varint(0));
  else if (type === 'time' || type === 'microTime') parts.push(lengthField(number, Buffer.alloc(0)));
  else if (typeof type === 'object') parts.push(encodeValue(number, type, {}));
}

function writeMap({ number, type }: Field, map: Plain, parts: Buffer[]): void {
  for (const [key, text] of Object.entries(map)) {
    const bytes = Buffer.from(String(text));
    const value = type === 'quantities' ? lengthField(1, bytes) : bytes;
    parts.push(lengthField(number, Buffer.concat([lengthField(1, Buffer.from(key)), lengthField(2, value)])));
  }
}

function encodeValue(number: number, type: Field['type'], value: unknown): Buffer {
  if (typeof type === 'object') return lengthField(number, encodeMessage(type, value as object));
  switch (type) {
    case 'int':
      return Buffer.concat([varint(number << 3), varint(value as number)]);
    case 'bool':
      return Buffer.concat([varint(number << 3), varint(value === true ? 1 : 0)]);
    case 'time':
    case 'microTime':
      return lengthField(number, encodeTime(value as string));
    case 'quantity':
      return lengthField(number, lengthField(1, Buffer.from(value as string)));
    case 'intOrString':
      return lengthField(number, encodeIntOrString(value as number | string));
    case 'json':
      return lengthField(number, lengthField(1, Buffer.from(JSON.stringify(value))));
    default:
      return lengthField(number, Buffer.from(value as string));
  }
}

function encodeTime(text: string): Buffer {
  const micros = Number((/\.(\d{6})/.exec(text)?.[1] ?? '0').slice(0, 6));
  const seconds = Math.floor(Date.parse(text) / 1000);
  return Buffer.concat([varint(1 << 3), varint(seconds), varint(2 << 3), varint(micros * 1000)]);
}

function encodeIntOrString(value: number | string): Buffer {
  const [type, number, text] = typeof value === 'number' ? [0, value, ''] : [1, 0, value];
  const head = [varint(1 << 3), varint(type), varint(2 << 3), varint(number)];
  return Buffer.concat([...head, lengthField(3, Buffer.from(text))]);
}

/** A field that says how long it is. */
export const lengthField = (number: number, bytes: Buffer): Buffer =>
  Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);

function varint(value: number): Buffer {
  if (value >= 0 && value < 0x80) return Buffer.of(value);
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}
