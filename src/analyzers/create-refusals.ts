import type { Evidence, Ref } from '../finding.ts';
import { eventEvidence, eventsOf } from '../objects/events.ts';
import { workloadOf } from '../objects/owner.ts';
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
    if (failure?.status === 'True')
      yield fromCondition(cluster, refTo('Deployment', deployment), 'ReplicaFailure', failure);
    const progress = conditionOf(deployment, 'Progressing');
    if (progress?.reason === 'ReplicaSetCreateError')
      yield fromCondition(cluster, refTo('Deployment', deployment), 'Progressing', progress);
  }
  for (const short of shortOfPods(cluster)) {
    const event = eventsOf(cluster, short).find(({ reason }) => reason === 'FailedCreate');
    if (event !== undefined && (secondsBetween(event.at, cluster.takenAt) ?? 0) <= RECENT_SECONDS) {
      yield { owner: workloadOf(cluster, short), words: event.message, evidence: eventEvidence(short, event) };
      continue;
    }
    const refusal = withoutAccount(cluster, short);
    if (refusal !== undefined) yield refusal;
  }
}

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

/** Workloads that want more pods than they have, and say so only by events. */
function* shortOfPods(cluster: View<CreateNeeds>): Generator<Ref> {
  for (const set of cluster.list('StatefulSet')) {
    if ((set.spec?.replicas ?? 1) > (set.status?.replicas ?? 0)) yield refTo('StatefulSet', set);
  }
  for (const set of cluster.list('DaemonSet')) {
    const { desiredNumberScheduled = 0, currentNumberScheduled = 0 } = set.status ?? {};
    if (desiredNumberScheduled > currentNumberScheduled) yield refTo('DaemonSet', set);
  }
  for (const job of cluster.list('Job')) {
    const done = ['Complete', 'Failed'].some((type) => conditionOf(job, type)?.status === 'True');
    if (!done && job.spec?.suspend !== true && (job.status?.active ?? 0) < (job.spec?.parallelism ?? 1))
      yield refTo('Job', job);
  }
  for (const set of cluster.list('ReplicaSet')) {
    if ((set.spec?.replicas ?? 1) > (set.status?.replicas ?? 0)) yield refTo('ReplicaSet', set);
  }
}
