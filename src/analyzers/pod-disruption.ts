import { type Draft, defineAnalyzer, type Rule, type Where } from '../analyzer.ts';
import { type DisruptCode, disruptionOf, type Ending, endingOf } from '../objects/ending.ts';
import { eventEvidence } from '../objects/events.ts';
import { change, kubectl, look, shell } from '../objects/kubectl.ts';
import { endingHistory } from '../objects/leftover.ts';
import { nodeRef } from '../objects/node-health.ts';
import { isTerminal, type Pod, podEvents, podRef, troubledPods } from '../objects/pods.ts';
import { proof } from '../objects/proof.ts';
import { describeNode, describePod, editWorkload, showEvents } from '../objects/remedies.ts';
import { taintText } from '../objects/taints.ts';
import { secondsBetween } from '../objects/time.ts';
import { expellingTaints, type Trigger, triggerOf } from '../objects/trigger.ts';
import type { View } from '../snapshot.ts';

type Needs = 'Pod' | 'Event' | 'Node' | 'ReplicaSet' | 'Job';

const rule = (source: string, summary: string, remedy: Rule['remedy']): Rule => ({
  severity: 'warning',
  summary,
  source,
  stage: 'disrupted',
  remedy,
});

const budgets = ({ subject }: Where): string => shell('kubectl', 'get', 'pdb', '-n', subject.namespace ?? 'default');
const controlled = (w: Where) =>
  change(
    'Run it under a controller (Deployment, StatefulSet, Job), which starts another pod when one is taken away.',
    editWorkload(w),
  );

const rules = {
  'disrupt.preempted': rule(
    'kube-scheduler (preemption: DisruptionTarget PreemptionByScheduler, event Preempted)',
    'The scheduler removed the pod to make room for one of higher priority.',
    (w) => [
      look('See which pod took its place.', showEvents(w)),
      change('Give it a higher priorityClassName, or add capacity.', editWorkload(w)),
    ],
  ),
  'disrupt.eviction-api': rule(
    'kube-apiserver (eviction API: DisruptionTarget EvictionByEvictionAPI)',
    'The pod was evicted through the API: by a drain, an autoscaler, Karpenter or the descheduler.',
    (w) => [
      look('See who asked for it.', showEvents(w)),
      look('See what a PodDisruptionBudget would protect.', budgets(w)),
      controlled(w),
    ],
  ),
  'disrupt.taint-manager': rule(
    'kube-controller-manager (tainteviction: DisruptionTarget DeletionByTaintManager)',
    'The pod was removed because its node carries a NoExecute taint that it does not tolerate.',
    (w) => [
      look('See the taints and conditions of the node.', describeNode(w)),
      change('Heal the node, or let the pod tolerate the taint.', editWorkload(w)),
    ],
  ),
  'disrupt.device-taint': rule(
    'kube-controller-manager (devicetainteviction: DisruptionTarget DeletionByDeviceTaintManager)',
    'The pod was removed because a device that it uses carries a NoExecute taint.',
    (w) => [
      look('See the devices and their taints.', 'kubectl get resourceslices -o yaml'),
      change('Repair or replace the device, or let the claim tolerate the taint.', editWorkload(w)),
    ],
  ),
  'disrupt.pod-gc': rule(
    'kube-controller-manager (podgc: DisruptionTarget DeletionByPodGC)',
    'The pod was removed because its node no longer exists.',
    (w) => [look('See which nodes exist.', 'kubectl get nodes'), controlled(w)],
  ),
  'disrupt.node-shutdown': rule(
    'kubelet (nodeshutdown: status.reason Terminated, NodeShutdown)',
    'The pod was ended because its node shut down.',
    (w) => [
      look('See whether the node is back, and why it went down.', describeNode(w)),
      controlled(w),
      change('Remove the record of it.', kubectl('delete', w.subject)),
    ],
  ),
  'disrupt.critical-pod': rule(
    'kubelet (preemption: status.reason Preempting)',
    'The kubelet ended the pod to make room for a critical pod of the node.',
    (w) => [
      look('See what the node runs and what is requested there.', describeNode(w)),
      change('Give it a higher priority, or leave more room on the node.', editWorkload(w)),
    ],
  ),
  'disrupt.unknown': rule(
    'whoever set DisruptionTarget=True',
    'The pod was disrupted, for a reason podlens does not know.',
    (w) => [look('Read what the pod says.', describePod(w)), look('See who asked for it.', showEvents(w))],
  ),
} satisfies Record<DisruptCode, Rule>;

type Disruption = Ending & { readonly code: DisruptCode };

const isDisruption = (ending: Ending | undefined): ending is Disruption => ending !== undefined && ending.code in rules;

// Most pods are gone within the half minute that they have by default.
const LINGERING_SECONDS = 60;

export const podDisruption = defineAnalyzer<Needs, DisruptCode>({
  id: 'pod-disruption',
  kind: 'Pod',
  title: 'Pods taken away, and by whom',
  needs: ['Pod', 'Event', 'Node', 'ReplicaSet', 'Job'],
  rules,
  *analyze(cluster) {
    for (const pod of troubledPods(cluster)) {
      const ending = isLingering(cluster, pod) ? disruptionOf(pod) : endingOf(cluster, pod);
      if (isDisruption(ending)) yield explain(cluster, pod, ending);
    }
  },
});

/** A pod that has not gone yet: whether that is amiss is another question, but who sent it away is worth a word. */
function isLingering(cluster: View<Needs>, pod: Pod): boolean {
  const due = secondsBetween(pod.metadata?.deletionTimestamp, cluster.takenAt);
  const asked = due === undefined ? undefined : due + (pod.metadata?.deletionGracePeriodSeconds ?? 0);
  return asked !== undefined && asked > LINGERING_SECONDS && !isTerminal(pod);
}

function explain(cluster: View<Needs>, pod: Pod, ending: Disruption): Draft<DisruptCode> {
  const subject = podRef(pod);
  const history = endingHistory(cluster, pod);
  const { words, trigger } = tell(cluster, pod, ending);
  const node = pod.spec?.nodeName;
  return {
    code: ending.code,
    subject,
    message: `${words}.${history.sentence}`,
    evidence: [...ending.evidence, ...(trigger?.evidence ?? [])],
    severity: history.severity,
    ...(ending.code === 'disrupt.unknown'
      ? { confidence: 'possible', check: look('Read what the pod says.', kubectl('describe', subject)) }
      : undefined),
    suspects: trigger?.suspects,
    detail: { node },
    since: history.at,
    fault: ofNode.has(ending.code) && node !== undefined ? `node:${node}` : undefined,
    explainedBy: ofNode.has(ending.code) && node !== undefined ? [nodeRef(node)] : [],
  };
}

// What befell the pod because of its node befell the others there too.
const ofNode: ReadonlySet<DisruptCode> = new Set(['disrupt.taint-manager', 'disrupt.pod-gc', 'disrupt.node-shutdown']);

interface Told {
  readonly words: string;
  readonly trigger: Trigger | undefined;
}

function tell(cluster: View<Needs>, pod: Pod, { code, reason, text }: Disruption): Told {
  const trigger = triggerOf(cluster, pod);
  const node = pod.spec?.nodeName ?? '';
  const quoted = text === '' ? '' : ` ("${text.replace(/\.$/, '')}")`;
  switch (code) {
    case 'disrupt.preempted':
      return {
        words: `Pod ${pod.metadata?.name} was preempted by ${trigger?.who ?? `the scheduler${quoted}`}`,
        trigger,
      };
    case 'disrupt.eviction-api': {
      const who = trigger?.who;
      const by = who === undefined ? `; nothing on record says by whom` : ` by ${who}`;
      return { words: `Pod ${pod.metadata?.name} was evicted through the eviction API${by}`, trigger };
    }
    case 'disrupt.taint-manager':
      return tainted(cluster, pod, trigger);
    case 'disrupt.device-taint':
      return {
        words: `Pod ${pod.metadata?.name} was removed because a device it uses has a NoExecute taint${quoted}`,
        trigger: undefined,
      };
    case 'disrupt.pod-gc':
      return { words: `Pod ${pod.metadata?.name} was removed because its node ${node} no longer exists`, trigger };
    case 'disrupt.node-shutdown':
      return {
        words: `Pod ${pod.metadata?.name} was ended because node ${node} shut down${quoted}`,
        trigger: undefined,
      };
    case 'disrupt.critical-pod':
      return { words: `The kubelet of node ${node} ended the pod to admit a critical pod`, trigger: undefined };
    case 'disrupt.unknown':
      return { words: `Pod ${pod.metadata?.name} was disrupted: ${reason}${quoted}`, trigger: undefined };
    default:
      return code satisfies never;
  }
}

function tainted(cluster: View<Needs>, pod: Pod, trigger: Trigger | undefined): Told {
  const name = pod.spec?.nodeName ?? '';
  const taints = expellingTaints(cluster.get('Node', name), pod);
  const event = podEvents(cluster, pod).find((line) => line.reason === 'TaintManagerEviction');
  const evidence = [
    ...taints.map((taint) => proof(nodeRef(name), 'spec.taints', taintText(taint), taint.timeAdded)),
    ...(event === undefined ? [] : [eventEvidence(podRef(pod), event)]),
    ...(trigger?.evidence ?? []),
  ];
  const keys = taints.map(({ key }) => key).join(', ');
  const which = keys === '' ? 'a NoExecute taint that has gone since' : `the NoExecute taint ${keys}`;
  return {
    words: `Pod ${pod.metadata?.name} was removed from node ${name} because of ${which}`,
    trigger: { who: '', evidence, suspects: [nodeRef(name)] },
  };
}
