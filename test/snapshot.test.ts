import { expect, test } from 'vitest';
import { createSnapshot, inNamespace, type Kinds, namespacesOf } from '../src/snapshot.ts';

const pod = (namespace: string | undefined, name: string): Kinds['Pod'] => ({
  metadata: namespace === undefined ? { name } : { namespace, name },
});

const { list, get } = createSnapshot({
  takenAt: '2026-11-21T02:00:00Z',
  objects: { Pod: [pod('b', 'x'), pod('a-b', 'y'), pod('a', 'z'), pod('a', 'x'), pod('aa', 'x'), pod(undefined, 'x')] },
});
const pods = list('Pod');

test('objects are found by name and namespace', () => {
  expect(get('Pod', 'z', 'a')).toBe(pods[2]);
  expect(get('Pod', 'x')).toBe(pods[0]);
  expect(get('Pod', 'y', 'a')).toBeUndefined();
  expect(get('Pod', 'z', 'c')).toBeUndefined();
});

test.each([
  ['', ['x']],
  ['a', ['x', 'z']],
  ['a-b', ['y']],
  ['aa', ['x']],
  ['b', ['x']],
  ['ab', []],
  ['c', []],
])('the pods of namespace "%s" are %j', (namespace, names) => {
  expect(inNamespace(pods, namespace).map(({ metadata }) => metadata?.name)).toEqual(names);
});

test('every namespace is named once, in order', () => {
  expect(namespacesOf(pods)).toEqual(['', 'a', 'a-b', 'aa', 'b']);
  expect(namespacesOf([])).toEqual([]);
});
