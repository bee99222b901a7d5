import { dump } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { readDump } from '../../src/cluster/files.ts';
import { resources } from '../../src/cluster/kinds.ts';
import type { ApiKind } from '../../src/objects/kinds-schema.ts';
import type { Kind, Snapshot } from '../../src/snapshot.ts';
import { dumpFolder, listOf } from '../support/dumps.ts';

/** "Secret shop/tls": an object as kubectl prints it. */
function one(words: string): object {
  const [kind = '', path = ''] = words.split(' ');
  const [name, namespace] = path.split('/').reverse();
  return {
    apiVersion: resources[kind as ApiKind].groupVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  };
}
const list = (...words: string[]) => listOf(...words.map(one));

/** "everywhere", or the namespaces of these that are covered. */
function covered(snapshot: Snapshot, kind: Kind): string {
  if (snapshot.covers(kind)) return 'everywhere';
  const where = ['shop', 'bank', 'zoo'].filter((namespace) => snapshot.covers(kind, namespace));
  if (where.length > 0) return where.join(', ');
  return snapshot.unreadable.get(kind) ?? 'nowhere';
}

describe('absence in a dump proves absence in the cluster', () => {
  const cases: [string, Record<string, object | string>, Kind, string][] = [
    ['one object proves nothing', { 'a.json': one('Secret shop/a') }, 'Secret', 'nowhere'],
    [
      'nor do several in one file',
      { 'a.yaml': `${dump(one('Secret shop/a'))}---\n${dump(one('Secret bank/b'))}` },
      'Secret',
      'nowhere',
    ],
    ['a List covers the one namespace in it', { 'a.json': list('Secret shop/a', 'Secret shop/b') }, 'Secret', 'shop'],
    [
      'a List of several namespaces covers all',
      { 'a.json': list('Secret shop/a', 'Secret bank/b') },
      'Secret',
      'everywhere',
    ],
    ['so does one in YAML', { 'a.yaml': dump(list('Secret shop/a', 'Secret bank/b')) }, 'Secret', 'everywhere'],
    [
      'Lists of one namespace each cover theirs',
      { 'a.json': list('Secret shop/a'), 'b.json': list('Secret bank/b') },
      'Secret',
      'shop, bank',
    ],
    ['a List of a cluster-scoped kind covers it', { 'n.json': list('Node n-1') }, 'Node', 'everywhere'],
    ['one Node does not', { 'n.json': one('Node n-1') }, 'Node', 'nowhere'],
    [
      'nor do the files of a must-gather',
      { 'cluster-scoped-resources/core/nodes/n-1.yaml': dump(one('Node n-1')) },
      'Node',
      'nowhere',
    ],
    [
      'a file named for namespace and kind may be empty',
      { 'shop/secrets.json': list(), 'p.json': one('Pod shop/a') },
      'Secret',
      'shop',
    ],
    [
      'so may that of a must-gather',
      { 'namespaces/shop/core/secrets.yaml': dump(list()), 'p.json': one('Pod shop/a') },
      'Secret',
      'shop',
    ],
    [
      'an empty typed list',
      { 'shop/secrets.json': { kind: 'SecretList', apiVersion: 'v1', items: [] } },
      'Secret',
      'shop',
    ],
    [
      'an empty List from nowhere says nothing',
      { 'x.json': list(), 'p.json': one('Pod shop/a') },
      'Secret',
      'not in the dump',
    ],
    [
      'an empty NodeList says that there is none',
      { 'x.json': { kind: 'NodeList', apiVersion: 'v1', items: [] } },
      'Node',
      'everywhere',
    ],
    [
      'one page of several does not cover',
      { 'x.json': { ...list('Secret shop/a'), metadata: { continue: 'token' } } },
      'Secret',
      'nowhere',
    ],
    ['a kind that is nowhere', { 'p.json': list('Pod shop/a') }, 'Secret', 'not in the dump'],
    [
      'logs that are nowhere',
      { 'p.json': listOf({ ...one('Pod shop/a'), spec: { containers: [{ name: 'app' }] } }) },
      'Log',
      'not in the dump',
    ],
    [
      'a mixed List covers what it has several of',
      { 'x.json': list('Pod shop/a', 'Pod shop/b', 'Service shop/s') },
      'Pod',
      'shop',
    ],
    [
      'but not what may have been asked for by name',
      { 'x.json': list('Pod shop/a', 'Pod shop/b', 'Service shop/s') },
      'Service',
      'nowhere',
    ],
    [
      'ConfigMaps without the one of every namespace are a selection',
      { 'x.json': list('ConfigMap shop/a', 'ConfigMap shop/b') },
      'ConfigMap',
      'nowhere',
    ],
    [
      'with it they are all',
      { 'x.json': list('ConfigMap shop/a', 'ConfigMap shop/kube-root-ca.crt') },
      'ConfigMap',
      'shop',
    ],
    [
      'such a selection tells of the whole List',
      { 'x.json': list('ConfigMap shop/a', 'Pod shop/a', 'Pod shop/b') },
      'Pod',
      'nowhere',
    ],
    [
      'a file that is named for them is believed',
      { 'shop/configmaps.json': list('ConfigMap shop/a') },
      'ConfigMap',
      'shop',
    ],
    ['one Namespace of many', { 'namespaces.json': list('Namespace shop') }, 'Namespace', 'nowhere'],
    ['all Namespaces', { 'namespaces.json': list('Namespace default', 'Namespace shop') }, 'Namespace', 'everywhere'],
    [
      'a file for each of all Namespaces covers everywhere',
      {
        'ns.json': list('Namespace default', 'Namespace shop'),
        'default/secrets.json': list(),
        'shop/secrets.json': list('Secret shop/a'),
      },
      'Secret',
      'everywhere',
    ],
    [
      'where one is missing, it does not',
      {
        'ns.json': list('Namespace default', 'Namespace bank', 'Namespace shop'),
        'default/secrets.json': list(),
        'shop/secrets.json': list('Secret shop/a'),
      },
      'Secret',
      'shop',
    ],
    [
      'where no container is broken, nobody misses the logs',
      {
        'p.json': listOf({
          ...one('Pod shop/a'),
          spec: { containers: [{ name: 'app' }] },
          status: { phase: 'Running', containerStatuses: [{ name: 'app', ready: true, state: { running: {} } }] },
        }),
      },
      'Log',
      'nowhere',
    ],
  ];
  test.each(cases)('%s', async (_, files, kind, expected) => {
    const { snapshot } = await readDump([dumpFolder(files)]);
    expect(covered(snapshot, kind)).toBe(expected);
  });
});

test('where nothing but an empty List is there, that is what was found', async () => {
  const { snapshot } = await readDump([dumpFolder({ 'x.json': list() })]);
  expect(snapshot.list('Pod')).toEqual([]);
});
