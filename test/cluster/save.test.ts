import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { analyzers } from '../../src/analyzers/index.ts';
import type { Collected } from '../../src/cluster/collected.ts';
import { readDump } from '../../src/cluster/files.ts';
import { normalize } from '../../src/cluster/normalize.ts';
import { saveSnapshot } from '../../src/cluster/save.ts';
import { diagnose } from '../../src/diagnose.ts';
import { createSnapshot } from '../../src/snapshot.ts';
import { dataOf, dumpFolder } from '../support/dumps.ts';

const textOf = (collected: Pick<Collected, 'snapshot' | 'gaps' | 'namespaces'>) =>
  [...saveSnapshot(collected)].join('');
const read = (text: string) => readDump(['-'], { stdin: Readable.from([Buffer.from(text)]) });
const reportOf = ({ snapshot, gaps }: Collected) => JSON.stringify(diagnose(snapshot, { analyzers, gaps }));

const live: Collected = {
  snapshot: createSnapshot({
    takenAt: '2026-03-01T10:00:00Z',
    objects: {
      Pod: [
        normalize('Pod', {
          metadata: {
            name: 'web-0',
            namespace: 'shop',
            creationTimestamp: '2026-03-01T10:05:00Z',
            labels: { app: '' },
          },
          spec: {
            containers: [
              {
                name: 'app',
                image: 'shop/web:1',
                env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
              },
            ],
          },
          status: { phase: 'Running', containerStatuses: [{ name: 'app', ready: true, state: { running: {} } }] },
        }),
      ],
      Secret: [normalize('Secret', { metadata: { name: 's', namespace: 'shop' }, data: { k: 'aHVudGVyMg==' } })],
      ControllerRevision: [
        normalize('ControllerRevision', {
          metadata: { name: 'r', namespace: 'shop' },
          data: { spec: { a: [1] } },
          revision: 2,
        }),
      ],
      Node: [normalize('Node', { metadata: { name: 'n-1' }, status: { allocatable: { cpu: '3920m' } } })],
      Log: [
        {
          metadata: { namespace: 'shop', name: 'web-0/app' },
          pod: 'web-0',
          container: 'app',
          previous: false,
          lines: [{ text: 'one', at: '2026-03-01T10:00:00.000000001Z' }, { text: '' }],
          read: 'last 200 lines',
        },
      ],
    },
    unreadable: new Map([
      ['StorageClass', 'forbidden: not for you'],
      ['Node', 'the connection broke off'],
      ['CSINode', 'forbidden: not for you'],
    ]),
    namespaces: new Map([['Secret', new Set(['shop', 'bank'])]]),
  }),
  gaps: [{ what: 'logs of shop/web-1', reason: 'forbidden', hint: 'ask' }],
  stats: { requests: 1, bytes: 1, retries: 0 },
  namespaces: ['shop'],
};

test('a saved snapshot is read as it was, although its pods are healthy and its times are later', async () => {
  const again = await read(textOf(live));
  expect(dataOf(again.snapshot)).toEqual({ ...dataOf(live.snapshot), namespaces: { Secret: ['bank', 'shop'] } });
  expect(again.gaps).toEqual(live.gaps);
  expect(again.namespaces).toEqual(['shop']);
  expect(reportOf(again)).toBe(reportOf(live));
});

test('saving it again gives the same bytes', async () => {
  const once = textOf(await read(textOf(live)));
  expect(textOf(await read(once))).toBe(once);
});

test('it is a List of Kubernetes, one object per line, without the values of Secrets', () => {
  const text = textOf(live);
  const { kind, apiVersion, items } = JSON.parse(text) as {
    kind: string;
    apiVersion: string;
    items: { kind: string; apiVersion: string }[];
  };
  expect([apiVersion, kind]).toEqual(['v1', 'List']);
  expect(items.map((item) => `${item.apiVersion} ${item.kind}`)).toEqual([
    'podlens/v1 Snapshot',
    'v1 Pod',
    'v1 Node',
    'v1 Secret',
    'apps/v1 ControllerRevision',
    'podlens/v1 Log',
  ]);
  expect(text.split('\n')).toHaveLength(items.length + 3);
  expect(text).not.toContain('aHVudGVyMg');
});

test('--at outranks the time it was taken', async () => {
  const folder = dumpFolder({ 'saved.json': textOf(live) });
  const { snapshot } = await readDump([join(folder, 'saved.json')], { at: '2026-03-05T00:00:00Z' });
  expect(snapshot.takenAt).toBe('2026-03-05T00:00:00.000Z');
});

test('a header that somebody changed does no harm', async () => {
  const text = textOf(live)
    .replace('"Secret":["shop","bank"]', '"Secret":[1],"Gadget":"everywhere"')
    .replace('"Node":"the connection broke off"', '"Node":7,"Gadget":"x"');
  const { snapshot } = await read(text);
  expect(snapshot.covers('Secret', 'shop')).toBe(false);
  expect([...snapshot.unreadable.keys()].sort()).toEqual(['CSINode', 'StorageClass']);
});
