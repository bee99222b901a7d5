import type { View } from '../snapshot.ts';
import { type ContainerView, type Pod, podEvents } from './pods.ts';
import { budgetSeconds, readinessSeconds, readyBudgetSeconds } from './probes.ts';
import { secondsBetween } from './time.ts';

/** Whether a container that runs and is not ready has been so for longer than its probes allow it to come up. */
export function isOverdue(cluster: View<'Event'>, pod: Pod, container: ContainerView): boolean {
  const { spec, status } = container;
  const startedAt = status?.state?.running?.startedAt;
  // The clock of a node may be behind that of the API server.
  const age = secondsBetween(pod.metadata?.creationTimestamp, cluster.takenAt) ?? Number.POSITIVE_INFINITY;
  const runs = Math.min(age, secondsBetween(startedAt, cluster.takenAt) ?? 0);
  if (isStartingUp(container)) return runs > budgetSeconds(spec.startupProbe ?? {});
  if (runs > readyBudgetSeconds(spec)) return true;
  // Readiness is asked only once the startup probe has succeeded (kubelet, prober/worker.go): its first failure shows
  // that the start is over, however long it might have taken.
  const failing = podEvents(cluster, pod).find(
    ({ reason, message, container: name }) =>
      reason === 'Unhealthy' && name === container.name && message.startsWith('Readiness probe '),
  );
  const sinceStart = secondsBetween(startedAt, failing?.firstAt) ?? -1;
  const failed = secondsBetween(failing?.firstAt, cluster.takenAt) ?? 0;
  return sinceStart >= 0 && failed > readinessSeconds(spec);
}

/** Whether the container's startup probe has not succeeded yet. */
export const isStartingUp = ({ spec, status }: ContainerView): boolean =>
  spec.startupProbe !== undefined && status?.started !== true;
