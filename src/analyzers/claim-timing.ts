import { type Claim, classOf, selectedNodeOf } from '../objects/claims.ts';
import { type EventLine, eventsOf } from '../objects/events.ts';
import type { Pod } from '../objects/pods.ts';
import { claimsOf } from '../objects/volumes.ts';
import type { Case } from './claim-case.ts';

/** The binder has found the class: the claim waits for its pod to get a node. */
const WAITING = new Set(['WaitForFirstConsumer', 'WaitForPodScheduled']);

/** The binder has found the class and asked for a volume. */
const ASKED = new Set(['ExternalProvisioning', 'Provisioning']);

export const TAKEN_UP: ReadonlySet<string> = new Set([...WAITING, ...ASKED]);

/** Whether a claim is to be bound before its pod has a node. */
export function isImmediate(it: Case, claim: Claim, events: readonly EventLine[]): boolean {
  if (ASKED.has(events[0]?.reason ?? '')) return true;
  const name = classOf(claim);
  const storageClass = name === undefined ? undefined : it.cluster.get('StorageClass', name);
  if (storageClass !== undefined) return storageClass.volumeBindingMode !== 'WaitForFirstConsumer';
  return isToldImmediate(it, events);
}

/**
 * Whether the scheduler means this claim when it speaks of unbound immediate claims, of which it names none: it never
 * means one that waits for its pod to get a node.
 */
export function isToldImmediate(it: Case, events: readonly EventLine[]): boolean {
  const pods = it.said.filter(({ code }) => code === 'storage.claim-pending').map(({ pod }) => pod);
  if (pods.length === 0 || WAITING.has(events[0]?.reason ?? '')) return false;
  return !othersOf(it, pods).some((other) => showsImmediate(it, other));
}

/** The other unbound claims of these pods. */
function othersOf({ cluster, use }: Case, pods: readonly Pod[]): Claim[] {
  const names = new Set(pods.flatMap(claimsOf));
  return [...names].flatMap((name) => {
    const claim = name === use.name ? undefined : cluster.get('PersistentVolumeClaim', name, use.namespace);
    return claim === undefined || claim.status?.phase === 'Bound' ? [] : claim;
  });
}

/** Whether a claim is shown to be immediate by what it says itself. */
function showsImmediate({ cluster, use }: Case, claim: Claim): boolean {
  if (classOf(claim) === '' || claim.spec?.volumeName !== undefined) return true;
  const ref = { kind: 'PersistentVolumeClaim', namespace: use.namespace, name: claim.metadata?.name ?? '' };
  const reasons = eventsOf(cluster, ref, claim.metadata?.uid).map(({ reason }) => reason);
  if (WAITING.has(reasons[0] ?? '') || selectedNodeOf(claim) !== undefined) return false;
  return reasons.some((reason) => IMMEDIATE.has(reason) || ASKED.has(reason));
}

/** Events of a claim that nobody holds back until its pod has a node. */
const IMMEDIATE = new Set(['ProvisioningFailed', 'FailedBinding', 'VolumeMismatch']);
