import type { Ref } from '../finding.ts';
import type { View } from '../snapshot.ts';
import { type EventLine, eventsOf } from './events.ts';
import type { Event } from './kinds-schema.ts';
import type { Condition } from './meta.ts';
import type { Container, ContainerStatus, Pod } from './pod-schema.ts';
import { refTo } from './refs.ts';

export type { Container, ContainerStatus, Pod } from './pod-schema.ts';

/** `sidecar` is an init container with `restartPolicy: Always`. */
export type Role = 'init' | 'sidecar' | 'app' | 'ephemeral';

/** One container of a pod: what was asked for and what became of it. */
export interface ContainerView {
  readonly name: string;
  readonly role: Role;
  /** Position among the containers of its list. */
  readonly index: number;
  readonly spec: Container;
  /** Absent until the kubelet has reported. */
  readonly status: ContainerStatus | undefined;
  /** Where its status stands: "status.containerStatuses[app]". */
  readonly path: string;
  /** Where it is asked for: "spec.containers[app]". */
  readonly specPath: string;
}

/** All containers in the order they start: init containers and sidecars, apps, ephemeral ones. */
export function containersOf({ spec, status }: Pod): ContainerView[] {
  const all: ContainerView[] = [];
  addViews(all, spec?.initContainers, status?.initContainerStatuses, 'init');
  addViews(all, spec?.containers, status?.containerStatuses, 'app');
  addViews(all, spec?.ephemeralContainers, status?.ephemeralContainerStatuses, 'ephemeral');
  return all;
}

const lists = {
  init: { spec: 'initContainers', status: 'initContainerStatuses' },
  app: { spec: 'containers', status: 'containerStatuses' },
  ephemeral: { spec: 'ephemeralContainers', status: 'ephemeralContainerStatuses' },
} as const;

/** The field of the pod's spec that the container stands in: "initContainers". */
export const specListOf = (role: Role): string => lists[role === 'sidecar' ? 'init' : role].spec;

// Every analyzer of pods asks for the containers of every broken pod: nothing but views is made here.
function addViews(
  into: ContainerView[],
  specs: readonly Container[] | undefined,
  statuses: readonly ContainerStatus[] | undefined,
  list: keyof typeof lists,
): void {
  if (specs === undefined) return;
  for (let index = 0; index < specs.length; index++) {
    const spec = specs[index] ?? {};
    const name = spec.name ?? '';
    into.push({
      name,
      role: list === 'init' && spec.restartPolicy === 'Always' ? 'sidecar' : list,
      index,
      spec,
      status: statusOf(statuses, name),
      path: `status.${lists[list].status}[${name}]`,
      specPath: `spec.${lists[list].spec}[${name}]`,
    });
  }
}

function statusOf(statuses: readonly ContainerStatus[] | undefined, name: string): ContainerStatus | undefined {
  if (statuses !== undefined) for (const status of statuses) if (status.name === name) return status;
  return undefined;
}

const troubled = new WeakMap<readonly Pod[], readonly Pod[]>();

/**
 * The pods about whose own state there is anything to ask. Of a certainly healthy pod the container statuses are not even
 * kept; a large cluster has tens of thousands of those.
 */
export function troubledPods(cluster: View<'Pod'>): readonly Pod[] {
  const pods = cluster.list('Pod');
  let some = troubled.get(pods);
  if (some === undefined) {
    some = withoutQuiet(pods);
    troubled.set(pods, some);
  }
  return some;
}

function withoutQuiet(pods: readonly Pod[]): readonly Pod[] {
  // Healthy pods share one status, so that most are judged by a glance at the one before.
  let quiet: Pod['status'];
  return pods.filter(({ metadata, spec, status }) => {
    if (metadata?.deletionTimestamp !== undefined || spec?.nodeName === undefined || status === undefined) return true;
    if (status !== quiet && !isQuiet(status)) return true;
    quiet = status;
    return false;
  });
}

function isQuiet(status: NonNullable<Pod['status']>): boolean {
  const {
    phase,
    conditions = [],
    reason,
    containerStatuses,
    initContainerStatuses,
    ephemeralContainerStatuses,
  } = status;
  if ((reason ?? containerStatuses ?? initContainerStatuses ?? ephemeralContainerStatuses) !== undefined) return false;
  if (conditions.some(({ status, type }) => status !== 'True' || (type !== 'Ready' && type !== 'PodScheduled')))
    return false;
  return phase === 'Succeeded' || (phase === 'Running' && conditions.some(({ type }) => type === 'Ready'));
}

const BEFORE_CREATION: readonly (string | undefined)[] = ['ContainerCreating', 'PodInitializing'];

/** Whether it waits for its creation: what the kubelet writes until the container has been started. */
export const waitsForCreation = (status: ContainerStatus | undefined): boolean =>
  BEFORE_CREATION.includes(status?.state?.waiting?.reason);

/** Finished for good: Succeeded or Failed. */
export const isTerminal = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

export function conditionOf<C extends Condition>(
  object: { readonly status?: { readonly conditions?: readonly C[] } },
  type: string,
): C | undefined {
  const conditions = object.status?.conditions;
  if (conditions !== undefined) for (const condition of conditions) if (condition.type === type) return condition;
  return undefined;
}

export const podRef = (pod: Pod, container?: string): Ref => refTo('Pod', pod, container);

const eventsOfPods = new WeakMap<readonly Event[], WeakMap<Pod, readonly EventLine[]>>();

/** The events about a pod, newest first; for a static pod also those that carry its manifest's hash. */
export function podEvents(cluster: View<'Event'>, pod: Pod): readonly EventLine[] {
  const events = cluster.list('Event');
  let known = eventsOfPods.get(events);
  if (known === undefined) {
    known = new WeakMap();
    eventsOfPods.set(events, known);
  }
  let lines = known.get(pod);
  if (lines === undefined) {
    const mirrorHash = pod.metadata?.annotations?.['kubernetes.io/config.mirror'];
    lines = eventsOf(cluster, podRef(pod), pod.metadata?.uid, mirrorHash);
    known.set(pod, lines);
  }
  return lines;
}

/** Whether an exit is followed by another start (podutil.ContainerShouldRestart, without restart rules). */
export function restartsAfter(pod: Pod, container: ContainerView, exitCode: number): boolean {
  const policy = container.spec.restartPolicy ?? pod.spec?.restartPolicy ?? 'Always';
  if (container.role === 'ephemeral') return false;
  if (container.role === 'init' && policy === 'Always') return exitCode !== 0;
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

/**
 * Whether the pod's containers are still meant to run. While a pod is being deleted no restart is computed, so waiting
 * reasons freeze and exits are wanted; once it is terminal nothing is retried.
 */
export const isLiving = (pod: Pod): boolean => pod.metadata?.deletionTimestamp === undefined && !isTerminal(pod);
