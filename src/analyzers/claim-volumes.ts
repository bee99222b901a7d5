import { type Claim, classOf, hasDefaultClass, mismatchOf } from '../objects/claims.ts';
import { type EventLine, eventEvidence } from '../objects/events.ts';
import { placementOf } from '../objects/placement.ts';
import type { Pod } from '../objects/pods.ts';
import { refTo } from '../objects/refs.ts';
import { parseSchedulerMessage } from '../objects/scheduler-message.ts';
import { schedulerWordsOf } from '../objects/scheduler-words.ts';
import type { View } from '../snapshot.ts';
import type { Case, Cause, Fact, Needs } from './claim-case.ts';

/** Nobody creates a volume for the claim: it needs one that is there. */
export function staticCause(it: Case, claim: Claim, events: readonly EventLine[]): Cause | undefined {
  const { cluster, ref, said } = it;
  const name = classOf(claim);
  const failed = events.find(({ reason }) => reason === 'FailedBinding' || reason === 'VolumeMismatch');
  const evidence = failed === undefined ? [] : [eventEvidence(ref, failed)];
  const wanted = claim.spec?.volumeName;
  if (wanted !== undefined) {
    const volume = cluster.get('PersistentVolume', wanted);
    const read = volume !== undefined || cluster.covers('PersistentVolume');
    const why = volume === undefined ? 'does not exist' : (mismatchOf(volume, claim) ?? 'is not bound to it yet');
    const cause = noVolume(
      it,
      claim,
      `it asks for volume ${wanted}, which ${read ? why : 'is not bound to it; volumes could not be read'}`,
      [{ from: ref, where: 'spec.volumeName', text: wanted }, ...evidence],
    );
    return read ? cause : { ...cause, confidence: 'likely' };
  }
  if (name === '')
    return noVolume(it, claim, 'it asks for an existing volume (storageClassName: ""), and none serves it', evidence);
  if (name === undefined) {
    const has = hasDefaultClass(cluster);
    if (has === true && failed === undefined) return undefined;
    const cause = noVolume(
      it,
      claim,
      `it names no StorageClass${has === false ? ', the cluster has no default one' : ''}, and no existing volume serves it`,
      evidence,
    );
    return has === false || failed !== undefined ? cause : { ...cause, confidence: 'likely' };
  }
  const provisioner = cluster.get('StorageClass', name)?.provisioner;
  const local = provisioner === 'kubernetes.io/no-provisioner';
  const sought = said.find(({ code }) => code === 'storage.no-volume');
  const leads = sought !== undefined && leadsScheduling(cluster, sought.pod);
  const immediate = local && cluster.get('StorageClass', name)?.volumeBindingMode !== 'WaitForFirstConsumer';
  if (!immediate && !leads) return undefined;
  return noVolume(
    it,
    claim,
    `no volume of class "${name}" serves it${local ? ', and the class creates none' : ' on any node that the pod could use'}`,
    [{ from: ref, where: 'spec.storageClassName', text: name }, ...evidence],
  );
}

/** Whether the want of a volume is what stops the pod, and not the state of the nodes. */
function leadsScheduling(cluster: View<Needs>, pod: Pod): boolean {
  const words = schedulerWordsOf(cluster, pod);
  return (
    words !== undefined && placementOf(cluster, pod, parseSchedulerMessage(words.text))?.code === 'storage.no-volume'
  );
}

export function noVolume(it: Case, claim: Claim, why: string, evidence: readonly Fact[]): Cause {
  const volumes = it.cluster.list('PersistentVolume');
  const near = volumes.filter(
    ({ spec }) => (spec?.storageClassName ?? '') === (classOf(claim) ?? '') || spec?.claimRef?.name === it.use.name,
  );
  const facts = near.slice(0, 3).flatMap((volume): Fact[] => {
    const text = mismatchOf(volume, claim);
    return text === undefined ? [] : [{ from: refTo('PersistentVolume', volume), where: 'spec', text }];
  });
  const own = claim.spec?.volumeName !== undefined;
  const named = own ? '' : facts.map(({ from, text }) => `${from.name} ${text}`).join('; ');
  return {
    code: 'storage.no-volume',
    text: `PersistentVolumeClaim "${it.use.name}" has no volume: ${why}${named === '' ? '' : ` (${named})`}.`,
    evidence: [...evidence, ...facts],
    detail: { class: classOf(claim) || undefined },
  };
}
