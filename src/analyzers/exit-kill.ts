import type { Evidence } from '../finding.ts';
import { type EventLine, eventEvidence } from '../objects/events.ts';
import type { Exit } from '../objects/exits.ts';
import { type ContainerView, type Pod, podEvents, podRef } from '../objects/pods.ts';
import { graceSeconds } from '../objects/probes.ts';
import { secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import type { Cause } from './exit-cause.ts';
import { likelyHook, likelyProbeKill } from './exit-kill-likely.ts';
import { failureOf, type ProbeCode, probeKill } from './probe-kill.ts';

type KillCode = ProbeCode | 'hook.post-start';

export const hookFails = ({ status }: ContainerView): boolean =>
  status?.state?.waiting?.reason === 'PostStartHookError';

const KILLS: readonly (readonly [KillCode, RegExp])[] = [
  ['probe.liveness', /failed liveness probe/],
  ['probe.startup', /failed startup probe/],
  ['hook.post-start', /FailedPostStartHook|PostStartHook/],
];

/** The kubelet's word for it: the event Killing, or what a probe that gave up leaves behind. */
export function killedByKubelet(
  cluster: View<'Pod' | 'Event'>,
  pod: Pod,
  container: ContainerView,
  exit: Exit,
): Cause | undefined {
  const events = containerEvents(cluster, pod, container);
  const subject = podRef(pod, container.name);
  for (const kill of killsIn(events)) {
    const code = codeOfKill(kill);
    if (code === undefined || !isThatKill(pod, container, exit, kill)) continue;
    if (code === 'hook.post-start') return hook(container, [eventEvidence(subject, kill)]);
    const cause = probeKill(pod, container, exit, code, failureOf(code, events));
    return { ...cause, evidence: [eventEvidence(subject, kill), ...cause.evidence] };
  }
  const failed = events.find((event) => event.reason === 'FailedPostStartHook');
  if (failed !== undefined && isThatKill(pod, container, exit, failed)) {
    return hook(container, [eventEvidence(subject, failed)]);
  }
  return likelyProbeKill(cluster, pod, container, exit, events) ?? likelyHook(pod, container, exit);
}

/** Whether the kubelet said that it would end the run, shortly before it ended so. */
export const isAnnounced = (cluster: View<'Event'>, pod: Pod, container: ContainerView, exit: Exit): boolean =>
  killsIn(containerEvents(cluster, pod, container)).some(
    (kill) => isShortlyBefore(kill, pod, container, exit) === true,
  );

const containerEvents = (cluster: View<'Event'>, pod: Pod, { name }: ContainerView): readonly EventLine[] =>
  podEvents(cluster, pod).filter((event) => event.container === name);

const killsIn = (events: readonly EventLine[]): readonly EventLine[] =>
  events.filter((event) => event.reason === 'Killing' && codeOfKill(event) !== undefined);

const codeOfKill = ({ message }: EventLine): KillCode | undefined =>
  KILLS.find(([, words]) => words.test(message))?.[0];

export const failedHook = (pod: Pod, container: ContainerView): Cause | undefined => {
  const { reason = '', message = '' } = container.status?.state?.waiting ?? {};
  const where = `${container.path}.state.waiting`;
  const waiting = { from: podRef(pod, container.name), where, text: `${reason}: ${message}` };
  return hookFails(container) ? hook(container, [waiting]) : undefined;
};

const hook = ({ name }: ContainerView, evidence: readonly Omit<Evidence, 'id'>[]): Cause => ({
  code: 'hook.post-start',
  sentence: `The postStart hook of container ${name} fails, and the kubelet kills the container for it`,
  evidence,
  quotesLog: true,
});

/**
 * Whether the exit is the one the event announced. The kubelet's event filter drops repetitions, so in a restart loop
 * the newest event may be of an earlier kill: then most restarts must have been announced.
 */
function isThatKill(pod: Pod, container: ContainerView, exit: Exit, event: EventLine): boolean {
  if (isShortlyBefore(event, pod, container, exit) !== false) return true;
  const byProbe = event.reason === 'Killing' && codeOfKill(event) !== 'hook.post-start';
  const isKill = exit.code === 137 || exit.code === 143 || exit.code === 0;
  return (byProbe && isKill) || event.count * 2 >= (container.status?.restartCount ?? 0);
}

/** Undefined where the times are not known. */
function isShortlyBefore(event: EventLine, pod: Pod, { spec }: ContainerView, exit: Exit): boolean | undefined {
  const after = secondsBetween(event.at, exit.finishedAt);
  return after === undefined ? undefined : after >= -10 && after <= graceSeconds(pod, spec.livenessProbe) + 60;
}
