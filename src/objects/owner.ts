import type { Ref } from '../finding.ts';
import { inNamespace, type View } from '../snapshot.ts';
import type { ObjectMeta } from './meta.ts';
import type { Pod } from './pod-schema.ts';
import { objectKey } from './refs.ts';

interface Owned {
  readonly metadata?: ObjectMeta;
}

const controllerOf = (object: Owned) =>
  object.metadata?.ownerReferences?.find((reference) => reference.controller === true);

/**
 * The workload on top: the Deployment behind the ReplicaSet, the CronJob behind the Job. Where the ReplicaSet was not
 * read, its name without the pod-template-hash is the Deployment's. A static pod, owned by its node, has none.
 */
export function ownerOf(cluster: View<'ReplicaSet' | 'Job'>, pod: Pod): Ref | undefined {
  const controller = controllerOf(pod);
  if (controller === undefined || controller.kind === 'Node') return undefined;
  const namespace = pod.metadata?.namespace ?? '';
  const { kind = '', name = '' } = controller;
  return workloadOf(cluster, { kind, namespace, name }, pod.metadata?.labels?.['pod-template-hash']);
}

/** The workload on top of a ReplicaSet or Job; any other reference is returned as it is. */
export function workloadOf(cluster: View<'ReplicaSet' | 'Job'>, ref: Ref, templateHash?: string): Ref {
  if (ref.kind !== 'ReplicaSet' && ref.kind !== 'Job') return ref;
  const object = cluster.get(ref.kind, ref.name, ref.namespace);
  const above = object === undefined ? undefined : controllerOf(object);
  if (above !== undefined) return { ...ref, kind: above.kind ?? '', name: above.name ?? '' };
  if (object === undefined && templateHash !== undefined && ref.name.endsWith(`-${templateHash}`)) {
    return { ...ref, kind: 'Deployment', name: ref.name.slice(0, -templateHash.length - 1) };
  }
  return ref;
}

/** The pods that an object controls itself: those of a Job, not of the CronJob above it. */
export const podsOf = (cluster: View<'Pod'>, { kind, namespace = '', name }: Ref): readonly Pod[] =>
  inNamespace(cluster.list('Pod'), namespace).filter((pod) => {
    const controller = controllerOf(pod);
    return controller?.kind === kind && controller.name === name;
  });

const owned = new WeakMap<readonly Pod[], Map<string, Pod[]>>();

/** The pods of every workload on top, by `objectKey`. */
export function podsByOwner(cluster: View<'Pod' | 'ReplicaSet' | 'Job'>): ReadonlyMap<string, readonly Pod[]> {
  const pods = cluster.list('Pod');
  const known = owned.get(pods);
  if (known !== undefined) return known;
  const index = new Map<string, Pod[]>();
  let before: Pod | undefined;
  let list: Pod[] | undefined;
  for (const pod of pods) {
    // Replicas follow each other and share what they have in common, their owner references too.
    const { ownerReferences, namespace } = pod.metadata ?? {};
    const last = before?.metadata;
    if (ownerReferences !== undefined && ownerReferences === last?.ownerReferences && namespace === last.namespace) {
      list?.push(pod);
      continue;
    }
    before = pod;
    list = undefined;
    const owner = ownerOf(cluster, pod);
    if (owner === undefined) continue;
    const key = objectKey(owner);
    list = index.get(key) ?? [];
    list.push(pod);
    index.set(key, list);
  }
  owned.set(pods, index);
  return index;
}
