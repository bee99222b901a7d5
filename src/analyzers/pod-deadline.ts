import { type Draft, defineAnalyzer, type Rule } from '../analyzer.ts';
import { type Ending, endingOf } from '../objects/ending.ts';
import { change, kubectl, kubectlLogs, look } from '../objects/kubectl.ts';
import { endingHistory } from '../objects/leftover.ts';
import { conditionOf, containersOf, type Pod, podRef, troubledPods } from '../objects/pods.ts';
import { proof, sentence } from '../objects/proof.ts';
import { describeNode, describePod, editWorkload } from '../objects/remedies.ts';
import { humanSeconds } from '../objects/time.ts';
import type { View } from '../snapshot.ts';

type Needs = 'Pod' | 'Event' | 'ReplicaSet' | 'Job';

const rules = {
  'pod.deadline-exceeded': {
    severity: 'critical',
    summary: 'The pod ran longer than its activeDeadlineSeconds and was ended.',
    source: 'kubelet (active_deadline.go: status.reason DeadlineExceeded)',
    stage: 'rejected',
    remedy: (w) => [
      look('See how far it came.', kubectlLogs(w.subject, false)),
      change('Raise activeDeadlineSeconds, or make the work faster.', editWorkload(w)),
    ],
  },
  'pod.failed': {
    severity: 'critical',
    summary: 'The pod is Failed, and none of its containers says why.',
    source: 'kubelet, or whoever else wrote status.phase and status.reason',
    stage: 'failed',
    remedy: (w) => [
      look('Read everything the pod says.', describePod(w)),
      look('See the node.', describeNode(w)),
      change('Delete it; its controller, if it has one, starts another.', kubectl('delete', w.subject)),
    ],
  },
} satisfies Record<string, Rule>;

type Code = keyof typeof rules;

export const podDeadline = defineAnalyzer<Needs, Code>({
  id: 'pod-deadline',
  kind: 'Pod',
  title: 'Pods that failed as a whole',
  needs: ['Pod', 'Event', 'ReplicaSet', 'Job'],
  rules,
  *analyze(cluster) {
    for (const pod of troubledPods(cluster)) {
      if (pod.status?.phase !== 'Failed') continue;
      const ending = endingOf(cluster, pod);
      if (ending?.code === 'pod.deadline-exceeded') yield deadline(cluster, pod, ending);
      else if (ending === undefined && !tellsByItself(pod)) yield failed(cluster, pod);
    }
  },
});

function deadline(cluster: View<Needs>, pod: Pod, ending: Ending): Draft<Code> {
  const history = endingHistory(cluster, pod);
  const seconds = pod.spec?.activeDeadlineSeconds;
  const allowed =
    seconds === undefined ? 'its activeDeadlineSeconds' : `the ${humanSeconds(seconds)} of its activeDeadlineSeconds`;
  return {
    code: 'pod.deadline-exceeded',
    subject: podRef(pod),
    message: `Pod ${pod.metadata?.name} was ended because it ran longer than ${allowed}.${history.sentence}`,
    evidence: [
      ...ending.evidence,
      ...(seconds === undefined ? [] : [proof(podRef(pod), 'spec.activeDeadlineSeconds', String(seconds))]),
    ],
    severity: history.severity,
    since: history.at,
  };
}

/** A container that ended with an error explains the pod itself, unless somebody wrote a reason over it. */
const tellsByItself = (pod: Pod): boolean =>
  pod.status?.reason === undefined &&
  (conditionOf(pod, 'DisruptionTarget')?.status === 'True' ||
    containersOf(pod).some(({ role, status }) => {
      const exit = status?.state?.terminated;
      return role !== 'ephemeral' && exit !== undefined && (exit.exitCode !== 0 || exit.reason === 'OOMKilled');
    }));

function failed(cluster: View<Needs>, pod: Pod): Draft<Code> {
  const history = endingHistory(cluster, pod);
  const { reason, message } = pod.status ?? {};
  const words = [reason, message].filter((word) => word !== undefined).join(': ');
  const said = words === '' ? ', and neither its status nor a container says why.' : ` with ${sentence(words)}`;
  return {
    code: 'pod.failed',
    subject: podRef(pod),
    message: `Pod ${pod.metadata?.name} is Failed${said}${history.sentence}`,
    evidence: [proof(podRef(pod), 'status', words === '' ? 'phase Failed' : `phase Failed, ${words}`, history.at)],
    severity: history.severity,
    confidence: reason === undefined ? 'possible' : 'likely',
    check: look('Read everything the pod says.', kubectl('describe', podRef(pod))),
    detail: { node: pod.spec?.nodeName },
    since: history.at,
  };
}
