import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitJson } from '../../src/cluster/json-list.ts';

function split(text: string | Buffer, chunkSize = Number.POSITIVE_INFINITY) {
  const items: unknown[] = [];
  const documents: unknown[] = [];
  const heads: unknown[] = [];
  const splitter = splitJson({
    onHead: (head) => heads.push(head),
    onItem: (item) => items.push(item),
    onDocument: (document) => documents.push(document),
  });
  const bytes = Buffer.from(text as string);
  const size = Math.min(chunkSize, bytes.length);
  for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
  splitter.end();
  return { items, documents, heads };
}

const list = (items: unknown[]) => ({ kind: 'PodList', metadata: { resourceVersion: '1' }, items });

describe.each([
  ['as the API server writes it', (value: unknown) => JSON.stringify(value)],
  ['as kubectl prints it', (value: unknown) => JSON.stringify(value, null, 4)],
  [
    'as Python writes it',
    (value: unknown) => JSON.stringify(value, null, 1).replace(/,\n */g, ', ').replace(/\n */g, ''),
  ],
])('a list %s', (_, write) => {
  const nested = [
    {
      metadata: { name: 'a' },
      spec: { volumeClaimTemplates: [{ metadata: { name: 'x' } }, { metadata: { name: 'y' } }] },
    },
    { metadata: { name: 'b', annotations: { trap: '}]},{"metadata":{"name":"\\' } } },
    { metadata: { name: 'c' } },
    { metadata: { name: 'd', managedFields: [{ manager: 'm]},"' }], labels: { a: 'ü' } } },
    { kind: 'Pod', metadata: { name: 'e' } },
  ];

  test.each([1, 2, 3, 5, 17, 100, 10_000])('in chunks of %i bytes', (size) => {
    const { items, documents, heads } = split(write(list(nested)), size);
    expect(items).toEqual(nested);
    expect(documents).toEqual([list([])]);
    expect(heads).toEqual([list([])]);
  });

  test('of nothing', () => {
    expect(split(write(list([])))).toMatchObject({ items: [], documents: [list([])] });
  });

  test('with its kind after the items', () => {
    const { items, documents } = split(write({ items: [{ a: 1 }, { a: 2 }], kind: 'List' }), 3);
    expect(items).toEqual([{ a: 1 }, { a: 2 }]);
    expect(documents).toEqual([{ items: [], kind: 'List' }]);
  });
});

test('what the API server notes about who wrote which field is left out', () => {
  const item = { metadata: { name: 'a', managedFields: [{ fieldsV1: { 'f:spec': {} } }] }, spec: {} };
  const { items } = split(JSON.stringify(list([item, item, item, item])));
  expect(items.at(2)).toEqual({ metadata: { name: 'a' }, spec: {} });
});

test('documents that follow each other', () => {
  const text = `\ufeff ${JSON.stringify(list([{ a: 1 }]))}\n${JSON.stringify({ kind: 'Pod', items: 3 })}{"items":null}[1]`;
  for (const size of [1, 4, 1000]) {
    const { items, documents } = split(text, size);
    expect(items).toEqual([{ a: 1 }]);
    expect(documents).toEqual([list([]), { kind: 'Pod', items: 3 }, { items: null }, [1]]);
  }
});

test('a field named items that is not the outermost is none', () => {
  const pod = { spec: { volumes: [{ configMap: { items: [{ key: 'a' }] } }] } };
  expect(split(JSON.stringify(pod))).toEqual({ items: [], documents: [pod], heads: [] });
});

test.each(['{"items":[{"a":1}', '{"items":[{"a":1},{"a"', '{"a":', '{"items":[', '{"items":[{"a":1}]'])(
  '%s stops in the middle',
  (text) => {
    expect(() => split(text, 4)).toThrow(SyntaxError);
  },
);

test.each(['<html>', '{"items":[{"a":1}{"a":}]}', 'Error from server'])('%s is no JSON', (text) => {
  expect(() => split(text)).toThrow(SyntaxError);
});

test('any items come out as they went in, whatever the chunks', () => {
  const item = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }));
  fc.assert(
    fc.property(
      fc.array(item),
      fc.integer({ min: 1, max: 50 }),
      fc.constantFrom(undefined, 1, 4),
      (items, size, indent) => {
        const sent = JSON.parse(JSON.stringify(items)) as unknown[];
        expect(split(JSON.stringify(list(items), null, indent), size).items).toEqual(sent);
      },
    ),
  );
});
