import type { Draft } from '../analyzer.ts';
import type { Evidence } from '../finding.ts';
import { PULL_SECONDS } from '../objects/coming-up.ts';
import { eventEvidence } from '../objects/events.ts';
import { kubectlLogs, look } from '../objects/kubectl.ts';
import {
  type ContainerView,
  conditionOf,
  containersOf,
  isLiving,
  type Pod,
  podEvents,
  podRef,
  specListOf,
  waitsForCreation,
} from '../objects/pods.ts';
import { humanSeconds, secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import type { Code } from './exit-rules.ts';

const HANGS_SECONDS = 60;

/**
 * A postStart hook that does not return. The kubelet runs it before it does anything else for the pod
 * (kuberuntime_container.go, startContainer), so the status stays what it was: the event Started is all that shows.
 */
export function* hangingHook(cluster: View<'Pod' | 'Event'>, pod: Pod): Generator<Draft<Code>> {
  if (!isLiving(pod)) return;
  // The scheduler's clock is another one.
  const events = podEvents(cluster, pod).filter(({ source }) => source === 'kubelet');
  if (events.length === 0) yield* silentHook(cluster, pod);
  // Events of one second stand in no order.
  const started = events.find(({ reason, at }) => reason === 'Started' && at === events[0]?.at);
  const seconds = secondsBetween(started?.at, cluster.takenAt) ?? 0;
  if (started === undefined || seconds < HANGS_SECONDS) return;
  const container = containersOf(pod).find(({ name }) => name === started.container);
  if (container?.spec.lifecycle?.postStart === undefined || !waitsForCreation(container.status)) return;
  yield {
    ...hookOf(pod, container, eventEvidence(podRef(pod, container.name), started)),
    message: `Container ${container.name} was started ${humanSeconds(seconds)} ago, and its postStart hook has not returned; until then nothing else of the pod is started.`,
    confidence: 'likely',
    since: started.at,
  };
}

/** The same once the event has expired: the sandbox has long been ready, and the container that comes next has a hook. */
function* silentHook(cluster: View<'Pod' | 'Event'>, pod: Pod): Generator<Draft<Code>> {
  const ready = conditionOf(pod, 'PodReadyToStartContainers');
  const since = ready?.lastTransitionTime;
  const seconds = secondsBetween(since, cluster.takenAt) ?? 0;
  if (ready?.status !== 'True' || seconds < PULL_SECONDS) return;
  const next = containersOf(pod).find(({ status }) => waitsForCreation(status));
  if (next?.spec.lifecycle?.postStart === undefined || next.status?.restartCount) return;
  const where = 'status.conditions[PodReadyToStartContainers]';
  yield {
    ...hookOf(pod, next, { from: podRef(pod), where, text: 'True', at: since ?? '' }),
    message: `Container ${next.name} has not come up for ${humanSeconds(seconds)}, and no event says why; it has a postStart hook, which may not return.`,
    confidence: 'possible',
    since,
  };
}

function hookOf(pod: Pod, { name, spec, specPath, role }: ContainerView, sign: Omit<Evidence, 'id'>) {
  const subject = podRef(pod, name);
  return {
    code: 'hook.post-start',
    subject,
    evidence: [
      sign,
      { from: subject, where: `${specPath}.lifecycle.postStart`, text: JSON.stringify(spec.lifecycle?.postStart) },
    ],
    check: look('See whether the container says anything.', kubectlLogs(subject, false)),
    detail: { run: 'current', list: specListOf(role) },
  } as const;
}
