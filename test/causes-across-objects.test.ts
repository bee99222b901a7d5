import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { analyzers } from '../src/analyzers/index.ts';
import { diagnose } from '../src/diagnose.ts';
import { parseFixture } from './support/fixtures.ts';
import { lineOf } from './support/test-analyzer.ts';

/** Each problem as "<root> [: <affected names>]", with all analyzers at once. */
function problemsOf(yaml: string): string[] {
  const { problems } = diagnose(parseFixture(yaml).snapshot, { analyzers });
  return problems.map(({ root, affects }) => {
    const names = affects.map(({ name }) => name).join(', ');
    return names === '' ? lineOf(root) : `${lineOf(root)}: ${names}`;
  });
}

const READY = `
---
kind: Node
metadata: { name: n2 }
status: { conditions: [{ type: Ready, status: 'True' }] }
`;

const DOWN = `
---
kind: Node
metadata: { name: n1 }
spec: { taints: [{ key: node.kubernetes.io/unreachable, effect: NoExecute }] }
status:
  conditions:
    - { type: Ready, status: Unknown, reason: NodeStatusUnknown, lastHeartbeatTime: '2026-11-21T01:39:20Z', lastTransitionTime: '2026-11-21T01:40:00Z' }
`;

const owner = (name: string) => `ownerReferences: [{ kind: ReplicaSet, name: ${name}, controller: true }]`;

describe('a node that is down', () => {
  test('keeps new pods off, cordoned or not', () => {
    const cordoned = DOWN.replace('taints: [', 'unschedulable: true, taints: [').replace('NoExecute', 'NoSchedule');
    expect(
      problemsOf(`${cordoned}
---
kind: Pod
metadata: { name: web-1, creationTimestamp: '2026-11-21T01:45:00Z' }
spec: { containers: [{ name: app }] }
status:
  phase: Pending
  conditions:
    - type: PodScheduled
      status: 'False'
      reason: Unschedulable
      lastTransitionTime: '2026-11-21T01:45:00Z'
      message: '0/1 nodes are available: 1 node(s) were unschedulable.'
`),
    ).toEqual(['node.unreachable Node n1: web-1']);
  });

  test('is one problem, with all that it took down', () => {
    expect(
      problemsOf(`${DOWN}${READY}
---
kind: Pod
metadata: { name: web-1, ${owner('web')}, deletionTimestamp: '2026-11-21T01:45:30Z', deletionGracePeriodSeconds: 30 }
spec: { nodeName: n1, containers: [{ name: app }] }
status:
  phase: Running
  startTime: '2026-11-20T00:00:00Z'
  conditions:
    - { type: Ready, status: 'False', lastTransitionTime: '2026-11-21T01:40:00Z' }
    - { type: ContainersReady, status: 'True' }
    - { type: DisruptionTarget, status: 'True', reason: DeletionByTaintManager }
  containerStatuses: [{ name: app, ready: true, state: { running: { startedAt: '2026-11-20T00:00:00Z' } } }]
---
kind: Pod
metadata: { name: agent-1, ownerReferences: [{ kind: DaemonSet, name: agent, controller: true }] }
spec: { nodeName: n1, containers: [{ name: app }] }
status:
  phase: Running
  startTime: '2026-11-20T00:00:00Z'
  conditions:
    - { type: Ready, status: 'False', lastTransitionTime: '2026-11-21T01:40:00Z' }
    - { type: ContainersReady, status: 'True' }
  containerStatuses: [{ name: app, ready: true, state: { running: { startedAt: '2026-11-20T00:00:00Z' } } }]
---
kind: Pod
metadata: { name: web-2, ${owner('web')} }
spec: { nodeName: n2, containers: [{ name: app }] }
status:
  phase: Running
  conditions: [{ type: Ready, status: 'True' }, { type: PodReadyToStartContainers, status: 'True' }]
  containerStatuses: [{ name: app, ready: true, state: { running: { startedAt: '2026-11-21T01:46:00Z' } } }]
---
kind: ReplicaSet
metadata: { name: web }
spec: { replicas: 1 }
status: { replicas: 1, readyReplicas: 1 }
`),
    ).toEqual(['node.unreachable Node n1: agent-1, web-1']);
  });

  test('keeps the volume that a pod elsewhere waits for', () => {
    expect(
      problemsOf(`${DOWN}${READY}
---
kind: Pod
metadata: { name: db-old, deletionTimestamp: '2026-11-21T01:45:30Z', deletionGracePeriodSeconds: 30 }
spec: { nodeName: n1, containers: [{ name: app }], volumes: [{ name: data, persistentVolumeClaim: { claimName: data } }] }
status: { phase: Running, containerStatuses: [{ name: app, state: { running: {} } }] }
---
kind: Pod
metadata: { name: db-new, creationTimestamp: '2026-11-21T01:46:00Z' }
spec: { nodeName: n2, containers: [{ name: app }], volumes: [{ name: data, persistentVolumeClaim: { claimName: data } }] }
status:
  phase: Pending
  startTime: '2026-11-21T01:46:00Z'
  conditions: [{ type: PodReadyToStartContainers, status: 'False' }]
  containerStatuses: [{ name: app, state: { waiting: { reason: ContainerCreating } } }]
---
kind: PersistentVolumeClaim
metadata: { name: data }
spec: { volumeName: pv-1, accessModes: [ReadWriteOnce] }
status: { phase: Bound }
---
kind: PersistentVolume
metadata: { name: pv-1 }
spec: { accessModes: [ReadWriteOnce], claimRef: { namespace: default, name: data } }
status: { phase: Bound }
---
kind: VolumeAttachment
metadata: { name: csi-1 }
spec: { nodeName: n1, source: { persistentVolumeName: pv-1 } }
status: { attached: true }
`),
    ).toEqual(['node.unreachable Node n1: db-new, db-old']);
  });

  test('is not blamed for what was wrong before', () => {
    expect(
      problemsOf(`${DOWN}${READY}
---
kind: Pod
metadata: { name: typo }
spec: { nodeName: n1, containers: [{ name: app, image: 'nginx:1.99' }] }
status:
  phase: Pending
  startTime: '2026-11-21T01:00:00Z'
  conditions: [{ type: Ready, status: 'False', lastTransitionTime: '2026-11-21T01:00:00Z' }]
  containerStatuses: [{ name: app, state: { waiting: { reason: ErrImagePull, message: 'docker.io/library/nginx:1.99: not found' } } }]
`),
    ).toEqual(['image.not-found Pod default/typo app', 'node.unreachable Node n1']);
  });
});

test('a node that is short of memory leads the pods it turned out, and those that wait because of it', () => {
  expect(
    problemsOf(`
kind: Node
metadata: { name: n1 }
spec: { taints: [{ key: node.kubernetes.io/memory-pressure, effect: NoSchedule }] }
status:
  allocatable: { cpu: '4', memory: 8Gi, pods: '110' }
  conditions: [{ type: Ready, status: 'True' }, { type: MemoryPressure, status: 'True', reason: KubeletHasInsufficientMemory }]
---
kind: Pod
metadata: { name: web-1, ${owner('web')}, creationTimestamp: '2026-11-21T01:00:00Z' }
spec: { nodeName: n1, containers: [{ name: app }] }
status: { phase: Failed, reason: Evicted, message: 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 95Mi. ' }
---
kind: Pod
metadata: { name: web-2, ${owner('web')}, creationTimestamp: '2026-11-21T01:50:00Z' }
spec: { containers: [{ name: app }] }
status:
  phase: Pending
  conditions:
    - type: PodScheduled
      status: 'False'
      reason: Unschedulable
      lastTransitionTime: '2026-11-21T01:50:00Z'
      message: '0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/memory-pressure: }.'
---
kind: ReplicaSet
metadata: { name: web }
spec: { replicas: 1 }
`),
  ).toEqual(['node.memory-pressure Node n1: web-1, web-2']);
});

test('a network plugin that crashes on a node leads the node and the pods that get no network there', () => {
  expect(
    problemsOf(`
kind: Node
metadata: { name: n1 }
status:
  conditions:
    - type: Ready
      status: 'False'
      reason: KubeletNotReady
      lastTransitionTime: '2026-11-21T01:40:00Z'
      message: 'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized'
---
kind: Pod
metadata: { name: calico-node-x, namespace: kube-system, ownerReferences: [{ kind: DaemonSet, name: calico-node, controller: true }] }
spec: { nodeName: n1, hostNetwork: true, containers: [{ name: calico }] }
status:
  phase: Running
  startTime: '2026-11-21T01:39:00Z'
  conditions: [{ type: Ready, status: 'False', lastTransitionTime: '2026-11-21T01:41:00Z' }, { type: PodReadyToStartContainers, status: 'True' }]
  containerStatuses:
    - name: calico
      restartCount: 9
      state: { waiting: { reason: CrashLoopBackOff } }
      lastState: { terminated: { exitCode: 1, reason: Error, startedAt: '2026-11-21T01:58:00Z', finishedAt: '2026-11-21T01:58:02Z' } }
---
kind: Pod
metadata: { name: web, creationTimestamp: '2026-11-21T01:45:00Z' }
spec: { nodeName: n1, containers: [{ name: app }] }
status:
  phase: Pending
  startTime: '2026-11-21T01:45:00Z'
  conditions: [{ type: PodReadyToStartContainers, status: 'False' }, { type: Ready, status: 'False', lastTransitionTime: '2026-11-21T01:45:00Z' }]
  containerStatuses: [{ name: app, state: { waiting: { reason: ContainerCreating } } }]
---
kind: Event
metadata: { name: web.1 }
involvedObject: { kind: Pod, namespace: default, name: web }
reason: NetworkNotReady
type: Warning
lastTimestamp: '2026-11-21T01:59:00Z'
message: 'network is not ready: container runtime network not ready: cni plugin not initialized'
`),
  ).toEqual(['crash.app-error Pod kube-system/calico-node-x calico: n1, web']);
});

test('an evicted pod that a finalizer keeps is a matter of the finalizer', () => {
  expect(
    problemsOf(`${READY}
---
kind: Pod
metadata: { name: spill, deletionTimestamp: '2026-11-21T01:40:00Z', deletionGracePeriodSeconds: 0, finalizers: [backup.example.com/snapshot] }
spec: { nodeName: n2, containers: [{ name: app }] }
status:
  phase: Failed
  reason: Evicted
  message: 'Usage of EmptyDir volume "s" exceeds the limit "10Mi". '
  containerStatuses: [{ name: app, state: { terminated: { exitCode: 137, reason: Error } } }]
`),
  ).toEqual(['term.finalizer Pod default/spill']);
});

test('a refused Deployment is one problem: its pods and its stuck roll-out', () => {
  const refused = (name: string, at: string) => `
---
kind: Pod
metadata: { name: ${name}, ${owner('gpu')}, creationTimestamp: '${at}' }
spec: { nodeName: n2, containers: [{ name: app }] }
status: { phase: Failed, reason: UnexpectedAdmissionError, startTime: '${at}', message: 'Pod was rejected: Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu, which is unexpected' }
`;
  expect(
    problemsOf(`${READY}${refused('gpu-1', '2026-11-21T01:40:00Z')}${refused('gpu-2', '2026-11-21T01:45:00Z')}
---
kind: ReplicaSet
metadata: { name: gpu, ownerReferences: [{ kind: Deployment, name: gpu, controller: true }] }
spec: { replicas: 1, selector: { matchLabels: { app: gpu } } }
status: { replicas: 0 }
---
kind: Deployment
metadata: { name: gpu, creationTimestamp: '2026-11-21T01:40:00Z' }
spec: { replicas: 1, selector: { matchLabels: { app: gpu } } }
status:
  replicas: 1
  unavailableReplicas: 1
  conditions:
    - { type: Progressing, status: 'False', reason: ProgressDeadlineExceeded, message: 'ReplicaSet "gpu" has timed out progressing.' }
    - { type: Available, status: 'False', reason: MinimumReplicasUnavailable }
`),
  ).toEqual(['reject.unexpected-admission Pod default/gpu-1: gpu, gpu-2']);
});

describe('a pull that outlasts its rollout', () => {
  test('is why the Deployment is stuck', () => {
    const file = new URL('../fixtures/analyzers/pod-image-pull/slow-past-deadline.yaml', import.meta.url);
    expect(problemsOf(readFileSync(file, 'utf8'))).toEqual(['image.slow Pod default/web-1 app: web']);
  });
});

describe('a CronJob whose pods are refused', () => {
  test('is one problem, however many of its Jobs wait', () => {
    const job = (name: string) => `
---
kind: Job
metadata: { name: ${name}, creationTimestamp: '2026-11-21T01:00:00Z', ownerReferences: [{ kind: CronJob, name: tick, controller: true }] }
spec: { parallelism: 1, completions: 1 }
status: { startTime: '2026-11-21T01:00:00Z' }
---
kind: Event
metadata: { name: ${name}.1 }
involvedObject: { kind: Job, namespace: default, name: ${name} }
reason: FailedCreate
type: Warning
message: 'Error creating: pods "${name}-" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
lastTimestamp: '2026-11-21T01:55:00Z'
`;
    expect(problemsOf(`${READY}${job('tick-1')}${job('tick-2')}`)).toEqual([
      'create.pod-security CronJob default/tick: tick-1, tick-2',
    ]);
  });
});

describe('a Service', () => {
  const service = `
---
kind: Service
metadata: { name: web, creationTimestamp: '2026-11-21T01:00:00Z' }
spec: { selector: { app: web }, ports: [{ port: 80 }] }
`;

  test('whose only pod was evicted is a symptom of that', () => {
    expect(
      problemsOf(`${READY}${service}
---
kind: Pod
metadata: { name: web, labels: { app: web }, creationTimestamp: '2026-11-21T01:00:00Z' }
spec: { nodeName: n2, containers: [{ name: app }] }
status: { phase: Failed, reason: Evicted, message: 'The node was low on resource: memory.' }
`),
    ).toEqual(['evict.node-pressure Pod default/web: web']);
  });

  test('is worth a word where its pods are gated, and no more', () => {
    expect(
      problemsOf(`${READY}${service}
---
kind: Pod
metadata: { name: web, labels: { app: web }, creationTimestamp: '2026-11-21T01:30:00Z' }
spec: { schedulingGates: [{ name: example.com/queue }], containers: [{ name: app }] }
status:
  phase: Pending
  conditions: [{ type: PodScheduled, status: 'False', reason: SchedulingGated }]
`),
    ).toEqual(['sched.gated Pod default/web (info): web']);
  });
});
