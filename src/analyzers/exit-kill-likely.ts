import type { Ref } from '../finding.ts';
import type { EventLine } from '../objects/events.ts';
import type { Exit } from '../objects/exits.ts';
import { look, shell } from '../objects/kubectl.ts';
import { type ContainerView, type Pod, podEvents, podRef } from '../objects/pods.ts';
import { graceSeconds, lastedAsLongAsProbe, longestUnderProbe } from '../objects/probes.ts';
import { memoryLimitOf } from '../objects/resources.ts';
import { humanSeconds, isBefore, secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import type { Cause } from './exit-cause.ts';
import { failureOf, type ProbeCode, probeKill, probeOf } from './probe-kill.ts';

/*
 * Who killed a container, where the kubelet's own word for it is gone.
 */

/**
 * The container has such a probe, was killed, and lived just as long as a container lives whose probe never succeeds, or
 * failures of the probe in that run are still on record.
 */
export function likelyProbeKill(
  cluster: View<'Pod' | 'Event'>,
  pod: Pod,
  container: ContainerView,
  exit: Exit,
  events: readonly EventLine[],
): Cause | undefined {
  const isKill = exit.code === 137 || exit.code === 143 || (exit.code === 0 && exit.reason === 'Completed');
  if (!isKill) return undefined;
  for (const code of ['probe.startup', 'probe.liveness'] as const) {
    const unhealthy = failureOf(code, events);
    if (!fits(cluster, pod, container, exit, code, unhealthy) && !fails(pod, container, exit, code, unhealthy))
      continue;
    const subject = podRef(pod, container.name);
    return { ...probeKill(pod, container, exit, code, unhealthy), confidence: 'likely', check: nextKill(subject) };
  }
  return undefined;
}

/** By the length of the run. A probe that fails is on record for as long as the pod's first events are. */
function fits(
  cluster: View<'Pod' | 'Event'>,
  pod: Pod,
  container: ContainerView,
  { seconds, code: exitCode }: Exit,
  code: ProbeCode,
  unhealthy: EventLine | undefined,
): boolean {
  const probe = probeOf(code, container);
  if (probe === undefined || seconds === undefined) return false;
  if (!lastedAsLongAsProbe(pod, probe, seconds, exitCode === 137)) return false;
  if (unhealthy !== undefined) return true;
  // What ends by itself, or under a memory limit, has another cause at hand; a signal has none.
  const isSignal = exitCode === 143 || (exitCode === 137 && memoryLimitOf(pod, container.spec) === undefined);
  return !remembersTheStart(cluster, pod, isSignal);
}

// The scheduler and the kubelet speak within a moment of the pod's creation.
const START_SECONDS = 60;

/**
 * Whether the first events of the pod are still there: by when they were last seen, or also those that began then and have
 * gone on, as BackOff does for ever.
 */
const remembersTheStart = (cluster: View<'Event'>, pod: Pod, byLast: boolean): boolean =>
  podEvents(cluster, pod).some(({ firstAt, at }) => {
    const after = secondsBetween(pod.metadata?.creationTimestamp, byLast ? at : firstAt);
    return after !== undefined && after < START_SECONDS;
  });

/** By a failure on record. Ending by itself with success is nothing that a probe must have caused. */
function fails(
  pod: Pod,
  container: ContainerView,
  exit: Exit,
  code: ProbeCode,
  unhealthy: EventLine | undefined,
): boolean {
  const probe = probeOf(code, container);
  if (probe === undefined || unhealthy === undefined || exit.code === 0) return false;
  if (isBefore(unhealthy.at, exit.startedAt)) return false;
  // A startup probe asks no more once it has succeeded.
  return code === 'probe.liveness' || (exit.seconds ?? 0) <= longestUnderProbe(pod, probe, exit.code === 137);
}

// A hook that fails does so soon, as a rule.
const HOOK_SECONDS = 30;

/** The container has such a hook, and was killed about when one that fails would have had it killed. */
export function likelyHook(pod: Pod, container: ContainerView, exit: Exit): Cause | undefined {
  const { lifecycle } = container.spec;
  const { seconds } = exit;
  // Under a memory limit a SIGKILL is rather the kernel's.
  const isKernels = exit.reason !== 'Error' || memoryLimitOf(pod, container.spec) !== undefined;
  const isKill = exit.code === 143 || (exit.code === 137 && !isKernels);
  if (lifecycle?.postStart === undefined || !isKill || seconds === undefined) return undefined;
  if (seconds > graceSeconds(pod) + HOOK_SECONDS) return undefined;
  const subject = podRef(pod, container.name);
  const where = `${container.specPath}.lifecycle.postStart`;
  return {
    code: 'hook.post-start',
    sentence: `Container ${container.name} was killed ${humanSeconds(seconds)} after its start, most likely because its postStart hook fails`,
    evidence: [{ from: subject, where, text: JSON.stringify(lifecycle.postStart) }],
    quotesLog: true,
    confidence: 'likely',
    check: nextKill(subject),
  };
}

const nextKill = (subject: Ref) =>
  look(
    'Watch for the next kill: the kubelet announces it.',
    shell('kubectl', 'events', '--for', `pod/${subject.name}`, '-n', subject.namespace ?? 'default', '--watch'),
  );
