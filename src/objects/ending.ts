import type { View } from '../snapshot.ts';
import { eventEvidence } from './events.ts';
import { conditionOf, type Pod, podEvents, podRef } from './pods.ts';
import { conditionProof, type Proof, proof } from './proof.ts';

/** The codes for a pod that was ended by something else than its own containers. */
export type EndingCode = EvictCode | DisruptCode | RejectCode | 'pod.deadline-exceeded';

export type EvictCode = 'evict.node-pressure' | 'evict.storage-limit' | 'evict.node-condition';

export type DisruptCode =
  | 'disrupt.preempted'
  | 'disrupt.eviction-api'
  | 'disrupt.taint-manager'
  | 'disrupt.device-taint'
  | 'disrupt.pod-gc'
  | 'disrupt.node-shutdown'
  | 'disrupt.critical-pod'
  | 'disrupt.unknown';

export type RejectCode =
  | 'reject.out-of-resource'
  | 'reject.node-affinity'
  | 'reject.node-name'
  | 'reject.node-ports'
  | 'reject.taint'
  | 'reject.unexpected-admission'
  | 'reject.topology'
  | 'reject.apparmor'
  | 'reject.sysctl'
  | 'reject.os'
  | 'reject.feature'
  | 'reject.volume-limit'
  | 'reject.unknown';

// The kubelet's words, where the reason alone (Evicted, TerminationByKubelet) says too little.
const words: readonly (readonly [EndingCode, RegExp])[] = [
  [
    'evict.storage-limit',
    /exceeds the limit|exceeded its local ephemeral storage limit|exceeds the total limit of containers/i,
  ],
  ['evict.node-condition', /the node had condition/i],
  ['evict.node-pressure', /the node was low on resource/i],
  ['disrupt.node-shutdown', /node shutdown|node is shutting/i],
  ['disrupt.critical-pod', /critical pod/i],
];

// status.reason as the kubelet of some release writes it; `Evicted` and `OutOf…` are read apart.
const byReason: Readonly<Record<string, EndingCode>> = {
  Terminated: 'disrupt.node-shutdown',
  NodeShutdown: 'disrupt.node-shutdown',
  Shutdown: 'disrupt.node-shutdown',
  Preempting: 'disrupt.critical-pod',
  DeadlineExceeded: 'pod.deadline-exceeded',
  NodeAffinity: 'reject.node-affinity',
  MatchNodeSelector: 'reject.node-affinity',
  NodeName: 'reject.node-name',
  HostName: 'reject.node-name',
  NodePorts: 'reject.node-ports',
  PodFitsHostPorts: 'reject.node-ports',
  TaintToleration: 'reject.taint',
  PodToleratesNodeTaints: 'reject.taint',
  UnexpectedAdmissionError: 'reject.unexpected-admission',
  TopologyAffinityError: 'reject.topology',
  SMTAlignmentError: 'reject.topology',
  EmptyPodSharedPoolError: 'reject.topology',
  AppArmor: 'reject.apparmor',
  SysctlForbidden: 'reject.sysctl',
  PodOSNotSupported: 'reject.os',
  PodOSSelectorNodeLabelDoesNotMatch: 'reject.os',
  SupplementalGroupsPolicyNotSupported: 'reject.feature',
  PodLevelResourcesNotSupported: 'reject.feature',
  PodFeatureUnsupported: 'reject.feature',
  InitContainerRestartPolicyForbidden: 'reject.feature',
  VolumeAttachmentLimitExceeded: 'reject.volume-limit',
  InvalidNodeInfo: 'reject.unknown',
  UnknownReason: 'reject.unknown',
  UnexpectedPredicateFailureType: 'reject.unknown',
};

const byDisruption: Readonly<Record<string, EndingCode>> = {
  PreemptionByScheduler: 'disrupt.preempted',
  DeletionByTaintManager: 'disrupt.taint-manager',
  DeletionByDeviceTaintManager: 'disrupt.device-taint',
  EvictionByEvictionAPI: 'disrupt.eviction-api',
  DeletionByPodGC: 'disrupt.pod-gc',
};

/** How a pod was ended from outside, and what says so. */
export interface Ending {
  readonly code: EndingCode;
  /** The reason as it stands in the field: "OutOfcpu", "EvictionByEvictionAPI". */
  readonly reason: string;
  /** The words that go with it; may be empty. */
  readonly text: string;
  readonly evidence: readonly Proof[];
}

/**
 * What ended a Failed pod. `status.reason` has an explicit writer and comes first, DisruptionTarget=True second, the
 * containers' terminated reasons third; what the others say is kept as evidence.
 */
export function endingOf(cluster: View<'Event'>, pod: Pod): Ending | undefined {
  if (pod.status?.phase !== 'Failed') return undefined;
  const disruption = disruptionOf(pod);
  const { reason = '' } = pod.status;
  if (reason !== '') return endingByReason(cluster, pod, reason, disruption);
  return disruption ?? endingByContainer(pod);
}

function endingByReason(
  cluster: View<'Event'>,
  pod: Pod,
  reason: string,
  also: Ending | undefined,
): Ending | undefined {
  const from = podRef(pod);
  const event = podEvents(cluster, pod).find((line) => line.reason === reason);
  const text = pod.status?.message ?? event?.message ?? '';
  const code = codeOfReason(reason, text);
  if (code === undefined) return undefined;
  return {
    code,
    reason,
    text: withoutPrefix(text),
    evidence: [
      proof(from, 'status.reason', reason, conditionOf(pod, 'Ready')?.lastTransitionTime),
      ...(pod.status?.message === undefined ? [] : [proof(from, 'status.message', pod.status.message.trim())]),
      ...(event === undefined ? [] : [eventEvidence(from, event)]),
      ...(also?.evidence ?? []),
    ],
  };
}

function codeOfReason(reason: string, text: string): EndingCode | undefined {
  if (reason === 'Evicted') return byWords(text) ?? 'evict.node-pressure';
  if (/^OutOf/.test(reason)) return 'reject.out-of-resource';
  const known = byReason[reason];
  if (known !== undefined) return known;
  return /^Pod was rejected/.test(text) ? 'reject.unknown' : undefined;
}

const byWords = (text: string): EndingCode | undefined => words.find(([, pattern]) => pattern.test(text))?.[0];

const withoutPrefix = (text: string): string => text.replace(/^Pod was rejected: /, '').trim();

/** What DisruptionTarget=True says; False means that the disruption was given up. */
export function disruptionOf(pod: Pod): Ending | undefined {
  const condition = conditionOf(pod, 'DisruptionTarget');
  if (condition?.status !== 'True') return undefined;
  const { reason = '', message = '' } = condition;
  return {
    code: byDisruption[reason] ?? byWords(message) ?? 'disrupt.unknown',
    reason,
    text: message.trim(),
    evidence: [conditionProof(podRef(pod), condition)],
  };
}

// No kubelet of today writes these into a container; some other runtimes and metrics do.
const byContainerReason: Readonly<Record<string, EndingCode>> = {
  Evicted: 'evict.node-pressure',
  Shutdown: 'disrupt.node-shutdown',
  DeadlineExceeded: 'pod.deadline-exceeded',
};

function endingByContainer(pod: Pod): Ending | undefined {
  for (const { name, state } of pod.status?.containerStatuses ?? []) {
    const { reason = '', message = '', exitCode = 0, finishedAt } = state?.terminated ?? {};
    const code = byContainerReason[reason];
    if (code === undefined) continue;
    const where = `status.containerStatuses[${name ?? ''}].state.terminated`;
    const words = `${reason}, exit code ${exitCode}${message === '' ? '' : `: ${message}`}`;
    return {
      code: byWords(message) ?? code,
      reason,
      text: message,
      evidence: [proof(podRef(pod, name), where, words, finishedAt)],
    };
  }
  return undefined;
}
