import type { Evidence, Ref } from '../finding.ts';
import { type EventLine, eventEvidence } from '../objects/events.ts';
import type { Exit } from '../objects/exits.ts';
import { look, shell } from '../objects/kubectl.ts';
import type { Probe } from '../objects/pod-schema.ts';
import { type ContainerView, conditionOf, type Pod, podEvents, podRef } from '../objects/pods.ts';
import { budgetSeconds, describeProbe, graceSeconds, lastedAsLongAsProbe, readProbeOutput } from '../objects/probes.ts';
import { humanSeconds, secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import type { Cause } from './exit-cause.ts';
import type { Code } from './exit-rules.ts';

export const hookFails = ({ status }: ContainerView): boolean =>
  status?.state?.waiting?.reason === 'PostStartHookError';

const KILLS: readonly (readonly [Code, RegExp])[] = [
  ['probe.liveness', /failed liveness probe/],
  ['probe.startup', /failed startup probe/],
  ['hook.post-start', /FailedPostStartHook|PostStartHook/],
];

const PROBE_OF = { 'probe.liveness': 'Liveness', 'probe.startup': 'Startup' } as const;

/** The kubelet's word for it: the event Killing, or what a probe that gave up leaves behind. */
export function killedByKubelet(
  cluster: View<'Pod' | 'Event'>,
  pod: Pod,
  container: ContainerView,
  exit: Exit,
): Cause | undefined {
  const events = podEvents(cluster, pod).filter((event) => event.container === container.name);
  const kills = events.filter(
    (event) => event.reason === 'Killing' && KILLS.some(([, words]) => words.test(event.message)),
  );
  for (const kill of kills) {
    const code = KILLS.find(([, words]) => words.test(kill.message))?.[0];
    if (code === undefined) continue;
    if (code === 'hook.post-start')
      return hook(pod, container, kill.message, [eventEvidence(podRef(pod, container.name), kill)]);
    if (isThatKill(pod, container, exit, kill)) return probeKill(pod, container, exit, code as ProbeCode, kill, events);
  }
  const hookEvent = events.find((event) => event.reason === 'FailedPostStartHook');
  if (hookEvent !== undefined)
    return hook(pod, container, hookEvent.message, [eventEvidence(podRef(pod, container.name), hookEvent)]);
  return killInferred(pod, container, exit, events);
}

export const failedHook = (pod: Pod, container: ContainerView): Cause | undefined =>
  hookFails(container) ? hook(pod, container, container.status?.state?.waiting?.message ?? '', []) : undefined;

type ProbeCode = keyof typeof PROBE_OF;

const isKill = (exit: Exit): boolean => exit.code === 137 || exit.code === 143 || exit.code === 0;

/**
 * Whether the exit is the one the event announced. The kubelet's event filter drops repetitions, so in a restart loop
 * the newest event may be of an earlier kill: then most restarts must have been announced.
 */
function isThatKill(pod: Pod, container: ContainerView, exit: Exit, kill: EventLine): boolean {
  const after = secondsBetween(kill.at, exit.finishedAt);
  if (after === undefined) return true;
  if (after >= -10 && after <= graceSeconds(pod, container.spec.livenessProbe) + 60) return true;
  return isKill(exit) || kill.count * 2 >= (container.status?.restartCount ?? 0);
}

function probeKill(
  pod: Pod,
  container: ContainerView,
  exit: Exit,
  code: ProbeCode,
  kill: EventLine,
  events: readonly EventLine[],
): Cause {
  const kind = PROBE_OF[code];
  const probe = code === 'probe.liveness' ? container.spec.livenessProbe : container.spec.startupProbe;
  const unhealthy = events.find(
    (event) => event.reason === 'Unhealthy' && event.message.startsWith(`${kind} probe failed`),
  );
  const output = unhealthy?.message.replace(/^\w+ probe failed: /, '') ?? '';
  const reading = readProbeOutput(output, probe, container);
  const subject = podRef(pod, container.name);
  const needed = neededNow(pod, container, probe);
  return {
    code,
    sentence: `${probeSentence(code, pod, container, exit, reading)}${needed.words}`,
    evidence: [
      eventEvidence(subject, kill),
      ...(unhealthy === undefined ? [] : [eventEvidence(subject, unhealthy)]),
      ...(probe === undefined ? [] : [probeEvidence(subject, code, container)]),
      ...needed.evidence,
    ],
    quotesLog: false,
  };
}

function probeSentence(
  code: ProbeCode,
  pod: Pod,
  container: ContainerView,
  exit: Exit,
  reading: string | undefined,
): string {
  const probe = code === 'probe.liveness' ? container.spec.livenessProbe : container.spec.startupProbe;
  const asks = probe === undefined ? '' : ` (${describeProbe(probe)})`;
  const ignored =
    exit.code === 137 ? `; it did not end within ${humanSeconds(graceSeconds(pod, probe))} of SIGTERM` : '';
  const why = reading === undefined ? '' : `: ${reading}`;
  if (code === 'probe.liveness') {
    return `The kubelet restarts container ${container.name} because its liveness probe${asks} fails${why}${ignored}`;
  }
  const budget = probe === undefined ? '' : ` within ${humanSeconds(budgetSeconds(probe))}`;
  return `The kubelet restarts container ${container.name} because its startup probe${asks} does not succeed${budget}${why}${ignored}`;
}

const probeEvidence = (subject: Ref, code: ProbeCode, container: ContainerView): Omit<Evidence, 'id'> => {
  const field = code === 'probe.liveness' ? 'livenessProbe' : 'startupProbe';
  const probe = container.spec[field] ?? {};
  const settings = `initialDelaySeconds ${probe.initialDelaySeconds ?? 0}, periodSeconds ${probe.periodSeconds ?? 10}, timeoutSeconds ${probe.timeoutSeconds ?? 1}, failureThreshold ${probe.failureThreshold ?? 3}`;
  return {
    from: subject,
    where: `spec.containers[${container.name}].${field}`,
    text: `${describeProbe(probe)}; ${settings}: gives up after ${humanSeconds(budgetSeconds(probe))}`,
  };
};

function hook(pod: Pod, container: ContainerView, words: string, evidence: readonly Omit<Evidence, 'id'>[]): Cause {
  const waiting = container.status?.state?.waiting;
  return {
    code: 'hook.post-start',
    sentence: `The postStart hook of container ${container.name} fails, and the kubelet kills the container for it`,
    evidence:
      evidence.length > 0
        ? evidence
        : [
            {
              from: podRef(pod, container.name),
              where: `${container.path}.state.waiting`,
              text: `${waiting?.reason ?? ''}: ${words}`,
            },
          ],
    quotesLog: true,
  };
}

/**
 * Without a word of the kubelet's: the container has such a probe, was killed, and lived just as long as a container
 * lives whose probe never succeeds, or failures of the probe are still on record.
 */
function killInferred(pod: Pod, container: ContainerView, exit: Exit, events: readonly EventLine[]): Cause | undefined {
  if (!isKill(exit) || (exit.code === 0 && exit.reason !== 'Completed')) return undefined;
  for (const code of ['probe.startup', 'probe.liveness'] as const) {
    const probe = code === 'probe.liveness' ? container.spec.livenessProbe : container.spec.startupProbe;
    if (probe === undefined) continue;
    const unhealthy = events.find(
      (event) => event.reason === 'Unhealthy' && event.message.startsWith(`${PROBE_OF[code]} probe failed`),
    );
    const fits = exit.seconds !== undefined && lastedAsLongAsProbe(pod, probe, exit.seconds, exit.code === 137);
    // Ending by itself with success is nothing a probe must have caused: a failure on record alone does not count.
    if (!fits && (exit.code === 0 || unhealthy === undefined)) continue;
    const subject = podRef(pod, container.name);
    const output = unhealthy?.message.replace(/^\w+ probe failed: /, '') ?? '';
    const reading = readProbeOutput(output, probe, container);
    return {
      code,
      sentence: probeSentence(code, pod, container, exit, reading),
      evidence: [
        ...(unhealthy === undefined ? [] : [eventEvidence(subject, unhealthy)]),
        probeEvidence(subject, code, container),
      ],
      quotesLog: false,
      confidence: 'likely',
      check: look(
        'Watch for the next kill: the kubelet announces it.',
        shell('kubectl', 'events', '--for', `pod/${subject.name}`, '-n', subject.namespace ?? 'default', '--watch'),
      ),
    };
  }
  return undefined;
}

/** Where the container did come up in the run that goes on: how long it took, held against what the probe allows. */
function neededNow(pod: Pod, container: ContainerView, probe: Probe | undefined): Needed {
  const startedAt = container.status?.state?.running?.startedAt;
  const ready = conditionOf(pod, 'Ready');
  const seconds = ready?.status === 'True' ? secondsBetween(startedAt, ready.lastTransitionTime) : undefined;
  if (probe === undefined || seconds === undefined || seconds <= budgetSeconds(probe))
    return { words: '', evidence: [] };
  const where = 'status.conditions[Ready].lastTransitionTime';
  const text = `ready ${humanSeconds(seconds)} after the start of container ${container.name}`;
  return {
    words: `; in the present run it has needed ${humanSeconds(seconds)} to become ready`,
    evidence: [
      {
        from: podRef(pod),
        where,
        text,
        ...(ready?.lastTransitionTime === undefined ? {} : { at: ready.lastTransitionTime }),
      },
    ],
  };
}

interface Needed {
  readonly words: string;
  readonly evidence: readonly Omit<Evidence, 'id'>[];
}
