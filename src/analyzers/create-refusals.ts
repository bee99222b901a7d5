import type { Evidence, Ref } from '../finding.ts';
import { type EventLine, eventEvidence, eventsOf } from '../objects/events.ts';
import { wantedPods } from '../objects/jobs.ts';
import { podsOf, workloadOf } from '../objects/owner.ts';
import { conditionOf } from '../objects/pods.ts';
import { refTo } from '../objects/refs.ts';
import { secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import type { CreateNeeds } from './create-rules.ts';

// The controller retries with growing pauses; what it said an hour ago may be history, and events do not live longer.
const RECENT_SECONDS = 3600;
// Things that are applied together come into being one after the other.
const SEEN_SECONDS = 60;

/** The API server's words on why a workload's pods are not created. */
export interface Refusal {
  /** The workload on top. */
  readonly owner: Ref;
  readonly words: string;
  readonly evidence: Omit<Evidence, 'id'>;
}

/** From conditions first, which stay; from events where the kind has no such condition. */
export function* refusals(cluster: View<CreateNeeds>): Generator<Refusal> {
  for (const set of cluster.list('ReplicaSet')) {
    const failure = conditionOf(set, 'ReplicaFailure');
    if (failure?.status !== 'True' || (set.spec?.replicas ?? 1) <= (set.status?.replicas ?? 0)) continue;
    yield fromCondition(cluster, refTo('ReplicaSet', set), 'ReplicaFailure', failure);
  }
  for (const deployment of cluster.list('Deployment')) {
    const failure = conditionOf(deployment, 'ReplicaFailure');
    // While a Deployment is paused its condition stays as it was.
    const isShort = (deployment.status?.updatedReplicas ?? 0) < (deployment.spec?.replicas ?? 1);
    if (failure?.status === 'True' && isShort)
      yield fromCondition(cluster, refTo('Deployment', deployment), 'ReplicaFailure', failure);
    const progress = conditionOf(deployment, 'Progressing');
    if (progress?.reason === 'ReplicaSetCreateError')
      yield fromCondition(cluster, refTo('Deployment', deployment), 'Progressing', progress);
  }
  for (const short of shortOfPods(cluster)) {
    const event = eventsOf(cluster, short).find(({ reason }) => reason === 'FailedCreate');
    if (event !== undefined && isCurrent(cluster, short, event)) {
      yield { owner: workloadOf(cluster, short), words: event.message, evidence: eventEvidence(short, event) };
      continue;
    }
    const refusal = withoutAccount(cluster, short);
    if (refusal !== undefined) yield refusal;
  }
}

const isCurrent = (cluster: View<CreateNeeds>, short: Ref, event: EventLine): boolean =>
  (secondsBetween(event.at, cluster.takenAt) ?? 0) <= RECENT_SECONDS && !isMadeGood(cluster, short, event);

/** Whether what was refused has been created since: a StatefulSet's event names the pod, others stand for any. */
function isMadeGood(cluster: View<CreateNeeds>, short: Ref, refused: EventLine): boolean {
  // In one round some pods may be created and the rest refused.
  const isSince = (at: string | undefined) => (secondsBetween(refused.at, at) ?? -1) > 0;
  const pod = podOfSet(refused.message);
  const created = eventsOf(cluster, short).find(
    ({ reason, message }) =>
      reason === 'SuccessfulCreate' && podOfSet(message) === pod && !message.startsWith('create Claim '),
  );
  if (isSince(created?.at)) return true;
  if (pod !== undefined) return cluster.get('Pod', pod, short.namespace) !== undefined;
  return podsOf(cluster, short).some(({ metadata }) => isSince(metadata?.creationTimestamp));
}

const podOfSet = (message: string): string | undefined => /\bPod (\S+) in StatefulSet /.exec(message)?.[1];

/** Admission refuses every pod whose service account does not exist: that much is certain without its words. */
function withoutAccount(cluster: View<CreateNeeds>, short: Ref): Refusal | undefined {
  if (short.kind !== 'StatefulSet' && short.kind !== 'DaemonSet' && short.kind !== 'Job') return undefined;
  const namespace = short.namespace ?? '';
  const object = cluster.get(short.kind, short.name, namespace);
  const name = object?.spec?.template?.spec?.serviceAccountName;
  if (name === undefined || (secondsBetween(object?.metadata?.creationTimestamp, cluster.takenAt) ?? 0) < SEEN_SECONDS)
    return undefined;
  if (!cluster.covers('ServiceAccount', namespace) || cluster.get('ServiceAccount', name, namespace) !== undefined)
    return undefined;
  return {
    owner: workloadOf(cluster, short),
    words: `serviceaccount "${name}" not found`,
    evidence: { from: short, where: 'spec.template.spec.serviceAccountName', text: name },
  };
}

function fromCondition(
  cluster: View<CreateNeeds>,
  ref: Ref,
  type: string,
  condition: { readonly message?: string; readonly lastTransitionTime?: string },
): Refusal {
  return {
    owner: workloadOf(cluster, ref),
    words: condition.message ?? '',
    evidence: {
      from: ref,
      where: `status.conditions[${type}].message`,
      text: condition.message ?? '',
      ...(condition.lastTransitionTime === undefined ? {} : { at: condition.lastTransitionTime }),
    },
  };
}

/** Workloads that want more pods or Jobs than they have, as far as they tell, and say only by events why. */
function* shortOfPods(cluster: View<CreateNeeds>): Generator<Ref> {
  for (const set of cluster.list('StatefulSet')) {
    if ((set.spec?.replicas ?? 1) > (set.status?.replicas ?? 0)) yield refTo('StatefulSet', set);
  }
  for (const set of cluster.list('DaemonSet')) {
    const { desiredNumberScheduled = 0, currentNumberScheduled = 0 } = set.status ?? {};
    if (desiredNumberScheduled > currentNumberScheduled) yield refTo('DaemonSet', set);
  }
  for (const job of cluster.list('Job')) {
    if ((job.status?.active ?? 0) < wantedPods(job)) yield refTo('Job', job);
  }
  for (const cronJob of cluster.list('CronJob')) {
    if (cronJob.spec?.suspend !== true) yield refTo('CronJob', cronJob);
  }
  for (const set of cluster.list('ReplicaSet')) {
    if ((set.spec?.replicas ?? 1) > (set.status?.replicas ?? 0)) yield refTo('ReplicaSet', set);
  }
}
