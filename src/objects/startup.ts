import type { View } from '../snapshot.ts';
import { absentContainer, isThere, isUnsynced, keysOf, missingIn } from './config-mounts.ts';
import { requiredConfig } from './config-refs.ts';
import type { EventLine } from './events.ts';
import {
  type ContainerView,
  conditionOf,
  containersOf,
  isLiving,
  type Pod,
  podEvents,
  waitsForCreation,
} from './pods.ts';
import { later, secondsBetween } from './time.ts';

/** A pod on a node whose containers cannot be started yet: what comes before them is not done. */
export interface Startup {
  readonly since: string | undefined;
  readonly seconds: number;
  /** It is in its first minute, and something has failed again and again. */
  readonly early: boolean;
  /** No container of it has ever run. */
  readonly first: boolean;
  /** The kubelet has written something into its status. */
  readonly takenUp: boolean;
  /** What the kubelet and the attach controller said meanwhile, newest first. */
  readonly events: readonly StartEvent[];
}

/** In the order in which the kubelet works. */
export type StartStep = 'network' | 'cgroup' | 'volume' | 'dra' | 'sandbox' | 'container';

export interface StartEvent extends EventLine {
  readonly step: StartStep;
}

// "Created less than a minute ago" is how every pod begins.
const STUCK_SECONDS = 60;
const FRESH_SECONDS = 15;
const AGAIN_SECONDS = 10;

/** The start that a pod is stuck in; undefined for one that runs, is past its sandbox, or has only just begun. */
export function startupOf(cluster: View<'Event'>, pod: Pod): Startup | undefined {
  if (!isLiving(pod) || pod.spec?.nodeName === undefined) return undefined;
  const condition = conditionOf(pod, 'PodReadyToStartContainers') ?? conditionOf(pod, 'PodHasNetwork');
  if (condition?.status === 'True') return undefined;
  const containers = containersOf(pod).filter(({ role }) => role !== 'ephemeral');
  if (containers.some(({ status }) => status?.state?.running !== undefined)) return undefined;
  const first = containers.every(hasNeverRun);
  if (first ? !isPending(pod, containers) : condition === undefined) return undefined;
  const begun = pod.status?.startTime ?? conditionOf(pod, 'PodScheduled')?.lastTransitionTime;
  const since = later(begun ?? pod.metadata?.creationTimestamp, condition?.lastTransitionTime);
  const seconds = secondsBetween(since, cluster.takenAt) ?? 0;
  if (seconds < FRESH_SECONDS) return undefined;
  const events = startEvents(cluster, pod, since);
  const early = seconds < STUCK_SECONDS;
  if (early && !failsAgain(events)) return undefined;
  // A container that is being pulled or made has volumes and a sandbox; where it is stuck, others look.
  if (events[0]?.step === 'container' && first) return undefined;
  const takenUp = pod.status?.startTime !== undefined || pod.status?.containerStatuses !== undefined;
  return { since, seconds, early, first, takenUp, events };
}

const isPending = (pod: Pod, containers: readonly ContainerView[]): boolean =>
  (pod.status?.phase ?? 'Pending') === 'Pending' && containers.every(isUncreated);

const hasNeverRun = ({ status }: ContainerView): boolean =>
  status?.state?.terminated === undefined && status?.lastState?.terminated === undefined && !status?.restartCount;

const isUncreated = ({ status }: ContainerView): boolean => waitsForCreation(status) || !status?.state?.waiting?.reason;

const steps: Readonly<Record<string, StartStep>> = {
  NetworkNotReady: 'network',
  FailedCreatePodContainer: 'cgroup',
  FailedMount: 'volume',
  FailedAttachVolume: 'volume',
  FailedMapVolume: 'volume',
  FailedMountOnFilesystemMismatch: 'volume',
  VolumePermissionChangeInProgress: 'volume',
  FailedPrepareDynamicResources: 'dra',
  FailedCreatePodSandBox: 'sandbox',
  FailedPodSandBoxStatus: 'sandbox',
  FailedSync: 'sandbox',
  SandboxChanged: 'sandbox',
  Pulling: 'container',
  Pulled: 'container',
  Created: 'container',
  Started: 'container',
};

function startEvents(cluster: View<'Event'>, pod: Pod, since: string | undefined): StartEvent[] {
  const events: StartEvent[] = [];
  for (const event of podEvents(cluster, pod)) {
    const step = stepOf(event);
    // The attach controller may speak a moment before the kubelet sets startTime.
    if (step !== undefined && (secondsBetween(since, event.at) ?? 0) > -30) events.push({ ...event, step });
  }
  return events;
}

/** Whether the step that the kubelet is at was tried for a while and failed each time. */
function failsAgain([newest, ...older]: readonly StartEvent[]): boolean {
  if (newest === undefined || newest.type !== 'Warning' || isUnsynced(newest)) return false;
  const failures = [newest, ...older.filter(({ step, type }) => step === newest.step && type === 'Warning')];
  return failures.some(({ firstAt }) => (secondsBetween(firstAt, newest.at) ?? 0) >= AGAIN_SECONDS);
}

function stepOf({ reason, message }: EventLine): StartStep | undefined {
  if (reason === 'Failed' && message.startsWith('error making pod data directories')) return 'cgroup';
  if (reason === 'FailedSync') return /sandbox/i.test(message) ? 'sandbox' : undefined;
  return steps[reason];
}

/** Whether the pod waits for a ConfigMap, a Secret or a key: an event says so, or a volume names one that is not there. */
export function waitsForConfig(cluster: View<'ConfigMap' | 'Secret'>, pod: Pod, { events }: Startup): boolean {
  const current = sinceVolumes(events);
  const [newest] = current.filter(({ step }) => step === 'volume');
  if (newest !== undefined && isUnsynced(newest)) return true;
  const namespace = pod.metadata?.namespace ?? '';
  if (current.some((event) => lacksConfig(cluster, pod, namespace, event))) return true;
  return requiredConfig(pod).some(({ kind, name, container, keys }) => {
    if (container !== undefined || !cluster.covers(kind, namespace)) return false;
    if (cluster.get(kind, name, namespace) === undefined) return true;
    const known = keysOf(cluster, kind, namespace, name);
    return known !== undefined && keys.some((key) => !known.includes(key));
  });
}

const lacksConfig = (cluster: View<'ConfigMap' | 'Secret'>, pod: Pod, namespace: string, event: EventLine): boolean =>
  absentContainer(pod, event) !== undefined ||
  missingIn(pod, event).some((missing) => !isThere(cluster, namespace, missing));

const AFTER_VOLUMES: ReadonlySet<StartStep | undefined> = new Set(['dra', 'sandbox', 'container']);

/** What was said since the kubelet was last past the volumes: whatever it lacked before that, it has been given. */
export function sinceVolumes<E extends EventLine>(events: readonly E[]): readonly E[] {
  const past = events.find((event) => AFTER_VOLUMES.has(stepOf(event)));
  return past === undefined ? events : events.filter(({ at }) => (secondsBetween(past.at, at) ?? 0) > 0);
}
