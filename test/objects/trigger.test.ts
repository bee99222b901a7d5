import { expect, test } from 'vitest';
import { triggerOf } from '../../src/objects/trigger.ts';
import { parseFixture } from '../support/fixtures.ts';

const POD = `
kind: Pod
metadata: { name: web }
spec: { nodeName: n1, containers: [{ name: app }] }
`;
const NODE = `
---
kind: Node
metadata: { name: n1 }
`;
const event = (reason: string, source: string, message: string) => `
---
kind: Event
metadata: { name: web.1 }
involvedObject: { kind: Pod, namespace: default, name: web }
reason: ${reason}
type: Normal
source: { component: ${source} }
message: '${message}'
`;
const important = (uid: string) => `
---
kind: Pod
metadata: { name: important, uid: ${uid} }
spec: { priority: 1000, containers: [{ name: app }] }
`;

const triggered = (yaml: string) => {
  const { snapshot } = parseFixture(POD + yaml);
  const pod = snapshot.get('Pod', 'web', 'default');
  return pod && triggerOf(snapshot, pod)?.who;
};

test.each([
  [
    'Karpenter through the eviction API',
    NODE + event('Evicted', 'karpenter', 'Evicted pod: Drifted'),
    'Karpenter (Drifted)',
  ],
  [
    'Karpenter at its deadline',
    NODE + event('Disrupted', 'karpenter', 'Deleting the pod to accommodate the terminationTime of the node'),
    'Karpenter (Deleting the pod to accommodate the terminationTime of the node)',
  ],
  [
    'the VPA',
    NODE + event('EvictedByVPA', 'vpa-updater', 'Pod was evicted by VPA Updater.'),
    'the Vertical Pod Autoscaler (Pod was evicted by VPA Updater.)',
  ],
  [
    'the cluster autoscaler',
    NODE + event('ScaleDown', 'cluster-autoscaler', 'deleting pod for node scale down'),
    'the cluster autoscaler (deleting pod for node scale down)',
  ],
  [
    'the descheduler',
    NODE + event('LowNodeUtilization', 'sigs.k8s.io/descheduler', 'pod evicted'),
    'the descheduler (pod evicted)',
  ],
  [
    'preemption, by uid',
    NODE + important('u-1') + event('Preempted', 'default-scheduler', 'Preempted by pod u-1 on node n1'),
    'the scheduler, to make room for pod important of priority 1000',
  ],
  [
    'preemption, by name',
    NODE + important('u-1') + event('Preempted', 'default-scheduler', 'Preempted by default/important on node n1'),
    'the scheduler, to make room for pod important of priority 1000',
  ],
  [
    'preemption by a pod that is gone',
    NODE + event('Preempted', 'default-scheduler', 'Preempted by pod u-9 on node n1'),
    'the scheduler: Preempted by pod u-9 on node n1',
  ],
  [
    "Karpenter's taint",
    `${NODE}spec: { taints: [{ key: karpenter.sh/disrupted, effect: NoSchedule }] }`,
    'Karpenter, which is removing the node',
  ],
  [
    "the cluster autoscaler's taint",
    `${NODE}spec: { taints: [{ key: ToBeDeletedByClusterAutoscaler, effect: NoSchedule }] }`,
    'the cluster autoscaler, which is removing the node',
  ],
  ['a drain', `${NODE}spec: { unschedulable: true }`, 'a drain of node n1, which is cordoned'],
  ['the removal of the node', '', 'the removal of node n1, which no longer exists'],
  ["the kubelet's own eviction is no request", NODE + event('Evicted', 'kubelet', 'low on memory'), undefined],
  ['nothing on record', NODE, undefined],
])('%s', (_, yaml, who) => {
  expect(triggered(yaml)).toBe(who);
});
