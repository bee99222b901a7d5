import { type Draft, defineAnalyzer, type Rule, type Where } from '../analyzer.ts';
import type { Ref } from '../finding.ts';
import { eventEvidence } from '../objects/events.ts';
import { change, destroy, kubectl, look, shell } from '../objects/kubectl.ts';
import { nodeIsGone, nodeRef, nodeState } from '../objects/node-health.ts';
import {
  type ContainerView,
  conditionOf,
  containersOf,
  isTerminal,
  type Pod,
  podEvents,
  podRef,
  troubledPods,
} from '../objects/pods.ts';
import { conditionProof, type Proof, proof, sentence } from '../objects/proof.ts';
import { describeNode, describePod, editWorkload, podOf } from '../objects/remedies.ts';
import { humanSeconds, later, ms, secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';

type Needs = 'Pod' | 'Event' | 'Node' | 'Job';

const rule = (source: string, summary: string, remedy: Rule['remedy']): Rule => ({
  severity: 'critical',
  summary,
  source,
  stage: 'terminating',
  remedy,
});

const force = (w: Where, when: string) => destroy(when, kubectl('delete', podOf(w), '--grace-period=0', '--force'));
const restartRuntime = (w: Where) =>
  change(
    'On the node, restart what hangs: the runtime, then the kubelet.',
    w.detail['node'] && 'systemctl restart containerd kubelet',
  );

const rules = {
  'term.finalizer': rule(
    'kube-apiserver (metadata.finalizers keeps a deleted object until its owner removes them)',
    'The pod has ended, but a finalizer that nobody removes keeps it.',
    (w) => [
      look('See the finalizers.', kubectl('get', podOf(w), '-o', 'jsonpath={.metadata.finalizers}')),
      change('Repair the controller that owns the finalizer: it removes it when its work is done.'),
      destroy(
        'Only if that controller is gone for good: remove the finalizers yourself, and with them what it still had to do. A forced deletion does not get round them.',
        kubectl('patch', podOf(w), '--type=merge', '-p', '{"metadata":{"finalizers":null}}'),
      ),
    ],
  ),
  'term.node-gone': rule(
    'podgc in kube-controller-manager should delete it',
    'The node of the pod no longer exists, and nothing confirms the deletion.',
    (w) => [
      look('See which nodes exist.', 'kubectl get nodes'),
      look(
        'The garbage collector deletes such pods within a minute: see whether the controller manager runs.',
        'kubectl get pods -n kube-system -l component=kube-controller-manager',
      ),
      force(w, 'Remove the record of it; its host is gone.'),
    ],
  ),
  'term.node-lost': rule(
    'node-lifecycle controller (Node Ready is not True), so that no kubelet confirms the deletion',
    'The node of the pod does not answer, so that nobody can confirm that the pod has ended.',
    (w) => [
      look('See since when the node is away, and why.', describeNode(w)),
      change('Bring the node back, or delete it once its host is off for good.'),
      force(w, 'Only if the host is surely off: its process may still be running and writing.'),
    ],
  ),
  'term.kill-failed': rule(
    'kubelet (events FailedKillPod, ExceededGracePeriod)',
    'The kubelet or the runtime fails to kill the containers or the sandbox.',
    (w) => [
      look('Read what the kubelet says.', describePod(w)),
      restartRuntime(w),
      force(w, 'Only if its processes are surely gone: this removes the record and not the process.'),
    ],
  ),
  'term.pre-stop': rule(
    'kubelet (lifecycle preStop, event FailedPreStopHook)',
    'The preStop hook of a container takes the whole grace period, or fails.',
    (w) => [
      look('See the hook.', kubectl('get', podOf(w), '-o', 'jsonpath={.spec.containers[*].lifecycle.preStop}')),
      change('Make the hook shorter, or give it more time with terminationGracePeriodSeconds.', editWorkload(w)),
      force(w, 'Only if it need not end in order: remove it at once.'),
    ],
  ),
  'term.volume': rule(
    'kubelet (volume manager: volumes must be unmounted before the pod is gone)',
    'All containers have ended, but the kubelet does not finish with the volumes of the pod.',
    (w) => [
      look('See what is attached and to which node.', 'kubectl get volumeattachments'),
      look('On the node, look for hanging mounts.', 'findmnt -t nfs,nfs4,ceph,fuse'),
      restartRuntime(w),
    ],
  ),
  'term.sigterm-ignored': rule(
    'kubelet (kills only when the grace period is over)',
    'The container does not end on SIGTERM, so that the whole grace period is waited for.',
    (w) => [
      look(
        'See which command runs as process 1: a shell does not pass SIGTERM on.',
        kubectl('get', podOf(w), '-o', 'jsonpath={.spec.containers[*].command}'),
      ),
      change('Handle SIGTERM (use exec in shell scripts), or shorten terminationGracePeriodSeconds.', editWorkload(w)),
      force(w, 'Only if it need not end in order: remove it at once.'),
    ],
  ),
} satisfies Record<string, Rule>;

type Code = keyof typeof rules;

// After the grace period the kubelet still kills, unmounts and reports; under a minute is normal.
const OVERDUE_SECONDS = 60;

export const podTermination = defineAnalyzer<Needs, Code>({
  id: 'pod-termination',
  kind: 'Pod',
  title: 'Pods that do not go away',
  needs: ['Pod', 'Event', 'Node', 'Job'],
  rules,
  *analyze(cluster) {
    for (const pod of troubledPods(cluster)) {
      const overdue = secondsBetween(pod.metadata?.deletionTimestamp, cluster.takenAt);
      // A static pod's object stands for its manifest: the kubelet makes it again.
      if (overdue === undefined || pod.metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined) continue;
      const found = overdue > OVERDUE_SECONDS ? stuck(cluster, pod, overdue) : slow(cluster, pod);
      if (found !== undefined) yield { ...found, since: requestedAt(pod), detail: { node: pod.spec?.nodeName } };
    }
  },
});

/** When the deletion was asked for: the timestamp lies a grace period later. */
function requestedAt(pod: Pod): string | undefined {
  const due = ms(pod.metadata?.deletionTimestamp);
  if (due === undefined) return undefined;
  return new Date(due - (pod.metadata?.deletionGracePeriodSeconds ?? 0) * 1000).toISOString().replace('.000Z', 'Z');
}

const deletion = (pod: Pod): Proof =>
  proof(
    podRef(pod),
    'metadata.deletionTimestamp',
    pod.metadata?.deletionTimestamp ?? '',
    pod.metadata?.deletionTimestamp,
  );

const running = (pod: Pod): ContainerView[] =>
  containersOf(pod).filter(({ role, status }) => role !== 'ephemeral' && status?.state?.running !== undefined);

/** First match wins: what keeps the object, then who cannot answer, then what does not end. */
function stuck(cluster: View<Needs>, pod: Pod, overdue: number): Draft<Code> | undefined {
  return (
    byFinalizer(cluster, pod, overdue) ??
    byNode(cluster, pod, overdue) ??
    bySilence(pod, overdue) ??
    byKill(cluster, pod, overdue) ??
    byRunning(cluster, pod, overdue) ??
    byVolume(cluster, pod, overdue)
  );
}

// Who removes the finalizers that Kubernetes itself sets.
const finalizerOwners: Readonly<Record<string, string>> = {
  'batch.kubernetes.io/job-tracking': 'the Job controller (kube-controller-manager)',
  foregroundDeletion: 'the garbage collector (kube-controller-manager), once everything the pod owns is gone',
  orphan: 'the garbage collector (kube-controller-manager)',
};

function byFinalizer(cluster: View<Needs>, pod: Pod, overdue: number): Draft<Code> | undefined {
  const finalizers = pod.metadata?.finalizers ?? [];
  if (finalizers.length === 0) return undefined;
  const gone = nodeIsGone(cluster, pod);
  if (!gone && (running(pod).length > 0 || nodeIsLost(cluster, pod))) return undefined;
  // The kubelet's final deletion sets the grace period to 0: from then on only finalizers keep the pod.
  const done = pod.metadata?.deletionGracePeriodSeconds === 0 || gone;
  const names = finalizers.map((name) => {
    const owner = finalizerOwners[name] ?? `the controller of ${name.split('/')[0]}`;
    return `"${name}", which ${owner} has to remove`;
  });
  const job = jobOf(pod);
  const tracked = finalizers.includes('batch.kubernetes.io/job-tracking') && job !== undefined;
  const jobless =
    tracked && cluster.get('Job', job.name, job.namespace) === undefined && cluster.covers('Job', job.namespace ?? '')
      ? ` Its Job ${job.name} no longer exists.`
      : '';
  return {
    code: 'term.finalizer',
    subject: podRef(pod),
    message: `Pod ${pod.metadata?.name} has ended and should have been gone for ${humanSeconds(overdue)}; it is kept by the finalizer ${names.join(' and ')}.${jobless}`,
    evidence: [proof(podRef(pod), 'metadata.finalizers', finalizers.join(', ')), deletion(pod)],
    confidence: done ? 'certain' : 'likely',
    check: done ? undefined : look('See that nothing of it runs any more.', kubectl('describe', podRef(pod))),
    suspects: tracked ? [job] : [],
    fault: `finalizer:${finalizers.join(',')}`,
  };
}

function jobOf(pod: Pod): Ref | undefined {
  const owner = pod.metadata?.ownerReferences?.find(({ kind }) => kind === 'Job');
  return owner && { kind: 'Job', namespace: pod.metadata?.namespace ?? '', name: owner.name ?? '' };
}

function nodeIsLost(cluster: View<Needs>, pod: Pod): boolean {
  const state = nodeState(cluster.get('Node', pod.spec?.nodeName ?? ''));
  return state === 'unreachable' || state === 'not-ready';
}

function byNode(cluster: View<Needs>, pod: Pod, overdue: number): Draft<Code> | undefined {
  const name = pod.spec?.nodeName;
  if (name === undefined) return undefined;
  const subject = podRef(pod);
  if (nodeIsGone(cluster, pod)) {
    return {
      code: 'term.node-gone',
      subject,
      message: `Pod ${pod.metadata?.name} should have been gone for ${humanSeconds(overdue)}; its node ${name} no longer exists, and the garbage collector has not removed it.`,
      evidence: [proof(subject, 'spec.nodeName', `${name} (no such node)`), deletion(pod)],
      fault: `node:${name}`,
    };
  }
  const node = cluster.get('Node', name);
  const ready = node && conditionOf(node, 'Ready');
  const lost = pod.status?.reason === 'NodeLost';
  if (!lost && (ready === undefined || !nodeIsLost(cluster, pod))) return undefined;
  return {
    code: 'term.node-lost',
    subject,
    message: `Pod ${pod.metadata?.name} should have been gone for ${humanSeconds(overdue)}; its node ${name} ${ready?.status === 'False' ? 'is not ready' : 'does not answer'}, so nobody confirms that it has ended.`,
    evidence: [
      ...(ready === undefined ? [] : [conditionProof(nodeRef(name), ready)]),
      ...(lost ? [proof(subject, 'status.reason', `NodeLost: ${pod.status?.message ?? ''}`)] : []),
      deletion(pod),
    ],
    suspects: [nodeRef(name)],
    fault: `node:${name}`,
    explainedBy: [nodeRef(name)],
  };
}

/** The kubelet never wrote a word about the pod, though its node is said to be well: it cannot confirm its end either. */
function bySilence(pod: Pod, overdue: number): Draft<Code> | undefined {
  const { nodeName } = pod.spec ?? {};
  const { startTime, containerStatuses } = pod.status ?? {};
  if (nodeName === undefined || isTerminal(pod) || (startTime ?? containerStatuses) !== undefined) return undefined;
  const subject = podRef(pod);
  return {
    code: 'term.node-lost',
    subject,
    message: `Pod ${subject.name} should have been gone for ${humanSeconds(overdue)}; the kubelet of its node ${nodeName} never took it up, and does not confirm that it has ended.`,
    evidence: [proof(subject, 'status.startTime', '(none)'), deletion(pod)],
    suspects: [nodeRef(nodeName)],
    confidence: 'likely',
    check: look('On the node, see whether the kubelet runs.', 'systemctl status kubelet'),
    fault: `node:${nodeName}`,
    explainedBy: [nodeRef(nodeName)],
  };
}

const KILL_EVENTS = new Set(['FailedKillPod', 'ExceededGracePeriod']);

function byKill(cluster: View<Needs>, pod: Pod, overdue: number): Draft<Code> | undefined {
  const asked = requestedAt(pod);
  const event = podEvents(cluster, pod).find(
    (line) => KILL_EVENTS.has(line.reason) && (secondsBetween(asked, line.at) ?? 0) >= 0,
  );
  if (event === undefined) return undefined;
  return {
    code: 'term.kill-failed',
    subject: podRef(pod),
    message: `Pod ${pod.metadata?.name} should have been gone for ${humanSeconds(overdue)}; the kubelet cannot kill it: ${sentence(event.message)}`,
    evidence: [eventEvidence(podRef(pod), event), deletion(pod)],
  };
}

/** Containers that still run after SIGKILL was due. */
function byRunning(cluster: View<Needs>, pod: Pod, overdue: number): Draft<Code> | undefined {
  const [container] = running(pod);
  if (container === undefined) return undefined;
  const hook = hookOf(pod);
  const still = hook ?? container;
  const evidence = [runningProof(pod, still), deletion(pod)];
  const subject = podRef(pod, still.name);
  const check = look('On the node, see whether its processes are still there.', 'crictl ps');
  if (hook === undefined) {
    return {
      code: 'term.kill-failed',
      subject,
      message: `Container ${still.name} still runs ${humanSeconds(overdue)} after its grace period ended, when it should have been killed.`,
      evidence,
      confidence: 'likely',
      check,
    };
  }
  const failed = podEvents(cluster, pod).find((line) => line.reason === 'FailedPreStopHook');
  return {
    code: 'term.pre-stop',
    subject,
    message: `Container ${still.name} still runs ${humanSeconds(overdue)} after its grace period ended; its preStop hook ${failed === undefined ? 'has not come to an end' : 'fails'}.`,
    evidence: [...evidence, ...(failed === undefined ? [] : [eventEvidence(subject, failed)]), hookProof(pod, hook)],
    confidence: 'likely',
    check,
  };
}

const hookOf = (pod: Pod): ContainerView | undefined =>
  running(pod).find(({ spec }) => spec.lifecycle?.preStop !== undefined);

const hookProof = (pod: Pod, { name, spec }: ContainerView): Proof =>
  proof(podRef(pod, name), `spec.containers[${name}].lifecycle.preStop`, JSON.stringify(spec.lifecycle?.preStop));

const runningProof = (pod: Pod, { name, path, status }: ContainerView): Proof =>
  proof(podRef(pod, name), `${path}.state`, 'running', status?.state?.running?.startedAt);

// After the last container the kubelet needs a moment for the volumes.
const UNMOUNT_SECONDS = 60;

function byVolume(cluster: View<Needs>, pod: Pod, overdue: number): Draft<Code> | undefined {
  if (pod.spec?.nodeName === undefined) return undefined;
  const ends = containersOf(pod).map(({ status }) => status?.state?.terminated?.finishedAt);
  const ended = ends.reduce((a, b) => later(a, b), undefined);
  if ((secondsBetween(ended, cluster.takenAt) ?? UNMOUNT_SECONDS) < UNMOUNT_SECONDS) return undefined;
  const volumes = (pod.spec.volumes ?? []).map(({ name = '' }) => name);
  return {
    code: 'term.volume',
    subject: podRef(pod),
    message: `Pod ${pod.metadata?.name} should have been gone for ${humanSeconds(overdue)}; its containers have ended and its node answers, so what is left is unmounting its volumes (${volumes.join(', ') || 'none are listed'}).`,
    evidence: [proof(podRef(pod), 'spec.volumes', volumes.join(', ') || '(none)'), deletion(pod)],
    confidence: 'likely',
    check: look(
      "On the node, read the kubelet's log for this pod.",
      `journalctl -u kubelet | grep ${pod.metadata?.uid ?? pod.metadata?.name}`,
    ),
    suspects: claimsOf(pod),
  };
}

const claimsOf = (pod: Pod): Ref[] =>
  (pod.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) =>
    claim?.claimName === undefined
      ? []
      : [{ kind: 'PersistentVolumeClaim', namespace: pod.metadata?.namespace ?? '', name: claim.claimName }],
  );

// Shorter waits are what a grace period is for.
const SLOW_SECONDS = 60;

/** Still within its grace period: no fault, but worth a word where that is long. */
function slow(cluster: View<Needs>, pod: Pod): Draft<Code> | undefined {
  const asked = requestedAt(pod);
  const seconds = secondsBetween(asked, cluster.takenAt) ?? 0;
  const left = secondsBetween(cluster.takenAt, pod.metadata?.deletionTimestamp) ?? 0;
  const container = hookOf(pod) ?? running(pod)[0];
  if (seconds < SLOW_SECONDS || left <= 0 || container === undefined || nodeIsLost(cluster, pod)) return undefined;
  const hook = container.spec.lifecycle?.preStop !== undefined;
  const why = hook ? 'it has a preStop hook, which runs first' : 'it has not ended on SIGTERM';
  return {
    code: hook ? 'term.pre-stop' : 'term.sigterm-ignored',
    subject: podRef(pod, container.name),
    message: `Container ${container.name} still runs ${humanSeconds(seconds)} after the pod was deleted; ${why}. It will be killed in ${humanSeconds(left)}.`,
    evidence: [
      runningProof(pod, container),
      deletion(pod),
      ...(hook
        ? [hookProof(pod, container)]
        : [
            proof(podRef(pod), 'metadata.deletionGracePeriodSeconds', String(pod.metadata?.deletionGracePeriodSeconds)),
          ]),
    ],
    severity: 'info',
    confidence: 'likely',
    check: look(
      'See what the container does.',
      shell(
        'kubectl',
        'logs',
        podRef(pod).name,
        '-n',
        podRef(pod).namespace ?? 'default',
        '-c',
        container.name,
        '--tail=20',
      ),
    ),
  };
}
