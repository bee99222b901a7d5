import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { dump } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { readDump } from '../../src/cluster/files.ts';
import { PodlensError } from '../../src/errors.ts';
import { dumpFolder, listOf, namesOf } from '../support/dumps.ts';

const pod = (namespace: string, name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace, creationTimestamp: '2026-03-01T10:00:00Z', ...more },
  spec: { containers: [{ name: 'app', image: 'shop/web:1' }] },
  status: { phase: 'Pending' },
});
const object = (kind: string, apiVersion: string, namespace: string | undefined, name: string) => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
});
const bare = ({ kind: _kind, apiVersion: _version, ...rest }: ReturnType<typeof pod>) => rest;

const names = async (path: string) => namesOf((await readDump([path])).snapshot);
const stdin = (text: string) => Readable.from([Buffer.from(text)]);
const json = (value: object) => JSON.stringify(value, null, 4);

async function failure(promise: Promise<unknown>): Promise<PodlensError> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(PodlensError);
  return error as PodlensError;
}

describe('what kubectl get prints', () => {
  const a = pod('shop', 'a');
  const b = pod('shop', 'b');
  const both = ['Pod shop/a', 'Pod shop/b'];
  test.each([
    ['one object as JSON', { 'a.json': a }, ['Pod shop/a']],
    ['one object as YAML', { 'a.yaml': dump(a) }, ['Pod shop/a']],
    ['a List as JSON', { 'p.json': listOf(a, b) }, both],
    ['a List as YAML', { 'p.yaml': dump(listOf(a, b)) }, both],
    ['a List whose items are indented', { 'p.yml': dump(listOf(a, b), { indent: 4 }) }, both],
    ['several YAML documents', { 'p.yaml': `---\n${dump(a)}---\n${dump(b)}` }, both],
    ['a List and an object in one YAML file', { 'p.yaml': `${dump(listOf(a))}--- # next\n${dump(b)}...\n` }, both],
    ['JSON documents one after another', { 'p.json': `${json(a)}\n${json(b)} ${json(listOf(a))}` }, both],
    ['JSON on one line', { 'p.json': `${JSON.stringify(a)}${JSON.stringify(b)}` }, both],
    ['JSON documents between the marks of YAML', { 'p.yaml': `${json(a)}\n---\n${json(b)}` }, both],
    ['an array of objects, as jq makes them', { 'p.json': `[${json(a)},${json(b)}]` }, both],
    ['a PodList', { 'p.json': { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: [bare(a), bare(b)] } }, both],
    [
      'a PodList that says so at its end',
      { 'p.yaml': dump({ apiVersion: 'v1', items: [bare(a), bare(b)], kind: 'PodList', metadata: {} }) },
      both,
    ],
    ['an empty List beside it', { 'p.json': a, 'q.yaml': 'apiVersion: v1\nitems: []\nkind: List\n' }, ['Pod shop/a']],
    ['gzip', { 'p.json.gz': gzipSync(json(listOf(a, b))) }, both],
    ['gzip twice', { 'p.yaml.gz': gzipSync(gzipSync(dump(listOf(a, b)))) }, both],
    ['a byte order mark', { 'p.json': `\ufeff${json(a)}` }, ['Pod shop/a']],
    ['UTF-16, as Windows redirects it', { 'p.json': Buffer.from(`\ufeff${json(listOf(a, b))}`, 'utf16le') }, both],
    ['Windows line ends', { 'p.yaml': dump(listOf(a, b)).replaceAll('\n', '\r\n') }, both],
    ['a file without an extension', { pods: json(listOf(a, b)), version: 'v1\n' }, both],
    ['folders in folders', { 'x/y/z/a.json': a, 'x/b.yaml': dump(b), '.git/c.json': pod('shop', 'c') }, both],
  ])('%s', async (_, files, expected) => {
    expect(await names(dumpFolder(files))).toEqual(expected);
  });

  test('kinds that podlens does not read, and those of other groups, are passed over in silence', async () => {
    const warnings: string[] = [];
    const folder = dumpFolder({
      'a.json': listOf(
        pod('shop', 'a'),
        object('Ingress', 'networking.k8s.io/v1', 'shop', 'i'),
        object('Service', 'serving.knative.dev/v1', 'shop', 'knative'),
        object('Node', 'config.openshift.io/v1', undefined, 'cluster'),
      ),
      'crds.yaml': dump(object('CustomResourceDefinition', 'apiextensions.k8s.io/v1', undefined, 'x')),
      'notes.txt': 'pods: broken: [',
      'event-filter.html': '<html>',
    });
    const { snapshot } = await readDump([folder], { onWarning: (line) => warnings.push(line) });
    expect(namesOf(snapshot)).toEqual(['Pod shop/a']);
    expect(warnings).toEqual([]);
  });

  test('an event of events.k8s.io/v1 is read like one of core/v1', async () => {
    const folder = dumpFolder({
      'e.json': {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: 'a.1', namespace: 'shop' },
        regarding: { kind: 'Pod', namespace: 'shop', name: 'a' },
        reason: 'FailedScheduling',
        note: '0/1 nodes are available',
        reportingController: 'default-scheduler',
        eventTime: '2026-03-01T10:00:00.123456Z',
        deprecatedCount: 3,
      },
    });
    const { snapshot } = await readDump([folder]);
    expect(snapshot.list('Event')).toEqual([
      {
        metadata: { name: 'a.1', namespace: 'shop' },
        involvedObject: { kind: 'Pod', namespace: 'shop', name: 'a' },
        reason: 'FailedScheduling',
        message: '0/1 nodes are available',
        reportingComponent: 'default-scheduler',
        eventTime: '2026-03-01T10:00:00.123456Z',
        count: 3,
      },
    ]);
  });

  test('values of Secrets do not get past the reading', async () => {
    const secret = { ...object('Secret', 'v1', 'shop', 's'), data: { password: 'aHVudGVyMg==' } };
    const { snapshot } = await readDump([dumpFolder({ 's.json': secret })]);
    expect(snapshot.list('Secret')[0]?.data).toEqual({ password: '' });
    expect(JSON.stringify(snapshot.list('Secret'))).not.toContain('aHVudGVyMg');
  });

  test('YAML keeps times as they are written', async () => {
    const { snapshot } = await readDump([dumpFolder({ 'a.yaml': dump(pod('shop', 'a')).replaceAll("'", '') })]);
    expect(snapshot.list('Pod')[0]?.metadata?.creationTimestamp).toBe('2026-03-01T10:00:00Z');
  });
});

describe('an object that appears twice counts once', () => {
  test.each([
    ['the later resourceVersion', { uid: 'u', resourceVersion: '99' }, { uid: 'u', resourceVersion: '100' }],
    [
      'the later namesake',
      { uid: 'old', resourceVersion: '900', creationTimestamp: '2026-03-01T10:00:00Z' },
      { uid: 'new', resourceVersion: '20', creationTimestamp: '2026-03-01T11:00:00Z' },
    ],
  ])('%s is kept, whichever is read first', async (_, older, newer) => {
    const a = { ...pod('shop', 'a', older), status: { phase: 'Failed' } };
    const b = { ...pod('shop', 'a', newer), spec: { nodeName: 'n' }, status: { phase: 'Succeeded' } };
    for (const files of [
      { '1.json': a, '2.json': b },
      { '1.json': b, '2.json': a },
    ]) {
      const { snapshot } = await readDump([dumpFolder(files)]);
      expect(snapshot.list('Pod').map(({ status }) => status?.phase)).toEqual(['Succeeded']);
    }
  });
});

describe('standard input', () => {
  test('is read for -, beside files', async () => {
    const { snapshot, stats } = await readDump([dumpFolder({ 'a.json': pod('shop', 'a') }), '-'], {
      stdin: stdin(dump(pod('shop', 'b'))),
    });
    expect(namesOf(snapshot)).toEqual(['Pod shop/a', 'Pod shop/b']);
    expect(stats.requests).toBe(2);
  });

  test('that is empty is an error', async () => {
    const warnings: string[] = [];
    const error = await failure(readDump(['-'], { stdin: stdin(''), onWarning: (line) => warnings.push(line) }));
    expect(error.code).toBe('no-objects');
    expect(error.message).toBe('Nothing in standard input is an object that podlens reads.');
    expect(warnings).toEqual(['Skipped standard input: it is empty.']);
  });
});

describe('what cannot be read', () => {
  const good = pod('shop', 'good');
  test.each([
    [
      'broken JSON',
      'x.json',
      '{\n"kind": "Pod",\n"metadata": oops\n}',
      'Skipped x.json: line 1: the object that starts here is not valid JSON.',
    ],
    [
      'JSON with a comma too many',
      'x.json',
      '{\n"kind": "Pod",\n"metadata": {},\n}',
      'Skipped x.json: line 4: this is not valid JSON.',
    ],
    [
      'JSON that ends too early',
      'x.json',
      '{"kind": "Pod",\n"meta',
      'Skipped x.json: line 2: the text ends in the middle of an object.',
    ],
    [
      'broken YAML',
      'x.yaml',
      'kind: Pod\nmetadata: [\n',
      'Skipped x.yaml: line 2: this is not valid YAML: unexpected end of the stream within a flow collection.',
    ],
    ['no Kubernetes', 'x.json', '{"expect": []}', 'Skipped x.json: it holds no Kubernetes object.'],
    ['plain words', 'x.yaml', 'hello world', 'Skipped x.yaml: it holds no Kubernetes object.'],
    ['a list of something else', 'x.json', '{"items": [{"a": 1}]}', 'Skipped x.json: it holds no Kubernetes object.'],
    ['nothing', 'x.json', '', 'Skipped x.json: it is empty.'],
    [
      'an error of kubectl',
      'x.json',
      '\nerror: You must be logged in to the server (Unauthorized)\n',
      'Skipped x.json: it begins with an error of kubectl: "error: You must be logged in to the server (Unauthorized)".',
    ],
    [
      'an error of kubectl before its objects',
      'x.json',
      'Error from server (Forbidden): nodes is forbidden: User "jane"\r\n{"kind": "List", "items": []}',
      'Skipped x.json: it begins with an error of kubectl: "Error from server (Forbidden): nodes is forbidden: User "jane"".',
    ],
    [
      'an error in a log of kubectl',
      'x.yaml',
      `E1121 02:00:00.000000 77 memcache.go:265] ${'x'.repeat(400)}`,
      `Skipped x.yaml: it begins with an error of kubectl: "E1121 02:00:00.000000 77 memcache.go:265] ${'x'.repeat(258)}…".`,
    ],
    ['broken gzip', 'x.json.gz', gzipSync('{}').subarray(0, 12), 'Skipped x.json.gz: the gzip data ends too early.'],
    [
      'a table',
      'x.yaml',
      'NAME   READY   STATUS\nweb    1/1     Running\n',
      'Skipped x.yaml: it is what kubectl prints for people to read; -o json saves it for programs.',
    ],
    [
      'a refusal',
      'x.json',
      '{"kind":"Status","apiVersion":"v1","message":"nodes is forbidden"}',
      'Skipped x.json: it holds an error of the API server: nodes is forbidden.',
    ],
    [
      'control characters',
      'x.json',
      '{"kind":"Status","message":"\\u001b[31mred"}',
      'Skipped x.json: it holds an error of the API server:  [31mred.',
    ],
  ])('%s gets one line, and the others are read', async (_, name, content, expected) => {
    const warnings: string[] = [];
    const folder = dumpFolder({ [name]: content, 'good.json': good });
    const { snapshot } = await readDump([folder], { onWarning: (line) => warnings.push(line) });
    expect(namesOf(snapshot)).toEqual(['Pod shop/good']);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.replace(`${folder}/`, '')).toContain(expected);
  });

  test('in a List of which one item is broken, the others are read, and a gap says so', async () => {
    const text = json(listOf(pod('shop', 'a'), pod('shop', 'b'), pod('shop', 'c')));
    const folder = dumpFolder({ 'p.json': text.replace('"name": "b"', '"name": b') });
    const { snapshot, gaps } = await readDump([folder], { at: '2026-03-02' });
    expect(namesOf(snapshot)).toEqual(['Pod shop/a', 'Pod shop/c']);
    expect(gaps).toEqual([
      { what: `${folder}/p.json`, reason: 'line 24: the object that starts here is not valid JSON' },
    ]);
    expect(snapshot.covers('Pod', 'shop')).toBe(false);
  });

  test.each([
    ['JSON', 'p.json', json],
    ['YAML', 'p.yaml', (value: object) => dump(value, { sortKeys: true })],
  ])('of a List in %s that was cut off, what came whole is read', async (_, name, print) => {
    const text = print(listOf(pod('shop', 'a'), pod('shop', 'b')));
    const folder = dumpFolder({ [name]: text.slice(0, text.lastIndexOf('status')) });
    const { snapshot, gaps } = await readDump([folder], { at: '2026-03-02' });
    expect(namesOf(snapshot)).toEqual(['Pod shop/a']);
    expect(gaps).toEqual([
      { what: `${folder}/${name}`, reason: expect.stringMatching(/^line \d+: the (list|text) (breaks off|ends in)/) },
    ]);
    expect(snapshot.covers('Pod', 'shop')).toBe(false);
  });

  test('no message quotes the text, which may be a Secret', async () => {
    const warnings: string[] = [];
    const secret = '{"kind":"Secret","data":{"password":hunter2}}';
    await failure(readDump([dumpFolder({ 's.json': secret })], { onWarning: (line) => warnings.push(line) }));
    expect(warnings).toHaveLength(1);
    expect(warnings.join()).not.toContain('hunter2');
  });

  test.each([
    [
      'a path that does not exist',
      (folder: string) => [join(folder, 'nope')],
      'file-not-found',
      /^There is no file or folder ".*nope"\.$/,
    ],
    [
      'a folder without objects',
      (folder: string) => [folder],
      'no-objects',
      /^Nothing in ".*" is an object that podlens reads\.$/,
    ],
  ])('%s is an error', async (_, paths, code, message) => {
    const error = await failure(readDump(paths(dumpFolder({ 'a.txt': 'x' }))));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.hint).toBeDefined();
  });

  test('an archive is named for what it is', async () => {
    const warnings: string[] = [];
    const tar = Buffer.alloc(1024);
    tar.write('ustar', 257);
    const path = join(dumpFolder({ 'must-gather.tar.gz': gzipSync(tar) }), 'must-gather.tar.gz');
    await failure(readDump([path], { onWarning: (line) => warnings.push(line) }));
    expect(warnings).toEqual([`Skipped ${path}: it is a tar archive; unpack it and name the folder.`]);
  });

  test('links that go round in a circle, or nowhere', async () => {
    const warnings: string[] = [];
    const folder = dumpFolder({ 'a/good.json': good });
    mkdirSync(join(folder, 'b'));
    symlinkSync('..', join(folder, 'a/up'));
    symlinkSync('../a', join(folder, 'b/a'));
    symlinkSync('nowhere.json', join(folder, 'b/x.json'));
    const { snapshot } = await readDump([folder], { onWarning: (line) => warnings.push(line) });
    expect(namesOf(snapshot)).toEqual(['Pod shop/good']);
    expect(warnings).toEqual([`Skipped ${folder}/b/x.json: it is not there; a link may point nowhere.`]);
  });

  test('a signal ends the reading', async () => {
    const stop = new AbortController();
    stop.abort();
    await expect(readDump([dumpFolder({ 'a.json': good })], { signal: stop.signal })).rejects.toThrow(/aborted/);
  });
});

describe('the time to judge by', () => {
  const times = {
    'p.json': {
      ...pod('shop', 'a', {
        deletionTimestamp: '2026-03-01T20:00:00Z',
        managedFields: [{ manager: 'kubelet', time: '2026-03-01T12:00:00Z', fieldsV1: {} }],
      }),
      status: { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: '2026-03-01T11:00:00Z' }] },
    },
  };
  const event = (time: object) => ({ ...object('Event', 'v1', 'shop', 'e'), ...time });
  const node = {
    ...object('Node', 'v1', undefined, 'n'),
    status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-03-01T13:30:00Z' }] },
  };
  const healthy = {
    ...pod('shop', 'h'),
    spec: { nodeName: 'n' },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-03-01T10:00:30Z' }],
      containerStatuses: [
        { name: 'app', ready: true, started: true, state: { running: { startedAt: '2026-03-01T10:00:20Z' } } },
      ],
    },
  };
  const log = '2026-03-01T16:00:00.000000001Z hello\n2026-03-01T16:00:00.500000001Z world\n';
  test.each([
    ['managed fields', times, '2026-03-01T12:00:30.000Z'],
    ['a heartbeat', { ...times, 'n.json': node }, '2026-03-01T13:30:00.000Z'],
    ['an event', { ...times, 'e.json': event({ lastTimestamp: '2026-03-01T14:00:00Z' }) }, '2026-03-01T14:00:00.000Z'],
    [
      'a MicroTime',
      { ...times, 'e.json': event({ eventTime: '2026-03-01T15:00:00.250001Z' }) },
      '2026-03-01T15:00:00.250Z',
    ],
    ['a line of a log', { ...times, 'shop/a/app.log': log }, '2026-03-01T16:00:30.500Z'],
    ['a healthy pod, of which less is kept', { 'p.json': healthy }, '2026-03-01T10:01:00.000Z'],
    ['nothing has a time', { 'a.json': object('Secret', 'v1', 'shop', 's') }, '1970-01-01T00:00:00.000Z'],
  ])('%s', async (_, files, expected) => {
    expect((await readDump([dumpFolder(files)])).snapshot.takenAt).toBe(expected);
  });

  test('a gap says so where nothing tells when the dump was taken', async () => {
    const gap = {
      what: 'the time of the dump',
      reason: expect.stringContaining(
        '2026-03-01T12:00:30.000Z, half a minute after the newest time in it, is taken for now',
      ),
      hint: '--at TIME sets the time to judge by.',
    };
    expect((await readDump([dumpFolder(times)])).gaps).toEqual([gap]);
    expect((await readDump([dumpFolder({ ...times, 'n.json': node })])).gaps).toEqual([]);
    expect((await readDump([dumpFolder(times)], { at: '2026-03-02' })).gaps).toEqual([]);
  });

  test.each([
    ['2026-03-02T00:00:00Z', '2026-03-02T00:00:00.000Z'],
    ['2026-03-02T00:00:00.5+02:00', '2026-03-01T22:00:00.500Z'],
    ['2026-03-02', '2026-03-02T00:00:00.000Z'],
  ])('--at %s', async (at, expected) => {
    expect((await readDump([dumpFolder(times)], { at })).snapshot.takenAt).toBe(expected);
  });

  test.each(['yesterday', '2026-13-01T00:00:00Z', '2026-03-02T00:00:00', ''])('--at "%s" is an error', async (at) => {
    expect((await failure(readDump([dumpFolder(times)], { at }))).code).toBe('invalid-time');
  });
});
