import { type Draft, defineAnalyzer, type Rule, type Where } from '../analyzer.ts';
import type { Evidence, Ref, Step } from '../finding.ts';
import { type EventLine, eventEvidence } from '../objects/events.ts';
import { change, kubectl, kubectlLogs, look, shell } from '../objects/kubectl.ts';
import { inSentence, logSignal } from '../objects/log-signal.ts';
import {
  type ContainerView,
  conditionOf,
  containersOf,
  isLiving,
  type Pod,
  podEvents,
  podRef,
  troubledPods,
} from '../objects/pods.ts';
import { describeProbe, probePort, readProbeOutput, undeclaredPort } from '../objects/probes.ts';
import { describePod, editWorkload, podOf } from '../objects/remedies.ts';
import { isOverdue, isStartingUp } from '../objects/settling.ts';
import { humanSeconds, secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import { startupRule } from './startup-rule.ts';

type Needs = 'Pod' | 'Event' | 'Log';

const PROBER = 'kubelet (prober/worker.go; status.containerStatuses[].ready, event Unhealthy)';

const rule = (
  summary: string,
  source: string,
  remedy: Rule['remedy'],
  severity: Rule['severity'] = 'critical',
): Rule => ({
  severity,
  summary,
  source,
  stage: 'unready',
  remedy,
});

const logs = (w: Where) => look('Read what the application says.', kubectlLogs(w.subject, false));
/** What the kubelet does to the container, done by hand. */
function ask({ subject: { container = '', ...pod }, detail: { port, command } }: Where): Step {
  const namespace = pod.namespace ?? 'default';
  if (command !== undefined) {
    const words: unknown = JSON.parse(command);
    const exec = Array.isArray(words) ? words.map(String) : [];
    const run = shell('kubectl', 'exec', pod.name, '-n', namespace, '-c', container, '--', ...exec);
    return look('Run the command of the probe yourself.', run);
  }
  if (port === undefined) return look('Ask the application what the probe asks it.');
  const forward = shell('kubectl', 'port-forward', `pod/${pod.name}`, '-n', namespace, localPort(port));
  return look('Ask it yourself: forward the port, and call it from a second terminal.', forward);
}

/** Ports below 1024 are the administrator's on most machines. */
const localPort = (port: string): string => (Number(port) < 1024 ? `${8000 + Number(port)}:${port}` : port);

const rules = {
  'probe.readiness': rule('The container runs, but its readiness probe fails.', PROBER, (w) => [
    logs(w),
    ask(w),
    change('Correct port or path of the probe, or mend what the application waits for.', editWorkload(w)),
  ]),
  'probe.startup': startupRule,
  'probe.errored': rule(
    'The probe itself cannot be carried out, so that it neither fails nor succeeds.',
    PROBER,
    (w) => [
      look('See what the probe runs.', describePod(w)),
      change(
        'Put the program that it runs into the image, correct its port name, or use httpGet, tcpSocket or grpc.',
        editWorkload(w),
      ),
    ],
  ),
  'probe.gate': rule(
    'All containers are ready, but a readiness gate of the pod is not.',
    'kubelet (status/generate.go: ReadinessGatesNotReady) and the controller that owns the gate',
    (w) => [
      look(
        'See the condition that the gate waits for.',
        kubectl('get', podOf(w), '-o', 'jsonpath={.status.conditions}'),
      ),
      look('Look at the controller that sets it, often of the load balancer.', shell('kubectl', 'get', 'pods', '-A')),
    ],
    'warning',
  ),
} satisfies Record<string, Rule>;

type Code = keyof typeof rules;

export const podNotReady = defineAnalyzer<Needs, Code>({
  id: 'pod-not-ready',
  kind: 'Pod',
  title: 'Pods that run but are not ready',
  needs: ['Pod', 'Event', 'Log'],
  rules,
  *analyze(cluster) {
    for (const pod of troubledPods(cluster)) {
      if (!isLiving(pod) || conditionOf(pod, 'Ready')?.status === 'True') continue;
      for (const container of containersOf(pod)) yield* unready(cluster, pod, container);
      yield* gates(cluster, pod);
    }
  },
});

function* unready(cluster: View<Needs>, pod: Pod, container: ContainerView): Generator<Draft<Code>> {
  const { role, spec, status } = container;
  const running = status?.state?.running;
  if (running === undefined || status?.ready === true || role === 'init' || role === 'ephemeral') return;
  const starting = isStartingUp(container);
  const probe = starting ? spec.startupProbe : spec.readinessProbe;
  if (probe === undefined || !isOverdue(cluster, pod, container)) return;
  const kind = starting ? 'Startup' : 'Readiness';
  const events = podEvents(cluster, pod).filter(
    (event) => event.reason === 'Unhealthy' && event.container === container.name,
  );
  const failed = events.find((event) => event.message.startsWith(`${kind} probe failed`));
  const errored = events.find((event) => event.message.startsWith(`${kind} probe errored`));
  const isErrored = errored !== undefined && (failed === undefined || (errored.at ?? '') > (failed.at ?? ''));
  yield isErrored || undeclaredPort(probe, spec) !== undefined
    ? cannotProbe(pod, container, kind, errored, running.startedAt)
    : failing(cluster, pod, container, kind, failed, running.startedAt);
}

function failing(
  cluster: View<Needs>,
  pod: Pod,
  container: ContainerView,
  kind: 'Startup' | 'Readiness',
  event: EventLine | undefined,
  startedAt: string | undefined,
): Draft<Code> {
  const subject = podRef(pod, container.name);
  const probe = (kind === 'Startup' ? container.spec.startupProbe : container.spec.readinessProbe) ?? {};
  const output = event?.message.replace(/^\w+ probe failed: /, '') ?? '';
  const reading = readProbeOutput(output, probe, container);
  const since = conditionOf(pod, 'Ready')?.lastTransitionTime ?? startedAt;
  const signal = logSignal(cluster, subject, 'current');
  const quoted = signal?.telling ? ` Its log says: "${inSentence(signal.line.text)}".` : '';
  const port = probePort(probe, container.spec);
  return {
    code: kind === 'Startup' ? 'probe.startup' : 'probe.readiness',
    subject,
    message: `Container ${container.name} runs but is not ready: its ${kind.toLowerCase()} probe (${describeProbe(probe)}) fails${
      reading === undefined ? (output === '' ? '' : `: "${inSentence(output)}"`) : `: ${reading}`
    }.${quoted}`,
    evidence: [
      readyEvidence(subject, container, since),
      ...(event === undefined ? [] : [eventEvidence(subject, event)]),
      ...(signal?.telling ? [signal.evidence] : []),
    ],
    confidence: event === undefined ? 'likely' : undefined,
    check: event === undefined ? look('See what the probe gets.', kubectl('describe', podRef(pod))) : undefined,
    detail: {
      port: port === undefined ? undefined : String(port),
      command: probe.exec?.command && JSON.stringify(probe.exec.command),
    },
    since,
  };
}

const readyEvidence = (
  subject: Ref,
  { path, status }: ContainerView,
  since: string | undefined,
): Omit<Evidence, 'id'> => ({
  from: subject,
  where: path,
  text: `running since ${status?.state?.running?.startedAt ?? 'unknown'}, ready: false, started: ${status?.started ?? 'unknown'}`,
  ...(since === undefined ? {} : { at: since }),
});

function cannotProbe(
  pod: Pod,
  container: ContainerView,
  kind: 'Startup' | 'Readiness',
  event: EventLine | undefined,
  startedAt: string | undefined,
): Draft<Code> {
  const subject = podRef(pod, container.name);
  const field = kind === 'Startup' ? 'startupProbe' : 'readinessProbe';
  const port = undeclaredPort(container.spec[field] ?? {}, container.spec);
  const program = /exec: "([^"]+)"/.exec(event?.message ?? '')?.[1];
  const names = (container.spec.ports ?? []).flatMap(({ name }) => name ?? []);
  const has = names.length === 0 ? 'which names none' : `which names ${names.join(', ')}`;
  const why =
    port !== undefined
      ? `: it asks the port named "${port}" of the container, ${has}`
      : program === undefined
        ? ''
        : `: "${program}" is not in the image`;
  const runs = secondsBetween(startedAt, event?.at);
  return {
    code: 'probe.errored',
    subject,
    message: `The ${kind.toLowerCase()} probe of container ${container.name} cannot be carried out${why}; the container stays unready${runs === undefined || runs < 0 ? '' : `, ${humanSeconds(runs)} after its start`}.`,
    evidence: [
      readyEvidence(subject, container, startedAt),
      ...(event === undefined ? [] : [eventEvidence(subject, event)]),
      ...(port === undefined
        ? []
        : [{ from: subject, where: `${container.specPath}.${field}`, text: `port: ${port}` }]),
    ],
    since: startedAt,
  };
}

/** Readiness gates are the pod's own: only the kubelet's message says which are open. */
function* gates(cluster: View<Needs>, pod: Pod): Generator<Draft<Code>> {
  const ready = conditionOf(pod, 'Ready');
  if (ready?.reason !== 'ReadinessGatesNotReady' || conditionOf(pod, 'ContainersReady')?.status !== 'True') return;
  if ((secondsBetween(conditionOf(pod, 'ContainersReady')?.lastTransitionTime, cluster.takenAt) ?? Infinity) < 60)
    return;
  const open = (pod.spec?.readinessGates ?? [])
    .map(({ conditionType = '' }) => conditionType)
    .filter((type) => conditionOf(pod, type)?.status !== 'True');
  const subject = podRef(pod);
  yield {
    code: 'probe.gate',
    subject,
    message: `All containers of pod ${subject.name} are ready, but its readiness gate ${open.map((gate) => `"${gate}"`).join(', ')} is not True.`,
    evidence: [
      {
        from: subject,
        where: 'status.conditions[Ready]',
        text: ready.message ?? ready.reason,
        ...(ready.lastTransitionTime === undefined ? {} : { at: ready.lastTransitionTime }),
      },
      ...open.map((gate) => ({
        from: subject,
        where: `status.conditions[${gate}]`,
        text: gateText(conditionOf(pod, gate)),
      })),
    ],
    since: ready.lastTransitionTime,
  };
}

const gateText = (condition: ReturnType<typeof conditionOf>): string =>
  condition === undefined
    ? 'no such condition: its controller has not spoken'
    : [condition.status, condition.reason, condition.message].filter((word) => word !== undefined).join(': ');
