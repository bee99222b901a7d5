import { describe, expect, test } from 'vitest';
import { linesOf } from '../../src/cluster/logs.ts';
import { CONNECTIONS } from '../../src/cluster/wire.ts';
import type { Kind } from '../../src/snapshot.ts';
import type { User } from '../support/api-server.ts';
import { live } from '../support/live.ts';
import { crashingPod, healthyPod, many, object } from '../support/objects.ts';

const kinds: readonly Kind[] = ['Pod', 'ReplicaSet', 'Job', 'Log'];
const line = (number: number) => `2026-11-21T01:58:${String(number % 60).padStart(2, '0')}.260715660Z line ${number}\n`;
const lines = (count: number, more = '') =>
  Array.from({ length: count }, (_, number) => line(number).replace('\n', `${more}\n`)).join('');

const isLog = ({ path }: { readonly path: string }) => path.endsWith('/log');

describe('logs', () => {
  test('the last lines of the run that ended, with their times', async () => {
    const { server, read } = await live({
      objects: [crashingPod('shop', 'web'), healthyPod('shop', 'fine')],
      logs: { 'shop/web/app/previous': lines(300) },
    });
    const { snapshot, gaps } = await read({ kinds, logs: true });
    const log = snapshot.get('Log', 'web/app/previous', 'shop');
    expect(snapshot.list('Log')).toHaveLength(1);
    expect(log).toMatchObject({ pod: 'web', container: 'app', previous: true, read: 'last 200 lines' });
    expect(log?.lines).toHaveLength(200);
    expect(log?.lines.at(-1)).toEqual({ text: 'line 299', at: '2026-11-21T01:58:59.260715660Z' });
    expect(gaps).toEqual([]);
    expect(snapshot.covers('Log', 'shop')).toBe(false);
    const [asked] = server.requests.filter(isLog);
    expect(Object.fromEntries(asked?.query ?? [])).toEqual({
      container: 'app',
      previous: 'true',
      tailLines: '200',
      limitBytes: '262144',
      timestamps: 'true',
    });
  });

  test('of lines too long for the limit the last ones are kept', async () => {
    const { read } = await live({
      objects: [crashingPod('shop', 'web')],
      logs: { 'shop/web/app/previous': lines(200, 'x'.repeat(4000)) },
    });
    const { snapshot } = await read({ kinds, logs: true });
    const log = snapshot.get('Log', 'web/app/previous', 'shop');
    expect(log?.read).toBe('last 20 lines');
    expect(log?.lines.at(-1)?.text).toMatch(/^line 199x+$/);
  });

  test.each([
    ['without logs wanted', { kinds, logs: false }],
    ['where no analyzer reads them', { kinds: ['Pod'] as const, logs: true }],
  ])('%s none is asked for', async (_, options) => {
    const { server, read } = await live({ objects: [crashingPod('shop', 'web')] });
    const { gaps, snapshot } = await read(options);
    expect(server.requests.filter(isLog)).toEqual([]);
    expect(gaps).toEqual([]);
    expect([...snapshot.unreadable]).toEqual([]);
  });

  test('being forbidden to read them is one gap, and few requests', async () => {
    const noLogs: User = { name: 'jane', may: ({ subresource }) => subresource !== 'log' };
    const objects = many(40, (name) => crashingPod('shop', name));
    const { server, read } = await live({ objects, users: { t: noLogs } }, { user: { token: 't' } });
    const { snapshot, gaps } = await read({ kinds, logs: true });
    expect(snapshot.list('Pod')).toHaveLength(40);
    expect(gaps).toHaveLength(1);
    expect(gaps[0]).toMatchObject({ what: 'container logs', reason: expect.stringContaining('pods/log') });
    expect(server.requests.filter(isLog).length).toBeLessThanOrEqual(CONNECTIONS);
  });

  test.each([
    [
      'a container that was removed',
      {
        answer: { status: 200, headers: {}, body: Buffer.from('unable to retrieve container logs for containerd://1') },
      },
    ],
    ['a pod that is gone', { status: 404 }],
    ['a container without an earlier run', { status: 400 }],
    ['a node that does not answer', { status: 500 }],
    ['a log that never ends', { hangAfter: 10 }],
  ])('%s has no log, which is no failure', async (_, fault) => {
    const { server, read } = await live(
      {
        objects: [crashingPod('shop', 'web'), crashingPod('shop', 'other')],
        logs: { 'shop/web/app/previous': line(1), 'shop/other/app/previous': line(2) },
        fault: (request) => (request.path.includes('/web/log') ? fault : undefined),
      },
      { requestTimeoutMs: 200 },
    );
    const { snapshot, gaps } = await read({ kinds, logs: true });
    expect(snapshot.list('Log').map(({ pod }) => pod)).toEqual(['other']);
    expect(gaps).toEqual([]);
    expect(server.requests.filter(isLog).length).toBeLessThanOrEqual(3);
  });

  test('a log that was cut off is asked for again', async () => {
    const { read } = await live({
      objects: [crashingPod('shop', 'web')],
      logs: { 'shop/web/app/previous': lines(100) },
      fault: (request) => (isLog(request) && request.before === 0 ? { cutAfter: 100 } : undefined),
    });
    const { snapshot } = await read({ kinds, logs: true });
    expect(snapshot.get('Log', 'web/app/previous', 'shop')?.lines).toHaveLength(100);
  });

  test('of very many broken containers some are read, and a gap counts the others', async () => {
    const { server, read } = await live({ objects: many(60, (name) => crashingPod('shop', name)) });
    const { gaps } = await read({ kinds, logs: true });
    expect(server.requests.filter(isLog)).toHaveLength(50);
    expect(gaps[0]?.reason).toBe('the logs of 50 broken containers were asked for, those of 10 more were not');
  });

  test('where no kubelet can be reached, a gap says so', async () => {
    const { read } = await live({
      objects: [crashingPod('shop', 'web'), crashingPod('shop', 'other')],
      fault: (request) => (isLog(request) ? { status: 500, message: 'dial tcp 10.0.0.7:10250: no route' } : undefined),
    });
    const { gaps } = await read({ kinds, logs: true });
    const reason =
      'none of the 2 that were asked for could be read, the last because: dial tcp 10.0.0.7:10250: no route';
    expect(gaps).toEqual([expect.objectContaining({ what: 'container logs', reason })]);
  });

  test('replicas of one workload need one log', async () => {
    const owned = many(9, (name) => {
      const pod = crashingPod('shop', name);
      return {
        ...pod,
        metadata: { ...pod.metadata, ownerReferences: [{ kind: 'ReplicaSet', name: 'web-1', controller: true }] },
      };
    });
    const deployed = { ownerReferences: [{ kind: 'Deployment', name: 'web', controller: true }] };
    const set = object('ReplicaSet', 'shop', 'web-1', { metadata: { name: 'web-1', namespace: 'shop', ...deployed } });
    const { server, read } = await live({ objects: [...owned, set] });
    await read({ kinds, logs: true });
    expect(server.requests.filter(isLog)).toHaveLength(1);
  });
});

test.each([
  ['2026-11-21T02:08:09.260715660Z FATAL: no\n', [{ text: 'FATAL: no', at: '2026-11-21T02:08:09.260715660Z' }]],
  ['2026-11-21T02:08:09+01:00 x\n', [{ text: 'x', at: '2026-11-21T02:08:09+01:00' }]],
  ['2026-11-21T02:08:09Z \n', [{ text: '', at: '2026-11-21T02:08:09Z' }]],
  ['no time at all\n\n', [{ text: 'no time at all' }]],
  ['', []],
])('%j is read as lines', (text, expected) => {
  expect(linesOf(text)).toEqual(expected);
});
