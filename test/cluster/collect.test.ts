import { describe, expect, test } from 'vitest';
import type { Progress } from '../../src/cluster/collected.ts';
import type { Fault, Recorded, User } from '../support/api-server.ts';
import { json, status, text } from '../support/api-server-answers.ts';
import { tokenAfter } from '../support/api-server-lists.ts';
import type { Place } from '../support/api-server-paths.ts';
import { live } from '../support/live.ts';
import { crashingPod, healthyPod, many, object } from '../support/objects.ts';

const names = (objects: readonly { readonly metadata?: { readonly name?: string } }[]) =>
  objects.map(({ metadata }) => metadata?.name);

const podNames = (count: number) => many(count, (name) => name);
const pods = (count: number) => many(count, (name) => healthyPod('shop', name));
/** So large that the next page is asked for before the first has come. */
const largePods = (count: number) =>
  many(count, (name) =>
    object('Pod', 'shop', name, { metadata: { name, namespace: 'shop', annotations: { note: 'x'.repeat(5000) } } }),
  );
const page = ({ query }: Recorded) => (query.has('continue') ? 'next' : 'first');
const isPods = ({ path }: Recorded) => path.endsWith('/pods');

describe('pages', () => {
  test('a list comes in pages and is whole', async () => {
    const { server, read } = await live({ objects: pods(8000) });
    const progress: Progress[] = [];
    const { snapshot, stats } = await read({ kinds: ['Pod'], onProgress: (p) => progress.push(p) });
    expect(names(snapshot.list('Pod'))).toEqual(podNames(8000));
    expect(server.requests.map(({ query }) => query.get('limit'))).toEqual(['500', '5000', '5000']);
    expect(progress).toEqual([
      { kind: 'Pod', pages: 1, objects: 500, remaining: 7500, done: false },
      { kind: 'Pod', pages: 2, objects: 5500, remaining: 2500, done: false },
      { kind: 'Pod', pages: 3, objects: 8000, done: false },
      { kind: 'Pod', pages: 3, objects: 8000, done: true },
    ]);
    expect(stats).toMatchObject({ requests: 3, retries: 0 });
  });

  test('what seldom changes is taken from the cache of the API server', async () => {
    const { server, read } = await live({ objects: [object('Node', undefined, 'n-1'), ...pods(1)] });
    await read({ kinds: ['Pod', 'Node', 'PersistentVolume'] });
    const asked = server.requests.map(({ path, query }) => [path.split('/').at(-1), `${query}`]);
    expect(asked.sort()).toEqual([
      ['nodes', 'resourceVersion=0'],
      ['persistentvolumes', 'limit=500'],
      ['pods', 'limit=500'],
    ]);
  });

  test('a server that has JSON only gives the same', async () => {
    const objects = [...pods(2500), crashingPod('shop', 'web')];
    const [binary, json] = await Promise.all([live({ objects }), live({ objects, protobuf: false })]);
    const kinds = ['Pod', 'Event'] as const;
    const [one, other] = await Promise.all([binary.read({ kinds }), json.read({ kinds })]);
    expect(one.snapshot.list('Pod')).toEqual(other.snapshot.list('Pod'));
    expect(other.snapshot.list('Pod')).toHaveLength(2501);
  });

  test('the next page is asked for while one is read', async () => {
    // The first page never ends by itself, so that the second can only be asked for in the meantime.
    const asked = Promise.withResolvers<void>();
    const { read } = await live({
      objects: largePods(1000),
      fault(request) {
        if (page(request) === 'first' && request.before === 0) return { hangAfter: 2_000_000 };
        if (page(request) === 'next') asked.resolve();
        return undefined;
      },
    });
    const stop = new AbortController();
    const reading = read({ kinds: ['Pod'], signal: stop.signal });
    await asked.promise;
    stop.abort(new Error('seen'));
    await expect(reading).rejects.toThrow('seen');
  });

  test('a token that expired is replaced by the one that comes with the refusal', async () => {
    const objects = pods(8000);
    let refused = false;
    const { snapshotNames, server } = await readWith(objects, (request) => {
      if (refused || page(request) === 'first') return undefined;
      refused = true;
      const last = objects[499];
      const token = last === undefined ? '' : tokenAfter(last, undefined, 2000);
      return { answer: status(410, 'The provided continue parameter is too old', undefined, { continue: token }) };
    });
    expect(snapshotNames).toEqual(podNames(8000));
    expect(server.requests).toHaveLength(4);
  });
  test('without one the list begins again, and no object counts twice', async () => {
    let refused = false;
    const { snapshotNames, server } = await readWith(pods(8000), ({ query }) => {
      if (refused || !query.has('continue')) return undefined;
      refused = true;
      return { status: 410 };
    });
    expect(snapshotNames).toEqual(podNames(8000));
    expect(server.requests.map(({ query }) => query.has('continue'))).toEqual([false, true, false, true, true]);
  });

  test('a list that expires again and again is read in one piece', async () => {
    const { snapshotNames, server } = await readWith(pods(8000), ({ query }) =>
      query.has('continue') ? { status: 410 } : undefined,
    );
    expect(snapshotNames).toEqual(podNames(8000));
    expect(server.requests.at(-1)?.query.has('limit')).toBe(false);
  });

  async function readWith(objects: ReturnType<typeof pods>, fault: (request: Recorded) => Fault | undefined) {
    const { server, read } = await live({ objects, fault });
    const { snapshot } = await read({ kinds: ['Pod'] });
    return { snapshotNames: names(snapshot.list('Pod')), server };
  }
});

describe('trouble that passes', () => {
  test.each<[string, (request: Recorded) => Fault | undefined]>([
    [
      'a page that is cut off',
      (request) => (page(request) === 'next' && request.before === 0 ? { cutAfter: 100_000 } : undefined),
    ],
    ['a first page that is cut off', (request) => (request.before === 0 ? { cutAfter: 100_000 } : undefined)],
    ['a connection that is closed at once', (request) => (request.before < 3 ? { cutAfter: 0 } : undefined)],
    ['a server error', (request) => (request.before < 2 ? { status: 500 } : undefined)],
    ['a gateway that is away', (request) => (request.before < 2 ? { status: 503 } : undefined)],
    [
      'a page that hangs',
      (request) => (page(request) === 'next' && request.before === 0 ? { hangAfter: 1000 } : undefined),
    ],
  ])('%s is asked for again and counted once', async (_, fault) => {
    const { read } = await live({ objects: pods(8000), fault }, { requestTimeoutMs: 800 });
    const { snapshot, stats } = await read({ kinds: ['Pod'] });
    expect(names(snapshot.list('Pod'))).toEqual(podNames(8000));
    expect(stats.retries).toBeGreaterThan(0);
  });

  test('objects that appear between two tries of the first page push none out', async () => {
    const objects = largePods(1500);
    const { read } = await live({
      objects,
      fault(request) {
        if (page(request) === 'next' || request.before > 0) return undefined;
        // The second try sees one more at the very beginning, so its pages end elsewhere.
        objects.unshift(healthyPod('aaa', 'new'));
        return { cutAfter: 2_000_000 };
      },
    });
    const { snapshot } = await read({ kinds: ['Pod'] });
    expect(names(snapshot.list('Pod'))).toEqual(['new', ...podNames(1500)]);
  });

  test('throttling is obeyed for as long as the server asks', async () => {
    const { read, waits } = await live({
      objects: pods(1),
      fault: ({ before }) => (before < 3 ? { status: 429, headers: { 'retry-after': '2' } } : undefined),
    });
    const { snapshot } = await read({ kinds: ['Pod'] });
    expect(snapshot.list('Pod')).toHaveLength(1);
    expect(waits).toEqual([2000, 2000, 2000]);
  });

  test('waiting grows where the server does not say how long', async () => {
    const { read, waits } = await live({
      objects: [],
      fault: ({ before }) => (before < 4 ? { status: 500 } : undefined),
    });
    await read({ kinds: ['Pod'] });
    expect(waits).toEqual([125, 250, 500, 1000]);
  });
});

describe('trouble that stays', () => {
  test.each<[string, Fault, string, RegExp]>([
    [
      'a page that is always cut off',
      { cutAfter: 1000 },
      'connection-lost',
      /^The connection to SERVER broke off: the answer ended before it was complete\.$/,
    ],
    [
      'another server',
      { answer: text('404 page not found\n', 404) },
      'api-error',
      /^The cluster at SERVER cannot be read: the API server answered 404: 404 page not found\.$/,
    ],
    [
      'a bad token',
      { status: 401 },
      'unauthorized',
      /^The cluster at SERVER does not accept these credentials \(401\)\.$/,
    ],
    [
      'a server that is broken',
      { status: 500, message: 'etcd is gone' },
      'api-error',
      /^The cluster at SERVER cannot be read: the API server answered 500: etcd is gone\.$/,
    ],
    [
      'a server that is too busy',
      { status: 429 },
      'api-error',
      /^The cluster at SERVER cannot be read: the API server is too busy/,
    ],
    [
      'nothing that may be read',
      { status: 403, message: 'User "jane" cannot' },
      'forbidden',
      /^The cluster at SERVER allows nothing to be read: User "jane" cannot\.$/,
    ],
    [
      'no API server',
      { answer: { status: 200, headers: { 'content-type': 'text/html' }, body: Buffer.from('<html>') } },
      'cluster-unreachable',
      /^The cluster at SERVER cannot be reached: it does not answer like an API server \(text\/html\)\.$/,
    ],
    [
      'a server that says nothing',
      { hangAfter: 0 },
      'cluster-unreachable',
      /^The cluster at SERVER cannot be reached: it sent nothing for 0\.8 s\.$/,
    ],
  ])('%s is one error', async (_, fault, code, message) => {
    const { server, read } = await live({ objects: pods(3000), fault: () => fault }, { requestTimeoutMs: 800 });
    const error = await read({ kinds: ['Pod', 'Node', 'Event', 'Deployment'] }).catch((error: unknown) => error);
    expect(error).toMatchObject({ code });
    expect(String((error as Error).message).replace(server.url, 'SERVER')).toMatch(message);
  });

  test('a server that goes away while it is read leaves no report', async () => {
    const { server, read } = await live({
      objects: pods(14_000),
      fault(request) {
        if (!isPods(request) || server.requests.filter(isPods).length < 4) return undefined;
        void server.close();
        return { cutAfter: 1000 };
      },
    });
    const error = await read({ kinds: ['Pod', 'Node'] }).catch((error: unknown) => error);
    expect(error).toMatchObject({
      code: 'cluster-unreachable',
      message: `The cluster at ${server.url} cannot be reached: nothing listens there (connection refused).`,
    });
  });

  test('a server that is not there is not asked twice', async () => {
    const { server, read, waits } = await live({ objects: [] });
    await server.close();
    await expect(read({ kinds: ['Pod', 'Node'] })).rejects.toMatchObject({ code: 'cluster-unreachable' });
    expect(waits).toEqual([]);
  });

  test('one kind that cannot be read is a gap, and the others are read', async () => {
    const { read } = await live({
      objects: [...pods(2), object('Node', undefined, 'lab-1')],
      fault: ({ path }) => (path.endsWith('/events') ? { status: 500, message: 'etcd is slow' } : undefined),
    });
    const { snapshot } = await read({ kinds: ['Pod', 'Event', 'Node'] });
    expect(names(snapshot.list('Pod'))).toEqual(podNames(2));
    expect(names(snapshot.list('Node'))).toEqual(['lab-1']);
    expect([...snapshot.unreadable]).toEqual([['Event', 'the API server answered 500: etcd is slow']]);
    expect(snapshot.covers('Event')).toBe(false);
    expect(snapshot.covers('Pod')).toBe(true);
  });

  test('one kind that takes the server too long is a gap', async () => {
    const { read } = await live(
      { objects: pods(2), fault: ({ path }) => (path.endsWith('/events') ? { hangAfter: 10 } : undefined) },
      { requestTimeoutMs: 300 },
    );
    const { snapshot } = await read({ kinds: ['Pod', 'Event'] });
    expect([...snapshot.unreadable]).toEqual([['Event', 'no whole answer came: it sent nothing for 0.3 s']]);
    expect(names(snapshot.list('Pod'))).toEqual(podNames(2));
  });

  test('an interruption ends it at once, with its own reason', async () => {
    const stop = new AbortController();
    const { read } = await live({
      objects: pods(3000),
      fault(request) {
        if (page(request) === 'next') stop.abort(new Error('interrupted'));
        return page(request) === 'next' ? { hangAfter: 100 } : undefined;
      },
    });
    await expect(read({ kinds: ['Pod', 'Event'], signal: stop.signal })).rejects.toThrow('interrupted');
  });
});

const onlyPods: User = { name: 'jane', may: ({ resource }) => resource === 'pods' };
const inShop: User = { name: 'jane', may: ({ namespace }) => namespace === 'shop' };

describe('what may not be read', () => {
  test('pods alone are still read, and the gaps say what is missing', async () => {
    const objects = [...pods(2), object('Node', undefined, 'lab-1'), object('Deployment', 'shop', 'web')];
    const { read } = await live({ objects, users: { t: onlyPods } }, { user: { token: 't' } });
    const { snapshot, gaps } = await read({ kinds: ['Pod', 'Node', 'Deployment', 'Secret', 'Event'] });
    expect(names(snapshot.list('Pod'))).toEqual(podNames(2));
    expect(Object.fromEntries(snapshot.unreadable)).toEqual({
      Event: 'forbidden: user "jane" lacks the right to list at the cluster scope',
      Node: 'forbidden: user "jane" lacks the right to list at the cluster scope',
      Deployment: 'forbidden: user "jane" lacks the right to list at the cluster scope',
      Secret: 'forbidden: user "jane" lacks the right to list at the cluster scope',
    });
    expect(gaps).toEqual([]);
  });

  test('where the cluster may not be listed, the namespace of the context is', async () => {
    const objects = [
      ...pods(2),
      healthyPod('other', 'hidden'),
      object('Deployment', 'shop', 'web'),
      object('Namespace', undefined, 'shop'),
    ];
    const { server, read } = await live({ objects, users: { t: inShop } }, { user: { token: 't' }, namespace: 'shop' });
    const { snapshot, gaps, namespaces } = await read({ kinds: ['Deployment', 'Pod', 'Node'] });
    expect(names(snapshot.list('Pod'))).toEqual(podNames(2));
    expect(names(snapshot.list('Deployment'))).toEqual(['web']);
    expect([...snapshot.unreadable.keys()]).toEqual(['Node']);
    expect(namespaces).toEqual(['shop']);
    expect(gaps).toEqual([
      {
        what: 'other namespaces',
        reason:
          'forbidden: user "jane" lacks the right to list at the cluster scope, so only "shop", the namespace of the context, was read',
        hint: 'Choose others with -n. podlens rbac prints the role that reads all of them.',
      },
    ]);
    expect([snapshot.covers('Pod'), snapshot.covers('Pod', 'shop'), snapshot.covers('Pod', 'other')]).toEqual([
      false,
      true,
      false,
    ]);
    expect(server.requests.filter(({ path }) => path === '/apis/apps/v1/deployments')).toEqual([]);
  });

  test('one of two namespaces is a gap', async () => {
    const { read } = await live({ objects: pods(2), users: { t: inShop } }, { user: { token: 't' } });
    const { snapshot, gaps } = await read({ kinds: ['Pod'], namespaces: ['shop', 'payments'] });
    expect(names(snapshot.list('Pod'))).toEqual(podNames(2));
    expect(gaps).toEqual([
      {
        what: 'Pod in namespace payments',
        reason: 'forbidden: user "jane" lacks the right to list in the namespace "payments"',
      },
    ]);
    expect(snapshot.covers('Pod', 'payments')).toBe(false);
  });
});

describe('a server that knows no tables', () => {
  const answers: Readonly<Record<string, object>> = {
    secrets: {
      kind: 'SecretList',
      metadata: {},
      items: [
        {
          metadata: { name: 'db', namespace: 'shop', annotations: { applied: '{"data":{"pw":"aHVudGVyMg=="}}' } },
          type: 'Opaque',
          data: { pw: 'aHVudGVyMg==' },
        },
      ],
    },
    configmaps: {
      kind: 'ConfigMapList',
      metadata: {},
      items: [{ metadata: { name: 'conf', namespace: 'shop' }, data: { 'app.yaml': 'password: hunter2' } }],
    },
  };

  test('tells the keys, and its values are not kept', async () => {
    const { read } = await live({
      objects: pods(1),
      fault({ path }) {
        const answer = answers[path.split('/').at(-1) ?? ''];
        return answer === undefined ? undefined : { answer: json(answer) };
      },
    });
    const { snapshot } = await read({ kinds: ['Pod', 'Secret', 'ConfigMap'] });
    expect(snapshot.get('ConfigMap', 'conf', 'shop')?.data).toEqual({ 'app.yaml': '' });
    const secret = snapshot.get('Secret', 'db', 'shop');
    expect(secret).toMatchObject({ type: 'Opaque', data: { pw: '' } });
    expect(JSON.stringify(secret)).not.toContain('aHVudGVyMg');
  });

  test('and answers something else is a gap', async () => {
    const { read } = await live({
      objects: pods(1),
      fault: ({ path }) => (path.endsWith('/configmaps') ? { answer: json({ kind: 'Wonder' }) } : undefined),
    });
    const { snapshot } = await read({ kinds: ['Pod', 'ConfigMap'] });
    expect([...snapshot.unreadable]).toEqual([['ConfigMap', 'a Wonder came instead of a table of ConfigMap objects']]);
  });
});

describe('namespaces', () => {
  const objects = ['shop', 'shipping', 'payments'].flatMap((name) => [
    object('Namespace', undefined, name),
    healthyPod(name, `${name}-pod`),
  ]);

  test('only those that were asked for are touched', async () => {
    const { server, read } = await live({ objects });
    const { snapshot, namespaces } = await read({
      kinds: ['Pod', 'Event', 'Node'],
      namespaces: ['shop', 'payments', 'shop'],
    });
    expect(names(snapshot.list('Pod'))).toEqual(['payments-pod', 'shop-pod']);
    expect(namespaces).toEqual(['payments', 'shop']);
    expect(server.requests.map(({ path }) => path).sort()).toEqual([
      '/api/v1/namespaces/payments',
      '/api/v1/namespaces/payments/events',
      '/api/v1/namespaces/payments/pods',
      '/api/v1/namespaces/shop',
      '/api/v1/namespaces/shop/events',
      '/api/v1/namespaces/shop/pods',
      '/api/v1/nodes',
    ]);
  });

  test('however many there are, nothing is written but the report', async () => {
    const names = many(40, (name) => name, 'team');
    const { read } = await live({
      objects: names.flatMap((name) => [object('Namespace', undefined, name), healthyPod(name, 'pod')]),
    });
    const warnings: unknown[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const { snapshot } = await read({ kinds: ['Pod'], namespaces: names });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', note);
    expect(snapshot.list('Pod')).toHaveLength(40);
    expect(warnings).toEqual([]);
  });

  test('one that does not exist is named, with those that were meant', async () => {
    const { server, read } = await live({ objects });
    await expect(read({ kinds: ['Pod'], namespaces: ['shopp'] })).rejects.toMatchObject({
      code: 'namespace-not-found',
      message: `No namespace named "shopp" in the cluster ${server.url}.`,
      hint: 'Did you mean "shop"?',
    });
  });

  test('in which nothing is found is a gap for who may not know whether it exists', async () => {
    const only: User = { name: 'jane', may: ({ resource }: Place) => resource !== 'namespaces' };
    const { read } = await live({ objects, users: { t: only } }, { user: { token: 't' } });
    const { gaps } = await read({ kinds: ['Pod', 'Event'], namespaces: ['shopp', 'shop'] });
    expect(gaps).toEqual([
      {
        what: 'namespace shopp',
        reason: 'nothing was found in it, and whether it exists may not be asked',
        hint: 'Check its spelling.',
      },
    ]);
  });

  test('who may not know whether it exists gets on without', async () => {
    const only: User = { name: 'jane', may: ({ resource }: Place) => resource !== 'namespaces' };
    const { read } = await live({ objects, users: { t: only } }, { user: { token: 't' } });
    const { snapshot } = await read({ kinds: ['Pod'], namespaces: ['shop'] });
    expect(names(snapshot.list('Pod'))).toEqual(['shop-pod']);
  });
});

describe('API groups', () => {
  test('a group that the cluster does not have has no objects', async () => {
    const { read } = await live({ objects: pods(1), missingGroups: ['node.k8s.io'] });
    const { snapshot } = await read({ kinds: ['Pod', 'RuntimeClass'] });
    expect([...snapshot.unreadable]).toEqual([]);
    expect(snapshot.covers('RuntimeClass')).toBe(true);
  });

  test('a group that it has in other versions only is a gap', async () => {
    const { read } = await live({
      objects: pods(1),
      fault: ({ path }) => (path.startsWith('/apis/discovery.k8s.io/v1') ? { status: 404 } : undefined),
    });
    const { snapshot } = await read({ kinds: ['Pod', 'EndpointSlice'] });
    expect([...snapshot.unreadable]).toEqual([['EndpointSlice', 'the API server does not offer discovery.k8s.io/v1']]);
  });
});

describe('Secrets and ConfigMaps', () => {
  const managed = (...keys: string[]) => [
    { fieldsV1: { 'f:data': { '.': {}, ...Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) } } },
  ];
  const withFields = (kind: string, name: string, managedFields: unknown, fields: object) =>
    object(kind, 'shop', name, {
      metadata: { name, namespace: 'shop', uid: name, managedFields, annotations },
      ...fields,
    });
  const annotations = {
    'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"password":"aHVudGVyMg=="}}',
    note: 'x',
  };
  const objects = [
    withFields('Secret', 'known', managed('password', 'user'), {
      type: 'Opaque',
      data: { user: 'amFuZQ==', password: 'aHVudGVyMg==' },
    }),
    withFields('Secret', 'unknown', [], { type: 'kubernetes.io/tls', data: { 'tls.crt': 'eA==' } }),
    withFields('ConfigMap', 'whole', [...managed('a'), { fieldsV1: { 'f:binaryData': { 'f:b': {} } } }], {
      data: { a: 'value-a' },
      binaryData: { b: 'eA==' },
    }),
    withFields('ConfigMap', 'partly', managed('a'), { data: { a: 'value-a', b: 'value-b' } }),
  ];

  test('values are never asked for; keys are known where they are accounted for', async () => {
    const { server, read } = await live({ objects });
    const { snapshot } = await read({ kinds: ['Secret', 'ConfigMap'] });
    for (const { headers, path } of server.requests) {
      expect([path, headers.accept]).toEqual([path, 'application/json;as=Table;v=v1;g=meta.k8s.io']);
    }
    const found = (kind: 'Secret' | 'ConfigMap', name: string) => snapshot.get(kind, name, 'shop');
    expect(found('Secret', 'known')).toMatchObject({
      metadata: { name: 'known', namespace: 'shop', uid: 'known' },
      type: 'Opaque',
      data: { password: '', user: '' },
    });
    // Nobody may conclude that a key is missing.
    expect(found('Secret', 'unknown')).toMatchObject({ type: 'kubernetes.io/tls' });
    expect(found('Secret', 'unknown')?.data).toBeUndefined();
    expect(found('ConfigMap', 'partly')?.data).toBeUndefined();
    expect(found('ConfigMap', 'whole')).toMatchObject({ data: { a: '' }, binaryData: { b: '' } });
    expect(JSON.stringify(snapshot.list('Secret'))).not.toContain('aHVudGVyMg');
  });
});

describe('the number of requests', () => {
  const kinds = ['Pod', 'Event', 'Node', 'ReplicaSet', 'Deployment', 'Secret', 'ConfigMap', 'Log'] as const;
  const log = { 'shop/pod-000000/app/previous': '2026-11-21T01:59:00Z it broke\n' };

  /** Pods of one ReplicaSet each, so that every one of them is a problem of its own. */
  const broken = (count: number) =>
    many(count, (name) => {
      const pod = crashingPod('shop', name);
      const owner = { kind: 'ReplicaSet', name: `rs-${name}`, uid: name, controller: true };
      return { ...pod, metadata: { ...pod.metadata, ownerReferences: [owner] } };
    });

  test.each([
    [1, kinds.length - 1 + 1],
    [400, kinds.length - 1 + 50],
    // A second page of pods.
    [1000, kinds.length + 50],
  ])('with %i broken pods it is %i', async (count, requests) => {
    const { server, read } = await live({ objects: broken(count), logs: log });
    const { stats } = await read({ kinds, logs: true });
    expect(server.requests).toHaveLength(requests);
    expect(stats.requests).toBe(requests);
  });

  test('connections are kept, and few', async () => {
    const { server, read } = await live({ objects: pods(14_000) });
    await read({ kinds });
    expect(server.connections()).toBeLessThanOrEqual(8);
  });
});

test("the time to judge by is the cluster's own", async () => {
  const answer = {
    status: 200,
    headers: { 'content-type': 'application/json', date: 'Sat, 21 Nov 2026 02:00:00 GMT' },
    body: Buffer.from('{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]}'),
  };
  const { read } = await live({ objects: [], fault: () => ({ answer }) });
  const { snapshot } = await read({ kinds: ['Pod'] });
  expect(snapshot.takenAt).toBe('2026-11-21T02:00:00.000Z');
});
