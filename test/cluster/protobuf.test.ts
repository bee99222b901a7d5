import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalizeWhole } from '../../src/cluster/normalize.ts';
import { readMessage } from '../../src/cluster/protobuf.ts';
import { type ApiKind, messages } from '../../src/objects/kinds-schema.ts';
import { type Field, type Message, message, one, string } from '../../src/objects/schema.ts';
import { encodeMessage, lengthField } from '../support/protobuf-encode.ts';

/** Any object of a message, with any of its fields absent. */
function objectOf(message: Message): fc.Arbitrary<Record<string, unknown>> {
  const own = fc.record(
    Object.fromEntries(Object.entries(message.fields).map(([name, field]) => [name, anyOf(field)])),
    { requiredKeys: [] },
  );
  if (message.inlined === undefined) return own;
  return fc.tuple(own, objectOf(message.inlined.message)).map(([a, b]) => ({ ...b, ...a }));
}

const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constant('Running'),
);
const seconds = fc.integer({ min: 0, max: 4_000_000_000 });
const iso = (value: number) => new Date(value * 1000).toISOString().slice(0, 19);

function anyOf({ type, repeated }: Field): fc.Arbitrary<unknown> {
  const one = elementOf(type);
  return repeated ? fc.array(one, { maxLength: 3 }) : one;
}

function elementOf(type: Field['type']): fc.Arbitrary<unknown> {
  if (typeof type === 'object') return objectOf(type);
  switch (type) {
    case 'string':
    case 'quantity':
      return text;
    case 'int':
      return fc.oneof(fc.integer(), fc.maxSafeInteger());
    case 'bool':
      return fc.boolean();
    case 'time':
      return seconds.map((value) => `${iso(value)}Z`);
    case 'microTime':
      return fc.tuple(seconds, fc.nat(999_999)).map(([s, us]) => `${iso(s)}.${String(us).padStart(6, '0')}Z`);
    case 'intOrString':
      return fc.oneof(fc.nat(), text);
    case 'json':
      return fc
        .dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }))
        .map((value) => JSON.parse(JSON.stringify(value)));
    default:
      return fc.dictionary(text, text, { maxKeys: 4 });
  }
}

describe.each(Object.keys(messages) as ApiKind[])('%s', (kind) => {
  test('reads from protobuf what it reads from JSON', () => {
    fc.assert(
      fc.property(objectOf(messages[kind]), (object) => {
        const bytes = encodeMessage(messages[kind], object);
        expect(readMessage(messages[kind], bytes, 0, bytes.length)).toEqual(normalizeWhole(kind, object));
      }),
      { numRuns: 60 },
    );
  });
});

const Inner = message({ a: string(1), b: string(2) });
const Outer = message({ inner: one(3, Inner), text: string(2) });
const read = (bytes: Buffer) => readMessage(Outer, bytes, 0, bytes.length);
const inner = lengthField(3, lengthField(1, Buffer.from('x')));

test('fields that no table names are passed over, whatever their wire type', () => {
  const unknown = [
    [0x08, 0x96, 0x01],
    [0x21, 1, 2, 3, 4, 5, 6, 7, 8],
    [0x2d, 1, 2, 3, 4],
    [0x32, 2, 9, 9],
  ].flat();
  expect(read(Buffer.concat([Buffer.from(unknown), inner]))).toEqual({ inner: { a: 'x' } });
});

test.each([
  [
    'a field that is longer than its message',
    Buffer.concat([lengthField(3, Buffer.from([0x0a, 9, 0x61])), lengthField(2, Buffer.from('abcdefgh'))]),
  ],
  ['a field that is longer than everything', Buffer.from([0x1a, 100, 1])],
  ['a length without an end', Buffer.from([0x1a, 0xff])],
  ['a number without an end', Buffer.alloc(12, 0xff)],
  ['a group', Buffer.from([0x0b])],
])('%s is an error', (_, bytes) => {
  expect(() => read(bytes)).toThrow(Error);
});
