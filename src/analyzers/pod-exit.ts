import { type Draft, defineAnalyzer, type Rule, type Where } from '../analyzer.ts';
import type { Evidence, Ref } from '../finding.ts';
import { type EventLine, eventEvidence } from '../objects/events.ts';
import { type Exit, isAccessViolation, lastExit, meaningOf } from '../objects/exits.ts';
import { change, kubectl, kubectlLogs, look, shell } from '../objects/kubectl.ts';
import { isOutlived } from '../objects/leftover.ts';
import { inSentence, type LogSignal, logIsEmpty, logSignal } from '../objects/log-signal.ts';
import {
  type ContainerView,
  conditionOf,
  containersOf,
  isLiving,
  isTerminal,
  type Pod,
  podEvents,
  podRef,
  restartsAfter,
  troubledPods,
} from '../objects/pods.ts';
import {
  budgetSeconds,
  describeProbe,
  graceSeconds,
  lastedAsLongAsProbe,
  readProbeOutput,
  readyBudgetSeconds,
} from '../objects/probes.ts';
import { editWorkload, podOf } from '../objects/remedies.ts';
import { humanSeconds, secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import { execFormatRule } from './exec-format-rule.ts';
import { startupRule } from './startup-rule.ts';

type Needs = 'Pod' | 'Event' | 'Log' | 'ReplicaSet' | 'Job' | 'Node';

const RUNTIME = 'container runtime, through the kubelet (status.containerStatuses[].state.terminated)';
const PROBER = 'kubelet (prober, kuberuntime_manager.go: event Killing)';

const rule = (stage: Rule['stage'], source: string, summary: string, remedy: Rule['remedy']): Rule => ({
  severity: 'critical',
  summary,
  source,
  stage,
  remedy,
});

const logs = (w: Where): string => kubectlLogs(w.subject, w.detail['run'] === 'previous');
const readLog = (w: Where) => look('Read what it said before it ended.', logs(w));
const command = (w: Where) =>
  look(
    'See which command it runs.',
    kubectl('get', podOf(w), '-o', `jsonpath={.spec.containers[*]['name','command','args']}`),
  );

const rules = {
  'oom.container-limit': rule(
    'oom',
    RUNTIME,
    'The container used more memory than its limit allows and was killed.',
    (w) => [
      look(
        'See what it uses now, next to its limit.',
        shell('kubectl', 'top', 'pod', w.subject.name, '-n', w.subject.namespace ?? 'default', '--containers'),
      ),
      readLog(w),
      change(
        'Raise limits.memory above the measured peak, or make the heap fit the limit (-XX:MaxRAMPercentage, --max-old-space-size).',
        editWorkload(w),
      ),
    ],
  ),
  'oom.node': rule(
    'oom',
    RUNTIME,
    'The container has no memory limit and was killed because its node ran out of memory.',
    (w) => [
      look('See how full the node is.', w.detail['node'] && shell('kubectl', 'describe', `node/${w.detail['node']}`)),
      look(
        'See who uses the memory there.',
        w.detail['node'] &&
          shell('kubectl', 'get', 'pods', '-A', '-o', 'wide', '--field-selector', `spec.nodeName=${w.detail['node']}`),
      ),
      change('Give the pods on it memory requests and limits, or move some away.', editWorkload(w)),
    ],
  ),
  'oom.suspected': rule(
    'oom',
    RUNTIME,
    'The container was killed with SIGKILL under a memory limit, and nothing else explains it.',
    (w) => [
      look(
        'See what it uses now, next to its limit.',
        shell('kubectl', 'top', 'pod', w.subject.name, '-n', w.subject.namespace ?? 'default', '--containers'),
      ),
      look("On the node, look for the kernel's own record.", `dmesg | grep -i 'killed process'`),
      change('If it ran out of memory, raise limits.memory.', editWorkload(w)),
    ],
  ),
  'probe.liveness': rule(
    'probe-kill',
    PROBER,
    'The kubelet restarts the container because its liveness probe fails.',
    (w) => [
      look('See what the probe asks and how long it waits.', kubectl('describe', podOf(w))),
      readLog(w),
      change(
        'Correct port or path of the probe, or give the start more time with a startupProbe or a higher failureThreshold.',
        editWorkload(w),
      ),
    ],
  ),
  'probe.startup': startupRule,
  'hook.post-start': rule(
    'probe-kill',
    'kubelet (lifecycle/handlers.go: event FailedPostStartHook)',
    'The postStart hook fails, and the kubelet kills the container for it.',
    (w) => [
      look('See the hook.', kubectl('get', podOf(w), '-o', 'jsonpath={.spec.containers[*].lifecycle.postStart}')),
      readLog(w),
      change('Correct the hook, or do its work in the container itself.', editWorkload(w)),
    ],
  ),
  'crash.app-error': rule('exit', RUNTIME, 'The application ends with an error of its own.', (w) => [
    readLog(w),
    look('Compare configuration, environment and what it depends on.', kubectl('describe', podOf(w))),
    change('Correct them where the log points.', editWorkload(w)),
  ]),
  'crash.command-not-found': rule(
    'exit',
    RUNTIME,
    'The shell does not find the command, or a shared library is missing.',
    (w) => [readLog(w), command(w), change('Correct the command, or put the program into the image.', editWorkload(w))],
  ),
  'crash.not-executable': rule('exit', RUNTIME, 'The command was found but cannot be executed.', (w) => [
    readLog(w),
    command(w),
    change('Make the file executable in the image, and see that its interpreter exists.', editWorkload(w)),
  ]),
  'runtime.exec-format': execFormatRule,
  'crash.segfault': rule('exit', RUNTIME, 'The process touched memory that is not its own (SIGSEGV).', (w) => [
    readLog(w),
    change('Run the version that worked before, and look for the native library or build that changed.', undo(w)),
  ]),
  'crash.abort': rule('exit', RUNTIME, 'The process aborted itself (SIGABRT).', (w) => [
    readLog(w),
    change('Correct what it complains about; for a full heap, raise the heap or its limit.', editWorkload(w)),
  ]),
  'crash.illegal-instruction': rule(
    'exit',
    RUNTIME,
    'The process used an instruction that the CPU does not have (SIGILL).',
    (w) => [
      look(
        'See which node and CPU it runs on.',
        w.detail['node'] && shell('kubectl', 'describe', `node/${w.detail['node']}`),
      ),
      change('Use a build for that CPU, or nodes that have the instruction.', editWorkload(w)),
    ],
  ),
  'crash.bus-error': rule(
    'exit',
    RUNTIME,
    'The process touched mapped memory that is not backed (SIGBUS), often a full /dev/shm.',
    (w) => [readLog(w), change('Mount an emptyDir with medium Memory on /dev/shm and give it room.', editWorkload(w))],
  ),
  'crash.bad-syscall': rule(
    'exit',
    RUNTIME,
    'The process made a system call that its seccomp profile forbids (SIGSYS).',
    (w) => [
      look('See the seccomp profile.', kubectl('get', podOf(w), '-o', 'jsonpath={..seccompProfile}')),
      change('Allow the call in the profile.', editWorkload(w)),
    ],
  ),
  'crash.sigkill': rule(
    'exit',
    RUNTIME,
    'The process was killed from outside (SIGKILL), and nothing says by whom.',
    (w) => [
      readLog(w),
      look("On the node, look for the kernel's and the runtime's own records.", `dmesg | grep -i 'killed process'`),
      change('Set a memory limit, so that an out-of-memory kill is recorded.', editWorkload(w)),
    ],
  ),
  'crash.sigterm': rule(
    'exit',
    RUNTIME,
    'The process was told to end (SIGTERM) though the pod was not being deleted.',
    (w) => [
      look(
        'See what happened to the pod.',
        shell('kubectl', 'events', '--for', `pod/${w.subject.name}`, '-n', w.subject.namespace ?? 'default'),
      ),
      readLog(w),
    ],
  ),
  'crash.completed-loop': rule(
    'exit',
    RUNTIME,
    'The process ends by itself with success, and is restarted because the pod wants it to run for ever.',
    (w) => [
      command(w),
      readLog(w),
      change('Run the program in the foreground, or make it a Job if it is meant to end.', editWorkload(w)),
    ],
  ),
  'crash.status-lost': rule(
    'exit',
    'kubelet (kubelet_pods.go) or containerd',
    'The runtime lost the container, so that how it ended is not known.',
    (w) => [
      look(
        'See whether the node or its runtime was restarted.',
        w.detail['node'] && shell('kubectl', 'describe', `node/${w.detail['node']}`),
      ),
      readLog(w),
    ],
  ),
} satisfies Record<string, Rule>;

const undo = ({ owner }: Where): string | undefined =>
  owner === undefined || !['Deployment', 'StatefulSet', 'DaemonSet'].includes(owner.kind)
    ? undefined
    : kubectl('rollout undo', owner);

type Code = keyof typeof rules;

const DAY_SECONDS = 86_400;
// The kubelet forgets its back-off after a run of ten minutes (kubelet.go, HasExpiredFunc).
const RECOVERED_SECONDS = 600;
// Sooner, a run has to be of another kind than those that failed.
const STEADY_SECONDS = 180;
const STEADY_TIMES = 10;

export const podExit = defineAnalyzer<Needs, Code>({
  id: 'pod-exit',
  kind: 'Pod',
  title: 'Containers that end, and why',
  needs: ['Pod', 'Event', 'Log', 'ReplicaSet', 'Job', 'Node'],
  rules,
  *analyze(cluster) {
    for (const pod of troubledPods(cluster)) {
      if (!endsMatter(pod)) continue;
      for (const container of containersOf(pod)) {
        if (container.role === 'ephemeral' || (container.role === 'sidecar' && isTerminal(pod))) continue;
        const exit = lastExit(container) ?? forgottenExit(container);
        if (exit === undefined || isStartFailure(exit) || !isFault(pod, container, exit)) continue;
        yield explain(cluster, pod, container, exit);
      }
    }
  },
});

/** Pods that still run, or failed by their own containers; others ended for a reason of the pod or its node. */
function endsMatter(pod: Pod): boolean {
  if (isLiving(pod)) return true;
  if (pod.metadata?.deletionTimestamp !== undefined || pod.status?.phase !== 'Failed') return false;
  return pod.status.reason === undefined && conditionOf(pod, 'DisruptionTarget')?.status !== 'True';
}

/** The runtime could not start it (`pod-container-start` reads those), or the kubelet restarts all containers by rule. */
const isStartFailure = ({ reason, code, message }: Exit): boolean =>
  reason === 'StartError' ||
  reason === 'ContainerCannotRun' ||
  reason === 'RestartingAllContainers' ||
  (code === 128 && /OCI runtime|failed to (create|start)/.test(message));

const hookFails = ({ status }: ContainerView): boolean => status?.state?.waiting?.reason === 'PostStartHookError';

const backsOff = ({ status }: ContainerView): boolean => status?.state?.waiting?.reason === 'CrashLoopBackOff';

/** In CrashLoopBackOff, and the record of the run before is gone, as after a restart of the runtime. */
function forgottenExit(container: ContainerView): Exit | undefined {
  if (!backsOff(container) && !hookFails(container)) return undefined;
  const unknown = { startedAt: undefined, finishedAt: undefined, seconds: undefined };
  return {
    code: 255,
    reason: 'Unknown',
    message: container.status?.state?.waiting?.message ?? '',
    from: 'lastState',
    ...unknown,
  };
}

function isFault(pod: Pod, container: ContainerView, exit: Exit): boolean {
  const clean = exit.code === 0 && exit.reason !== 'OOMKilled';
  if (!clean) return true;
  if (exit.from === 'state' && !restartsAfter(pod, container, 0)) return false;
  // A first end with success may be a start-up quirk; a second one is a habit.
  return container.role !== 'init' && (backsOff(container) || (container.status?.restartCount ?? 0) >= 2);
}

function explain(cluster: View<Needs>, pod: Pod, container: ContainerView, exit: Exit): Draft<Code> {
  const subject = podRef(pod, container.name);
  const previous = exit.from === 'lastState';
  const signal = logSignal(cluster, subject, previous ? 'previous' : 'current');
  const cause = causeOf(cluster, pod, container, exit, signal);
  const quoted = signal?.telling && cause.quotesLog ? ` Its log says: "${inSentence(signal.line.text)}".` : '';
  const silent = cause.quotesLog && logIsEmpty(cluster, subject) ? ' It wrote no output.' : '';
  return {
    code: cause.code,
    subject,
    message: `${cause.sentence}${restarts(container)}.${quoted}${silent}`,
    evidence: [
      {
        from: subject,
        where: `${container.path}.${exit.from}.terminated`,
        text: exitText(exit),
        ...at(exit.finishedAt),
      },
      ...cause.evidence,
      ...(signal !== undefined ? [signal.evidence] : []),
    ],
    severity: severityOf(cluster, pod, container, exit, cause),
    confidence: cause.confidence,
    check: cause.check ?? (cause.confidence === undefined ? undefined : whoKilled(subject)),
    detail: { run: previous ? 'previous' : 'current', node: pod.spec?.nodeName, image: container.spec.image },
    since: exit.finishedAt,
  };
}

const whoKilled = (pod: Ref) =>
  look(
    'See what else happened to the pod.',
    shell('kubectl', 'events', '--for', `pod/${pod.name}`, '-n', pod.namespace ?? 'default'),
  );

const at = (time: string | undefined) => (time === undefined ? {} : { at: time });

function exitText({ code, reason, message, seconds }: Exit): string {
  const ran = seconds === undefined ? '' : ` after ${humanSeconds(seconds)}`;
  const words = message.trim() === '' ? '' : `: ${message.trim()}`;
  return `exit code ${code} (${reason || meaningOf(code) || 'no reason'})${ran}${words}`;
}

function restarts({ status }: ContainerView): string {
  const count = status?.restartCount ?? 0;
  const waiting = status?.state?.waiting?.reason === 'CrashLoopBackOff' ? ', now waiting in CrashLoopBackOff' : '';
  return count === 0 ? '' : ` (${count} ${count === 1 ? 'restart' : 'restarts'}${waiting})`;
}

interface Cause {
  readonly code: Code;
  /** Without its full stop. */
  readonly sentence: string;
  readonly evidence: readonly Omit<Evidence, 'id'>[];
  /** Whether the log's last word belongs to the story. */
  readonly quotesLog: boolean;
  readonly confidence?: Draft['confidence'];
  readonly check?: Draft['check'];
}

/** First match wins: proof of memory, then proof of a kill by the kubelet, then the exit code. */
function causeOf(
  cluster: View<Needs>,
  pod: Pod,
  container: ContainerView,
  exit: Exit,
  signal: LogSignal | undefined,
): Cause {
  return (
    outOfMemory(cluster, pod, container, exit) ??
    failedHook(pod, container) ??
    lost(container, exit) ??
    killedByKubelet(cluster, pod, container, exit) ??
    suspectedMemory(pod, container, exit) ??
    byExitCode(container, exit, signal)
  );
}

function memoryLimit(pod: Pod, container: ContainerView): string | undefined {
  return container.spec.resources?.limits?.['memory'] ?? pod.spec?.resources?.limits?.['memory'];
}

function outOfMemory(cluster: View<Needs>, pod: Pod, container: ContainerView, exit: Exit): Cause | undefined {
  if (exit.reason !== 'OOMKilled') return undefined;
  const limit = memoryLimit(pod, container);
  const child = exit.code === 137 ? '' : ` (a child process was killed; the main one ended with code ${exit.code})`;
  if (limit !== undefined) {
    return {
      code: 'oom.container-limit',
      sentence: `Container ${container.name} ran out of memory: it was killed at its limit of ${limit}${child}`,
      evidence: [limitEvidence(pod, container, limit)],
      quotesLog: false,
    };
  }
  const node = pod.spec?.nodeName ?? '';
  const pressure = conditionOf(cluster.get('Node', node) ?? {}, 'MemoryPressure');
  return {
    code: 'oom.node',
    sentence: `Container ${container.name} has no memory limit and was killed because node ${node} ran out of memory${child}`,
    evidence:
      pressure?.status === 'True'
        ? [
            {
              from: { kind: 'Node', name: node },
              where: 'status.conditions[MemoryPressure]',
              text: pressure.message ?? 'True',
              ...at(pressure.lastTransitionTime),
            },
          ]
        : [],
    quotesLog: false,
  };
}

const limitEvidence = (pod: Pod, container: ContainerView, limit: string): Omit<Evidence, 'id'> => ({
  from: podRef(pod, container.name),
  where: 'spec.containers[].resources.limits.memory',
  text: limit,
});

/** The kubelet's and containerd's words for a container whose record is gone; their exit codes are made up. */
function lost(container: ContainerView, exit: Exit): Cause | undefined {
  if (exit.reason !== 'ContainerStatusUnknown' && !(exit.reason === 'Unknown' && exit.code === 255)) return undefined;
  return {
    code: 'crash.status-lost',
    sentence: `How container ${container.name} ended is not known: the runtime lost it, as after a restart of the node or of the runtime`,
    evidence: [],
    quotesLog: false,
  };
}

const KILLS: readonly (readonly [Code, RegExp])[] = [
  ['probe.liveness', /failed liveness probe/],
  ['probe.startup', /failed startup probe/],
  ['hook.post-start', /FailedPostStartHook|PostStartHook/],
];

const PROBE_OF = { 'probe.liveness': 'Liveness', 'probe.startup': 'Startup' } as const;

function killedByKubelet(cluster: View<Needs>, pod: Pod, container: ContainerView, exit: Exit): Cause | undefined {
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

const failedHook = (pod: Pod, container: ContainerView): Cause | undefined =>
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
  return {
    code,
    sentence: probeSentence(code, pod, container, exit, reading),
    evidence: [
      eventEvidence(subject, kill),
      ...(unhealthy === undefined ? [] : [eventEvidence(subject, unhealthy)]),
      ...(probe === undefined ? [] : [probeEvidence(subject, code, container)]),
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

function suspectedMemory(pod: Pod, container: ContainerView, exit: Exit): Cause | undefined {
  const limit = memoryLimit(pod, container);
  if (exit.code !== 137 || exit.reason !== 'Error' || limit === undefined) return undefined;
  return {
    code: 'oom.suspected',
    sentence: `Container ${container.name} was killed with SIGKILL; it has a memory limit of ${limit}, and nothing else on record would explain the kill`,
    evidence: [limitEvidence(pod, container, limit)],
    quotesLog: true,
    confidence: 'possible',
    check: look(
      'Compare what it uses with its limit.',
      shell(
        'kubectl',
        'top',
        'pod',
        pod.metadata?.name ?? '',
        '-n',
        pod.metadata?.namespace ?? 'default',
        '--containers',
      ),
    ),
  };
}

const codes: Readonly<Record<number, Code | undefined>> = {
  0: 'crash.completed-loop',
  126: 'crash.not-executable',
  127: 'crash.command-not-found',
  132: 'crash.illegal-instruction',
  134: 'crash.abort',
  135: 'crash.bus-error',
  137: 'crash.sigkill',
  139: 'crash.segfault',
  143: 'crash.sigterm',
  159: 'crash.bad-syscall',
};

function byExitCode({ name }: ContainerView, exit: Exit, signal: LogSignal | undefined): Cause {
  const code = codeOf(exit, signal);
  const ran = exit.seconds === undefined ? '' : ` after ${humanSeconds(exit.seconds)}`;
  const meaning = meaningOf(exit.code);
  const own =
    exit.message.trim() === ''
      ? ''
      : `; its termination message: "${inSentence(exit.message.trim().split('\n').at(-1) ?? '')}"`;
  const sentence =
    code === 'crash.completed-loop'
      ? `Container ${name} ends with success${ran} and is started again, because the pod wants it to run for ever`
      : code === 'runtime.exec-format'
        ? `Container ${name} cannot be executed on this node: its program is built for another platform`
        : `Container ${name} ends with exit code ${exit.code}${meaning === undefined ? '' : ` (${meaning})`}${ran}${own}`;
  return {
    code,
    sentence,
    evidence: [],
    quotesLog: true,
    ...(code === 'crash.sigkill' || code === 'crash.sigterm' ? { confidence: 'possible' as const } : {}),
  };
}

function codeOf({ code, reason, message }: Exit, signal: LogSignal | undefined): Code {
  const words = `${message}\n${signal?.line.text ?? ''}`;
  if (/exec format error/.test(words)) return 'runtime.exec-format';
  if (reason === 'seccomp killed') return 'crash.bad-syscall';
  if (isAccessViolation(code)) return 'crash.segfault';
  return codes[code] ?? 'crash.app-error';
}

/** A container that has recovered, or a pod that something newer has replaced, is no fault any more. */
function severityOf(
  cluster: View<Needs>,
  pod: Pod,
  container: ContainerView,
  exit: Exit,
  cause: Cause,
): Draft['severity'] {
  if (isTerminal(pod)) return isOutlived(cluster, pod) ? 'info' : undefined;
  const running = container.status?.state?.running;
  // Between two runs: in back-off, or down for good. Anything else it waits for is another analyzer's to explain.
  if (running === undefined) {
    return exit.from === 'state' || backsOff(container) || hookFails(container) ? undefined : 'info';
  }
  const since = secondsBetween(exit.finishedAt, cluster.takenAt);
  if (since !== undefined && since > DAY_SECONDS) return 'info';
  if (cause.code === 'oom.container-limit' || cause.code === 'oom.node') return 'warning';
  const runs = secondsBetween(running.startedAt, cluster.takenAt) ?? 0;
  const again = (container.status?.restartCount ?? 0) >= 2;
  const ready = container.status?.ready === true || container.role === 'init';
  if (ready) return again && !hasRecovered(exit, runs) ? 'warning' : 'info';
  // Not ready yet: give a first restart the time to come up.
  return again || runs > readyBudgetSeconds(container.spec) ? 'warning' : 'info';
}

/** Whether a run of `seconds` shows that what ended the run before is over, as for one that waited for a dependency. */
const hasRecovered = (exit: Exit, seconds: number): boolean =>
  seconds >= RECOVERED_SECONDS ||
  (exit.seconds !== undefined && seconds >= STEADY_SECONDS && seconds >= STEADY_TIMES * exit.seconds);
