import type { Kinds, View } from '../snapshot.ts';
import { conditionOf } from './pods.ts';

type Job = Kinds['Job'];

/** Whether a Job has reached what it was for. */
export const hasCompleted = (job: Job): boolean =>
  ['Complete', 'SuccessCriteriaMet'].some((type) => conditionOf(job, type)?.status === 'True');

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
