import type { View } from '../snapshot.ts';
import { type ContainerView, containersOf, type Pod, podEvents } from './pods.ts';
import { isOverdue, isStartingUp } from './settling.ts';
import { secondsBetween } from './time.ts';

/** Init containers that migrate a schema or load a model take minutes; one that waits for nothing takes for ever. */
export const INIT_SECONDS = 300;

/** Seconds that a large image may take to come. */
export const PULL_SECONDS = 600;

/** Whether a pod that is not ready has taken no longer to come up than its images, init containers and probes may. */
export function isComingUp(cluster: View<'Event'>, pod: Pod): boolean {
  let unready = false;
  for (const container of containersOf(pod)) {
    if (container.role === 'ephemeral') continue;
    const { state, ready } = container.status ?? {};
    if (container.role === 'init' && state?.terminated?.exitCode === 0) continue;
    if (state?.running === undefined) return isPulling(cluster, pod, container);
    if (container.role === 'init') return isWithinInit(container, cluster.takenAt);
    if (ready === true) continue;
    if (isOverdue(cluster, pod, container)) return false;
    // What stands behind a sidecar waits for its startup probe.
    if (container.role === 'sidecar' && isStartingUp(container)) return true;
    unready = true;
  }
  return unready;
}

function isPulling(cluster: View<'Event'>, pod: Pod, { name, status }: ContainerView): boolean {
  const newest = podEvents(cluster, pod).find((event) => event.container === name);
  if (newest?.reason !== 'Pulling' || status?.restartCount) return false;
  return (secondsBetween(newest.at, cluster.takenAt) ?? 0) < PULL_SECONDS;
}

const isWithinInit = ({ status }: ContainerView, now: string): boolean =>
  (secondsBetween(status?.state?.running?.startedAt, now) ?? 0) < INIT_SECONDS;
