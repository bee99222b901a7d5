import type { Ref } from '../finding.ts';
import type { View } from '../snapshot.ts';
import { type EventLine, eventsOf } from './events.ts';
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
}

/** All containers in the order they start: init containers and sidecars, apps, ephemeral ones. */
export function containersOf(pod: Pod): ContainerView[] {
  const { spec, status } = pod;
  return [
    ...views(spec?.initContainers, status?.initContainerStatuses, 'initContainerStatuses', (c) =>
      c.restartPolicy === 'Always' ? 'sidecar' : 'init',
    ),
    ...views(spec?.containers, status?.containerStatuses, 'containerStatuses', () => 'app'),
    ...views(
      spec?.ephemeralContainers,
      status?.ephemeralContainerStatuses,
      'ephemeralContainerStatuses',
      () => 'ephemeral',
    ),
  ];
}

function views(
  specs: readonly Container[] | undefined,
  statuses: readonly ContainerStatus[] | undefined,
  list: string,
  role: (spec: Container) => Role,
): ContainerView[] {
  return (specs ?? []).map((spec, index) => {
    const name = spec.name ?? '';
    return {
      name,
      role: role(spec),
      index,
      spec,
      status: statuses?.find((status) => status.name === name),
      path: `status.${list}[${name}]`,
    };
  });
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

/** Finished for good: Succeeded or Failed. */
export const isTerminal = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

export function conditionOf<C extends Condition>(
  object: { readonly status?: { readonly conditions?: readonly C[] } },
  type: string,
): C | undefined {
  return object.status?.conditions?.find((condition) => condition.type === type);
}

export const podRef = (pod: Pod, container?: string): Ref => refTo('Pod', pod, container);

/** The events about a pod, newest first; for a static pod also those that carry its manifest's hash. */
export const podEvents = (cluster: View<'Event'>, pod: Pod): readonly EventLine[] =>
  eventsOf(cluster, podRef(pod), pod.metadata?.uid, pod.metadata?.annotations?.['kubernetes.io/config.mirror']);

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
