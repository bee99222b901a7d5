import { type Draft, defineAnalyzer } from '../analyzer.ts';
import type { Confidence, Evidence } from '../finding.ts';
import { selectedNodeOf } from '../objects/claims.ts';
import { eventEvidence } from '../objects/events.ts';
import { type FitNeeds, keyOf } from '../objects/fits.ts';
import { type Placement, placementOf } from '../objects/placement.ts';
import { conditionOf, isLiving, type Pod, podEvents, podRef, troubledPods } from '../objects/pods.ts';
import { objectKey } from '../objects/refs.ts';
import { parseSchedulerMessage, type SchedulerMessage } from '../objects/scheduler-message.ts';
import { schedulerWordsOf } from '../objects/scheduler-words.ts';
import { didYouMean } from '../objects/suggest.ts';
import { humanSeconds, secondsBetween } from '../objects/time.ts';
import { claimsOf } from '../objects/volumes.ts';
import type { View } from '../snapshot.ts';
import type { Words } from './scheduling-case.ts';
import { deviceWords } from './scheduling-devices.ts';
import { othersSentence } from './scheduling-others.ts';
import { rules, type SchedulingCode } from './scheduling-rules.ts';
import { type Schedulers, unseen } from './scheduling-unseen.ts';
import { wordsOf } from './scheduling-words.ts';

type Needs = FitNeeds | 'Event';
type Fact = Omit<Evidence, 'id'>;

/** A pod is given this long before its waiting means anything. */
const FRESH_SECONDS = 15;
const NO_SCHEDULER_SECONDS = 30;
/** The scheduler meets errors in passing, when objects change under its hands. */
const ERROR_SECONDS = 60;
const PREEMPTION_SECONDS = 120;
const SCALE_UP_SECONDS = 600;
/** The scheduler itself gives volumes and devices this long (bindTimeoutSeconds). */
const BIND_SECONDS = 600;
const GATED_SECONDS = 3600;

export const podScheduling = defineAnalyzer<Needs, SchedulingCode>({
  id: 'pod-scheduling',
  kind: 'Pod',
  title: 'Pods that no node can take, and what stops them on the nodes they could use',
  needs: ['Pod', 'Event', 'Node', 'Namespace', 'PersistentVolumeClaim', 'PersistentVolume'],
  rules,
  *analyze(cluster) {
    const session: Session = { cluster, alike: new Map(), schedulers: new Map() };
    for (const pod of troubledPods(cluster)) {
      if (!isLiving(pod)) continue;
      if (pod.spec?.nodeName !== undefined) yield* unknownNode(cluster, pod, pod.spec.nodeName);
      else if (isGated(pod)) yield gated(cluster, pod);
      else yield* waiting(session, pod);
    }
  },
});

interface Cause extends Words {
  readonly code: SchedulingCode;
  readonly confidence: Confidence;
  /** The first of the pods that are alike. */
  readonly pod: Pod;
}

/** What is worked out once for all pods that are alike. */
interface Session {
  readonly cluster: View<Needs>;
  readonly alike: Map<string, Cause | undefined>;
  readonly schedulers: Schedulers;
}

const isGated = (pod: Pod): boolean =>
  conditionOf(pod, 'PodScheduled')?.reason === 'SchedulingGated' || (pod.spec?.schedulingGates?.length ?? 0) > 0;

const age = (cluster: View<Needs>, since: string | undefined): number => secondsBetween(since, cluster.takenAt) ?? 0;

function* waiting(session: Session, pod: Pod): Generator<Draft<SchedulingCode>> {
  const { cluster } = session;
  const condition = conditionOf(pod, 'PodScheduled');
  if (condition?.status === 'True') return;
  const since = condition?.lastTransitionTime ?? pod.metadata?.creationTimestamp;
  if (age(cluster, since) < FRESH_SECONDS) return;
  const words = schedulerWordsOf(cluster, pod);
  if (words === undefined) {
    if (age(cluster, since) >= NO_SCHEDULER_SECONDS && !isBeingBound(cluster, pod) && !isHeardOf(cluster, pod))
      yield* unseen(cluster, session.schedulers, pod);
    return;
  }
  const cause = causeOf(session, pod, words.text, condition?.reason);
  if (cause === undefined) return;
  if (cause.code === 'sched.scheduler-error' && age(cluster, since) < ERROR_SECONDS) return;
  const hints = hintsOf(cluster, pod, since);
  yield {
    code: cause.code,
    subject: podRef(pod),
    message: `Pod ${pod.metadata?.name} cannot be scheduled. ${cause.text}${hints.text}`,
    evidence: [...words.evidence, ...factsFor(pod, cause), ...hints.evidence],
    severity: hints.wait ? 'info' : undefined,
    confidence: cause.confidence,
    check:
      cause.confidence === 'certain'
        ? undefined
        : rules[cause.code].remedy({ subject: podRef(pod), detail: cause.detail })[0],
    detail: cause.detail,
    suspects: cause.suspects,
    explainedBy: cause.explainedBy,
    fault: cause.code === 'sched.no-nodes' ? 'no-nodes' : cause.fault,
    since,
  };
}

/** Whether the scheduler of the pod, which may be one of a provider's own words, has said anything of it. */
const isHeardOf = (cluster: View<Needs>, pod: Pod): boolean =>
  podEvents(cluster, pod).some(({ source }) => source === (pod.spec?.schedulerName ?? 'default-scheduler'));

/**
 * Whether the scheduler has chosen a node and waits for the volumes there. A claim that is bound keeps the name of the
 * node that was once chosen for it.
 */
function isBeingBound(cluster: View<Needs>, pod: Pod): boolean {
  const chosen = claimsOf(pod).some((name) => {
    const claim = cluster.get('PersistentVolumeClaim', name, pod.metadata?.namespace);
    return claim !== undefined && claim.status?.phase !== 'Bound' && selectedNodeOf(claim) !== undefined;
  });
  const nominated = pod.status?.nominatedNodeName !== undefined;
  return chosen || (nominated && age(cluster, pod.metadata?.creationTimestamp) < BIND_SECONDS);
}

/** The facts of a cause that was found for a pod like this one: they hold of this one's own fields. */
function factsFor(pod: Pod, cause: Cause): readonly Fact[] {
  const first = objectKey(podRef(cause.pod));
  return cause.evidence.map((fact) => (objectKey(fact.from) === first ? { ...fact, from: podRef(pod) } : fact));
}

function confidenceOf(placement: Placement): Confidence {
  if (placement.sure) return 'certain';
  return placement.from === 'computed' ? 'likely' : 'possible';
}

/** The cause; undefined where it lies with a claim, which `claim-binding` looks at, or where nothing is wrong. */
function causeOf({ cluster, alike }: Session, pod: Pod, text: string, reason: string | undefined): Cause | undefined {
  const said = text === '' ? undefined : parseSchedulerMessage(text);
  if (said?.form === 'deleting') return undefined;
  if (said?.form === 'no-nodes') return plain(pod, 'sched.no-nodes', 'The cluster has no nodes.');
  if (said?.form === 'free') {
    const code =
      reason === 'SchedulerError' || /plugin "|binding/.test(text) ? 'sched.scheduler-error' : 'sched.unknown';
    return plain(pod, code, `The scheduler says "${text}".`);
  }
  if (said?.form === 'pod' && !said.reasons.some(({ code }) => code === 'sched.node-affinity')) {
    const { code, text: words } = said.reasons[0] ?? { code: 'sched.unknown', text: '' };
    if (!isOurs(code)) return undefined;
    const cause = plain(pod, code, `The scheduler says "${words}".`);
    return code === 'sched.dra' ? { ...cause, ...deviceWords(pod, cause.text) } : cause;
  }
  const key = `${keyOf(cluster, pod)}${text}`;
  if (!alike.has(key)) alike.set(key, placedCause(cluster, pod, text, said));
  return alike.get(key);
}

const plain = (pod: Pod, code: SchedulingCode, text: string): Cause => ({
  code,
  text,
  evidence: [],
  detail: {},
  confidence: 'certain',
  pod,
});

/** The cause as nodes and pods tell, on which much depends: worked out for the first of the pods that are alike. */
function placedCause(
  cluster: View<Needs>,
  pod: Pod,
  text: string,
  said: SchedulerMessage | undefined,
): Cause | undefined {
  const placement = placementOf(cluster, pod, said);
  if (placement === undefined) {
    const code = said?.form === 'pod' ? 'sched.node-affinity' : 'sched.unknown';
    return plain(pod, code, text === '' ? 'The scheduler gives no reason.' : `The scheduler says "${text}".`);
  }
  if (!isOurs(placement.code)) return undefined;
  const words = wordsOf({ cluster, pod, placement, said });
  return {
    ...words,
    text: `${words.text}${othersSentence(cluster, pod, placement)}`,
    code: placement.code,
    confidence: confidenceOf(placement),
    pod,
  };
}

const isOurs = (code: string): code is SchedulingCode => Object.hasOwn(rules, code);

interface Hints {
  /** Help is under way: nothing is wrong yet. */
  readonly wait: boolean;
  readonly text: string;
  readonly evidence: readonly Fact[];
}

/** What preemption and the autoscalers do about it. */
function hintsOf(cluster: View<Needs>, pod: Pod, since: string | undefined): Hints {
  const from = podRef(pod);
  const nominated = pod.status?.nominatedNodeName;
  if (nominated !== undefined && age(cluster, since) < PREEMPTION_SECONDS) {
    return { wait: true, text: ` Pods of lower priority are being removed from ${nominated} for it.`, evidence: [] };
  }
  const events = podEvents(cluster, pod);
  const help = events.find(({ reason }) => reason === 'TriggeredScaleUp' || reason === 'Nominated');
  const refusal = events.find(
    ({ reason, source }) => reason === 'NotTriggerScaleUp' || (reason === 'FailedScheduling' && source === 'karpenter'),
  );
  const newest = (secondsBetween(help?.at, refusal?.at) ?? -1) > 0 ? refusal : (help ?? refusal);
  if (newest === undefined) return { wait: false, text: '', evidence: [] };
  const evidence = [eventEvidence(from, newest)];
  if (newest === refusal) return { wait: false, text: ' The autoscaler adds no node for it.', evidence };
  const seconds = age(cluster, newest.at);
  if (seconds < SCALE_UP_SECONDS) return { wait: true, text: ' The autoscaler is adding a node for it.', evidence };
  return {
    wait: false,
    text: ` The autoscaler began to add a node ${humanSeconds(seconds)} ago, and it has not helped.`,
    evidence,
  };
}

function gated(cluster: View<Needs>, pod: Pod): Draft<SchedulingCode> {
  const gates = (pod.spec?.schedulingGates ?? []).map(({ name = '' }) => name);
  const seconds = age(cluster, pod.metadata?.creationTimestamp);
  return {
    code: 'sched.gated',
    subject: podRef(pod),
    message: `Pod ${pod.metadata?.name} has been held back by ${gates.length === 1 ? 'the scheduling gate' : 'scheduling gates'} ${gates.join(', ')} for ${humanSeconds(seconds)}; a controller has to remove ${gates.length === 1 ? 'it' : 'them'}.`,
    evidence: [
      { from: podRef(pod), where: 'spec.schedulingGates', text: gates.join(', ') },
      ...(schedulerWordsOf(cluster, pod)?.evidence ?? []),
    ],
    severity: seconds > GATED_SECONDS ? 'warning' : undefined,
    since: pod.metadata?.creationTimestamp,
  };
}

/** A pod that names its node itself passes by the scheduler; if there is no such node, nobody ever starts it. */
function* unknownNode(cluster: View<Needs>, pod: Pod, name: string): Generator<Draft<SchedulingCode>> {
  const { phase, startTime } = pod.status ?? {};
  if (phase === 'Running' || startTime !== undefined) return;
  if (conditionOf(pod, 'PodScheduled')?.status === 'True') return;
  if (!cluster.covers('Node') || cluster.get('Node', name) !== undefined) return;
  // However new the pod is: the garbage collector removes such pods soon, and a controller makes them again and again.
  const near = didYouMean(
    name,
    cluster.list('Node').map((node) => node.metadata?.name ?? ''),
  )[0];
  yield {
    code: 'sched.node-name',
    subject: podRef(pod),
    message: `Pod ${pod.metadata?.name} is meant for node "${name}", which does not exist.${near === undefined ? '' : ` Did you mean "${near}"?`}`,
    evidence: [{ from: podRef(pod), where: 'spec.nodeName', text: name }],
    suspects: [{ kind: 'Node', name }],
    since: pod.metadata?.creationTimestamp,
    fault: `node:${name}`,
  };
}
