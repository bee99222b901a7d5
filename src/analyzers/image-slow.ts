import type { Draft } from '../analyzer.ts';
import { PULL_SECONDS } from '../objects/coming-up.ts';
import { eventEvidence } from '../objects/events.ts';
import { look, shell } from '../objects/kubectl.ts';
import { ownerOf } from '../objects/owner.ts';
import {
  type ContainerView,
  conditionOf,
  containersOf,
  type Pod,
  podEvents,
  podRef,
  waitsForCreation,
} from '../objects/pods.ts';
import { humanSeconds, later, secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import type { Code } from './image-rules.ts';

type Needs = 'Event' | 'Deployment' | 'ReplicaSet' | 'Job';

/** Pulls that neither failed nor ended. */
export function* slowPulls(cluster: View<Needs>, pod: Pod): Generator<Draft<Code>> {
  const waiting = containersOf(pod).filter(isFirstStart);
  if (waiting.length === 0) return;
  const events = podEvents(cluster, pod);
  for (const container of waiting) {
    const newest = events.find((event) => event.container === container.name);
    if (newest?.reason !== 'Pulling' || !isSlow(cluster, pod, newest.at)) continue;
    yield {
      ...pullOf(pod, container),
      message: `Container ${container.name} has been pulling "${container.spec.image}" for ${lasting(cluster, newest.at)}.`,
      evidence: [eventEvidence(podRef(pod, container.name), newest)],
      since: newest.at,
    };
  }
  if (events.every(({ container, reason }) => container === undefined && reason !== 'Pulling')) {
    yield* silentPull(cluster, pod);
  }
}

const isFirstStart = ({ status }: ContainerView): boolean => !status?.restartCount && waitsForCreation(status);

const lasting = (cluster: View<never>, since: string | undefined): string =>
  humanSeconds(secondsBetween(since, cluster.takenAt) ?? 0);

const isSlow = (cluster: View<Needs>, pod: Pod, since: string | undefined): boolean =>
  (secondsBetween(since, cluster.takenAt) ?? 0) >= PULL_SECONDS || outlastsRollout(cluster, pod, since);

/** Whether the pull was already running when its Deployment ran out of time. */
function outlastsRollout(cluster: View<Needs>, pod: Pod, since: string | undefined): boolean {
  const owner = ownerOf(cluster, pod);
  if (owner?.kind !== 'Deployment') return false;
  const progress = conditionOf(cluster.get('Deployment', owner.name, owner.namespace) ?? {}, 'Progressing');
  if (progress?.reason !== 'ProgressDeadlineExceeded') return false;
  return (secondsBetween(since, progress.lastTransitionTime) ?? -1) >= 0;
}

const pullOf = (pod: Pod, container: ContainerView) =>
  ({
    code: 'image.slow',
    subject: podRef(pod, container.name),
    detail: { image: container.spec.image, node: pod.spec?.nodeName },
    fault: `image:${container.spec.image}`,
  }) as const;

/**
 * The event `Pulling` lives for an hour. Once volumes, network and sandbox are there, a container that is still not
 * created waits for its image, or for a postStart hook: while one runs, the kubelet writes no status.
 */
function* silentPull(cluster: View<Needs>, pod: Pod): Generator<Draft<Code>> {
  const ready = conditionOf(pod, 'PodReadyToStartContainers') ?? conditionOf(pod, 'PodHasNetwork');
  if (ready?.status !== 'True') return;
  const { containers, after } = nextToStart(pod);
  if (!containers.every(isFirstStart) || containers.some(({ spec }) => spec.lifecycle?.postStart)) return;
  const since = later(ready.lastTransitionTime, after);
  if (!isSlow(cluster, pod, since)) return;
  const pulled = containers.filter(({ spec }) => spec.imagePullPolicy !== 'Never');
  const [first] = pulled;
  if (first === undefined) return;
  const evidence = [
    { from: podRef(pod), where: `status.conditions[${ready.type}]`, text: 'True', ...(since && { at: since }) },
    {
      from: podRef(pod, first.name),
      where: `${first.path}.state.waiting`,
      text: first.status?.state?.waiting?.reason ?? '',
    },
  ];
  const names = pulled.map(({ name }) => name).join(', ');
  yield pulled.length === 1
    ? {
        ...pullOf(pod, first),
        message: `Container ${names} has not been created for ${lasting(cluster, since)}, and nothing is left to do before that but to pull "${first.spec.image}".`,
        evidence,
        confidence: 'likely',
        check: look('On the node, pull it by hand.', first.spec.image && shell('crictl', 'pull', first.spec.image)),
        since,
      }
    : {
        code: 'image.slow',
        subject: podRef(pod),
        message: `The containers ${names} have not been created for ${lasting(cluster, since)}, and nothing is left to do before that but to pull their images.`,
        evidence,
        confidence: 'likely',
        check: look('On the node, see which of the images are there.', 'crictl images'),
        detail: { node: pod.spec?.nodeName },
        since,
      };
}

/** Init containers start one by one. The others start in one go, and the kubelet writes no status until all have. */
function nextToStart(pod: Pod): { containers: readonly ContainerView[]; after: string | undefined } {
  let after: string | undefined;
  for (const container of containersOf(pod)) {
    if (container.role !== 'init' && container.role !== 'sidecar') continue;
    const { state, started } = container.status ?? {};
    const done = container.role === 'init' ? state?.terminated?.exitCode === 0 : started === true;
    if (!done) return { containers: [container], after };
    after = later(after, state?.terminated?.finishedAt ?? state?.running?.startedAt);
  }
  const containers = containersOf(pod).filter(({ role }) => role === 'app');
  return { containers, after: later(after, conditionOf(pod, 'Initialized')?.lastTransitionTime) };
}
