import type { Draft } from '../analyzer.ts';
import type { Evidence } from '../finding.ts';
import { type Exit, isAccessViolation, lastExit, meaningOf } from '../objects/exits.ts';
import { look, shell } from '../objects/kubectl.ts';
import { inSentence, type LogSignal } from '../objects/log-signal.ts';
import { ownerOf, podsByOwner } from '../objects/owner.ts';
import { type ContainerView, conditionOf, containersOf, type Pod, podRef } from '../objects/pods.ts';
import { objectKey } from '../objects/refs.ts';
import { memoryLimitOf } from '../objects/resources.ts';
import { humanSeconds } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import { failedHook, killedByKubelet } from './exit-kill.ts';
import type { Code } from './exit-rules.ts';

export type Needs = 'Pod' | 'Event' | 'Node' | 'ReplicaSet' | 'Job';

/** Why a container ended, before it is known whether that still matters. */
export interface Cause {
  readonly code: Code;
  /** Without its full stop. */
  readonly sentence: string;
  readonly evidence: readonly Omit<Evidence, 'id'>[];
  /** Whether the log's last word belongs to the story. */
  readonly quotesLog: boolean;
  /** The run that is under way shows the same trouble. */
  readonly goesOn?: boolean;
  readonly confidence?: Draft['confidence'];
  readonly check?: Draft['check'];
}

/** First match wins: proof of memory, then proof of a kill by the kubelet, then the exit code. */
export function causeOf(
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
    suspectedMemory(cluster, pod, container, exit) ??
    byExitCode(container, exit, signal)
  );
}

function outOfMemory(cluster: View<Needs>, pod: Pod, container: ContainerView, exit: Exit): Cause | undefined {
  if (exit.reason !== 'OOMKilled') return undefined;
  const limit = memoryLimitOf(pod, container.spec);
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
              ...(pressure.lastTransitionTime === undefined ? {} : { at: pressure.lastTransitionTime }),
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

function suspectedMemory(cluster: View<Needs>, pod: Pod, container: ContainerView, exit: Exit): Cause | undefined {
  const limit = memoryLimitOf(pod, container.spec);
  if (exit.code !== 137 || exit.reason !== 'Error' || limit === undefined) return undefined;
  const other = replicaOutOfMemory(cluster, pod, container.name);
  if (other !== undefined) {
    return {
      code: 'oom.container-limit',
      sentence: `Container ${container.name} was killed with SIGKILL under its memory limit of ${limit}, like that of pod ${other.subject.name}, which ran out of memory`,
      evidence: [limitEvidence(pod, container, limit), other.evidence],
      quotesLog: false,
      confidence: 'likely',
    };
  }
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

/** Another replica whose kill the runtime did record as one for memory: the record gets lost now and then (containerd). */
function replicaOutOfMemory(cluster: View<Needs>, pod: Pod, name: string) {
  const owner = ownerOf(cluster, pod);
  for (const other of (owner && podsByOwner(cluster).get(objectKey(owner))) ?? []) {
    const container = containersOf(other).find((one) => one.name === name);
    const exit = container && lastExit(container);
    if (container === undefined || exit?.reason !== 'OOMKilled') continue;
    const subject = podRef(other, name);
    const where = `${container.path}.${exit.from}.terminated`;
    const at = exit.finishedAt === undefined ? {} : { at: exit.finishedAt };
    return { subject, evidence: { from: subject, where, text: `exit code ${exit.code} (OOMKilled)`, ...at } };
  }
  return undefined;
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
        ? `Container ${name} cannot be executed on this node: its program is ${isScript(signal) ? 'a script whose first line names no interpreter (#!)' : 'built for another platform'}`
        : code === 'runtime.exec-not-found'
          ? `Container ${name} cannot be executed: its program, or the interpreter that its first line names, is not in the image (a line that ends in CRLF names another one)`
          : `Container ${name} ends with exit code ${exit.code}${meaning === undefined ? '' : ` (${meaning})`}${ran}${own}`;
  return {
    code,
    sentence,
    evidence: [],
    quotesLog: true,
    ...(code === 'crash.sigkill' || code === 'crash.sigterm' ? { confidence: 'possible' as const } : {}),
  };
}

const isScript = (signal: LogSignal | undefined): boolean => /\.(sh|py|rb|pl):/.test(signal?.line.text ?? '');

function codeOf({ code, reason, message }: Exit, signal: LogSignal | undefined): Code {
  const words = `${message}\n${signal?.line.text ?? ''}`;
  if (/exec format error/i.test(words)) return 'runtime.exec-format';
  // Of the runtime, when the kernel does not find the file or its interpreter.
  if (/^exec \S+: no such file or directory$/m.test(words)) return 'runtime.exec-not-found';
  if (reason === 'seccomp killed') return 'crash.bad-syscall';
  if (isAccessViolation(code)) return 'crash.segfault';
  return codes[code] ?? 'crash.app-error';
}
