import { type Draft, defineAnalyzer } from '../analyzer.ts';
import type { Ref } from '../finding.ts';
import { type Exit, lastExit, meaningOf } from '../objects/exits.ts';
import { look, shell } from '../objects/kubectl.ts';
import { isOutlived } from '../objects/leftover.ts';
import { inSentence, logIsEmpty, logSignal } from '../objects/log-signal.ts';
import { ownerOf } from '../objects/owner.ts';
import {
  type ContainerView,
  conditionOf,
  containersOf,
  isLiving,
  isTerminal,
  type Pod,
  podRef,
  restartsAfter,
  specListOf,
  troubledPods,
} from '../objects/pods.ts';
import { objectKey } from '../objects/refs.ts';
import { isOverdue } from '../objects/settling.ts';
import { humanSeconds, secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import { type Cause, causeOf } from './exit-cause.ts';
import { hookFails, isAnnounced } from './exit-kill.ts';
import { type Code, rules } from './exit-rules.ts';
import { hangingHook } from './hanging-hook.ts';

type Needs = 'Pod' | 'Event' | 'Log' | 'ReplicaSet' | 'Job' | 'Node';

const DAY_SECONDS = 86_400;
// The kubelet forgets its back-off after a run of ten minutes (kubelet.go, HasExpiredFunc).
const RECOVERED_SECONDS = 600;
// Sooner, a run has to be of another kind than those that failed.
const STEADY_SECONDS = 180;
const STEADY_TIMES = 10;
const STEADY_TIMES_IF_READY = 3;
const HOUR_SECONDS = 3600;
const NODE_START_SECONDS = 120;

export const podExit = defineAnalyzer<Needs, Code>({
  id: 'pod-exit',
  kind: 'Pod',
  title: 'Containers that end, and why',
  needs: ['Pod', 'Event', 'Log', 'ReplicaSet', 'Job', 'Node'],
  rules,
  *analyze(cluster) {
    const ends: End[] = [];
    for (const pod of troubledPods(cluster)) {
      yield* hangingHook(cluster, pod);
      if (!endsMatter(pod)) continue;
      for (const container of containersOf(pod)) {
        if (container.role === 'ephemeral' || (container.role === 'sidecar' && isTerminal(pod))) continue;
        const exit = lastExit(container) ?? forgottenExit(container);
        if (exit === undefined || isStartFailure(exit) || !isFault(cluster, pod, container, exit)) continue;
        ends.push({ pod, container, exit, draft: explain(cluster, pod, container, exit) });
      }
    }
    yield* asReplicas(cluster, ends);
  },
});

interface End {
  readonly pod: Pod;
  readonly container: ContainerView;
  readonly exit: Exit;
  readonly draft: Draft<Code>;
}

/** A first restart that says little by itself says more where other replicas have the same trouble for longer. */
function asReplicas(cluster: View<Needs>, ends: readonly End[]): Draft<Code>[] {
  const keyOf = ({ pod, container, draft }: End) => {
    const owner = ownerOf(cluster, pod);
    return owner && `${objectKey(owner)} ${container.name} ${draft.code}`;
  };
  const proven = new Set(ends.filter(({ draft }) => draft.severity !== 'info').map(keyOf));
  return ends.map((end) => {
    const key = end.draft.severity === 'info' && isFirst(cluster, end) ? keyOf(end) : undefined;
    return key !== undefined && proven.has(key) ? { ...end.draft, severity: 'warning' } : end.draft;
  });
}

const isFirst = (cluster: View<Needs>, { pod, container, exit }: End): boolean => {
  const { state, restartCount = 0 } = container.status ?? {};
  if (!isLiving(pod) || state?.running === undefined || restartCount > 1) return false;
  return !hasRecovered(cluster, pod, container, exit);
};

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

function isFault(cluster: View<Needs>, pod: Pod, container: ContainerView, exit: Exit): boolean {
  const clean = exit.code === 0 && exit.reason !== 'OOMKilled';
  // An application may end with success when the kubelet tells it to for a probe.
  if (!clean || isAnnounced(cluster, pod, container, exit)) return true;
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
    detail: {
      run: previous ? 'previous' : 'current',
      node: pod.spec?.nodeName,
      image: container.spec.image,
      list: specListOf(container.role),
    },
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
    // After a restart of its node a container is started again as soon as its sandbox is made anew.
    const sinceLost = cause.code === 'crash.status-lost' ? secondsBetween(exit.finishedAt, cluster.takenAt) : undefined;
    if (sinceLost !== undefined && sinceLost < NODE_START_SECONDS && restartsAfter(pod, container, exit.code))
      return 'info';
    return exit.from === 'state' || backsOff(container) || hookFails(container) ? undefined : 'info';
  }
  const since = secondsBetween(exit.finishedAt, cluster.takenAt);
  if (since !== undefined && since > DAY_SECONDS) return 'info';
  if (cause.code === 'oom.container-limit' || cause.code === 'oom.node' || cause.goesOn === true) return 'warning';
  // The node or its runtime was restarted, which says nothing of a container that is well since.
  if (cause.code === 'crash.status-lost' && container.status?.ready === true) return 'info';
  const again = (container.status?.restartCount ?? 0) >= 2;
  // An init container is never ready; a run that lasts longer than the one that failed gives hope.
  const ready = container.status?.ready === true || container.role === 'init';
  const runs = runsFor(cluster, container);
  if (container.role === 'init' && isSlow(exit) && runs <= (exit.seconds ?? 0)) return 'warning';
  // If it is not ready after so long, that is another trouble than the one that ended the run before.
  if ((ready || runs >= RECOVERED_SECONDS) && hasRecovered(cluster, pod, container, exit)) return 'info';
  if (ready) return again ? 'warning' : 'info';
  // Not ready yet: give a first restart the time to come up.
  return again || isOverdue(cluster, pod, container) ? 'warning' : 'info';
}

/** So slow that it may fail once in as many minutes, which leaves no time for a second try. */
const isSlow = ({ seconds }: Exit): boolean => seconds !== undefined && seconds >= 60;

const runsFor = (cluster: View<Needs>, { status }: ContainerView): number =>
  secondsBetween(status?.state?.running?.startedAt, cluster.takenAt) ?? 0;

/** Whether the present run shows that what ended the run before is over, as for one that waited for a dependency. */
function hasRecovered(cluster: View<Needs>, pod: Pod, container: ContainerView, exit: Exit): boolean {
  const seconds = runsFor(cluster, container);
  if (seconds >= RECOVERED_SECONDS) return !isCyclic(cluster, pod, container, seconds);
  const times = container.spec.readinessProbe === undefined ? STEADY_TIMES : STEADY_TIMES_IF_READY;
  return exit.seconds !== undefined && seconds >= STEADY_SECONDS && seconds >= times * exit.seconds;
}

/** Whether it has ended every now and then all its life, and its next end is still to come. */
function isCyclic(cluster: View<Needs>, pod: Pod, { status }: ContainerView, seconds: number): boolean {
  const age = secondsBetween(pod.metadata?.creationTimestamp, cluster.takenAt) ?? 0;
  const cycle = age / Math.max(1, status?.restartCount ?? 0);
  return (status?.restartCount ?? 0) >= 3 && cycle <= HOUR_SECONDS && seconds < cycle;
}
