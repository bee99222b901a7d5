import fc from 'fast-check';
import { dump } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import type { DumpHandler } from '../../src/cluster/dump-handler.ts';
import { reader } from '../../src/cluster/dump-reader.ts';

/** Everything that a reader tells of a text that arrives in pieces of this size. */
function told(text: string, size: number): unknown[] {
  const events: unknown[] = [];
  const handler: DumpHandler = {
    list: (head) => events.push(['list', head]),
    item: (value) => events.push(['item', value]),
    document: (value) => events.push(['document', value]),
    log: (name, lines) => events.push(['log', name, lines]),
    flaw: (flaw) => events.push(['flaw', flaw]),
  };
  const bytes = Buffer.from(text);
  const feed = reader(handler);
  for (let at = 0; at < bytes.length; at += size) feed.push(bytes.subarray(at, at + size));
  feed.end();
  return events;
}

const tricky = {
  apiVersion: 'v1',
  metadata: { annotations: { items: '[{"a":"}]"}]', quote: 'a "b" \\ c\\"' }, words: ['äöü', '日本', '🙂'] },
  items: [
    { kind: 'Pod', metadata: { name: 'a' }, items: [{ nested: ['x'] }], text: 'line\n- not an item\n---\nitems:\n' },
    { kind: 'Pod', metadata: { name: 'b' }, empty: {}, none: [], brackets: '}{][' },
  ],
  kind: 'List',
};
const { items, ...rest } = tricky;
const asTold = [
  ['list', expect.objectContaining({ apiVersion: 'v1' })],
  ['item', items[0]],
  ['item', items[1]],
  ['document', expect.objectContaining(rest)],
];

describe.each([
  ['compact JSON', JSON.stringify(tricky)],
  ['indented JSON', JSON.stringify(tricky, null, 2)],
  ['YAML', dump(tricky, { noRefs: true })],
])('a List as %s', (_, text) => {
  test.each([1, 2, 3, 7, 64, 1 << 20])('in pieces of %d bytes', (size) => {
    expect(told(text, size)).toEqual(asTold);
  });
});

test('any objects in any pieces', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }));
  const print = fc.constantFrom(
    (value: object) => JSON.stringify(value),
    (value: object) => JSON.stringify(value, null, 3),
    (value: object) => dump(value, { noRefs: true }),
  );
  fc.assert(
    fc.property(fc.array(object, { minLength: 1 }), print, fc.integer({ min: 1, max: 40 }), (objects, print, size) => {
      // As JSON prints them: it knows no -0 and no __proto__.
      const items = JSON.parse(JSON.stringify(objects)) as object[];
      const text = print({ apiVersion: 'v1', items, kind: 'List' });
      expect(told(text, size).filter((event) => Array.isArray(event) && event[0] === 'item')).toEqual(
        items.map((item) => ['item', item]),
      );
    }),
    { numRuns: 300 },
  );
});

test('what is broken is named by its line, and what follows is read', () => {
  const text = '{"kind":"A"}\n\n{"kind": B}\n{\n"kind":"C",}\nError from server\nmore of it\n{"kind":"D"}\n{"kind":';
  for (const size of [1, 5, 1000])
    expect(told(text, size)).toEqual([
      ['document', { kind: 'A' }],
      ['flaw', { why: 'the object that starts here is not valid JSON', line: 3 }],
      ['flaw', { why: 'this is not valid JSON', line: 5 }],
      ['flaw', { why: 'there is text between the objects', line: 6 }],
      ['document', { kind: 'D' }],
      ['flaw', { why: 'the text ends in the middle of an object', line: 9 }],
    ]);
});

test('in YAML, too', () => {
  const text = 'kind: A\n---\nkind: [B\n---\n# nothing\n---\nitems:\n- kind: C\n- kind: "D\n- kind: E\nkind: List\n';
  for (const size of [1, 5, 1000])
    expect(told(text, size)).toEqual([
      ['document', { kind: 'A' }],
      ['flaw', { why: expect.stringMatching(/^this is not valid YAML: /), line: expect.any(Number) }],
      ['list', undefined],
      ['item', { kind: 'C' }],
      ['flaw', { why: expect.stringMatching(/^this is not valid YAML: /), line: expect.any(Number) }],
      ['item', { kind: 'E' }],
      ['document', { kind: 'List' }],
    ]);
});

test('a text that never ends an object is given up', () => {
  const feed = reader({ list() {}, item() {}, document() {}, log() {}, flaw() {} });
  const piece = Buffer.alloc(8 << 20, 'x');
  feed.push(Buffer.from('{"a":"'));
  expect(() => {
    for (let count = 0; count < 10; count++) feed.push(piece);
  }).toThrow('line 1: what starts here is larger than any Kubernetes object');
});
