import { inNamespace, type View } from '../snapshot.ts';
import { matchesLabels } from './labels.ts';
import type { Pod } from './pod-schema.ts';
import type { Labels } from './selector.ts';

/** The pods of one namespace, of which a Service picks some by their labels. */
export interface NamespacePods {
  readonly namespace: string;
  readonly all: readonly Pod[];
  /** The pods that carry all of these labels; none for no labels. */
  selectedBy(selector: Labels): readonly Pod[];
}

/** A namespace may have as many Services as pods, so each looks only at pods that share a label with its selector. */
export function podsIn(cluster: View<'Pod'>, namespace: string): NamespacePods {
  const all = inNamespace(cluster.list('Pod'), namespace);
  const byKey = new Map<string, ReadonlyMap<string, readonly Pod[]>>();
  const carrying = (key: string, value: string): readonly Pod[] => {
    const byValue = byKey.get(key) ?? byLabel(all, key);
    byKey.set(key, byValue);
    return byValue.get(value) ?? [];
  };
  return {
    namespace,
    all,
    selectedBy(selector) {
      const lists = Object.entries(selector).map(([key, value]) => carrying(key, value));
      const [first = [], ...others] = lists.sort((a, b) => a.length - b.length);
      return others.length === 0 ? first : first.filter((pod) => matchesLabels(selector, pod.metadata?.labels));
    },
  };
}

function byLabel(pods: readonly Pod[], key: string): ReadonlyMap<string, readonly Pod[]> {
  const byValue = new Map<string, Pod[]>();
  let before: Labels | undefined;
  let list: Pod[] | undefined;
  for (const pod of pods) {
    const labels = pod.metadata?.labels;
    // Replicas follow each other and share their labels.
    if (labels !== before) {
      before = labels;
      list = listOf(byValue, labels?.[key]);
    }
    list?.push(pod);
  }
  return byValue;
}

function listOf(byValue: Map<string, Pod[]>, value: string | undefined): Pod[] | undefined {
  if (value === undefined) return undefined;
  const list = byValue.get(value) ?? [];
  if (list.length === 0) byValue.set(value, list);
  return list;
}
