import { type Draft, defineAnalyzer } from '../analyzer.ts';
import type { Ref } from '../finding.ts';
import { type Claim, type ClaimUse, claimUses } from '../objects/claims.ts';
import { ownerOf } from '../objects/owner.ts';
import { conditionOf, type Pod, podRef, troubledPods } from '../objects/pods.ts';
import { schedulerWordsOf } from '../objects/scheduler-words.ts';
import { secondsBetween } from '../objects/time.ts';
import { claimsOf } from '../objects/volumes.ts';
import type { View } from '../snapshot.ts';
import { type Case, type Cause, claimReasons, isClaimRule, type Needs, SLOW_SECONDS } from './claim-case.ts';
import { type ClaimRule, rules } from './claim-rules.ts';
import { missing, stateOf } from './claim-state.ts';

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
    evidence: [...cause.evidence, ...(it.said[0]?.evidence ?? [])],
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

/** The scheduler speaks of claims, and the claims do not show why. */
function* unexplained(cluster: View<Needs>, explained: ReadonlySet<Pod>): Generator<Draft<ClaimRule>> {
  for (const pod of troubledPods(cluster)) {
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
    yield {
      code: reason.code,
      subject: podRef(pod),
      message: `The pod waits for a claim: the scheduler says "${reason.text}"${read ? ', though its claims show no fault now; it tries again by itself' : '; its claims could not be read'}.`,
      evidence: schedulerWordsOf(cluster, pod)?.evidence ?? [],
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
