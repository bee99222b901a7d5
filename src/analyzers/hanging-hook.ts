import type { Draft } from '../analyzer.ts';
import { PULL_SECONDS } from '../objects/coming-up.ts';
import { eventEvidence } from '../objects/events.ts';
import { kubectlLogs, look } from '../objects/kubectl.ts';
import { conditionOf, containersOf, isLiving, type Pod, podEvents, podRef, specListOf } from '../objects/pods.ts';
import { humanSeconds, secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import type { Code } from './exit-rules.ts';

const HANGS_SECONDS = 60;
const NOT_RUNNING = ['ContainerCreating', 'PodInitializing'];

/**
 * A postStart hook that does not return. The kubelet runs it before it does anything else for the pod
 * (kuberuntime_container.go, startContainer), so the status stays what it was: the event Started is all that shows.
 */
export function* hangingHook(cluster: View<'Pod' | 'Event'>, pod: Pod): Generator<Draft<Code>> {
  if (!isLiving(pod)) return;
  // The scheduler's clock is another one.
  const events = podEvents(cluster, pod).filter(({ source }) => source === 'kubelet');
  // Events of one second stand in no order.
  const started = events.find(({ reason, at }) => reason === 'Started' && at === events[0]?.at);
  const seconds = secondsBetween(started?.at, cluster.takenAt) ?? 0;
  if (events.length === 0) yield* silentHook(cluster, pod);
  if (started === undefined || seconds < HANGS_SECONDS) return;
  const container = containersOf(pod).find(({ name }) => name === started.container);
  const { spec, status, specPath, role } = container ?? {};
  if (spec?.lifecycle?.postStart === undefined || role === undefined) return;
  if (!NOT_RUNNING.includes(status?.state?.waiting?.reason ?? '')) return;
  const subject = podRef(pod, container?.name);
  yield {
    code: 'hook.post-start',
    subject,
    message: `Container ${container?.name} was started ${humanSeconds(seconds)} ago, and its postStart hook has not returned; until then nothing else of the pod is started.`,
    evidence: [
      eventEvidence(subject, started),
      { from: subject, where: `${specPath}.lifecycle.postStart`, text: JSON.stringify(spec.lifecycle.postStart) },
    ],
    confidence: 'likely',
    check: look('See whether the container says anything.', kubectlLogs(subject, false)),
    detail: { run: 'current', list: specListOf(role) },
    since: started.at,
  };
}

/** The same once the event has expired: the sandbox has long been ready, and the container that comes next has a hook. */
function* silentHook(cluster: View<'Pod' | 'Event'>, pod: Pod): Generator<Draft<Code>> {
  const ready = conditionOf(pod, 'PodReadyToStartContainers');
  const seconds = secondsBetween(ready?.lastTransitionTime, cluster.takenAt) ?? 0;
  if (ready?.status !== 'True' || seconds < PULL_SECONDS) return;
  const next = containersOf(pod).find(({ status }) => NOT_RUNNING.includes(status?.state?.waiting?.reason ?? ''));
  if (next?.spec.lifecycle?.postStart === undefined || next.status?.restartCount) return;
  const subject = podRef(pod, next.name);
  yield {
    code: 'hook.post-start',
    subject,
    message: `Container ${next.name} has not come up for ${humanSeconds(seconds)}, and no event says why; it has a postStart hook, which may not return.`,
    evidence: [
      {
        from: podRef(pod),
        where: 'status.conditions[PodReadyToStartContainers]',
        text: 'True',
        at: ready.lastTransitionTime ?? '',
      },
      {
        from: subject,
        where: `${next.specPath}.lifecycle.postStart`,
        text: JSON.stringify(next.spec.lifecycle.postStart),
      },
    ],
    confidence: 'possible',
    check: look('See whether the container says anything.', kubectlLogs(subject, false)),
    detail: { run: 'current', list: specListOf(next.role) },
    since: ready.lastTransitionTime,
  };
}
