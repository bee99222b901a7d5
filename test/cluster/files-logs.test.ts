import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readDump } from '../../src/cluster/files.ts';
import type { Snapshot } from '../../src/snapshot.ts';
import { dumpFolder, listOf } from '../support/dumps.ts';

const status = (name: string, broken: boolean) => ({
  name,
  ready: !broken,
  restartCount: broken ? 3 : 0,
  state: broken ? { waiting: { reason: 'CrashLoopBackOff' } } : { running: { startedAt: '2026-03-01T10:00:00Z' } },
});
const pod = (name: string, broken: boolean) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', creationTimestamp: '2026-03-01T10:00:00Z' },
  status: { phase: 'Running', containerStatuses: [status('app', broken), status('proxy', false)] },
});
const pods = listOf(pod('cart-0', true), pod('web-0', false));

const textOf = (snapshot: Snapshot): Record<string, string[]> =>
  Object.fromEntries(
    snapshot
      .list('Log')
      .map(({ metadata, lines }) => [`${metadata.namespace}/${metadata.name}`, lines.map(({ text }) => text)]),
  );

const sections = (container: string, pod: string, text: string) =>
  `==== START logs for container ${container} of pod shop/${pod} ====\n${text}==== END logs for container ${container} of pod shop/${pod} ====\n`;

describe('logs', () => {
  test.each([
    [
      'NAMESPACE/POD/CONTAINER.log',
      { 'pods.json': pods, 'shop/cart-0/app.log': 'one\ntwo\n', 'shop/cart-0/app.previous.log': 'before\n' },
    ],
    [
      'a must-gather',
      {
        'namespaces/shop/core/pods.yaml': pods,
        'namespaces/shop/pods/cart-0/app/app/logs/current.log': 'one\ntwo\n',
        'namespaces/shop/pods/cart-0/app/app/logs/previous.log': 'before\n',
        'namespaces/shop/pods/cart-0/proxy/proxy/logs/previous.log': '',
      },
    ],
    [
      'gzip',
      {
        'pods.json': pods,
        'shop/cart-0/app.log.gz': gzipSync('one\ntwo\n'),
        'shop/cart-0/app.previous.log.gz': gzipSync('before\n'),
      },
    ],
    [
      'Windows line ends',
      { 'pods.json': pods, 'shop/cart-0/app.log': 'one\r\ntwo\r\n', 'shop/cart-0/app.previous.log': 'before' },
    ],
  ])('as %s', async (_, files) => {
    const { snapshot } = await readDump([dumpFolder(files)]);
    expect(textOf(snapshot)).toEqual({
      'shop/cart-0/app': ['one', 'two'],
      'shop/cart-0/app/previous': ['before'],
    });
    expect(snapshot.unreadable.has('Log')).toBe(false);
    expect(snapshot.get('Log', 'cart-0/app/previous', 'shop')).toMatchObject({
      pod: 'cart-0',
      container: 'app',
      previous: true,
      read: 'last 200 lines',
    });
  });

  test('as kubectl cluster-info dump writes them to files', async () => {
    const folder = dumpFolder({
      'shop/pods.json': pods,
      'shop/cart-0/logs.txt':
        sections('app', 'cart-0', 'one\ntwo without an end of line') + sections('proxy', 'cart-0', 'fine\n'),
      'shop/web-0/logs.txt': sections('app', 'web-0', 'fine\n'),
    });
    const { snapshot } = await readDump([folder]);
    expect(textOf(snapshot)).toEqual({ 'shop/cart-0/app': ['one', 'two without an end of line'] });
  });

  test.each([
    ['JSON', JSON.stringify],
    ['indented JSON', (value: object) => JSON.stringify(value, null, 4)],
  ])('as kubectl cluster-info dump prints them among %s', async (_, print) => {
    const text = `${print(pods)}\n${sections('app', 'cart-0', '{"level":"error"}\n==== {\n')}${sections('app', 'web-0', 'Request log error: x\n')}${print(pod('z-0', true))}\n`;
    const warnings: string[] = [];
    const { snapshot } = await readDump(['-'], {
      stdin: Readable.from([Buffer.from(text)]),
      onWarning: (line) => warnings.push(line),
    });
    expect(textOf(snapshot)).toEqual({ 'shop/cart-0/app': ['{"level":"error"}', '==== {'] });
    expect(snapshot.list('Pod').map(({ metadata }) => metadata?.name)).toEqual(['cart-0', 'web-0', 'z-0']);
    expect(warnings).toEqual([]);
  });

  test('as kubectl cluster-info dump prints them among YAML', async () => {
    const text = `apiVersion: v1\nkind: PodList\nitems:\n- metadata:\n    name: cart-0\n    namespace: shop\n${sections('app', 'cart-0', '--- not a document\n')}---\nkind: Pod\napiVersion: v1\nmetadata: {name: b, namespace: shop}\n`;
    const { snapshot } = await readDump(['-'], { stdin: Readable.from([Buffer.from(text)]) });
    expect(textOf(snapshot)).toEqual({ 'shop/cart-0/app': ['--- not a document'] });
    expect(snapshot.list('Pod').map(({ metadata }) => metadata?.name)).toEqual(['b', 'cart-0']);
  });

  test('those of healthy containers and of pods that are not in the dump stay out', async () => {
    const folder = dumpFolder({
      'pods.json': pods,
      'shop/web-0/app.log': 'fine\n',
      'shop/cart-0/proxy.log': 'fine\n',
      'shop/gone-0/app.log': 'bye\n',
      'host_service_logs/masters/kubelet.log': 'kubelet\n',
    });
    const { snapshot } = await readDump([folder]);
    expect(textOf(snapshot)).toEqual({});
    expect(snapshot.unreadable.has('Log')).toBe(false);
  });

  test.each([
    ['file', (text: string) => ({ 'shop/cart-0/app.log': text })],
    ['gzip file', (text: string) => ({ 'shop/cart-0/app.log.gz': gzipSync(text) })],
    ['section', (text: string) => ({ 'shop/cart-0/logs.txt': sections('app', 'cart-0', text) })],
  ])('of a long one in a %s the last 200 lines are kept', async (_, files) => {
    const lines = Array.from({ length: 30_000 }, (_, index) => `line ${index} of a container that talks a lot`);
    const { snapshot } = await readDump([dumpFolder({ 'pods.json': pods, ...files(`${lines.join('\n')}\n`) })]);
    expect(textOf(snapshot)['shop/cart-0/app']).toEqual(lines.slice(-200));
  });

  test('times of the runtime are taken off the lines, those of the application stay', async () => {
    const folder = dumpFolder({
      'pods.json': pods,
      'shop/cart-0/app.log': '2026-03-01T10:00:00.123456789Z starting\n2026-03-01T10:00:01.000000000Z \n',
      'shop/cart-0/app.previous.log': '2026-03-01T10:00:00.123Z starting\n',
    });
    const { snapshot } = await readDump([folder]);
    expect(snapshot.get('Log', 'cart-0/app', 'shop')?.lines).toEqual([
      { text: 'starting', at: '2026-03-01T10:00:00.123456789Z' },
      { text: '', at: '2026-03-01T10:00:01.000000000Z' },
    ]);
    expect(snapshot.get('Log', 'cart-0/app/previous', 'shop')?.lines).toEqual([
      { text: '2026-03-01T10:00:00.123Z starting' },
    ]);
  });
});
