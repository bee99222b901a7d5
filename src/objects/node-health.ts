import type { Ref } from '../finding.ts';
import type { View } from '../snapshot.ts';
import type { Node } from './kinds-schema.ts';
import { conditionOf, isTerminal, type Pod } from './pods.ts';

export type { Node } from './kinds-schema.ts';

export const nodeRef = (name: string): Ref => ({ kind: 'Node', name });

/** Whether the node answers: `unreachable` where the kubelet has stopped reporting, `unknown` where nothing is said. */
export type NodeState = 'ready' | 'not-ready' | 'unreachable' | 'unknown';

export function nodeState(node: Node | undefined): NodeState {
  const status = node === undefined ? undefined : conditionOf(node, 'Ready')?.status;
  if (status === 'True') return 'ready';
  if (status === 'False') return 'not-ready';
  return status === 'Unknown' ? 'unreachable' : 'unknown';
}

/** The node is named by the pod, and it is known that no such node exists. */
export function nodeIsGone(cluster: View<'Node'>, pod: Pod): boolean {
  const name = pod.spec?.nodeName;
  return name !== undefined && cluster.get('Node', name) === undefined && cluster.covers('Node');
}

// The DaemonSets of the usual network plugins; their pods' names begin so.
const NETWORK_PLUGINS =
  /calico|canal|cilium|flannel|aws-node|weave|kindnet|kube-router|ovn|antrea|azure-cni|multus|sdn|kube-ovn/;

/** The pods of the network plugin on a node: unready ones first. */
export function networkPodsOn(cluster: View<'Pod'>, node: string): Pod[] {
  const pods = (podsByNode(cluster).get(node) ?? []).filter(
    (pod) =>
      !isTerminal(pod) &&
      NETWORK_PLUGINS.test(pod.metadata?.name ?? '') &&
      (pod.spec?.hostNetwork === true || pod.metadata?.namespace === 'kube-system'),
  );
  return [...pods.filter((pod) => !isReady(pod)), ...pods.filter(isReady)];
}

export const isReady = (pod: Pod): boolean => conditionOf(pod, 'Ready')?.status === 'True';

const indexes = new WeakMap<readonly Pod[], Map<string, Pod[]>>();

/** The pods that are bound to each node, by its name. */
export function podsByNode(cluster: View<'Pod'>): ReadonlyMap<string, readonly Pod[]> {
  const pods = cluster.list('Pod');
  const known = indexes.get(pods);
  if (known !== undefined) return known;
  const index = new Map<string, Pod[]>();
  for (const pod of pods) {
    const node = pod.spec?.nodeName;
    if (node === undefined) continue;
    const there = index.get(node);
    if (there === undefined) index.set(node, [pod]);
    else there.push(pod);
  }
  indexes.set(pods, index);
  return index;
}
