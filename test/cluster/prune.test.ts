import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { analyzers } from '../../src/analyzers/index.ts';
import { listDecoder } from '../../src/cluster/decode.ts';
import { isApiKind } from '../../src/cluster/kinds.ts';
import { normalize, normalizeWhole } from '../../src/cluster/normalize.ts';
import { diagnose } from '../../src/diagnose.ts';
import { messages } from '../../src/objects/kinds-schema.ts';
import { type Contents, createSnapshot } from '../../src/snapshot.ts';
import { parseFixture } from '../support/fixtures.ts';
import { encodeList, encodeMessage } from '../support/protobuf-encode.ts';

const ROOT = join(import.meta.dirname, '../..');
const AT = '2026-11-21T02:55:00Z';

const state = { running: { startedAt: '2026-11-21T01:00:00Z' } };
const container = { name: 'app', ready: true, started: true, restartCount: 0, state, lastState: {}, image: 'web:1' };
const condition = (type: string, status = 'True') => ({ type, status, lastTransitionTime: '2026-11-21T01:00:00Z' });
const conditions = ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => condition(type));
const healthy = { phase: 'Running', conditions, containerStatuses: [container], qosClass: 'Burstable' };

const pod = (status: object, metadata: object = {}) => ({
  metadata: {
    name: 'web-1',
    namespace: 'shop',
    uid: 'u-1',
    resourceVersion: '4',
    labels: { app: 'web' },
    annotations: { 'example.com/note': 'x' },
    ownerReferences: [{ kind: 'ReplicaSet', name: 'web', uid: 'r-1', controller: true }],
    ...metadata,
  },
  spec: {
    nodeName: 'node-1',
    containers: [
      {
        name: 'app',
        image: 'web:1',
        env: [{ name: 'A', value: 'b' }],
        resources: { requests: { cpu: '1' } },
        ports: [{ containerPort: 80 }],
        readinessProbe: { httpGet: { port: 80 } },
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      },
    ],
    volumes: [
      { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'config', configMap: { name: 'web' } },
    ],
  },
  status,
});

test('what is left of a healthy pod is what it means to others', () => {
  expect(normalize('Pod', pod(healthy))).toEqual({
    metadata: {
      name: 'web-1',
      namespace: 'shop',
      uid: 'u-1',
      labels: { app: 'web' },
      ownerReferences: [{ kind: 'ReplicaSet', name: 'web', uid: 'r-1', controller: true }],
    },
    spec: {
      nodeName: 'node-1',
      containers: [
        { name: 'app', image: 'web:1', resources: { requests: { cpu: '1' } }, ports: [{ containerPort: 80 }] },
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    },
    status: { phase: 'Running', conditions: ['PodScheduled', 'Ready'].map((type) => ({ type, status: 'True' })) },
  });
});

const done = { terminated: { exitCode: 0, reason: 'Completed' } };
const init = { name: 'init', ready: true, restartCount: 0, state: done };

test.each([
  ['a finished init container', { ...healthy, initContainerStatuses: [init] }],
  ['a sidecar', { ...healthy, initContainerStatuses: [container] }],
  ['a readiness gate that is met', { ...healthy, conditions: [...conditions, condition('elb.example.com/healthy')] }],
  ['a finished Job', { phase: 'Succeeded', containerStatuses: [{ ...container, ready: false, state: done }] }],
])('a pod with %s is healthy', (_, status) => {
  expect(normalize('Pod', pod(status)).metadata?.annotations).toBeUndefined();
  expect(fromProtobuf(pod(status))).toEqual(normalize('Pod', pod(status)));
});

/** The pod as it comes out of protobuf. */
function fromProtobuf(object: unknown): unknown {
  const items = [encodeMessage(messages.Pod, normalizeWhole('Pod', object))];
  const pods: unknown[] = [];
  const decoder = listDecoder('Pod', 'application/vnd.kubernetes.protobuf', (pod) => pods.push(pod));
  decoder.push(encodeList('Pod', 'v1', {}, items));
  decoder.end();
  return pods[0];
}

const withContainer = (change: object) => ({ ...healthy, containerStatuses: [container, { ...container, ...change }] });

test.each([
  ['no status', {}],
  ['another phase', { ...healthy, phase: 'Pending' }],
  ['a phase nobody knows', { ...healthy, phase: 'Unknown' }],
  ['a reason', { ...healthy, reason: 'NodeLost' }],
  ['no Ready condition', { ...healthy, conditions: conditions.filter(({ type }) => type !== 'Ready') }],
  [
    'a condition that is not True',
    { ...healthy, conditions: [...conditions.slice(1), condition('Initialized', 'False')] },
  ],
  [
    'a readiness gate that is not met',
    { ...healthy, conditions: [...conditions, condition('example.com/gate', 'False')] },
  ],
  ['a disruption', { ...healthy, conditions: [...conditions, condition('DisruptionTarget')] }],
  ['a resize under way', { ...healthy, conditions: [...conditions, condition('PodResizePending')] }],
  ['a container that is not ready', withContainer({ ready: false })],
  ['a container that has not started', withContainer({ started: false })],
  ['a container that waits', withContainer({ state: { waiting: { reason: 'CrashLoopBackOff' } } })],
  ['a container that has ended', withContainer({ state: { terminated: { exitCode: 1 } } })],
  ['a restart', withContainer({ restartCount: 1 })],
  ['an earlier end', withContainer({ lastState: { terminated: { exitCode: 0 } } })],
  [
    'a device',
    withContainer({ allocatedResourcesStatus: [{ name: 'example.com/gpu', resources: [{ health: 'Unhealthy' }] }] }),
  ],
  ['an init container that runs again', { ...healthy, initContainerStatuses: [{ ...init, state: { waiting: {} } }] }],
  ['a debug container', { ...healthy, ephemeralContainerStatuses: [container] }],
  [
    'a success after an exit',
    { phase: 'Succeeded', containerStatuses: [{ ...container, state: { terminated: { exitCode: 2 } } }] },
  ],
  ['a status that is none', { ...healthy, containerStatuses: 'x', conditions: null }],
])('a pod with %s is kept whole', (_, status) => {
  expect(normalize('Pod', pod(status))).toEqual(normalizeWhole('Pod', pod(status)));
  expect(fromProtobuf(pod(status))).toEqual(normalizeWhole('Pod', pod(status)));
});

test('a pod that is being deleted is kept whole', () => {
  const deleted = pod(healthy, { deletionTimestamp: '2026-11-21T02:00:00Z' });
  expect(normalize('Pod', deleted)).toEqual(normalizeWhole('Pod', deleted));
  expect(fromProtobuf(deleted)).toEqual(normalizeWhole('Pod', deleted));
});

test('whether a pod is healthy is the same in JSON and in protobuf, whatever its status', () => {
  const change = fc.record(
    {
      ready: fc.boolean(),
      started: fc.boolean(),
      restartCount: fc.nat(1),
      state: fc.constantFrom(state, done, {}, { terminated: { exitCode: 1 } }, { waiting: {} }),
      lastState: fc.constantFrom({}, done, { waiting: {} }),
    },
    { requiredKeys: [] },
  );
  const containers = fc.array(
    change.map((some) => ({ ...container, ...some })),
    { maxLength: 2 },
  );
  const types = fc.subarray([
    'Ready',
    'PodScheduled',
    'ContainersReady',
    'DisruptionTarget',
    'example.com/gate',
    'Radey',
  ]);
  const status = fc.record({
    phase: fc.constantFrom('Running', 'Running', 'Succeeded', 'Failed', 'running'),
    conditions: fc
      .tuple(types, fc.constantFrom('True', 'True', 'False'))
      .map(([all, is]) => all.map((type) => condition(type, is))),
    containerStatuses: containers,
    initContainerStatuses: containers,
    message: fc.constantFrom(undefined, undefined, 'x'),
  });
  fc.assert(
    fc.property(status, fc.boolean(), (some, deleted) => {
      const object = pod(some, deleted ? { deletionTimestamp: '2026-11-21T02:00:00Z' } : {});
      expect(fromProtobuf(object)).toEqual(normalize('Pod', object));
    }),
    { numRuns: 500 },
  );
});

test('reading what was kept changes nothing', () => {
  const once = normalize('Pod', pod(healthy));
  expect(normalize('Pod', once)).toEqual(once);
});

test('pruning changes no report of a fixture', () => {
  for (const file of globSync(join(ROOT, 'fixtures/analyzers/**/*.yaml'))) {
    const text = readFileSync(file, 'utf8');
    const [pruned, whole] = [normalize, normalizeWhole].map((read) => parseFixture(text, read).snapshot);
    if (pruned === undefined || whole === undefined) throw new Error('no snapshot');
    expect(diagnose(pruned, { analyzers }), file).toEqual(diagnose(whole, { analyzers }));
  }
});

interface Item {
  readonly kind?: string;
  readonly status?: object;
}

const recorded = new Map<string, Item[]>();
for (const file of globSync(join(ROOT, 'test/data/protobuf/*.json'))) {
  const list = JSON.parse(readFileSync(file, 'utf8')) as { kind: string; items: Item[] };
  recorded.set(list.kind.replace(/List$/, ''), list.items);
}

function reportOf(pods: readonly Item[], read: typeof normalize) {
  const objects: Record<string, unknown[]> = {};
  for (const [kind, items] of recorded) {
    if (isApiKind(kind)) objects[kind] = (kind === 'Pod' ? pods : items).map((item) => read(kind, item));
  }
  return diagnose(createSnapshot({ takenAt: AT, objects: objects as Contents['objects'] }), { analyzers });
}

test('pruning changes no report of a real cluster, whichever of its pods are healthy', () => {
  const pods = recorded.get('Pod') ?? [];
  const healing = fc.array(fc.constantFrom(undefined, healthy, { phase: 'Succeeded' }), {
    minLength: pods.length,
    maxLength: pods.length,
  });
  fc.assert(
    fc.property(healing, (statuses) => {
      const some = pods.map((pod, index) => ({ ...pod, ...(statuses[index] && { status: statuses[index] }) }));
      expect(reportOf(some, normalize)).toEqual(reportOf(some, normalizeWhole));
    }),
    { numRuns: 20 },
  );
});
