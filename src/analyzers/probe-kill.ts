import type { Evidence, Ref } from '../finding.ts';
import { type EventLine, eventEvidence } from '../objects/events.ts';
import type { Exit } from '../objects/exits.ts';
import type { Probe } from '../objects/pod-schema.ts';
import { type ContainerView, conditionOf, type Pod, podRef } from '../objects/pods.ts';
import { budgetSeconds, describeProbe, graceSeconds, readProbeOutput } from '../objects/probes.ts';
import { humanSeconds, isBefore, secondsBetween } from '../objects/time.ts';
import type { Cause } from './exit-cause.ts';

/** The probes for which the kubelet kills. */
export type ProbeCode = 'probe.liveness' | 'probe.startup';

const kinds = { 'probe.liveness': 'Liveness', 'probe.startup': 'Startup' } as const;

export const probeOf = (code: ProbeCode, { spec }: ContainerView): Probe | undefined =>
  code === 'probe.liveness' ? spec.livenessProbe : spec.startupProbe;

/** The newest event that says that the probe fails. */
export const failureOf = (code: ProbeCode, events: readonly EventLine[]): EventLine | undefined =>
  events.find((event) => event.reason === 'Unhealthy' && event.message.startsWith(`${kinds[code]} probe failed`));

/** That the kubelet killed the container for a probe, whether that is certain or not. `unhealthy` says how it fails. */
export function probeKill(
  pod: Pod,
  container: ContainerView,
  exit: Exit,
  code: ProbeCode,
  unhealthy: EventLine | undefined,
): Cause {
  const subject = podRef(pod, container.name);
  const probe = probeOf(code, container);
  const output = unhealthy?.message.replace(/^\w+ probe failed: /, '') ?? '';
  const needed = neededNow(pod, container, probe);
  return {
    code,
    sentence: `${sentence(code, pod, container, exit, readProbeOutput(output, probe, container))}${needed.words}`,
    evidence: [
      ...(unhealthy === undefined ? [] : [eventEvidence(subject, unhealthy)]),
      ...(probe === undefined ? [] : [settings(subject, code, probe, container)]),
      ...needed.evidence,
    ],
    quotesLog: false,
    goesOn: goesOn(code, container, unhealthy),
  };
}

function sentence(
  code: ProbeCode,
  pod: Pod,
  container: ContainerView,
  exit: Exit,
  reading: string | undefined,
): string {
  const probe = probeOf(code, container);
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

function settings(subject: Ref, code: ProbeCode, probe: Probe, { specPath }: ContainerView): Omit<Evidence, 'id'> {
  const field = code === 'probe.liveness' ? 'livenessProbe' : 'startupProbe';
  const numbers = `initialDelaySeconds ${probe.initialDelaySeconds ?? 0}, periodSeconds ${probe.periodSeconds ?? 10}, timeoutSeconds ${probe.timeoutSeconds ?? 1}, failureThreshold ${probe.failureThreshold ?? 3}`;
  return {
    from: subject,
    where: `${specPath}.${field}`,
    text: `${describeProbe(probe)}; ${numbers}: gives up after ${humanSeconds(budgetSeconds(probe))}`,
  };
}

/** Whether the run that is under way shows the same trouble. */
const goesOn = (code: ProbeCode, { status }: ContainerView, unhealthy: EventLine | undefined): boolean =>
  code === 'probe.startup' ? status?.started !== true : isBefore(status?.state?.running?.startedAt, unhealthy?.at);

interface Needed {
  readonly words: string;
  readonly evidence: readonly Omit<Evidence, 'id'>[];
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
