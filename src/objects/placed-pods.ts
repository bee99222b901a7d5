import { inNamespace, type View } from '../snapshot.ts';
import { type Asking, askingOf, NodeUsage } from './node-usage.ts';
import type { Pod } from './pod-schema.ts';
import { isTerminal } from './pods.ts';
import { asksTheSame } from './resources.ts';

/** What pods that have a node, and have not finished, mean to those that want one. */
interface PlacedPods {
  readonly byNode: ReadonlyMap<string, NodeUsage>;
  /** Pods with required anti-affinity, which may keep away others in their own namespace. */
  readonly repellingOwn: ReadonlyMap<string, readonly Pod[]>;
  /** … and those whose rules reach into other namespaces. */
  readonly repellingAll: readonly Pod[];
}

const indexes = new WeakMap<readonly Pod[], PlacedPods>();

/** Built once per snapshot. */
export function placedPods(cluster: View<'Pod'>): PlacedPods {
  const pods = cluster.list('Pod');
  let index = indexes.get(pods);
  if (index === undefined) {
    index = build(pods);
    indexes.set(pods, index);
  }
  return index;
}

/** Those of one namespace. */
export const placedPodsIn = (cluster: View<'Pod'>, namespace: string): readonly Pod[] =>
  inNamespace(cluster.list('Pod'), namespace).filter((pod) => pod.spec?.nodeName !== undefined && !isTerminal(pod));

function build(pods: readonly Pod[]): PlacedPods {
  const byNode = new Map<string, NodeUsage>();
  const repellingOwn = new Map<string, Pod[]>();
  const repellingAll: Pod[] = [];
  let before: Pod | undefined;
  let asking: Asking | undefined;
  for (const pod of pods) {
    const node = pod.spec?.nodeName;
    if (node === undefined || isTerminal(pod)) continue;
    // Replicas follow each other.
    if (asking === undefined || before === undefined || !asksTheSame(pod, before)) asking = askingOf(pod);
    before = pod;
    let usage = byNode.get(node);
    if (usage === undefined) {
      usage = new NodeUsage();
      byNode.set(node, usage);
    }
    usage.add(pod, asking);
    const rules = pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (rules === undefined || rules.length === 0) continue;
    const { namespace = '' } = pod.metadata ?? {};
    const own = repellingOwn.get(namespace);
    if (rules.some(({ namespaces, namespaceSelector }) => namespaceSelector !== undefined || namespaces?.length)) {
      repellingAll.push(pod);
    } else if (own === undefined) repellingOwn.set(namespace, [pod]);
    else own.push(pod);
  }
  return { byNode, repellingOwn, repellingAll };
}
