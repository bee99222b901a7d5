import { type Claim, classOf, provisionerOf, selectedNodeOf } from '../objects/claims.ts';
import { type EventLine, eventEvidence, eventsOf } from '../objects/events.ts';
import { didYouMean } from '../objects/suggest.ts';
import { humanSeconds, secondsBetween } from '../objects/time.ts';
import { type Case, type Cause, type Fact, FRESH_SECONDS, SLOW_SECONDS } from './claim-case.ts';
import { withVolumesElsewhere } from './claim-places.ts';
import { isImmediate, isToldImmediate, TAKEN_UP } from './claim-timing.ts';
import { noVolume, staticCause } from './claim-volumes.ts';

export function pending(it: Case, claim: Claim, fact: Fact): Cause | undefined {
  const { cluster, ref } = it;
  const seconds = secondsBetween(claim.metadata?.creationTimestamp, cluster.takenAt) ?? Number.POSITIVE_INFINITY;
  if (seconds < FRESH_SECONDS) return undefined;
  const events = eventsOf(cluster, ref, claim.metadata?.uid);
  const cause =
    classCause(it, claim, events) ??
    failure(it, claim, failureIn(events)) ??
    withVolumesElsewhere(it, claim, staticCause(it, claim, events)) ??
    slow(it, claim, events, seconds);
  return cause === undefined
    ? undefined
    : { since: claim.metadata?.creationTimestamp, ...cause, evidence: [fact, ...cause.evidence] };
}

const failureIn = (events: readonly EventLine[]): EventLine | undefined =>
  events.find(({ reason }) => reason === 'ProvisioningFailed');

const CLASS_NOT_FOUND = /storageclass(?:\.storage\.k8s\.io)? "([^"]+)" not found/i;

/** The class that the claim names is not there. Volumes of that class may stand in for it. */
function classCause(it: Case, claim: Claim, events: readonly EventLine[]): Cause | undefined {
  const { cluster, ref } = it;
  const failed = failureIn(events);
  const name = classOf(claim);
  if (name === undefined || name === '' || cluster.get('StorageClass', name) !== undefined) return undefined;
  const told = failed !== undefined && CLASS_NOT_FOUND.exec(failed.message)?.[1] === name;
  const known = cluster.covers('StorageClass');
  const guessed = !known && !told && neverTakenUp(it, claim, events);
  if (!told && !known && !guessed) return undefined;
  const volumes = cluster.list('PersistentVolume').filter(({ spec }) => spec?.storageClassName === name);
  const evidence: Fact[] = [
    { from: ref, where: 'spec.storageClassName', text: name },
    ...(told ? [eventEvidence(ref, failed)] : []),
  ];
  if (volumes.length > 0) return noVolume(it, claim, `no volume of class "${name}" serves it`, evidence);
  const near = didYouMean(
    name,
    cluster.list('StorageClass').map(({ metadata }) => metadata?.name ?? ''),
  )[0];
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
  const text = guessed
    ? `PersistentVolumeClaim "${it.use.name}" names StorageClass "${name}", and no provisioner has taken it up: most likely the class does not exist; StorageClasses could not be read.`
    : `PersistentVolumeClaim "${it.use.name}" names StorageClass "${name}", which does not exist.${hint}`;
  return {
    code: 'storage.class-missing',
    text,
    evidence: guessed
      ? [
          ...evidence,
          { from: ref, where: 'metadata.annotations[volume.kubernetes.io/storage-provisioner]', text: '(none)' },
        ]
      : evidence,
    confidence: guessed ? 'likely' : 'certain',
    suspects: [{ kind: 'StorageClass', name }],
    detail: { class: name },
    fault: `storageclass:${name}`,
  };
}

/**
 * Whether nothing shows that the class exists, though something should: the binder writes the provisioner's name on a
 * claim once it asks for a volume, and the scheduler calls a claim immediate when it does not find the class.
 */
function neverTakenUp(it: Case, claim: Claim, events: readonly EventLine[]): boolean {
  if (provisionerOf(claim) !== undefined || !isToldImmediate(it, events)) return false;
  if (events.some(({ reason }) => reason === 'ProvisioningFailed' || TAKEN_UP.has(reason))) return false;
  const name = classOf(claim);
  return !it.cluster
    .list('PersistentVolumeClaim')
    .some(
      (other) => classOf(other) === name && (provisionerOf(other) !== undefined || other.status?.phase === 'Bound'),
    );
}

function failure(it: Case, claim: Claim, failed: EventLine | undefined): Cause | undefined {
  if (failed === undefined || CLASS_NOT_FOUND.test(failed.message)) return undefined;
  const name = classOf(claim) ?? '';
  if (CREATES_NONE.test(failed.message)) {
    return noVolume(it, claim, `no volume of class "${name}" serves it, and the class creates none`, [
      { from: it.ref, where: 'spec.storageClassName', text: name },
      eventEvidence(it.ref, failed),
    ]);
  }
  const words = failed.message.replace(/^failed to provision volume with StorageClass "[^"]*": /, '');
  return {
    code: 'storage.provisioning-failed',
    text: `No volume can be created for PersistentVolumeClaim "${it.use.name}": ${words}`.replace(/([^.])$/, '$1.'),
    evidence: [{ from: it.ref, where: 'spec.storageClassName', text: name }, eventEvidence(it.ref, failed)],
    suspects: name === '' ? [] : [{ kind: 'StorageClass', name }],
    detail: { class: name === '' ? undefined : name },
    // The same words about two claims, apart from their names and ids, are one failure.
    fault: `provisioning:${name}:${words.replace(/pvc-[0-9a-f-]{36}|"[^"]*"|\d+/g, '')}`,
  };
}

/** The class creates no volumes, and the binder finds that it cannot ask it for one. */
const CREATES_NONE = /no volume plugin matched name: kubernetes\.io\/no-provisioner/;

/** A provisioner was asked, and nothing has come of it. */
function slow(it: Case, claim: Claim, events: readonly EventLine[], seconds: number): Cause | undefined {
  const { cluster, ref } = it;
  const name = classOf(claim);
  const storageClass = name === undefined ? undefined : cluster.get('StorageClass', name);
  const chosen = selectedNodeOf(claim);
  const immediate = isImmediate(it, claim, events);
  // Until a pod that uses it has found a node, such a claim is meant to wait.
  if (seconds < SLOW_SECONDS || (!immediate && chosen === undefined)) return undefined;
  const provisioner = storageClass?.provisioner ?? provisionerOf(claim);
  const event = events.find(({ reason }) => reason === 'ExternalProvisioning' || reason === 'Provisioning');
  const drivers = cluster.list('CSINode').flatMap(({ spec }) => spec?.drivers ?? []);
  const installed = provisioner !== undefined && drivers.some((driver) => driver.name === provisioner);
  const absent = cluster.covers('CSINode') && cluster.list('CSINode').length > 0 && !installed;
  return {
    code: 'storage.claim-pending',
    text: `PersistentVolumeClaim "${it.use.name}" has waited ${humanSeconds(seconds)} for a volume${
      provisioner === undefined ? '' : ` from provisioner ${provisioner}`
    }; none was created and no error was reported${
      provisioner === undefined
        ? ''
        : `, so that the provisioner is most likely not running${absent ? ' (no node has a driver of that name)' : ''}`
    }.`,
    evidence: [
      ...(name === undefined ? [] : [{ from: ref, where: 'spec.storageClassName', text: name }]),
      ...(storageClass?.provisioner === undefined || name === undefined
        ? []
        : [{ from: { kind: 'StorageClass', name }, where: 'provisioner', text: storageClass.provisioner }]),
      ...(event === undefined ? [] : [eventEvidence(ref, event)]),
    ],
    confidence: 'likely',
    suspects: name === undefined ? [] : [{ kind: 'StorageClass', name }],
    detail: { class: name, provisioner },
    ...(provisioner === undefined ? {} : { fault: `provisioner:${provisioner}` }),
  };
}
