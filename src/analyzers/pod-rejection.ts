import { type Draft, defineAnalyzer, type Rule, type Where } from '../analyzer.ts';
import type { Ref } from '../finding.ts';
import { type Ending, endingOf, type RejectCode } from '../objects/ending.ts';
import { change, destroy, kubectl, look, shell } from '../objects/kubectl.ts';
import { endingHistory } from '../objects/leftover.ts';
import { type Node, nodeRef, podsByNode } from '../objects/node-health.ts';
import { isTerminal, type Pod, podRef, troubledPods } from '../objects/pods.ts';
import { type Proof, proof, sentence } from '../objects/proof.ts';
import { humanAmount } from '../objects/quantity.ts';
import { cordonNode, describeNode, describePod, editWorkload, podsOnNode } from '../objects/remedies.ts';
import { expellingTaints } from '../objects/trigger.ts';
import type { View } from '../snapshot.ts';

type Needs = 'Pod' | 'Event' | 'Node' | 'ReplicaSet' | 'Job';

const rule = (source: string, summary: string, remedy: Rule['remedy']): Rule => ({
  severity: 'critical',
  summary,
  source: `kubelet (${source}: status.reason)`,
  stage: 'rejected',
  remedy,
});

const labels = ({ detail }: Where): string | undefined =>
  detail['node'] && shell('kubectl', 'get', `node/${detail['node']}`, '--show-labels');
const clear = (w: Where) =>
  destroy('Delete the refused pod: the kubelet never tries it again.', kubectl('delete', w.subject));

const rules = {
  'reject.out-of-resource': rule(
    'predicate.go',
    'The node had less room than the pod requests when it arrived.',
    (w) => [
      look('See what is allocated on the node.', describeNode(w)),
      change(
        'Request less, or let the scheduler choose the node instead of naming it in spec.nodeName.',
        editWorkload(w),
      ),
      clear(w),
    ],
  ),
  'reject.node-affinity': rule(
    'predicate.go',
    "The node's labels do not satisfy the node selector or affinity of the pod.",
    (w) => [
      look('See the labels of the node.', labels(w)),
      change('Correct the labels, or the nodeSelector and affinity of the pod.', editWorkload(w)),
      clear(w),
    ],
  ),
  'reject.node-name': rule('predicate.go', 'The pod names another node than the one that received it.', (w) => [
    look('See which node it names.', kubectl('get', w.subject, '-o', 'jsonpath={.spec.nodeName}')),
    clear(w),
  ]),
  'reject.node-ports': rule('predicate.go', 'A host port that the pod asks for is taken on its node.', (w) => [
    look('See which pods run on the node.', podsOnNode(w)),
    change('Drop the hostPort, choose another one, or let the scheduler choose the node.', editWorkload(w)),
    clear(w),
  ]),
  'reject.taint': rule('predicate.go', 'The node carries a NoExecute taint that the pod does not tolerate.', (w) => [
    look('See the taints of the node.', describeNode(w)),
    change('Let the pod tolerate the taint, or remove it from the node.', editWorkload(w)),
    clear(w),
  ]),
  'reject.unexpected-admission': rule(
    'cm/admission, devicemanager',
    'The kubelet could not allocate a device, CPU or other node resource to the pod.',
    (w) => [
      look('See what the node has and what is allocated.', describeNode(w)),
      look('See the device plugins on the node.', podsOnNode(w)),
      change(
        'Repair the device or its plugin; until then keep pods off the node, or each new pod fails the same way.',
        cordonNode(w),
      ),
    ],
  ),
  'reject.topology': rule(
    'topologymanager, cpumanager',
    'The node cannot give the pod CPUs and devices with the locality its policy demands.',
    (w) => [
      look('See what is allocated on the node.', describeNode(w)),
      change(
        'Request whole cores that fit on one NUMA node, or relax the topology manager policy of the node.',
        editWorkload(w),
      ),
      clear(w),
    ],
  ),
  'reject.apparmor': rule('lifecycle/handlers.go', 'The AppArmor profile cannot be enforced on the node.', (w) => [
    look('On the node, see which profiles are loaded.', 'aa-status'),
    change('Load the profile on every node, or use RuntimeDefault.', editWorkload(w)),
    clear(w),
  ]),
  'reject.sysctl': rule('sysctl/allowlist.go', 'The pod sets a sysctl that the node does not allow.', (w) => [
    look('See which sysctls it sets.', kubectl('get', w.subject, '-o', 'jsonpath={.spec.securityContext.sysctls}')),
    change(
      "Remove it, or allow it with the kubelet's allowedUnsafeSysctls on the nodes meant for it.",
      editWorkload(w),
    ),
    clear(w),
  ]),
  'reject.os': rule('predicate.go', 'The pod is made for another operating system than its node has.', (w) => [
    look('See the operating system of the node.', labels(w)),
    change('Select nodes by kubernetes.io/os.', editWorkload(w)),
    clear(w),
  ]),
  'reject.feature': rule(
    'predicate.go, lifecycle',
    'The pod uses a feature that the kubelet of its node lacks.',
    (w) => [
      look('See the version of the node.', 'kubectl get nodes -o wide'),
      change('Upgrade the node, or do without the feature.', editWorkload(w)),
      clear(w),
    ],
  ),
  'reject.volume-limit': rule('volumemanager', 'No more volumes can be attached to the node.', (w) => [
    look(
      'See how many volumes its drivers allow there.',
      w.detail['node'] && kubectl('get', csiNode(w.detail['node']), '-o', 'yaml'),
    ),
    look('See what is attached.', 'kubectl get volumeattachments'),
    change('Spread pods with volumes over more nodes.', editWorkload(w)),
  ]),
  'reject.unknown': rule(
    'kubelet.go rejectPod',
    'The kubelet refused the pod, for a reason podlens does not know.',
    (w) => [look('Read what the kubelet says.', describePod(w)), look('See the node.', describeNode(w)), clear(w)],
  ),
} satisfies Record<RejectCode, Rule>;

const csiNode = (name: string): Ref => ({ kind: 'CSINode', name });

type Rejection = Ending & { readonly code: RejectCode };

const isRejection = (ending: Ending | undefined): ending is Rejection => ending !== undefined && ending.code in rules;

export const podRejection = defineAnalyzer<Needs, RejectCode>({
  id: 'pod-rejection',
  kind: 'Pod',
  title: 'Pods that the kubelet refused',
  needs: ['Pod', 'Event', 'Node', 'ReplicaSet', 'Job'],
  rules,
  *analyze(cluster) {
    for (const pod of troubledPods(cluster)) {
      const ending = endingOf(cluster, pod);
      if (isRejection(ending)) yield explain(cluster, pod, ending);
    }
  },
});

function explain(cluster: View<Needs>, pod: Pod, ending: Rejection): Draft<RejectCode> {
  const name = pod.spec?.nodeName ?? '';
  const history = endingHistory(cluster, pod);
  const { words, evidence = [], suspects = [], resource = '' } = details(cluster, pod, ending);
  return {
    code: ending.code,
    subject: podRef(pod),
    message: `Node ${name} refused pod ${pod.metadata?.name} (${ending.reason}): ${sentence(words)}${history.sentence}`,
    evidence: [...ending.evidence, ...evidence],
    severity: history.severity,
    suspects: [nodeRef(name), ...suspects],
    detail: { node: name },
    since: history.at,
    fault: faultOf(ending.code, name, resource),
  };
}

// What the node lacks, it lacks for every pod; what the pod asks for is the pod's own.
const ofNode: ReadonlySet<RejectCode> = new Set([
  'reject.out-of-resource',
  'reject.unexpected-admission',
  'reject.volume-limit',
]);

const faultOf = (code: RejectCode, node: string, resource: string): string | undefined =>
  ofNode.has(code) ? `node:${node}:${resource}` : undefined;

interface Details {
  readonly words: string;
  readonly evidence?: readonly Proof[];
  readonly suspects?: readonly Ref[];
  /** What the node was short of. */
  readonly resource?: string;
}

function details(cluster: View<Needs>, pod: Pod, { code, reason, text }: Rejection): Details {
  const node = cluster.get('Node', pod.spec?.nodeName ?? '');
  switch (code) {
    case 'reject.out-of-resource':
      return outOf(node, reason, text);
    case 'reject.node-affinity':
      return affinity(pod, node, text);
    case 'reject.taint': {
      const keys = expellingTaints(node, pod).map(({ key }) => key);
      return {
        words:
          keys.length === 0 ? text : `it has the NoExecute taint ${keys.join(', ')}, which the pod does not tolerate`,
      };
    }
    case 'reject.node-ports':
      return ports(cluster, pod, text);
    case 'reject.unexpected-admission':
      return device(cluster, pod, text);
    default:
      return { words: text === '' ? 'the kubelet gives no message' : text };
  }
}

/** "Node didn't have enough resource: cpu, requested: 64000, used: 100, capacity: 2000": CPU in thousandths. */
function outOf(node: Node | undefined, reason: string, text: string): Details {
  const [, resource, requested, used, capacity] =
    /resource: ([^,]+), requested: (\d+), used: (\d+), capacity: (\d+)/.exec(text) ?? [];
  if (resource === undefined) return { words: text || reason, resource: reason.replace(/^OutOf/, '') };
  const amount = (value = '') => humanAmount(resource, Number(value));
  const never = Number(requested) > Number(capacity) ? ', so it never fits there' : '';
  const allocatable = node?.status?.allocatable?.[resource];
  return {
    resource,
    words: `it asks for ${amount(requested)} ${resource}, and ${amount(used)} of ${amount(capacity)} were taken there${never}`,
    evidence:
      allocatable === undefined || node?.metadata?.name === undefined
        ? []
        : [proof(nodeRef(node.metadata.name), `status.allocatable[${resource}]`, allocatable)],
  };
}

function affinity(pod: Pod, node: Node | undefined, text: string): Details {
  const selector = pod.spec?.nodeSelector ?? {};
  const labels = node?.metadata?.labels;
  if (labels === undefined) return { words: text };
  const missing = Object.entries(selector).filter(([key, value]) => labels[key] !== value);
  const asked = missing.map(([key, value]) => `${key}=${value}`).join(', ');
  if (asked === '') return { words: text };
  const has = missing.map(([key]) => (labels[key] === undefined ? `no ${key}` : `${key}=${labels[key]}`)).join(', ');
  return {
    words: `the pod selects ${asked}, and the node has ${has}`,
    evidence: [proof(podRef(pod), 'spec.nodeSelector', asked)],
  };
}

const hostPorts = (pod: Pod): string[] =>
  (pod.spec?.containers ?? []).flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, protocol = 'TCP' }) => (hostPort === undefined ? [] : [`${hostPort}/${protocol}`])),
  );

function ports(cluster: View<Needs>, pod: Pod, text: string): Details {
  const wanted = hostPorts(pod);
  const holders = (podsByNode(cluster).get(pod.spec?.nodeName ?? '') ?? []).filter(
    (other) => other !== pod && !isTerminal(other) && hostPorts(other).some((port) => wanted.includes(port)),
  );
  if (holders.length === 0)
    return { words: wanted.length === 0 ? text : `host port ${wanted.join(', ')} was taken there` };
  const taken = wanted.filter((port) => holders.some((holder) => hostPorts(holder).includes(port)));
  const names = holders.map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`).join(', ');
  return {
    words: `host port ${taken.join(', ')} is taken there by pod ${names}`,
    suspects: holders.map((holder) => podRef(holder)),
    evidence: holders.map((holder) =>
      proof(podRef(holder), 'spec.containers[].ports[].hostPort', hostPorts(holder).join(', ')),
    ),
  };
}

/** Names the device plugins of the node: the one behind the device is among them. */
function device(cluster: View<Needs>, pod: Pod, text: string): Details {
  const resource = /(?:unhealthy devices|unavailable for) (\S+?)[,.;]?(?:\s|$)/.exec(text)?.[1] ?? '';
  const plugins = (podsByNode(cluster).get(pod.spec?.nodeName ?? '') ?? []).filter(
    (other) => !isTerminal(other) && /device-?plugin/.test(other.metadata?.name ?? ''),
  );
  return { words: text, resource, suspects: plugins.map((plugin) => podRef(plugin)) };
}
