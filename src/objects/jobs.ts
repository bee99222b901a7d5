import type { View } from '../snapshot.ts';
import { conditionOf, type Pod } from './pods.ts';

/**
 * Whether a Failed pod is history: its Job has completed or was retried with success, or its controller has replaced it.
 * A pod without a controller stays what it is, and so does the last failure of a Job that failed.
 */
export function isOutlived(cluster: View<'Pod' | 'Job'>, pod: Pod): boolean {
  const controller = pod.metadata?.ownerReferences?.find((reference) => reference.controller === true);
  if (controller === undefined) return false;
  const namespace = pod.metadata?.namespace;
  if (controller.kind !== 'Job') return controller.kind !== 'Node';
  const job = cluster.get('Job', controller.name ?? '', namespace);
  if (job === undefined) return false;
  if (conditionOf(job, 'Complete')?.status === 'True' || conditionOf(job, 'SuccessCriteriaMet')?.status === 'True')
    return true;
  const cronJob = job.metadata?.ownerReferences?.find((reference) => reference.kind === 'CronJob');
  if (cronJob === undefined) return false;
  return cluster
    .list('Job')
    .some(
      (other) =>
        other.metadata?.namespace === namespace &&
        other.metadata?.ownerReferences?.some(({ uid, name }) => uid === cronJob.uid && name === cronJob.name) &&
        conditionOf(other, 'Complete')?.status === 'True' &&
        (other.metadata?.creationTimestamp ?? '') > (job.metadata?.creationTimestamp ?? ''),
    );
}
