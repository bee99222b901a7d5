import type { Kinds, View } from '../snapshot.ts';
import { conditionOf } from './pods.ts';

type Job = Kinds['Job'];

/** Whether a Job has reached what it was for. */
export const hasCompleted = (job: Job): boolean =>
  ['Complete', 'SuccessCriteriaMet'].some((type) => conditionOf(job, type)?.status === 'True');

/** Whether a Job starts no more pods: it has reached what it was for, or has failed, though some may yet be ending. */
const isOver = (job: Job): boolean =>
  hasCompleted(job) || ['Failed', 'FailureTarget'].some((type) => conditionOf(job, type)?.status === 'True');

/** How many pods a Job wants to run now (job controller, manageJob). */
export function wantedPods(job: Job): number {
  const { parallelism = 1, completions, suspend } = job.spec ?? {};
  const { active = 0, succeeded = 0 } = job.status ?? {};
  if (suspend === true || isOver(job)) return 0;
  if (completions !== undefined) return Math.max(0, Math.min(parallelism, completions - succeeded));
  // The pods of a work queue share it: once one of them finds it done, no others are started.
  return succeeded > 0 ? active : parallelism;
}

const indexes = new WeakMap<readonly Job[], Map<string, Job[]>>();

/** A later run of the same CronJob that completed. */
export function supersededBy(cluster: View<'Job'>, job: Job): Job | undefined {
  const key = cronJobKey(job);
  if (key === undefined) return undefined;
  const started = job.metadata?.creationTimestamp ?? '';
  return runsByCronJob(cluster)
    .get(key)
    ?.find((other) => hasCompleted(other) && (other.metadata?.creationTimestamp ?? '') > started);
}

function runsByCronJob(cluster: View<'Job'>): ReadonlyMap<string, readonly Job[]> {
  const jobs = cluster.list('Job');
  const known = indexes.get(jobs);
  if (known !== undefined) return known;
  const index = new Map<string, Job[]>();
  for (const job of jobs) {
    const key = cronJobKey(job);
    if (key === undefined) continue;
    const runs = index.get(key);
    if (runs === undefined) index.set(key, [job]);
    else runs.push(job);
  }
  indexes.set(jobs, index);
  return index;
}

function cronJobKey(job: Job): string | undefined {
  const cronJob = job.metadata?.ownerReferences?.find(({ kind }) => kind === 'CronJob');
  return cronJob === undefined ? undefined : `${job.metadata?.namespace}/${cronJob.name}`;
}
