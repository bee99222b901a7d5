import { type Draft, defineAnalyzer, type Rule, type Where } from '../analyzer.ts';
import type { Ref } from '../finding.ts';
import { eventEvidence, eventsOf } from '../objects/events.ts';
import { change, destroy, look, shell } from '../objects/kubectl.ts';
import { isReady, type Node, networkPodsOn, nodeRef, nodeState, podsByNode } from '../objects/node-health.ts';
import { conditionOf, isTerminal, type Pod, podEvents, podRef } from '../objects/pods.ts';
import { conditionProof, type Proof, proof, sentence } from '../objects/proof.ts';
import { humanSeconds, secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';

type Needs = 'Node' | 'Pod' | 'Event';

const rule = (source: string, summary: string, remedy: Rule['remedy']): Rule => ({
  severity: 'critical',
  summary,
  source,
  stage: 'node',
  remedy,
});

const KUBELET = 'kubelet (nodestatus/setters.go: Node conditions)';
const describe = (w: Where) =>
  look('See the conditions and events of the node.', shell('kubectl', 'describe', `node/${w.subject.name}`));
const podsOn = (w: Where) =>
  look(
    'See which pods run there.',
    shell('kubectl', 'get', 'pods', '-A', '-o', 'wide', '--field-selector', `spec.nodeName=${w.subject.name}`),
  );
const onNode = (text: string, command: string) => look(`On the node: ${text}`, command);
const cordon = (w: Where) =>
  change('Keep new pods off it until it is well.', shell('kubectl', 'cordon', w.subject.name));

const rules = {
  'node.not-ready': rule(KUBELET, 'The kubelet of the node reports that it cannot run pods.', (w) => [
    describe(w),
    onNode('see whether kubelet and runtime are well.', 'systemctl status kubelet containerd'),
    onNode("read the kubelet's log.", 'journalctl -u kubelet --since -15min'),
  ]),
  'node.unreachable': rule(
    'node-lifecycle controller (Node Ready=Unknown, NodeStatusUnknown)',
    'The kubelet of the node has stopped reporting.',
    (w) => [
      describe(w),
      onNode(
        'if it can be reached, see whether the kubelet runs and reaches the API server.',
        'systemctl status kubelet',
      ),
      destroy(
        'Only if the host is surely off for good: declare it so, and its pods and volumes are released.',
        shell('kubectl', 'taint', 'node', w.subject.name, 'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute'),
      ),
    ],
  ),
  'node.memory-pressure': rule(KUBELET, 'The node has too little memory left; its kubelet evicts pods.', (w) => [
    look('See what uses the memory.', shell('kubectl', 'top', 'pods', '-A', '--sort-by=memory')),
    podsOn(w),
    change('Give pods requests that match what they use, and limits; move some away.'),
  ]),
  'node.disk-pressure': rule(
    KUBELET,
    'The node has too little disk space or inodes left; its kubelet evicts pods.',
    (w) => [
      describe(w),
      onNode('see what fills the disk.', 'df -h && df -i'),
      change('On the node, remove images that nothing uses.', 'crictl rmi --prune'),
    ],
  ),
  'node.pid-pressure': rule(KUBELET, 'The node has too few process ids left; its kubelet evicts pods.', (w) => [
    podsOn(w),
    onNode('see who has the most processes.', 'ps -eo user,comm --no-headers | sort | uniq -c | sort -rn | head'),
    change('Stop what forks without end, or set podPidsLimit in the kubelet configuration.'),
  ]),
  'node.network-unavailable': rule(
    'cloud route controller or the network plugin (Node NetworkUnavailable)',
    'The network of the node is not set up.',
    (w) => [
      describe(w),
      look(
        'See whether the pods of the network plugin run there.',
        shell(
          'kubectl',
          'get',
          'pods',
          '-n',
          'kube-system',
          '-o',
          'wide',
          '--field-selector',
          `spec.nodeName=${w.subject.name}`,
        ),
      ),
      change('Repair the network plugin, or the routes that the cloud provider makes.'),
    ],
  ),
  'node.problem-detected': rule(
    'node-problem-detector (its own Node conditions)',
    'The node problem detector has found a fault of the kernel, the disk or the runtime.',
    (w) => [describe(w), cordon(w), onNode('read the kernel log.', 'dmesg --level=err,warn')],
  ),
} satisfies Record<string, Rule>;

type Code = keyof typeof rules;

// A new node needs a moment for its network plugin and its first reports.
const NEW_NODE_SECONDS = 90;

export const nodeConditions = defineAnalyzer<Needs, Code>({
  id: 'node-conditions',
  kind: 'Node',
  title: 'Nodes that are down or under pressure',
  needs: ['Node', 'Pod', 'Event'],
  rules,
  *analyze(cluster) {
    for (const node of cluster.list('Node')) {
      const age = secondsBetween(node.metadata?.creationTimestamp, cluster.takenAt);
      if (age !== undefined && age < NEW_NODE_SECONDS) continue;
      const down = downOf(cluster, node);
      if (down !== undefined) yield down;
      yield* pressuresOf(cluster, node);
    }
  },
});

function downOf(cluster: View<Needs>, node: Node): Draft<Code> | undefined {
  const state = nodeState(node);
  const ready = conditionOf(node, 'Ready');
  if (ready === undefined || (state !== 'not-ready' && state !== 'unreachable')) return undefined;
  const name = node.metadata?.name ?? '';
  const network =
    state === 'not-ready' && /network (plugin )?(is )?not ready|NetworkPluginNotReady|cni/i.test(ready.message ?? '');
  const plugins = network ? networkPodsOn(cluster, name) : [];
  const broken = (podsByNode(cluster).get(name) ?? []).filter(
    (pod) => !plugins.includes(pod) && isBrokenBy(cluster, pod, ready.lastTransitionTime),
  );
  const seconds = secondsBetween(ready.lastTransitionTime, cluster.takenAt);
  const length = seconds === undefined ? '' : ` for ${humanSeconds(seconds)}`;
  const beat =
    state === 'unreachable' && ready.lastHeartbeatTime !== undefined
      ? `; it last reported at ${ready.lastHeartbeatTime}`
      : '';
  const sick = plugins.filter((pod) => !isReady(pod)).map((pod) => podRef(pod));
  return {
    code: state === 'unreachable' ? 'node.unreachable' : 'node.not-ready',
    subject: nodeRef(name),
    message: `Node ${name} ${state === 'unreachable' ? 'has not answered' : 'has not been ready'}${length}${beat}${ready.message === undefined ? '.' : `: ${sentence(ready.message)}`}${count(broken)}`,
    evidence: [
      conditionProof(nodeRef(name), ready),
      ...(state !== 'unreachable' || ready.lastHeartbeatTime === undefined
        ? []
        : [proof(nodeRef(name), 'status.conditions[Ready].lastHeartbeatTime', ready.lastHeartbeatTime)]),
      ...nodeEvents(cluster, name, ready.lastTransitionTime),
    ],
    severity: severityFor(node, broken),
    suspects: plugins.map((pod) => podRef(pod)),
    since: ready.lastTransitionTime,
    explains: broken.map((pod) => podRef(pod)),
    explainedBy: sick,
  };
}

const count = (pods: readonly Pod[]): string =>
  pods.length === 0 ? '' : ` ${pods.length === 1 ? 'One pod is' : `${pods.length} pods are`} affected.`;

/** Nobody minds a node on which nothing runs, least of all one that is being removed. */
function severityFor(node: Node, broken: readonly Pod[]): Draft['severity'] {
  if (broken.length > 0) return undefined;
  return node.metadata?.deletionTimestamp === undefined ? 'warning' : 'info';
}

/** Events of the node that say what happened to it: a reboot, an out-of-memory kill, a failing runtime. */
const TELLING =
  /^(Rebooted|SystemOOM|OOMKilling|KernelOops|TaskHung|FilesystemIsReadOnly|ContainerGCFailed|ImageGCFailed|FreeDiskSpaceFailed|EvictionThresholdMet|KubeletSetupFailed|FailedNodeAllocatableEnforcement|Shutdown|DockerHung|ContainerdStart|NodeNotReady)$/;

function nodeEvents(cluster: View<Needs>, name: string, since: string | undefined): Proof[] {
  return eventsOf(cluster, nodeRef(name))
    .filter((event) => TELLING.test(event.reason) && (secondsBetween(since, event.at) ?? 0) > -600)
    .slice(0, 3)
    .map((event) => eventEvidence(nodeRef(name), event));
}

/**
 * Whether a pod's trouble is the node's doing. What was wrong before the node went down has a cause of its own; that
 * Ready is False while ContainersReady is still True is the mark of the node-lifecycle controller.
 */
function isBrokenBy(cluster: View<Needs>, pod: Pod, downSince: string | undefined): boolean {
  if (isTerminal(pod)) return false;
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata ?? {};
  if (deletionTimestamp !== undefined) {
    // Its kubelet confirms nothing while it is down, whatever is left of the grace period.
    const asked = (secondsBetween(downSince, deletionTimestamp) ?? 0) - deletionGracePeriodSeconds;
    return asked >= 0 || (secondsBetween(deletionTimestamp, cluster.takenAt) ?? 0) > 60;
  }
  if (pod.status?.startTime === undefined && pod.status?.containerStatuses === undefined) return true;
  const ready = conditionOf(pod, 'Ready');
  if (ready?.status === 'True') return false;
  if (conditionOf(pod, 'ContainersReady')?.status === 'True') return true;
  const after = secondsBetween(downSince, ready?.lastTransitionTime ?? pod.metadata?.creationTimestamp);
  if (after !== undefined && after > -60) return true;
  return podEvents(cluster, pod).some((event) => event.reason === 'NodeNotReady' && !hasOwnTrouble(pod));
}

const hasOwnTrouble = (pod: Pod): boolean =>
  (pod.status?.containerStatuses ?? []).some(({ state }) => state?.running === undefined);

const pressures: Readonly<Record<string, { readonly code: Code; readonly lacks: string; readonly words: RegExp }>> = {
  MemoryPressure: {
    code: 'node.memory-pressure',
    lacks: 'memory',
    words: /low on resource: memory|\[.*MemoryPressure/,
  },
  DiskPressure: {
    code: 'node.disk-pressure',
    lacks: 'disk space',
    words: /low on resource: (ephemeral-storage|inodes|nodefs|imagefs)|\[.*DiskPressure/,
  },
  PIDPressure: { code: 'node.pid-pressure', lacks: 'process ids', words: /low on resource: pids|\[.*PIDPressure/ },
};

// Conditions of the node problem detector's own configuration.
const DETECTED =
  /^(KernelDeadlock|ReadonlyFilesystem|CorruptDockerOverlay2|XfsShutdown|Frequent\w+|\w+Unhealthy|\w+Problem)$/;

function* pressuresOf(cluster: View<Needs>, node: Node): Generator<Draft<Code>> {
  const name = node.metadata?.name ?? '';
  const subject = nodeRef(name);
  for (const condition of node.status?.conditions ?? []) {
    const { type = '', status, message, lastTransitionTime: since } = condition;
    if (status !== 'True' || type === 'Ready') continue;
    const evidence = [conditionProof(subject, condition), ...nodeEvents(cluster, name, since)];
    const said = message === undefined ? '' : `: ${sentence(message)}`.slice(0, -1);
    const pressure = pressures[type];
    if (pressure !== undefined) {
      const evicted = (podsByNode(cluster).get(name) ?? []).filter(
        (pod) => pod.status?.reason === 'Evicted' && pressure.words.test(pod.status.message ?? ''),
      );
      yield {
        code: pressure.code,
        subject,
        message: `Node ${name} is short of ${pressure.lacks}${said}.${evicted.length === 0 ? '' : ` Its kubelet has turned out ${evicted.length === 1 ? 'one pod' : `${evicted.length} pods`}.`}`,
        evidence,
        severity: severityFor(node, evicted),
        since,
        explains: evicted.map((pod) => podRef(pod)),
      };
    } else if (type === 'NetworkUnavailable') {
      yield { ...networkUnavailable(cluster, node, said, since), evidence };
    } else if (DETECTED.test(type)) {
      yield {
        code: 'node.problem-detected',
        subject,
        message: `Node ${name} reports ${type}${said}.`,
        evidence,
        severity: 'warning',
        since,
        fault: `${name}:${type}`,
      };
    }
  }
}

function networkUnavailable(cluster: View<Needs>, node: Node, said: string, since: string | undefined) {
  const name = node.metadata?.name ?? '';
  const plugins = networkPodsOn(cluster, name);
  const broken = (podsByNode(cluster).get(name) ?? []).filter(
    (pod) => !plugins.includes(pod) && pod.spec?.hostNetwork !== true && isBrokenBy(cluster, pod, since),
  );
  const refs = (pods: readonly Pod[]): Ref[] => pods.map((pod) => podRef(pod));
  return {
    code: 'node.network-unavailable' as const,
    subject: nodeRef(name),
    message: `The network of node ${name} is not set up${said}.${count(broken)}`,
    severity: severityFor(node, broken),
    suspects: refs(plugins),
    since,
    explains: refs(broken),
    explainedBy: refs(plugins.filter((pod) => !isReady(pod))),
  };
}
