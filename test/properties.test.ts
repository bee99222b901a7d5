import fc from 'fast-check';
import { expect, test } from 'vitest';
import { analyzers } from '../src/analyzers/index.ts';
import { normalize } from '../src/cluster/normalize.ts';
import { diagnose } from '../src/diagnose.ts';
import type { Ref, Report } from '../src/finding.ts';
import { createSnapshot } from '../src/snapshot.ts';

const TAKEN_AT = '2026-11-21T02:00:00Z';

// Times before, around and after the snapshot was taken: clocks of nodes differ.
const time = fc.constantFrom(
  '1970-01-01T00:00:00Z',
  '2026-11-19T02:00:00Z',
  '2026-11-21T01:30:00Z',
  '2026-11-21T01:55:00Z',
  '2026-11-21T01:59:50Z',
  '2026-11-21T02:00:30Z',
  '2027-01-01T00:00:00Z',
  'not a time',
);

const words = fc.constantFrom(
  '',
  'no such host',
  'secret "db" not found',
  "couldn't find key a in ConfigMap default/b",
  'container has runAsNonRoot and image will run as root',
  'exec: "x": executable file not found in $PATH',
  '0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s).',
  '0/0 nodes are available: .',
  'persistentvolumeclaim "data" not found',
  'Back-off pulling image "x"',
  'The node was low on resource: memory. Threshold quantity: 100Mi, available: 1Mi.',
  'MountVolume.SetUp failed for volume "v" : configmap "c" not found',
  'Container a failed liveness probe, will be restarted',
  'Liveness probe failed: HTTP probe failed with statuscode: 500',
  '\u001b[31mred\u001b[0m \u0000 {{}} <b>',
  'a'.repeat(5000),
);

const reason = fc.constantFrom(
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImagePull',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'ContainerCreating',
  'PodInitializing',
  'PostStartHookError',
  'OOMKilled',
  'Error',
  'Completed',
  'StartError',
  'ContainerStatusUnknown',
  'Unknown',
  'SomethingNew',
  '',
);

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const state = fc.record(
  {
    waiting: fc.record({ reason, message: words }, { requiredKeys: [] }),
    running: fc.record({ startedAt: time }, { requiredKeys: [] }),
    terminated: fc.record(
      {
        exitCode: fc.constantFrom(0, 1, 2, 126, 127, 128, 134, 137, 139, 143, 255, -1, 3221225477),
        reason,
        message: words,
        startedAt: time,
        finishedAt: time,
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

const containerName = fc.constantFrom('a', 'b');

const status = fc.record(
  {
    name: containerName,
    state,
    lastState: state,
    ready: fc.boolean(),
    started: fc.boolean(),
    restartCount: fc.nat(20),
  },
  { requiredKeys: ['name'] },
);

const probe = fc.record(
  {
    httpGet: fc.record({ port: fc.oneof(fc.nat(70_000), fc.constant('http')), path: words }, { requiredKeys: [] }),
    periodSeconds: fc.nat(60),
    failureThreshold: fc.nat(5),
    initialDelaySeconds: fc.nat(60),
  },
  { requiredKeys: [] },
);

const container = fc.record(
  {
    name: containerName,
    image: fc.constantFrom('x', 'a.b:5000/c/d@sha256:0', 'Bad Name', ''),
    restartPolicy: fc.constantFrom('Always', 'Never', 'OnFailure'),
    resources: fc.constantFrom({}, { limits: { memory: '64Mi' }, requests: { cpu: '1', memory: 'nonsense' } }),
    livenessProbe: probe,
    readinessProbe: probe,
    startupProbe: probe,
    envFrom: fc.constantFrom([{ secretRef: { name: 'db' } }], []),
  },
  { requiredKeys: ['name'] },
);

const condition = fc.record(
  {
    type: fc.constantFrom(
      'Ready',
      'ContainersReady',
      'PodScheduled',
      'Initialized',
      'DisruptionTarget',
      'PodReadyToStartContainers',
      'PodResizePending',
    ),
    status: fc.constantFrom('True', 'False', 'Unknown'),
    reason: fc.constantFrom(
      'Unschedulable',
      'SchedulingGated',
      'ReadinessGatesNotReady',
      'EvictionByEvictionAPI',
      'Infeasible',
    ),
    message: words,
    lastTransitionTime: time,
  },
  { requiredKeys: ['type'] },
);

const pod = fc.record({
  metadata: fc.record(
    {
      name: fc.constantFrom('p-0', 'p-1', 'p-2'),
      namespace: fc.constantFrom('default', 'shop'),
      uid: fc.constantFrom('u0', 'u1'),
      creationTimestamp: time,
      deletionTimestamp: maybe(time),
      deletionGracePeriodSeconds: maybe(fc.nat(700)),
      finalizers: maybe(fc.constant(['example.com/hold'])),
      labels: fc.constantFrom({ app: 'web' }, {}),
      ownerReferences: fc.constantFrom(
        [],
        [{ kind: 'ReplicaSet', name: 'p', controller: true }],
        [{ kind: 'Job', name: 'j', controller: true }],
      ),
    },
    { requiredKeys: ['name', 'namespace'] },
  ),
  spec: fc.record(
    {
      nodeName: fc.constantFrom('n-0', 'n-gone'),
      restartPolicy: fc.constantFrom('Always', 'Never', 'OnFailure'),
      containers: fc.array(container, { maxLength: 2 }),
      initContainers: fc.array(container, { maxLength: 2 }),
      volumes: fc.constantFrom(
        [],
        [
          { name: 'v', configMap: { name: 'c' } },
          { name: 'd', persistentVolumeClaim: { claimName: 'data' } },
        ],
      ),
      nodeSelector: fc.constantFrom({}, { disktype: 'ssd' }),
      schedulingGates: maybe(fc.constant([{ name: 'g' }])),
      readinessGates: maybe(fc.constant([{ conditionType: 'lb' }])),
    },
    { requiredKeys: [] },
  ),
  status: fc.record(
    {
      phase: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
      reason: fc.constantFrom('Evicted', 'NodeLost', 'OutOfcpu', 'NodeAffinity', 'DeadlineExceeded', 'Novelty'),
      message: words,
      startTime: time,
      conditions: fc.array(condition, { maxLength: 4 }),
      containerStatuses: fc.array(status, { maxLength: 2 }),
      initContainerStatuses: fc.array(status, { maxLength: 2 }),
    },
    { requiredKeys: [] },
  ),
});

const event = fc.record(
  {
    metadata: fc.record({ name: fc.string({ maxLength: 4 }), namespace: fc.constantFrom('default', 'shop') }),
    involvedObject: fc.record(
      {
        kind: fc.constantFrom('Pod', 'Node', 'ReplicaSet'),
        namespace: fc.constantFrom('default', 'shop'),
        name: fc.constantFrom('p-0', 'p-1', 'n-0'),
        fieldPath: fc.constantFrom('spec.containers{a}', 'spec.initContainers{b}', ''),
      },
      { requiredKeys: [] },
    ),
    reason: fc.constantFrom(
      'Failed',
      'Killing',
      'Unhealthy',
      'FailedMount',
      'FailedScheduling',
      'FailedCreatePodSandBox',
      'Pulling',
      'FailedCreate',
      'BackOff',
    ),
    message: words,
    type: fc.constantFrom('Normal', 'Warning'),
    count: fc.nat(30),
    lastTimestamp: time,
  },
  { requiredKeys: ['metadata'] },
);

const node = fc.record({
  metadata: fc.constant({ name: 'n-0' }),
  status: fc.record(
    {
      conditions: fc.array(
        fc.record({
          type: fc.constantFrom('Ready', 'MemoryPressure', 'DiskPressure'),
          status: fc.constantFrom('True', 'False', 'Unknown'),
          lastTransitionTime: time,
        }),
        { maxLength: 3 },
      ),
      allocatable: fc.constantFrom({}, { cpu: '2', memory: '4Gi', pods: '110' }),
    },
    { requiredKeys: [] },
  ),
});

interface Cluster {
  readonly pods: readonly unknown[];
  readonly events: readonly unknown[];
  readonly nodes: readonly unknown[];
}

const cluster: fc.Arbitrary<Cluster> = fc.record({
  pods: fc.uniqueArray(pod, { maxLength: 4, selector: ({ metadata }) => `${metadata.namespace}/${metadata.name}` }),
  events: fc.array(event, { maxLength: 6 }),
  nodes: fc.array(node, { maxLength: 1 }),
});

function report({ pods, events, nodes }: Cluster): Report {
  const snapshot = createSnapshot({
    takenAt: TAKEN_AT,
    objects: {
      Pod: pods.map((object) => normalize('Pod', object)),
      Event: events.map((object) => normalize('Event', object)),
      Node: nodes.map((object) => normalize('Node', object)),
    },
  });
  return diagnose(snapshot, { analyzers });
}

const name = ({ kind, namespace, name }: Ref) => `${kind} ${namespace}/${name}`;

test('any cluster: no analyzer stops, no pod has two roots, and the same cluster gives the same bytes', () => {
  fc.assert(
    fc.property(cluster, (generated) => {
      const first = report(generated);
      expect(first.gaps.filter(({ what }) => what.startsWith('analyzer'))).toEqual([]);
      const roots = first.problems
        .filter(({ root }) => root.severity !== 'info')
        .flatMap(({ root, affects }) => [root.subject, ...affects])
        .filter(({ kind }) => kind === 'Pod')
        .map(name);
      expect(roots.length, `a pod twice among ${roots.join(', ')}`).toBe(new Set(roots).size);
      expect(JSON.stringify(report(generated))).toBe(JSON.stringify(first));
      const reversed = { ...generated, pods: [...generated.pods].reverse(), nodes: [...generated.nodes].reverse() };
      expect(JSON.stringify(report(reversed))).toBe(JSON.stringify(first));
    }),
    { numRuns: 1500 },
  );
});
