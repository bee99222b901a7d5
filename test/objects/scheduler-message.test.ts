import { describe, expect, test } from 'vitest';
import { parseSchedulerMessage } from '../../src/objects/scheduler-message.ts';

/** "3× sched.taint dedicated=gpu": what is counted, which cause, and what it names. */
function told(message: string): string[] {
  const { form, reasons } = parseSchedulerMessage(message);
  return [
    form,
    ...reasons.map(({ count, code, resource, taint, name }) =>
      [`${count}×`, code, resource, taint && `${taint.key}=${taint.value}`, name].filter(Boolean).join(' '),
    ),
  ];
}

const CP = 'node-role.kubernetes.io/control-plane';

describe('reasons that are counted per node', () => {
  test.each<[string, string, ...string[]]>([
    ['cpu, 1.20', '0/3 nodes are available: 3 Insufficient cpu.', '3× sched.cpu cpu'],
    ['cpu, the message ends without a dot', '0/3 nodes are available: 3 Insufficient cpu', '3× sched.cpu cpu'],
    [
      'cpu and memory on one node',
      '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.',
      '1× sched.cpu cpu',
      '1× sched.memory memory',
    ],
    [
      'with preemption, 1.24 to 1.33',
      '0/2 nodes are available: 2 Insufficient memory. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod..',
      '2× sched.memory memory',
    ],
    [
      'with resource claims before preemption, 1.34 and later',
      '0/5 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable, 3 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/5 nodes are available: 5 Preemption is not helpful for scheduling.',
      '1× sched.cpu cpu',
      '1× sched.cordoned',
      '3× sched.taint',
    ],
    [
      'preemption is forbidden',
      '0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.',
      '1× sched.cpu cpu',
    ],
    [
      'a victim is still terminating',
      '0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to a terminating pod on the nominated node.',
      '1× sched.cpu cpu',
    ],
    [
      'local disk',
      '0/1 nodes are available: 1 Insufficient ephemeral-storage.',
      '1× sched.ephemeral-storage ephemeral-storage',
    ],
    ['a GPU', '0/1 nodes are available: 1 Insufficient nvidia.com/gpu.', '1× sched.gpu nvidia.com/gpu'],
    ["AMD's GPU", '0/1 nodes are available: 1 Insufficient amd.com/gpu.', '1× sched.gpu amd.com/gpu'],
    ["Intel's GPU", '0/1 nodes are available: 1 Insufficient gpu.intel.com/i915.', '1× sched.gpu gpu.intel.com/i915'],
    [
      'a slice of a GPU',
      '0/1 nodes are available: 1 Insufficient nvidia.com/mig-1g.5gb.',
      '1× sched.gpu nvidia.com/mig-1g.5gb',
    ],
    [
      'a shared GPU',
      '0/1 nodes are available: 1 Insufficient nvidia.com/gpu.shared.',
      '1× sched.gpu nvidia.com/gpu.shared',
    ],
    [
      'memory of a GPU',
      '0/1 nodes are available: 1 Insufficient aliyun.com/gpu-mem.',
      '1× sched.gpu aliyun.com/gpu-mem',
    ],
    [
      'another device',
      '0/1 nodes are available: 1 Insufficient google.com/tpu.',
      '1× sched.extended-resource google.com/tpu',
    ],
    [
      'huge pages',
      '0/1 nodes are available: 1 Insufficient hugepages-2Mi.',
      '1× sched.extended-resource hugepages-2Mi',
    ],
    ['pods', '0/4 nodes are available: 4 Too many pods.', '4× sched.too-many-pods'],
    ['pods, as some clouds have it', '0/4 nodes are available: 4 Insufficient pods.', '4× sched.too-many-pods'],
    [
      'a taint without a name, 1.35 and later',
      '0/1 nodes are available: 1 node(s) had untolerated taint(s).',
      '1× sched.taint',
    ],
    [
      'taints by name, 1.24 to 1.34',
      `0/3 nodes are available: 1 node(s) had untolerated taint {dedicated: gpu}, 2 node(s) had untolerated taint {${CP}: }.`,
      '1× sched.taint dedicated=gpu',
      `2× sched.taint ${CP}=`,
    ],
    [
      'taints by name, up to 1.23, with a comma inside',
      "0/3 nodes are available: 1 node(s) had taint {node-role.kubernetes.io/master: }, that the pod didn't tolerate, 2 Insufficient cpu.",
      '1× sched.taint node-role.kubernetes.io/master=',
      '2× sched.cpu cpu',
    ],
    [
      'taints of all kinds at once, 1.17',
      "0/5 nodes are available: 2 node(s) didn't match node selector, 3 node(s) had taints that the pod didn't tolerate.",
      '2× sched.node-affinity',
      '3× sched.taint',
    ],
    ['cordoned', '0/1 nodes are available: 1 node(s) were unschedulable.', '1× sched.cordoned'],
    ['unknown conditions', '0/1 nodes are available: 1 node(s) had unknown conditions.', '1× sched.cordoned'],
    [
      'labels',
      "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
      '2× sched.node-affinity',
    ],
    ['labels, 1.20', "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity.", '2× sched.node-affinity'],
    ['labels, 1.18', "0/2 nodes are available: 2 node(s) didn't match node selector.", '2× sched.node-affinity'],
    [
      'labels that the administrator enforces',
      "0/2 nodes are available: 2 node(s) didn't match scheduler-enforced node affinity.",
      '2× sched.node-affinity',
    ],
    [
      'nodes that a plugin left out beforehand',
      "0/9 nodes are available: 1 Insufficient cpu, 8 node(s) didn't satisfy plugin(s) [NodeAffinity].",
      '1× sched.cpu cpu',
      '8× sched.node-affinity',
    ],
    [
      'a node by name',
      "0/1 nodes are available: 1 node(s) didn't match the requested node name.",
      '1× sched.node-name',
    ],
    [
      'a port',
      "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
      '1× sched.host-port',
    ],
    ['affinity', "0/1 nodes are available: 1 node(s) didn't match pod affinity rules.", '1× sched.pod-affinity'],
    [
      'anti-affinity',
      "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.",
      '1× sched.pod-anti-affinity',
    ],
    [
      'anti-affinity, up to 1.21',
      "0/2 nodes are available: 1 node(s) didn't match pod affinity/anti-affinity, 1 node(s) didn't satisfy existing pods anti-affinity rules, 1 node(s) had volume node affinity conflict.",
      '1× sched.pod-anti-affinity',
      '1× sched.existing-anti-affinity',
      '1× sched.volume-zone',
    ],
    [
      'spread',
      "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints.",
      '3× sched.topology-spread',
    ],
    [
      'spread over a label that is missing',
      "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints (missing required label).",
      '3× sched.topology-spread',
    ],
    [
      'a volume elsewhere',
      "0/3 nodes are available: 3 node(s) didn't match PersistentVolume's node affinity.",
      '3× sched.volume-zone',
    ],
    [
      'a volume elsewhere, older',
      '0/3 nodes are available: 3 node(s) had volume node affinity conflict.',
      '3× sched.volume-zone',
    ],
    [
      'a zone without the volume',
      '0/1 nodes are available: 1 node(s) had no available volume zone.',
      '1× sched.volume-zone',
    ],
    [
      'no volume to bind',
      "0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind.",
      '1× storage.no-volume',
    ],
    [
      'no storage left',
      '0/1 nodes are available: 1 node(s) did not have enough free storage.',
      '1× sched.csi-capacity',
    ],
    ['volumes at their limit', '0/1 nodes are available: 1 node(s) exceed max volume count.', '1× sched.volume-limit'],
    [
      'a volume for one pod only',
      '0/1 nodes are available: 1 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod.',
      '1× sched.volume-in-use',
    ],
    [
      'a volume for one pod only, 1.22 to 1.26',
      '0/1 nodes are available: 1 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.',
      '1× sched.volume-in-use',
    ],
    ['a disk in use', '0/1 nodes are available: 1 node(s) had no available disk.', '1× sched.volume-in-use'],
    [
      'a driver that is not there',
      '0/1 nodes are available: 1 ebs.csi.aws.com CSI driver is not installed on the node.',
      '1× sched.csi-missing ebs.csi.aws.com',
    ],
    ['claims of devices', '0/2 nodes are available: 2 cannot allocate all claims.', '2× sched.dra'],
    ['a device class', '0/2 nodes are available: 2 request r: device class c does not exist.', '2× sched.dra'],
    ['features', "0/2 nodes are available: 2 node(s) didn't match Pod's required features.", '2× sched.feature'],
    ['a plugin of its own', '0/2 nodes are available: 2 rack power budget exceeded.', '2× sched.unknown'],
    [
      'an extender whose words have a comma and a number',
      '0/2 nodes are available: 2 budget 3, left 4 watts.',
      '2× sched.unknown',
    ],
  ])('%s', (_, message, ...expected) => {
    expect(told(message)).toEqual(['nodes', ...expected]);
  });
});

describe('reasons about the pod itself', () => {
  test.each<[string, string, string]>([
    [
      'unbound claims',
      '0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling..',
      '3× storage.claim-pending',
    ],
    [
      'unbound claims, with what 1.36 adds',
      '0/5 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found',
      '5× storage.claim-pending',
    ],
    [
      'unbound claims, counted (1.20 to 1.22)',
      '0/1 nodes are available: 1 pod has unbound immediate PersistentVolumeClaims.',
      '1× storage.claim-pending',
    ],
    [
      'unbound claims, repeated (1.18)',
      'pod has unbound immediate PersistentVolumeClaims (repeated 2 times)',
      '0× storage.claim-pending',
    ],
    [
      'unbound claims, as an error of a plugin (1.18)',
      'running "VolumeBinding" filter plugin for pod "db-0": pod has unbound immediate PersistentVolumeClaims',
      '0× storage.claim-pending',
    ],
    [
      'a missing claim',
      '0/5 nodes are available: persistentvolumeclaim "uploads" not found. not found',
      '5× storage.claim-missing uploads',
    ],
    [
      'a missing claim, counted (1.21 to 1.23)',
      '0/3 nodes are available: 3 persistentvolumeclaim "data.v1" not found.',
      '3× storage.claim-missing data.v1',
    ],
    ['a missing claim, alone (1.20)', 'persistentvolumeclaim "data" not found', '0× storage.claim-missing data'],
    [
      'an ephemeral claim',
      '0/1 nodes are available: waiting for ephemeral volume controller to create the persistentvolumeclaim "db-data".',
      '1× storage.claim-missing db-data',
    ],
    [
      'a claim that goes',
      '0/1 nodes are available: persistentvolumeclaim "data" is being deleted.',
      '1× storage.claim-deleting data',
    ],
    [
      'a lost volume',
      '0/1 nodes are available: persistentvolumeclaim "data" bound to non-existent persistentvolume "pv-1".',
      '1× storage.claim-lost data',
    ],
    [
      'a lost volume, counted',
      '0/1 nodes are available: 1 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s).',
      '1× storage.claim-lost',
    ],
    [
      'a missing resource claim',
      '0/1 nodes are available: resourceclaim.resource.k8s.io "gpu" not found.',
      '1× sched.dra gpu',
    ],
    [
      'a resource claim that is not there yet',
      '0/1 nodes are available: pod "default/train": ResourceClaim not created yet.',
      '1× sched.dra default/train',
    ],
    [
      'a gang',
      '0/1 nodes are available: waiting for minCount pods from a gang to appear in scheduling queue.',
      '1× sched.gang',
    ],
    [
      'terms that exclude each other',
      '0/4 nodes are available: pod affinity terms conflict.',
      '4× sched.node-affinity',
    ],
    [
      'plugins that never agree',
      "0/4 nodes are available: node(s) didn't satisfy plugin(s) [NodeAffinity VolumeBinding] simultaneously.",
      '4× sched.node-affinity',
    ],
  ])('%s', (_, message, expected) => {
    expect(told(message)).toEqual(['pod', expected]);
  });
});

test.each([
  ['no nodes available to schedule pods', 'no-nodes'],
  ['0/0 nodes are available.', 'no-nodes'],
  ['skip schedule deleting pod: shop/web', 'deleting'],
  ['running PreBind plugin "VolumeBinding": binding volumes: timed out waiting for the condition', 'free'],
  ['error while running "VolumeBinding" prebind plugin for pod "db-0": Failed to bind volumes: timed out', 'free'],
  ['binding rejected: plugin "x" timed out', 'free'],
  ['', 'free'],
])('%j is of the form %s', (message, form) => {
  expect(parseSchedulerMessage(message).form).toBe(form);
});

test('an event is cut at 1,024 bytes, and what came before still counts', () => {
  const parsed = parseSchedulerMessage(
    '0/9 nodes are available: 4 Insufficient cpu, 2 node(s) had untolerated taint(s), 3 node(s) were unsch ...',
  );
  expect(parsed.truncated).toBe(true);
  expect(parsed.reasons.map(({ count, code }) => [count, code])).toEqual([
    [4, 'sched.cpu'],
    [2, 'sched.taint'],
  ]);
});

test('what is said of preemption stands apart', () => {
  const { after } = parseSchedulerMessage(
    '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
  );
  expect(after).toBe(
    'no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
  );
});
