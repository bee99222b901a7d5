import type { View } from '../snapshot.ts';
import type { ApiKinds } from './kinds-schema.ts';
import { matchesSelector } from './labels.ts';
import { conditionOf, isLiving, type Pod } from './pods.ts';
import { amountOf, humanAmount } from './quantity.ts';
import { secondsBetween } from './time.ts';
import { claimsOf } from './volumes.ts';

export type Claim = ApiKinds['PersistentVolumeClaim'];
export type Volume = ApiKinds['PersistentVolume'];

/** A claim by name, the pods that cannot start without it, and those that run with it. */
export interface ClaimUse {
  readonly namespace: string;
  readonly name: string;
  readonly waiting: readonly Pod[];
  readonly running: readonly Pod[];
}

/** The kubelet is given this long to mount the volumes of a pod that has its node. */
const MOUNT_SECONDS = 60;

/** Every claim that a living pod mounts, in order. */
export function claimUses(cluster: View<'Pod'>): ClaimUse[] {
  const uses = new Map<string, { namespace: string; name: string; waiting: Pod[]; running: Pod[] }>();
  for (const pod of cluster.list('Pod')) {
    if (pod.spec?.volumes === undefined || !isLiving(pod)) continue;
    const namespace = pod.metadata?.namespace ?? '';
    for (const name of claimsOf(pod)) {
      const key = `${namespace}/${name}`;
      const use = uses.get(key) ?? { namespace, name, waiting: [], running: [] };
      uses.set(key, use);
      (isWaiting(pod, cluster.takenAt) ? use.waiting : use.running).push(pod);
    }
  }
  return [...uses.values()];
}

/** No node yet, or a node and nothing started there. */
function isWaiting(pod: Pod, now: string): boolean {
  if ((pod.spec?.schedulingGates?.length ?? 0) > 0) return false;
  if (pod.spec?.nodeName === undefined) return true;
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  if (pod.status?.phase === 'Running' || statuses.some(({ state, lastState }) => started(state) || started(lastState)))
    return false;
  if (conditionOf(pod, 'PodReadyToStartContainers')?.status === 'True') return false;
  return (secondsBetween(pod.status?.startTime ?? pod.metadata?.creationTimestamp, now) ?? 0) > MOUNT_SECONDS;
}

const started = (state: { readonly running?: unknown; readonly terminated?: unknown } | undefined): boolean =>
  state?.running !== undefined || state?.terminated !== undefined;

/** The StorageClass that a claim names: '' asks for none, undefined leaves it to the cluster's default. */
export const classOf = (claim: Claim): string | undefined =>
  claim.spec?.storageClassName ?? claim.metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'];

/** Who was told to create the volume; set once the StorageClass was found. */
export const provisionerOf = (claim: Claim): string | undefined =>
  claim.metadata?.annotations?.['volume.kubernetes.io/storage-provisioner'] ??
  claim.metadata?.annotations?.['volume.beta.kubernetes.io/storage-provisioner'];

/** The node that the scheduler chose for a claim that is bound only then. */
export const selectedNodeOf = (claim: Claim): string | undefined =>
  claim.metadata?.annotations?.['volume.kubernetes.io/selected-node'];

/** Why a volume does not serve a claim: "is bound to shop/data", "has 1Gi, and 5Gi are asked for". */
export function mismatchOf(volume: Volume, claim: Claim): string | undefined {
  const ref = volume.spec?.claimRef;
  const own = ref?.name === claim.metadata?.name && ref?.namespace === claim.metadata?.namespace;
  if (ref?.name !== undefined && !own) {
    const state = volume.status?.phase === 'Released' ? 'still belongs to the deleted claim' : 'is bound to';
    return `${state} ${ref.namespace ?? ''}/${ref.name}`;
  }
  if ((volume.spec?.storageClassName ?? '') !== (classOf(claim) ?? '')) {
    return `has the class "${volume.spec?.storageClassName ?? ''}"`;
  }
  const asked = amountOf('storage', claim.spec?.resources?.requests?.['storage']);
  const offered = amountOf('storage', volume.spec?.capacity?.['storage']);
  if (asked > offered)
    return `has ${humanAmount('storage', offered)}, and ${humanAmount('storage', asked)} are asked for`;
  const modes = (claim.spec?.accessModes ?? []).filter((mode) => !(volume.spec?.accessModes ?? []).includes(mode));
  if (modes.length > 0) return `does not offer ${modes.join(', ')}`;
  const mode = claim.spec?.volumeMode ?? 'Filesystem';
  if ((volume.spec?.volumeMode ?? 'Filesystem') !== mode) return `has the volume mode ${volume.spec?.volumeMode}`;
  if (claim.spec?.selector !== undefined && !matchesSelector(claim.spec.selector, volume.metadata?.labels)) {
    return 'lacks the labels that the claim selects';
  }
  const phase = volume.status?.phase;
  return phase === undefined || phase === 'Available' || phase === 'Bound' ? undefined : `is ${phase}`;
}

/** Whether the cluster has a default StorageClass; undefined where that is not known. */
export function hasDefaultClass(cluster: View<'StorageClass'>): boolean | undefined {
  if (!cluster.covers('StorageClass')) return undefined;
  return cluster
    .list('StorageClass')
    .some(
      ({ metadata }) =>
        metadata?.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true' ||
        metadata?.annotations?.['storageclass.beta.kubernetes.io/is-default-class'] === 'true',
    );
}
