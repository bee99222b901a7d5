import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalizeWhole } from '../../src/cluster/normalize.ts';
import { readMessage } from '../../src/cluster/protobuf.ts';
import { type ApiKind, messages } from '../../src/objects/kinds-schema.ts';
import { ObjectMeta } from '../../src/objects/meta.ts';
import { Container, PodSpec, Volume, VolumeSource } from '../../src/objects/pod-schema.ts';
import {
  bool,
  type Field,
  inline,
  list,
  type Message,
  message,
  one,
  only,
  part,
  string,
} from '../../src/objects/schema.ts';
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

describe('what replicas share', () => {
  const isClaim = (volume: unknown) =>
    (volume as { persistentVolumeClaim?: object }).persistentVolumeClaim !== undefined;

  /** Some of a pod's fields; a new table remembers nothing. */
  const table = () => {
    const volume = message(only(Volume, ['name']).fields, inline(2, only(VolumeSource, ['persistentVolumeClaim'])));
    const containers = list(2, only(Container, ['name', 'image', 'ports', 'resources']));
    return message({
      metadata: part(1, only(ObjectMeta, ['name', 'labels', 'ownerReferences'])),
      spec: part(2, message({ volumes: { ...list(1, volume), where: isClaim }, containers, hostNetwork: bool(11) })),
    });
  };

  /** The pod with one part of another one. */
  const changed = (pod: Plain, other: Plain, path: readonly string[]): Plain => {
    const [name = '', ...rest] = path;
    const value = rest.length === 0 ? other[name] : changed(plain(pod[name]), plain(other[name]), rest);
    return { ...pod, [name]: value };
  };
  type Plain = Record<string, unknown>;
  const plain = (value: unknown): Plain => (typeof value === 'object' && value !== null ? (value as Plain) : {});
  const paths = [
    ...Object.keys(ObjectMeta.fields).map((name) => ['metadata', name]),
    ...Object.keys(PodSpec.fields).map((name) => ['spec', name]),
  ];

  test('is told from what only looks like it', () => {
    const shared = table();
    const variants = fc.array(fc.tuple(objectOf(messages.Pod), fc.constantFrom(...paths)), { maxLength: 6 });
    fc.assert(
      fc.property(objectOf(messages.Pod), variants, (pod, others) => {
        const replicas = others.flatMap(([other, path]) => [changed(pod, other, path), pod]);
        for (const replica of [pod, ...replicas]) {
          const bytes = encodeMessage(messages.Pod, replica);
          expect(readMessage(shared, bytes, 0, bytes.length)).toEqual(readMessage(table(), bytes, 0, bytes.length));
        }
      }),
      { numRuns: 200 },
    );
  });

  test('is one and the same object, whatever lies between', () => {
    const shared = table();
    const read = (name: string, token: string, image: string) => {
      const container = { name: 'app', image, volumeMounts: [{ name: token, mountPath: '/var/run/secrets' }] };
      const bytes = encodeMessage(messages.Pod, { metadata: { name }, spec: { containers: [container] } });
      return readMessage(shared, bytes, 0, bytes.length) as { spec: { containers: readonly object[] } };
    };
    const first = read('web-1', 'token-a', 'web:1');
    expect(read('web-2', 'token-b', 'web:1').spec.containers).toBe(first.spec.containers);
    expect(read('web-3', 'token-c', 'web:2').spec.containers).not.toBe(first.spec.containers);
    expect(read('web-4', 'a-longer-token', 'web:1').spec.containers).toEqual(first.spec.containers);
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
