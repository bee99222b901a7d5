import type { Severity } from '../finding.ts';
import type { View } from '../snapshot.ts';
import { type EventLine, eventsOf } from './events.ts';
import { hasCompleted, supersededBy } from './jobs.ts';
import { conditionOf, type Pod } from './pods.ts';
import { later, ms, secondsBetween } from './time.ts';

type Needs = 'Pod' | 'ReplicaSet' | 'Job';

const controllerOf = (object: Pod) =>
  object.metadata?.ownerReferences?.find((reference) => reference.controller === true);

/**
 * Why a Failed pod is only history, as a sentence: its controller has replaced it, its Job has completed. Undefined where
 * it still matters; a pod without a controller always does, because nothing brings it back.
 */
export function leftoverOf(cluster: View<Needs>, pod: Pod): string | undefined {
  const controller = controllerOf(pod);
  if (controller === undefined || controller.kind === 'Node') return undefined;
  if (controller.kind === 'Job') return leftoverOfJob(cluster, pod, controller.name ?? '');
  const living = groupOf(cluster, pod)?.living ?? [];
  const kind = controller.kind ?? 'controller';
  if (controller.kind === 'DaemonSet') {
    const onNode = living.some((other) => other.spec?.nodeName === pod.spec?.nodeName);
    return onNode ? `Its ${kind} has replaced it.` : undefined;
  }
  const wanted = wantedBy(cluster, pod);
  if (wanted === 0) return `Its ${kind} no longer wants any pods.`;
  if (wanted !== undefined) return living.length >= wanted ? `Its ${kind} has replaced it.` : undefined;
  const newer = living.some((other) => !isBefore(other.metadata?.creationTimestamp, endOf(pod)));
  return newer ? `Its ${kind} has replaced it.` : undefined;
}

/** How many pods the ReplicaSet wants; undefined for other controllers, 0 where it is known to be gone. */
function wantedBy(cluster: View<Needs>, pod: Pod): number | undefined {
  const controller = controllerOf(pod);
  if (controller?.kind !== 'ReplicaSet') return undefined;
  const namespace = pod.metadata?.namespace ?? '';
  const set = cluster.get('ReplicaSet', controller.name ?? '', namespace);
  if (set === undefined) return cluster.covers('ReplicaSet', namespace) ? 0 : undefined;
  return set.spec?.replicas ?? 1;
}

function leftoverOfJob(cluster: View<Needs>, pod: Pod, name: string): string | undefined {
  const namespace = pod.metadata?.namespace ?? '';
  const job = cluster.get('Job', name, namespace);
  if (job === undefined) return cluster.covers('Job', namespace) ? 'Its Job no longer exists.' : undefined;
  if (hasCompleted(job)) return 'Its Job has completed.';
  if (supersededBy(cluster, job) !== undefined) return 'Its CronJob has completed since.';
  const isTrue = (type: string) => conditionOf(job, type)?.status === 'True';
  const index = indexOf(pod);
  if (index !== undefined && triesAfter(cluster, pod).some(({ status }) => status?.phase === 'Succeeded')) {
    return `A later pod of index ${index} has completed.`;
  }
  if (isTrue('Failed') || isTrue('FailureTarget')) return undefined;
  return triesAfter(cluster, pod).length > 0 ? 'Its Job has started another pod.' : undefined;
}

/** What the Job started in place of a pod: later, and for the same index. */
function triesAfter(cluster: View<Needs>, pod: Pod): Pod[] {
  const end = endOf(pod);
  const { living = [], succeeded = [] } = groupOf(cluster, pod) ?? {};
  return [...living, ...succeeded].filter(
    (other) => indexOf(other) === indexOf(pod) && !isBefore(other.metadata?.creationTimestamp, end),
  );
}

const indexOf = (pod: Pod): string | undefined => pod.metadata?.labels?.['batch.kubernetes.io/job-completion-index'];

// A try that has only just begun proves nothing.
const TRY_SECONDS = 60;

/**
 * Whether the failure of a pod by its own containers is over. Where its Job only tries again, the new try must already
 * run for longer than this one did: a pod that fails over and over is followed by another each time.
 */
export function isOutlived(cluster: View<Needs>, pod: Pod): boolean {
  if (leftoverOf(cluster, pod) === undefined) return false;
  const controller = controllerOf(pod);
  const job = controller?.kind === 'Job' && cluster.get('Job', controller.name ?? '', pod.metadata?.namespace);
  if (!job || hasCompleted(job) || supersededBy(cluster, job) !== undefined) return true;
  const lasted = secondsBetween(later(pod.metadata?.creationTimestamp, pod.status?.startTime), endOf(pod)) ?? 0;
  return triesAfter(cluster, pod).some(
    (other) => other.status?.phase === 'Succeeded' || runsFor(other, cluster.takenAt) > Math.max(TRY_SECONDS, lasted),
  );
}

/** Seconds since a pod was created that runs well; 0 for any other. Of a healthy pod no more than that is kept. */
const runsFor = (pod: Pod, now: string): number =>
  pod.status?.phase === 'Running' && conditionOf(pod, 'Ready')?.status === 'True'
    ? (secondsBetween(pod.metadata?.creationTimestamp, now) ?? 0)
    : 0;

const isBefore = (a: string | undefined, b: string | undefined): boolean => (ms(a) ?? 0) < (ms(b) ?? 0);

/** When the pod ended, as far as it tells: its containers' last exit, or else when it was last seen alive. */
function endOf(pod: Pod): string | undefined {
  let end = later(pod.metadata?.creationTimestamp, pod.status?.startTime);
  for (const { state } of pod.status?.containerStatuses ?? []) end = later(end, state?.terminated?.finishedAt);
  return later(end, conditionOf(pod, 'DisruptionTarget')?.lastTransitionTime);
}

const HOUR_SECONDS = 3600;

/**
 * How many pods of the same controller ended with this one's reason one after the other within the last hour: each
 * created after the one before had ended. Replicas that were all evicted at once count as one.
 */
function endingsInARow(cluster: View<Needs>, pod: Pod): number {
  const group = groupOf(cluster, pod);
  const reason = pod.status?.reason ?? '';
  const known = group?.rows.get(reason);
  if (group === undefined || known !== undefined) return known ?? 1;
  const count = longestRow(
    group.failed.filter(
      (other) =>
        (other.status?.reason ?? '') === reason && (secondsBetween(endOf(other), cluster.takenAt) ?? 0) < HOUR_SECONDS,
    ),
  );
  group.rows.set(reason, count);
  return count;
}

function longestRow(pods: readonly Pod[]): number {
  const inOrder = [...pods].sort((a, b) => (createdAt(a) ?? 0) - (createdAt(b) ?? 0));
  let count = 0;
  let end: string | undefined;
  for (const pod of inOrder) {
    if (count > 0 && isBefore(pod.metadata?.creationTimestamp, end)) continue;
    count += 1;
    end = endOf(pod);
  }
  return count;
}

const createdAt = (pod: Pod): number | undefined => ms(pod.metadata?.creationTimestamp);

/** The pods of one controller. */
interface Group {
  readonly failed: Pod[];
  /** Those that are not terminal. */
  readonly living: Pod[];
  readonly succeeded: Pod[];
  /** Results of `endingsInARow`, by reason. */
  readonly rows: Map<string, number>;
}

const indexes = new WeakMap<readonly Pod[], Map<string, Group>>();

function groupOf(cluster: View<Needs>, pod: Pod): Group | undefined {
  const key = controllerKey(pod);
  if (key === undefined) return undefined;
  const pods = cluster.list('Pod');
  const index = indexes.get(pods) ?? groupByController(pods);
  indexes.set(pods, index);
  return index.get(key);
}

function groupByController(pods: readonly Pod[]): Map<string, Group> {
  const index = new Map<string, Group>();
  for (const pod of pods) {
    const key = controllerKey(pod);
    if (key === undefined) continue;
    const group = index.get(key) ?? { failed: [], living: [], succeeded: [], rows: new Map<string, number>() };
    index.set(key, group);
    if (pod.status?.phase === 'Failed') group.failed.push(pod);
    else if (pod.status?.phase === 'Succeeded') group.succeeded.push(pod);
    else group.living.push(pod);
  }
  return index;
}

function controllerKey(pod: Pod): string | undefined {
  const controller = controllerOf(pod);
  return controller && `${pod.metadata?.namespace}/${controller.kind}/${controller.name}`;
}

/**
 * How often a StatefulSet or DaemonSet has made the pod in this place anew, as it says itself: both delete a pod that has
 * failed, so that there is never more than the last to be seen.
 */
function recreations(cluster: View<'Event'>, pod: Pod): number {
  const { kind = '', name = '' } = controllerOf(pod) ?? {};
  const { namespace = '', name: podName } = pod.metadata ?? {};
  const isOfPlace = ({ reason, message }: EventLine) =>
    reason === 'RecreatingFailedPod'
      ? message.endsWith(` recreating failed Pod ${podName}`)
      : reason === 'FailedDaemonPod' && message.includes(` on node ${pod.spec?.nodeName},`);
  if (kind !== 'StatefulSet' && kind !== 'DaemonSet') return 0;
  return eventsOf(cluster, { kind, namespace, name })
    .filter((event) => isOfPlace(event) && (secondsBetween(event.at, cluster.takenAt) ?? 0) < HOUR_SECONDS)
    .reduce((sum, { count }) => sum + count, 0);
}

export interface EndingHistory {
  /** `info` for what is over, `warning` where it is over and comes again and again; else the rule decides. */
  readonly severity: Severity | undefined;
  /** To put behind the message: empty, or a blank and what became of the pod. */
  readonly sentence: string;
  readonly at: string | undefined;
}

// Controllers need a moment to replace what has failed.
const FRESH_SECONDS = 30;
// Three in a row are no accident.
const ROW = 3;

/** How much the end of a Failed pod still matters. */
export function endingHistory(cluster: View<Needs | 'Event'>, pod: Pod): EndingHistory {
  const at = endOf(pod);
  const times = recreations(cluster, pod);
  if (times >= ROW) {
    return { severity: undefined, sentence: ` Its ${controllerOf(pod)?.kind} has replaced it ${times} times.`, at };
  }
  if (pod.metadata?.deletionTimestamp !== undefined) return { severity: 'info', sentence: ' It is being deleted.', at };
  const leftover = leftoverOf(cluster, pod);
  if (leftover === undefined) {
    const controller = controllerOf(pod)?.kind;
    const fresh = controller !== undefined && (secondsBetween(at, cluster.takenAt) ?? FRESH_SECONDS) < FRESH_SECONDS;
    if (fresh)
      return { severity: 'info', sentence: ` That was just now; its ${controller} is about to replace it.`, at };
    return { severity: undefined, sentence: '', at };
  }
  const row = endingsInARow(cluster, pod);
  if (row < ROW) return { severity: 'info', sentence: ` ${leftover}`, at };
  return { severity: 'warning', sentence: ` ${leftover} That has happened ${row} times in a row within an hour.`, at };
}
