import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ListDecoder, listDecoder } from '../../src/cluster/decode.ts';
import { resources } from '../../src/cluster/kinds.ts';
import { normalize } from '../../src/cluster/normalize.ts';
import { readStatus } from '../../src/cluster/status.ts';
import { tableDecoder } from '../../src/cluster/tables.ts';
import type { ApiKind, ApiKinds } from '../../src/objects/kinds-schema.ts';

// One and the same cluster, as a real API server wrote it in both forms.
const DATA = process.env['PODLENS_TEST_LISTS'] ?? join(import.meta.dirname, '../data/protobuf');
const PROTOBUF = 'application/vnd.kubernetes.protobuf;type=v1.PodList';

const kindOf = (plural: string): ApiKind => {
  const kind = (Object.keys(resources) as ApiKind[]).find((kind) => resources[kind].plural === plural);
  if (kind === undefined) throw new Error(`no kind is called ${plural}`);
  return kind;
};

function decode(kind: ApiKind, contentType: string, bytes: Buffer, chunkSize = bytes.length) {
  const objects: unknown[] = [];
  const decoder = listDecoder(kind, contentType, (object) => objects.push(object));
  feed(decoder, bytes, chunkSize);
  return { objects, continueToken: decoder.continueToken, remaining: decoder.remaining };
}

/** The memory of a chunk is used again for the next one, as a socket does. */
function feed(decoder: ListDecoder, bytes: Buffer, chunkSize: number): void {
  const memory = Buffer.alloc(chunkSize);
  for (let at = 0; at < bytes.length; at += chunkSize) {
    const length = bytes.copy(memory, 0, at, Math.min(bytes.length, at + chunkSize));
    decoder.push(memory.subarray(0, length));
  }
  decoder.end();
}

const read = (name: string) => readFileSync(join(DATA, name));

const plurals = readdirSync(DATA)
  .filter((name) => name.endsWith('.json') && existsSync(join(DATA, name.replace('.json', '.pb'))))
  .map((name) => name.replace('.json', ''));

describe.each(plurals)('%s', (plural) => {
  const kind = kindOf(plural);
  const json = decode(kind, 'application/json', read(`${plural}.json`));
  const protobuf = decode(kind, PROTOBUF, read(`${plural}.pb`));
  const list = JSON.parse(read(`${plural}.json`).toString('utf8')) as { items: unknown[] };
  const saved = list.items.map((item) => normalize(kind, item));

  test('are equal as JSON, as protobuf and from a file, down to the order of their fields', () => {
    expect(saved.length).toBe(list.items.length);
    for (const objects of [json.objects, protobuf.objects]) {
      expect(objects.length).toBe(saved.length);
      const text = objects.map((object) => JSON.stringify(object));
      const different = saved.findIndex((object, index) => JSON.stringify(object) !== text[index]);
      expect(objects[different]).toEqual(saved[different]);
      expect(different).toBe(-1);
    }
  });

  test('are frozen through and through', () => {
    for (const objects of [json.objects, protobuf.objects]) for (const object of objects) expectFrozen(object);
  });
});

function expectFrozen(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Object.isFrozen(value)) throw new Error(`not frozen: ${JSON.stringify(value).slice(0, 200)}`);
  for (const inner of Object.values(value)) expectFrozen(inner);
}

test.each([1, 7, 64, 1000, 4096, 65_536])('chunks of %i bytes make no difference', (size) => {
  const bytes = read('nodes.pb');
  const text = read('nodes.json');
  const whole = decode('Node', PROTOBUF, bytes).objects;
  expect(decode('Node', PROTOBUF, bytes, size).objects).toEqual(whole);
  expect(decode('Node', 'application/json', text, size).objects).toEqual(whole);
});

test.each([1, 7, 64, 1000])('chunks of %i bytes make no difference to a table', (size) => {
  const columnDefinitions = ['Name', 'Type', 'Data', 'Age'].map((name) => ({ name }));
  const rows = Array.from({ length: 20 }, (_, i) => {
    const fields = { fieldsV1: { 'f:data': { [`f:key-${i}`]: {} } } };
    const metadata = { name: `secret-${i}`, namespace: 'shop', managedFields: [fields] };
    return { cells: [metadata.name, 'Opaque', 1, '2d'], object: { metadata } };
  });
  const table = { kind: 'Table', metadata: { continue: 'next' }, columnDefinitions, rows };
  const secrets: ApiKinds['Secret'][] = [];
  const decoder = tableDecoder('Secret', (secret) => secrets.push(secret));
  feed(decoder, Buffer.from(JSON.stringify(table)), size);
  expect(secrets.map(({ metadata, data }) => [metadata?.name, data])).toEqual(
    rows.map((_, i) => [`secret-${i}`, { [`key-${i}`]: '' }]),
  );
  expect(decoder.continueToken).toBe('next');
});

test('the next page and what is left are known before the page has come', () => {
  const objects: unknown[] = [];
  const decoder = listDecoder('Pod', PROTOBUF, (pod) => objects.push(pod));
  decoder.push(read('pods-page-1.pb').subarray(0, 400));
  expect(objects).toEqual([]);
  expect(decoder.continueToken).toMatch(/^ey/);
  expect(decoder.remaining).toBeGreaterThan(0);
});

test('the last page has no next one', () => {
  const { continueToken, remaining } = decode('Pod', PROTOBUF, read('pods-page-4.pb'));
  expect({ continueToken, remaining }).toEqual({ continueToken: undefined, remaining: undefined });
});

describe.each([
  ['protobuf', PROTOBUF, 'pods-page-4.pb'],
  ['JSON', 'application/json', 'nodes.json'],
])('a list as %s', (_, contentType, file) => {
  const kind = file.startsWith('pods') ? 'Pod' : 'Node';
  const bytes = read(file);

  test('that stops in the middle is an error', () => {
    for (const share of [0, 0.001, 0.01, 0.5, 0.9, 0.999]) {
      expect(() => decode(kind, contentType, bytes.subarray(0, Math.floor(bytes.length * share)), 1000)).toThrow(
        /could not be read: .*ends in the middle/,
      );
    }
  });

  test('of another kind is an error', () => {
    expect(() => decode('Service', contentType, bytes)).toThrow(/not a list of Service/);
  });
});

test('what is no protobuf is an error', () => {
  expect(() => decode('Pod', PROTOBUF, Buffer.from('<html>Bad gateway</html>'))).toThrow(
    'The list of Pod objects could not be read: it is no Kubernetes protobuf.',
  );
});

test('the reason for a refusal is read in both forms', () => {
  expect(readStatus(PROTOBUF, read('not-found.pb'))).toMatchObject({
    message: 'pods "none" not found',
    reason: 'NotFound',
    code: 404,
  });
  const json = { kind: 'Status', metadata: {}, message: 'pods is forbidden', reason: 'Forbidden', code: 403 };
  expect(readStatus('application/json', Buffer.from(JSON.stringify(json)))).toMatchObject({ reason: 'Forbidden' });
  expect(readStatus('text/html', Buffer.from('<html>Bad gateway</html>'))).toBeUndefined();
  expect(readStatus('application/json', Buffer.from('{"kind":"Pod"}'))).toBeUndefined();
});
