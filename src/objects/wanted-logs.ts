import type { View } from '../snapshot.ts';
import { ownerOf } from './owner.ts';
import { type ContainerView, containersOf, isLiving, type Pod, troubledPods } from './pods.ts';
import { objectKey } from './refs.ts';
import { secondsBetween } from './time.ts';

/** One run of one container whose log may say why it is broken. */
export interface WantedLog {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly previous: boolean;
}

/** What is wrong with a container, the most telling first. */
const troubles = ['crashing', 'stuck', 'unready', 'recovered'] as const;
type Trouble = (typeof troubles)[number];

// An init container that waits for something has waited for a while.
const STUCK_SECONDS = 60;
// A container is given this time to become ready before its log is of interest.
const UNREADY_SECONDS = 30;
// What crashed longer ago and runs well since is no longer a problem.
const RECENT_SECONDS = 3600;

/**
 * The logs that say why containers are broken, the most telling first: of each workload's container one pod stands for
 * all that have the same trouble.
 */
export function wantedLogs(cluster: View<'Pod' | 'ReplicaSet' | 'Job'>): WantedLog[] {
  const byTrouble = new Map<Trouble, WantedLog[]>(troubles.map((trouble) => [trouble, []]));
  const seen = new Set<string>();
  for (const pod of troubledPods(cluster)) {
    for (const { container, trouble } of brokenContainers(pod, cluster.takenAt)) {
      const owner = ownerOf(cluster, pod);
      const key = `${owner === undefined ? pod.metadata?.uid : objectKey(owner)} ${container.name} ${trouble}`;
      if (seen.has(key)) continue;
      seen.add(key);
      byTrouble.get(trouble)?.push(...runsOf(pod, container));
    }
  }
  return troubles.flatMap((trouble) => byTrouble.get(trouble) ?? []);
}

interface Broken {
  readonly container: ContainerView;
  readonly trouble: Trouble;
}

function brokenContainers(pod: Pod, now: string): Broken[] {
  if (pod.metadata?.deletionTimestamp !== undefined || pod.status?.phase === 'Succeeded') return [];
  const broken: Broken[] = [];
  for (const container of containersOf(pod)) {
    const trouble = container.role === 'ephemeral' ? undefined : troubleOf(pod, container, now);
    if (trouble !== undefined) broken.push({ container, trouble });
  }
  return broken;
}

function troubleOf(pod: Pod, { role, status }: ContainerView, now: string): Trouble | undefined {
  const { state, lastState, ready } = status ?? {};
  if (state?.terminated !== undefined) return (state.terminated.exitCode ?? 0) === 0 ? undefined : 'crashing';
  if (state?.waiting?.reason === 'CrashLoopBackOff') return 'crashing';
  if (!isLiving(pod)) return undefined;
  const last = lastState?.terminated;
  const crashed = last !== undefined && (last.exitCode !== 0 || last.reason === 'OOMKilled');
  const runs = secondsBetween(state?.running?.startedAt, now) ?? 0;
  if (role === 'init') {
    if (crashed) return 'crashing';
    return state?.running !== undefined && runs > STUCK_SECONDS ? 'stuck' : undefined;
  }
  if (state?.running === undefined) return crashed ? 'crashing' : undefined;
  if (ready !== true && crashed) return 'crashing';
  // A sidecar's readiness counts as a container's does.
  if (ready !== true && runs > UNREADY_SECONDS) return 'unready';
  const ago = secondsBetween(last?.finishedAt, now) ?? Number.POSITIVE_INFINITY;
  return last !== undefined && ago < RECENT_SECONDS && (crashed || (status?.restartCount ?? 0) > 2)
    ? 'recovered'
    : undefined;
}

/** The run that ended badly first, then the one that is going on, unless that goes well. */
function runsOf(pod: Pod, { name, status }: ContainerView): WantedLog[] {
  const { state, lastState, ready } = status ?? {};
  const run = (previous: boolean): WantedLog => ({
    namespace: pod.metadata?.namespace ?? '',
    pod: pod.metadata?.name ?? '',
    container: name,
    previous,
  });
  // Between two runs the current log is that of the last one; when that one is gone there is nothing to read.
  if (state?.terminated !== undefined) return [run(false)];
  const runs: WantedLog[] = [];
  if (lastState?.terminated !== undefined) runs.push(run(true));
  if (state?.running !== undefined && ready !== true) runs.push(run(false));
  return runs;
}
