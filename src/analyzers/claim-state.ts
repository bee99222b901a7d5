import type { Claim } from '../objects/claims.ts';
import { ownerOf } from '../objects/owner.ts';
import { conditionOf, type Pod, podRef } from '../objects/pods.ts';
import { didYouMean } from '../objects/suggest.ts';
import { secondsBetween } from '../objects/time.ts';
import { claimsOf } from '../objects/volumes.ts';
import { type Case, type Cause, type Fact, FRESH_SECONDS, isClaimRule, isSaid, SLOW_SECONDS } from './claim-case.ts';
import { pending } from './claim-pending.ts';
import type { ClaimRule } from './claim-rules.ts';

export function missing(it: Case): Cause | undefined {
  const { cluster, use, ref } = it;
  const pod = use.waiting[0];
  if (pod === undefined) return undefined;
  const known = cluster.covers('PersistentVolumeClaim', use.namespace);
  const told = isSaid(it, 'storage.claim-missing');
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

/** Claims could not be read, and the scheduler or the kubelet says that one of them is not bound. */
function unread(it: Case, pod: Pod): Cause | undefined {
  const reason = it.said.find(({ pod, name }) => claimsOf(pod).length === 1 || name === it.use.name);
  if (reason === undefined || !isClaimRule(reason.code)) return undefined;
  const { code, by } = reason;
  return {
    code,
    text: `PersistentVolumeClaim "${it.use.name}" ${states[code]}, the ${by} says; the claim itself could not be read.`,
    evidence: [{ from: podRef(pod), where: 'spec.volumes', text: `claim ${it.use.name}` }],
    confidence: 'likely',
    since: conditionOf(pod, 'PodScheduled')?.lastTransitionTime,
  };
}

const states: Readonly<Record<ClaimRule, string>> = {
  'storage.claim-missing': 'does not exist',
  'storage.claim-pending': 'is not bound to a volume',
  'storage.claim-deleting': 'is being deleted',
  'storage.claim-lost': 'is bound to a volume that does not exist',
  'storage.class-missing': 'names a StorageClass that does not exist',
  'storage.provisioning-failed': 'cannot be given a volume',
  'storage.no-volume': 'finds no volume',
};

/** A generic ephemeral volume has a claim of its own; one of that name that somebody else made will not do. */
function foreign({ said, use, ref }: Case): Cause | undefined {
  const reason = said.find(({ text, name }) => name === use.name && /was not created for/.test(text));
  if (reason === undefined) return undefined;
  return {
    code: 'storage.claim-missing',
    text: `PersistentVolumeClaim "${use.name}" was not created for the pod, which needs one of this name for an ephemeral volume.`,
    evidence: [{ from: podRef(reason.pod), where: 'spec.volumes', text: `ephemeral claim ${use.name}` }],
    suspects: [ref],
  };
}

export function stateOf(it: Case, claim: Claim): Cause | undefined {
  const { use, ref, cluster } = it;
  const other = foreign(it);
  if (other !== undefined) return other;
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
  if (phase === 'Lost' || gone || (phase === 'Bound' && isSaid(it, 'storage.claim-lost'))) {
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
