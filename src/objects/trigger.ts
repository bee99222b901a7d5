import type { Ref } from '../finding.ts';
import type { View } from '../snapshot.ts';
import { type EventLine, eventEvidence } from './events.ts';
import { type Node, nodeIsGone, nodeRef } from './node-health.ts';
import { type Pod, podEvents, podRef } from './pods.ts';
import { type Proof, proof } from './proof.ts';
import { tolerates } from './taints.ts';

type Needs = 'Pod' | 'Node' | 'Event';

/** Who took a pod away, and what says so. */
export interface Trigger {
  /** As it stands in a sentence: "Karpenter (Underutilized)", "a drain of node n1". */
  readonly who: string;
  readonly evidence: readonly Proof[];
  readonly suspects: readonly Ref[];
}

/**
 * Who asked for a disruption. The condition only says by which way (the eviction API serves kubectl drain, Karpenter,
 * the autoscalers and the descheduler alike); the events' sources and the taints of the node tell them apart.
 */
export function triggerOf(cluster: View<Needs>, pod: Pod): Trigger | undefined {
  return byEvents(cluster, pod) ?? byNode(cluster, pod);
}

type Reader = (event: EventLine, pod: Pod, cluster: View<Needs>) => string | undefined;

const readers: readonly Reader[] = [
  ({ source, reason, message }) =>
    /karpenter/i.test(source) && (reason === 'Evicted' || reason === 'Disrupted')
      ? `Karpenter (${message.replace(/^Evicted pod: /, '')})`
      : undefined,
  ({ source, reason, message }) =>
    reason === 'EvictedByVPA' || /vpa-updater/i.test(source) ? `the Vertical Pod Autoscaler (${message})` : undefined,
  ({ source, message }) => (/descheduler/i.test(`${source} ${message}`) ? `the descheduler (${message})` : undefined),
  ({ source, reason, message }) =>
    reason === 'ScaleDown' || (/cluster-autoscaler/i.test(source) && /delet|evict/i.test(message))
      ? `the cluster autoscaler (${message})`
      : undefined,
  ({ reason, message }, pod, cluster) =>
    reason === 'Preempted' ? preemptor(cluster, message, pod.metadata?.namespace ?? '') : undefined,
];

function byEvents(cluster: View<Needs>, pod: Pod): Trigger | undefined {
  for (const event of podEvents(cluster, pod)) {
    for (const read of readers) {
      const who = read(event, pod, cluster);
      if (who === undefined) continue;
      const by = event.reason === 'Preempted' ? preemptorPod(cluster, event.message) : undefined;
      return { who, evidence: [eventEvidence(podRef(pod), event)], suspects: by === undefined ? [] : [podRef(by)] };
    }
  }
  return undefined;
}

/** "Preempted by pod <uid> on node n", and before 1.2x "Preempted by ns/name on node n". */
function preemptor(cluster: View<Needs>, message: string, namespace: string): string {
  const by = preemptorPod(cluster, message);
  if (by === undefined) return `the scheduler: ${message}`;
  const priority = by.spec?.priority === undefined ? '' : ` of priority ${by.spec.priority}`;
  const name =
    by.metadata?.namespace === namespace ? by.metadata.name : `${by.metadata?.namespace}/${by.metadata?.name}`;
  return `the scheduler, to make room for pod ${name}${priority}`;
}

function preemptorPod(cluster: View<Needs>, message: string): Pod | undefined {
  const by = /Preempted by (?:pod(?:group)? )?(\S+)/.exec(message)?.[1];
  if (by === undefined) return undefined;
  const [namespace = '', name] = by.split('/');
  if (name !== undefined) return cluster.get('Pod', name, namespace);
  return cluster.list('Pod').find((pod) => pod.metadata?.uid === by);
}

// What the tools that remove nodes write on them beforehand.
const removals: readonly (readonly [RegExp, string])[] = [
  [/^karpenter\.sh\/(disrupted|disruption)$/, 'Karpenter, which is removing the node'],
  [/^ToBeDeletedByClusterAutoscaler$/, 'the cluster autoscaler, which is removing the node'],
];

function byNode(cluster: View<Needs>, pod: Pod): Trigger | undefined {
  const name = pod.spec?.nodeName;
  const node = name === undefined ? undefined : cluster.get('Node', name);
  if (name === undefined) return undefined;
  if (node === undefined) {
    if (!nodeIsGone(cluster, pod)) return undefined;
    const gone = proof(podRef(pod), 'spec.nodeName', `${name} (no such node)`);
    return { who: `the removal of node ${name}, which no longer exists`, evidence: [gone], suspects: [] };
  }
  for (const { key = '', effect = '', timeAdded } of node.spec?.taints ?? []) {
    const who = removals.find(([pattern]) => pattern.test(key))?.[1];
    if (who === undefined) continue;
    return {
      who,
      evidence: [proof(nodeRef(name), 'spec.taints', `${key}:${effect}`, timeAdded)],
      suspects: [nodeRef(name)],
    };
  }
  if (node.spec?.unschedulable !== true) return undefined;
  return {
    who: `a drain of node ${name}, which is cordoned`,
    evidence: [proof(nodeRef(name), 'spec.unschedulable', 'true')],
    suspects: [nodeRef(name)],
  };
}

/** The NoExecute taints of a node that a pod does not tolerate for ever: those the taint manager acts on. */
export const expellingTaints = (node: Node | undefined, pod: Pod) =>
  (node?.spec?.taints ?? []).filter(
    (taint) =>
      taint.effect === 'NoExecute' &&
      !pod.spec?.tolerations?.some(
        (toleration) => toleration.tolerationSeconds === undefined && tolerates(toleration, taint),
      ),
  );
