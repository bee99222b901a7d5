import { containersOf, type Pod, podRef } from '../objects/pods.ts';
import { type Proof, proof } from '../objects/proof.ts';
import type { StartEvent } from '../objects/startup.ts';
import type { SandboxCode } from './sandbox-rules.ts';

/** The network plugin's and the runtime's words, most telling first. */
const causes: readonly (readonly [SandboxCode, RegExp])[] = [
  // The pause image is the only one that is pulled at this point; CRI-O does not call it by a name.
  [
    'sandbox.pause-image',
    /failed to get sandbox image|pull(ing)? (the )?(sandbox|pause|infra) image|initializing source docker:/i,
  ],
  ['runtime.cgroup-mem', /container init was OOM-killed|unable to set memory limit to|memory limit \d+ too low/i],
  [
    'sandbox.name-reserved',
    /failed to reserve sandbox name|error reserving pod name|name .* is reserved for|kubelet may be retrying requests that are timing out in CRI-O/i,
  ],
  [
    'sandbox.runtimeclass',
    /no runtime for "[^"]*" is configured|RuntimeClass(?! handler "")|failed to find runtime handler/i,
  ],
  ['sandbox.sysctl', /sysctl/i],
  [
    'cni.ip-exhausted',
    /failed to assign an IP address|no IP addresses available|no available IP|no more IPs|out of IPs|IP pool (is )?exhausted|range (is )?full|insufficient.*IP|not enough IPs available|no more free affine blocks|assigned 0 out of \d+ requested IPv[46]/i,
  ],
  ['cni.plugin-missing', /failed to find plugin "[^"]+" in path|exec: "[^"]*cni[^"]*": .*not found/i],
  [
    'cni.config',
    /no network config found|no networks found|cni config uninitialized|cni plugin not initialized|\/run\/flannel\/subnet\.env|error (parsing|loading) (configuration|network)|cniVersion|unsupported CNI|incompatible CNI versions|no CNI configuration file/i,
  ],
  [
    'cni.daemon',
    /dial unix .*(connect|no such file)|calico\/node container is running|ClusterInformation|connection is unauthorized|(cni|cns|calico|cilium|multus|aws|kube-ovn|antrea|weave).*connection refused|connection refused.*(cni|calico|cilium|:50051|:6784)/is,
  ],
  [
    'cni.generic',
    /network for (pod )?sandbox|pod network sandbox|CNI network|plugin type="|network plugin|networkPlugin cni|set ?up pod .* network/i,
  ],
  ['sandbox.cgroup', /cgroup/i],
  [
    'sandbox.io',
    /input\/output error|no space left on device|failed to start shim|read-only file system|structure needs cleaning/i,
  ],
  ['sandbox.timeout', /context deadline exceeded|DeadlineExceeded|timed out/i],
];

/** What an event says is wrong. */
export function codeOf({ step, reason, message }: StartEvent): SandboxCode {
  if (step === 'network') return 'cni.not-ready';
  if (step === 'dra') return 'sandbox.dra';
  // "No space left on device" here means that the kernel's limit of cgroups is reached.
  if (reason === 'FailedCreatePodContainer') return 'sandbox.cgroup';
  if (step === 'cgroup') return 'sandbox.io';
  return causes.find(([, words]) => words.test(message))?.[0] ?? 'sandbox.unknown';
}

/** The limits that the kubelet adds up for the cgroup of the pod, in which the sandbox runs as well. */
export function memoryLimits(pod: Pod): Proof[] {
  const own = pod.spec?.resources?.limits?.['memory'];
  return [
    ...(own === undefined ? [] : [proof(podRef(pod), 'spec.resources.limits.memory', own)]),
    ...containersOf(pod).flatMap(({ name, spec }) => {
      const limit = spec.resources?.limits?.['memory'];
      return limit === undefined ? [] : [proof(podRef(pod, name), 'resources.limits.memory', limit)];
    }),
  ];
}
