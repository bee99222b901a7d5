import { type Draft, defineAnalyzer } from '../analyzer.ts';
import type { Evidence, Ref } from '../finding.ts';
import {
  type Claim,
  type ClaimUse,
  claimUses,
  classOf,
  hasDefaultClass,
  mismatchOf,
  provisionerOf,
  selectedNodeOf,
} from '../objects/claims.ts';
import { type EventLine, eventEvidence, eventsOf } from '../objects/events.ts';
import type { FitNeeds } from '../objects/fits.ts';
import { ownerOf } from '../objects/owner.ts';
import { placementOf } from '../objects/placement.ts';
import { conditionOf, type Pod, podEvents, podRef } from '../objects/pods.ts';
import { refTo } from '../objects/refs.ts';
import { parseSchedulerMessage, type Reason } from '../objects/scheduler-message.ts';
import { didYouMean } from '../objects/suggest.ts';
import { humanSeconds, secondsBetween } from '../objects/time.ts';
import { claimsOf } from '../objects/volumes.ts';
import type { View } from '../snapshot.ts';
import { type ClaimRule, rules } from './claim-rules.ts';

type Needs = FitNeeds | 'Event' | 'StorageClass' | 'CSINode' | 'ReplicaSet' | 'Job';
type Fact = Omit<Evidence, 'id'>;

/** A pod and its claim may come in any order. */
const FRESH_SECONDS = 15;
/** A provisioner is given this long. */
const SLOW_SECONDS = 120;

export const claimBinding = defineAnalyzer<Needs, ClaimRule>({
  id: 'claim-binding',
  kind: 'PersistentVolumeClaim',
  title: 'Claims that keep pods from starting: missing, unbound, lost',
  needs: [
    'Pod',
    'PersistentVolumeClaim',
    'PersistentVolume',
    'StorageClass',
    'Event',
    'Node',
    'Namespace',
    'CSINode',
    'ReplicaSet',
    'Job',
  ],
  rules,
  *analyze(cluster) {
    const used = new Set<string>();
    const explained = new Set<Pod>();
    for (const use of claimUses(cluster)) {
      used.add(`${use.namespace}/${use.name}`);
      const draft = draftOf(cluster, use);
      if (draft === undefined) continue;
      yield draft;
      for (const pod of use.waiting) explained.add(pod);
    }
    yield* unexplained(cluster, explained);
    for (const claim of cluster.list('PersistentVolumeClaim')) {
      const { namespace = '', name = '' } = claim.metadata ?? {};
      if (used.has(`${namespace}/${name}`)) continue;
      const draft = draftOf(cluster, { namespace, name, waiting: [], running: [] });
      if (draft !== undefined && draft.code !== 'storage.claim-deleting') yield draft;
    }
  },
});

/** What an analysis of one claim needs. */
interface Case {
  readonly cluster: View<Needs>;
  readonly use: ClaimUse;
  readonly ref: Ref;
  /** What the scheduler says to the waiting pods of claims and volumes. */
  readonly said: readonly (Reason & { readonly pod: Pod })[];
}

interface Cause {
  readonly code: ClaimRule;
  readonly text: string;
  readonly evidence: readonly Fact[];
  readonly confidence?: 'certain' | 'likely' | 'possible';
  readonly detail?: Readonly<Record<string, string | undefined>>;
  readonly suspects?: readonly Ref[];
  readonly fault?: string;
  readonly since?: string | undefined;
}

function draftOf(cluster: View<Needs>, use: ClaimUse): Draft<ClaimRule> | undefined {
  const { namespace, name } = use;
  const ref: Ref = { kind: 'PersistentVolumeClaim', namespace, name };
  const it: Case = { cluster, use, ref, said: use.waiting.flatMap((pod) => claimReasons(cluster, pod)) };
  const claim = cluster.get('PersistentVolumeClaim', name, namespace);
  const cause = claim === undefined ? missing(it) : stateOf(it, claim);
  return cause === undefined ? undefined : draftFor(it, cause);
}

function draftFor(it: Case, cause: Cause): Draft<ClaimRule> {
  const { cluster, use, ref } = it;
  const pod = use.waiting[0];
  const owner = pod === undefined ? undefined : (ownerOf(cluster, pod) ?? undefined);
  const detail = { ...cause.detail, workloadKind: owner?.kind, workloadName: owner?.name };
  const confidence = cause.confidence ?? 'certain';
  return {
    code: cause.code,
    subject: ref,
    message: `${cause.text}${waitersSentence(use)}`,
    evidence: [...cause.evidence, ...saidEvidence(it)],
    severity: use.waiting.length > 0 ? undefined : use.running.length > 0 ? 'warning' : 'info',
    confidence,
    check: confidence === 'certain' ? undefined : rules[cause.code].remedy({ subject: ref, detail })[0],
    suspects: cause.suspects,
    detail,
    since: cause.since,
    fault: cause.fault,
    explains: use.waiting.map((one) => podRef(one)),
  };
}

function waitersSentence({ waiting }: ClaimUse): string {
  if (waiting.length === 0) return '';
  return waiting.length === 1
    ? ` Pod ${waiting[0]?.metadata?.name} waits for it.`
    : ` ${waiting.length} pods wait for it.`;
}

/** The sentence of the scheduler, from one of the pods. */
function saidEvidence({ said }: Case): Fact[] {
  const pod = said[0]?.pod;
  if (pod === undefined) return [];
  const message = conditionOf(pod, 'PodScheduled')?.message;
  if (message !== undefined)
    return [{ from: podRef(pod), where: 'status.conditions[PodScheduled].message', text: message }];
  return [{ from: podRef(pod), where: 'event FailedScheduling', text: said[0]?.text ?? '' }];
}

function claimReasons(cluster: View<Needs>, pod: Pod): (Reason & { pod: Pod })[] {
  if (pod.spec?.nodeName !== undefined) return [];
  const event = podEvents(cluster, pod).find(
    ({ reason, source }) => reason === 'FailedScheduling' && source !== 'karpenter',
  );
  const text = conditionOf(pod, 'PodScheduled')?.message ?? event?.message;
  if (text === undefined) return [];
  return parseSchedulerMessage(text)
    .reasons.filter(({ code }) => code.startsWith('storage.'))
    .map((reason) => ({ ...reason, pod }));
}

const names = ({ said, use }: Case, code: ClaimRule): boolean =>
  said.some((reason) => reason.code === code && (reason.name === use.name || claimsOf(reason.pod).length === 1));

function missing(it: Case): Cause | undefined {
  const { cluster, use, ref } = it;
  const pod = use.waiting[0];
  if (pod === undefined) return undefined;
  const known = cluster.covers('PersistentVolumeClaim', use.namespace);
  const told = names(it, 'storage.claim-missing');
  if (!known && !told) return unread(it, pod);
  const ephemeral = pod.spec?.volumes?.find(
    ({ name, ephemeral }) => ephemeral !== undefined && use.name.endsWith(`-${name}`),
  );
  const seconds = secondsBetween(pod.metadata?.creationTimestamp, cluster.takenAt) ?? Number.POSITIVE_INFINITY;
  if (seconds < (ephemeral === undefined ? FRESH_SECONDS : SLOW_SECONDS)) return undefined;
  const own = ephemeral !== undefined || ownerOf(cluster, pod)?.kind === 'StatefulSet';
  const maker =
    ephemeral !== undefined
      ? ' The ephemeral volume controller was to create it.'
      : own && use.name.endsWith(`-${pod.metadata?.name}`)
        ? ' The StatefulSet controller creates it when it next looks at the pod.'
        : hintFor(it, use.name);
  return {
    code: 'storage.claim-missing',
    text: `PersistentVolumeClaim "${use.name}" does not exist in ${use.namespace}.${maker}`,
    evidence: [{ from: podRef(pod), where: 'spec.volumes', text: `claim ${use.name}` }],
    suspects: [ref],
    since: pod.metadata?.creationTimestamp,
  };
}

/** A claim that may have been meant: a near name, or the same name elsewhere. */
function hintFor({ cluster, use }: Case, name: string): string {
  const all = cluster.list('PersistentVolumeClaim');
  const here = all
    .filter(({ metadata }) => metadata?.namespace === use.namespace)
    .map(({ metadata }) => metadata?.name ?? '');
  const near = didYouMean(name, here)[0];
  if (near !== undefined) return ` Did you mean "${near}"?`;
  const elsewhere = all.find(({ metadata }) => metadata?.name === name)?.metadata?.namespace;
  return elsewhere === undefined
    ? ''
    : ` A claim of this name exists in ${elsewhere}; a pod can only use claims of its own namespace.`;
}

/** Claims could not be read, and the scheduler says that one of them is not bound. */
function unread(it: Case, pod: Pod): Cause | undefined {
  const code = it.said.find((reason) => claimsOf(reason.pod).length === 1 || reason.name === it.use.name)?.code;
  if (code === undefined || !isClaimRule(code)) return undefined;
  return {
    code,
    text: `PersistentVolumeClaim "${it.use.name}" ${states[code]}, the scheduler says; the claim itself could not be read.`,
    evidence: [{ from: podRef(pod), where: 'spec.volumes', text: `claim ${it.use.name}` }],
    confidence: 'likely',
    since: conditionOf(pod, 'PodScheduled')?.lastTransitionTime,
  };
}

const isClaimRule = (code: string): code is ClaimRule => Object.hasOwn(rules, code);

const states: Readonly<Record<ClaimRule, string>> = {
  'storage.claim-missing': 'does not exist',
  'storage.claim-pending': 'is not bound to a volume',
  'storage.claim-deleting': 'is being deleted',
  'storage.claim-lost': 'is bound to a volume that does not exist',
  'storage.class-missing': 'names a StorageClass that does not exist',
  'storage.provisioning-failed': 'cannot be given a volume',
  'storage.no-volume': 'finds no volume',
};

function stateOf(it: Case, claim: Claim): Cause | undefined {
  const { use, ref, cluster } = it;
  const phase = claim.status?.phase ?? 'Pending';
  const deleted = claim.metadata?.deletionTimestamp;
  const fact: Fact = { from: ref, where: 'status.phase', text: phase };
  if (deleted !== undefined && use.waiting.length > 0) {
    const holders = use.running.map((pod) => pod.metadata?.name ?? '');
    return {
      code: 'storage.claim-deleting',
      text: `PersistentVolumeClaim "${use.name}" is being deleted${holders.length === 0 ? '' : ` and still in use by ${holders.slice(0, 3).join(', ')}`}.`,
      evidence: [{ from: ref, where: 'metadata.deletionTimestamp', text: deleted, at: deleted }],
      suspects: use.running.map((pod) => podRef(pod)),
      since: deleted,
    };
  }
  const volume = claim.spec?.volumeName;
  const gone =
    phase === 'Bound' &&
    volume !== undefined &&
    cluster.covers('PersistentVolume') &&
    cluster.get('PersistentVolume', volume) === undefined;
  if (phase === 'Lost' || gone || (phase === 'Bound' && names(it, 'storage.claim-lost'))) {
    return {
      code: 'storage.claim-lost',
      text: `PersistentVolumeClaim "${use.name}" was bound to volume ${volume ?? '(unknown)'}, which no longer exists.`,
      evidence: [fact, ...(volume === undefined ? [] : [{ from: ref, where: 'spec.volumeName', text: volume }])],
      suspects: volume === undefined ? [] : [{ kind: 'PersistentVolume', name: volume }],
      detail: { volume },
    };
  }
  return phase === 'Pending' ? pending(it, claim, fact) : undefined;
}

function pending(it: Case, claim: Claim, fact: Fact): Cause | undefined {
  const { cluster, ref } = it;
  const seconds = secondsBetween(claim.metadata?.creationTimestamp, cluster.takenAt) ?? Number.POSITIVE_INFINITY;
  if (seconds < FRESH_SECONDS) return undefined;
  const events = eventsOf(cluster, ref, claim.metadata?.uid);
  const failed = events.find(({ reason }) => reason === 'ProvisioningFailed');
  const cause =
    classCause(it, claim, failed) ??
    failure(it, claim, failed) ??
    staticCause(it, claim, events) ??
    slow(it, claim, events, seconds);
  return cause === undefined
    ? undefined
    : { since: claim.metadata?.creationTimestamp, ...cause, evidence: [fact, ...cause.evidence] };
}

const CLASS_NOT_FOUND = /storageclass(?:\.storage\.k8s\.io)? "([^"]+)" not found/i;

/** The class that the claim names is not there. Volumes of that class may stand in for it. */
function classCause(it: Case, claim: Claim, failed: EventLine | undefined): Cause | undefined {
  const { cluster, ref } = it;
  const name = classOf(claim);
  if (name === undefined || name === '' || cluster.get('StorageClass', name) !== undefined) return undefined;
  const told = failed !== undefined && CLASS_NOT_FOUND.exec(failed.message)?.[1] === name;
  const known = cluster.covers('StorageClass');
  const guessed = !known && !told && neverTakenUp(it, claim, failed);
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
 * claim as soon as it finds the class, and the scheduler calls a claim immediate when it does not find it.
 */
function neverTakenUp({ cluster, said }: Case, claim: Claim, failed: EventLine | undefined): boolean {
  if (failed !== undefined || provisionerOf(claim) !== undefined) return false;
  if (!said.some(({ code }) => code === 'storage.claim-pending')) return false;
  const name = classOf(claim);
  return !cluster
    .list('PersistentVolumeClaim')
    .some(
      (other) => classOf(other) === name && (provisionerOf(other) !== undefined || other.status?.phase === 'Bound'),
    );
}

function failure(it: Case, claim: Claim, failed: EventLine | undefined): Cause | undefined {
  if (failed === undefined || CLASS_NOT_FOUND.test(failed.message)) return undefined;
  const name = classOf(claim) ?? '';
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

/** Nobody creates a volume for the claim: it needs one that is there. */
function staticCause(it: Case, claim: Claim, events: readonly EventLine[]): Cause | undefined {
  const { cluster, ref, said } = it;
  const name = classOf(claim);
  const failed = events.find(({ reason }) => reason === 'FailedBinding' || reason === 'VolumeMismatch');
  const evidence = failed === undefined ? [] : [eventEvidence(ref, failed)];
  const wanted = claim.spec?.volumeName;
  if (wanted !== undefined) {
    const volume = cluster.get('PersistentVolume', wanted);
    if (volume === undefined && !cluster.covers('PersistentVolume')) return undefined;
    const why = volume === undefined ? 'does not exist' : (mismatchOf(volume, claim) ?? 'is not bound to it yet');
    return noVolume(it, claim, `it asks for volume ${wanted}, which ${why}`, [
      { from: ref, where: 'spec.volumeName', text: wanted },
      ...evidence,
    ]);
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
  const message = conditionOf(pod, 'PodScheduled')?.message;
  const event = podEvents(cluster, pod).find(({ reason }) => reason === 'FailedScheduling');
  const text = message ?? event?.message;
  return text !== undefined && placementOf(cluster, pod, parseSchedulerMessage(text))?.code === 'storage.no-volume';
}

function noVolume(it: Case, claim: Claim, why: string, evidence: readonly Fact[]): Cause {
  const volumes = it.cluster.list('PersistentVolume');
  const near = volumes.filter(
    ({ spec }) => (spec?.storageClassName ?? '') === (classOf(claim) ?? '') || spec?.claimRef?.name === it.use.name,
  );
  const facts = near.slice(0, 3).flatMap((volume): Fact[] => {
    const text = mismatchOf(volume, claim);
    return text === undefined ? [] : [{ from: refTo('PersistentVolume', volume), where: 'spec', text }];
  });
  const named = facts.map(({ from, text }) => `${from.name} ${text}`).join('; ');
  return {
    code: 'storage.no-volume',
    text: `PersistentVolumeClaim "${it.use.name}" has no volume: ${why}${named === '' ? '' : ` (${named})`}.`,
    evidence: [...evidence, ...facts],
    detail: { class: classOf(claim) || undefined },
  };
}

/** A provisioner was asked, and nothing has come of it. */
function slow(it: Case, claim: Claim, events: readonly EventLine[], seconds: number): Cause | undefined {
  const { cluster, said, ref } = it;
  const name = classOf(claim);
  const storageClass = name === undefined ? undefined : cluster.get('StorageClass', name);
  const chosen = selectedNodeOf(claim);
  const immediate =
    said.some(({ code }) => code === 'storage.claim-pending') ||
    (storageClass !== undefined && storageClass.volumeBindingMode !== 'WaitForFirstConsumer') ||
    events[0]?.reason === 'ExternalProvisioning';
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

/** The scheduler speaks of claims, and the claims do not show why. */
function* unexplained(cluster: View<Needs>, explained: ReadonlySet<Pod>): Generator<Draft<ClaimRule>> {
  for (const pod of cluster.list('Pod')) {
    if (pod.spec?.nodeName !== undefined || explained.has(pod) || pod.metadata?.deletionTimestamp !== undefined)
      continue;
    const reason = claimReasons(cluster, pod).find(({ code }) => code !== 'storage.no-volume');
    if (reason === undefined || !isClaimRule(reason.code)) continue;
    const since = conditionOf(pod, 'PodScheduled')?.lastTransitionTime ?? pod.metadata?.creationTimestamp;
    if ((secondsBetween(since, cluster.takenAt) ?? 0) < SLOW_SECONDS) continue;
    const claims = claimsOf(pod).map(
      (name): Ref => ({ kind: 'PersistentVolumeClaim', namespace: pod.metadata?.namespace ?? '', name }),
    );
    const found = claims.map(({ name, namespace }) => cluster.get('PersistentVolumeClaim', name, namespace));
    if (found.some((claim) => claim !== undefined && isYoung(claim, cluster.takenAt))) continue;
    const read = found.every((claim) => claim !== undefined);
    const message = conditionOf(pod, 'PodScheduled')?.message ?? reason.text;
    yield {
      code: reason.code,
      subject: podRef(pod),
      message: `The pod waits for a claim: the scheduler says "${reason.text}"${read ? ', though its claims show no fault now; it tries again by itself' : '; its claims could not be read'}.`,
      evidence: [{ from: podRef(pod), where: 'status.conditions[PodScheduled].message', text: message }],
      severity: read ? 'info' : undefined,
      confidence: 'possible',
      check: rules[reason.code].remedy({ subject: podRef(pod), detail: {} })[0],
      suspects: claims,
      since,
    };
  }
}

const isYoung = (claim: Claim, now: string): boolean =>
  (secondsBetween(claim.metadata?.creationTimestamp, now) ?? Number.POSITIVE_INFINITY) < SLOW_SECONDS;
