import { type Draft, defineAnalyzer } from '../analyzer.ts';
import { eventEvidence } from '../objects/events.ts';
import { kubectl, look } from '../objects/kubectl.ts';
import { isReady, networkPodsOn, nodeRef } from '../objects/node-health.ts';
import { isOutside, volumesOf } from '../objects/pod-volumes.ts';
import { conditionOf, type Pod, podRef, troubledPods } from '../objects/pods.ts';
import { conditionProof, type Proof, proof } from '../objects/proof.ts';
import { type StartEvent, type Startup, startupOf, waitsForConfig } from '../objects/startup.ts';
import { humanSeconds } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import { codeOf, memoryLimits } from './sandbox-causes.ts';
import { type SandboxCode, sandboxRules } from './sandbox-rules.ts';

type Needs =
  | 'Pod'
  | 'Event'
  | 'ConfigMap'
  | 'Secret'
  | 'RuntimeClass'
  | 'PersistentVolumeClaim'
  | 'PersistentVolume'
  | 'VolumeAttachment';

export const podSandbox = defineAnalyzer<Needs, SandboxCode>({
  id: 'pod-sandbox',
  kind: 'Pod',
  title: 'Pods without a network or a sandbox',
  needs: [
    'Pod',
    'Event',
    'ConfigMap',
    'Secret',
    'RuntimeClass',
    'PersistentVolumeClaim',
    'PersistentVolume',
    'VolumeAttachment',
  ],
  rules: sandboxRules,
  *analyze(cluster) {
    for (const pod of troubledPods(cluster)) {
      const startup = startupOf(cluster, pod);
      if (startup === undefined) continue;
      const found = explain(cluster, pod, startup);
      if (found !== undefined && !(startup.early && !lasting.has(found.code))) yield { ...found, since: startup.since };
    }
  },
});

// In the first minute of a pod, the network of a new node may be on its way; these do not come by waiting.
const lasting: ReadonlySet<SandboxCode> = new Set([
  'cni.plugin-missing',
  'runtime.cgroup-mem',
  'sandbox.pause-image',
  'sandbox.runtimeclass',
  'sandbox.sysctl',
]);

function explain(cluster: View<Needs>, pod: Pod, startup: Startup): Draft<SandboxCode> | undefined {
  const { events } = startup;
  const newest = events.find(({ reason }) => reason !== 'SandboxChanged');
  if (newest?.step === 'volume') return undefined;
  if (newest === undefined || newest.step === 'container') {
    return dying(pod, startup) ?? (newest === undefined ? silent(cluster, pod, startup) : undefined);
  }
  return byEvent(cluster, pod, startup, newest);
}

const sentences: Readonly<Record<SandboxCode, (node: string) => string>> = {
  'cni.not-ready': (node) => `The network of node ${node} is not ready, so the pod cannot be started there`,
  'cni.ip-exhausted': (node) => `The network plugin of node ${node} has no IP address left for the pod`,
  'cni.plugin-missing': (node) => `A program of the network plugin is missing on node ${node}`,
  'cni.config': (node) => `The configuration of the network plugin is missing or wrong on node ${node}`,
  'cni.daemon': (node) => `The daemon of the network plugin on node ${node} does not do its work`,
  'cni.generic': (node) => `The network plugin of node ${node} fails to set up the network of the pod`,
  'sandbox.pause-image': (node) => `The image of the sandbox (pause) cannot be pulled on node ${node}`,
  'sandbox.runtimeclass': (node) =>
    `The runtime that the RuntimeClass of the pod asks for does not exist on node ${node}`,
  'sandbox.sysctl': () => 'A sysctl that the pod sets cannot be set in its sandbox',
  'sandbox.name-reserved': (node) => `An earlier try to create the sandbox on node ${node} has not come to an end`,
  'sandbox.io': (node) => `The disk or the runtime of node ${node} fails while the sandbox is created`,
  'sandbox.cgroup': (node) => `The cgroup of the pod cannot be created on node ${node}`,
  'sandbox.timeout': (node) => `The runtime of node ${node} does not create the sandbox in time`,
  'sandbox.dies': (node) => `The sandbox of the pod ends again and again on node ${node}`,
  'sandbox.kubelet-silent': (node) => `The kubelet of node ${node} has not taken up the pod`,
  'sandbox.dra': (node) => `The devices that the pod claims cannot be prepared on node ${node}`,
  'runtime.cgroup-mem': () => 'The memory limit of the pod is too low even for its sandbox',
  'sandbox.unknown': (node) => `The sandbox of the pod cannot be created on node ${node}`,
};

function byEvent(cluster: View<Needs>, pod: Pod, startup: Startup, event: StartEvent): Draft<SandboxCode> {
  const code = codeOf(event);
  const node = pod.spec?.nodeName ?? '';
  const said = bare(event.message);
  return {
    code,
    subject: podRef(pod),
    message: `${specialSentence(pod, code, event.message) ?? sentences[code](node)}; the pod has waited for ${humanSeconds(startup.seconds)}. The kubelet says: "${said}".`,
    evidence: [eventEvidence(podRef(pod), event), ...ofPod(cluster, pod, code), ...condition(pod)],
    ...(code === 'sandbox.unknown' || code === 'cni.generic'
      ? { confidence: 'likely', check: kubeletLog(pod) }
      : undefined),
    ...(code === 'runtime.cgroup-mem' && memoryLimits(pod).length === 0 ? unlimited(pod) : undefined),
    ...ofNode(cluster, code, node, said),
  };
}

function specialSentence(pod: Pod, code: SandboxCode, message: string): string | undefined {
  if (code === 'runtime.cgroup-mem' && memoryLimits(pod).length === 0) {
    return 'The sandbox of the pod gets too little memory to start, though the pod sets no memory limit';
  }
  const handler = /no runtime for "([^"]+)" is configured/.exec(message)?.[1];
  if (code !== 'sandbox.runtimeclass' || handler === undefined) return undefined;
  const name = pod.spec?.runtimeClassName;
  const by = name === undefined ? '' : `, which RuntimeClass ${name} asks for,`;
  return `The runtime handler "${handler}"${by} is not configured on node ${pod.spec?.nodeName ?? ''}`;
}

/** Then it is a cgroup above the pod's that is full: that of its class, or of all pods of the node. */
function unlimited(pod: Pod): Partial<Draft<SandboxCode>> {
  const node = look(
    'See how much memory the node has, and what its pods use.',
    kubectl('describe', nodeRef(pod.spec?.nodeName ?? '')),
  );
  return { confidence: 'likely', check: node, remedy: [node, kubeletLog(pod)] };
}

const kubeletLog = (pod: Pod) =>
  look("On the node, read the kubelet's log.", `journalctl -u kubelet | grep ${pod.metadata?.name ?? ''}`);

/** The runtime's own words, without the envelopes of kubelet and gRPC. */
const bare = (message: string): string =>
  message
    .replace(/^(Failed to create pod sandbox|Failed create pod sandbox|network is not ready): /i, '')
    .replace(/^rpc error: code = \w+ desc = /, '')
    .replace(/[.\s]+$/, '');

function condition(pod: Pod): Proof[] {
  const found = conditionOf(pod, 'PodReadyToStartContainers') ?? conditionOf(pod, 'PodHasNetwork');
  return found === undefined ? [] : [conditionProof(podRef(pod), found)];
}

function ofPod(cluster: View<Needs>, pod: Pod, code: SandboxCode): Proof[] {
  if (code === 'runtime.cgroup-mem') return memoryLimits(pod);
  const name = pod.spec?.runtimeClassName;
  if (code !== 'sandbox.runtimeclass' || name === undefined) return [];
  const handler = cluster.get('RuntimeClass', name)?.handler;
  return [
    proof(podRef(pod), 'spec.runtimeClassName', name),
    ...(handler === undefined ? [] : [proof({ kind: 'RuntimeClass', name }, 'handler', handler)]),
  ];
}

// The pod's own wish; everything else would befall other pods of the node too.
const ofPodAlone: ReadonlySet<SandboxCode> = new Set([
  'runtime.cgroup-mem',
  'sandbox.sysctl',
  'sandbox.dra',
  'sandbox.dies',
  'sandbox.unknown',
]);

function ofNode(cluster: View<Needs>, code: SandboxCode, node: string, said: string): Partial<Draft<SandboxCode>> {
  if (ofPodAlone.has(code)) return { suspects: [nodeRef(node)], detail: { node } };
  const plugins = code.startsWith('cni.') ? networkPodsOn(cluster, node) : [];
  const [plugin] = plugins;
  return {
    suspects: [...plugins.map((pod) => podRef(pod)), nodeRef(node)],
    detail: { node, plugin: plugin?.metadata?.name, pluginNamespace: plugin?.metadata?.namespace },
    fault: commonPart(said),
    explainedBy: plugins.filter((pod) => !isReady(pod)).map((pod) => podRef(pod)),
  };
}

/** What many pods' messages of one fault have in common: without the ids, addresses and names of each. */
const commonPart = (said: string): string =>
  said
    .replace(/"[^"]*"/g, '""')
    .replace(/k8s_\S+|\b[0-9a-f]{8,}\b|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, '')
    .replace(/\d+/g, '#')
    .slice(0, 200);

// One new sandbox is what a reboot of the node leaves behind.
const DEATHS = 3;

function dying(pod: Pod, { events, seconds }: Startup): Draft<SandboxCode> | undefined {
  const changed = events.find(({ reason }) => reason === 'SandboxChanged');
  if (changed === undefined || changed.count < DEATHS) return undefined;
  const node = pod.spec?.nodeName ?? '';
  return {
    code: 'sandbox.dies',
    subject: podRef(pod),
    message: `${sentences['sandbox.dies'](node)}: ${changed.count} times in ${humanSeconds(seconds)}.`,
    evidence: [eventEvidence(podRef(pod), changed), ...condition(pod)],
    suspects: [nodeRef(node)],
    detail: { node },
  };
}

const SILENT_SECONDS = 120;

/** Nothing is said, and no volume is to blame: all that is known is which step is not done. */
function silent(cluster: View<Needs>, pod: Pod, startup: Startup): Draft<SandboxCode> | undefined {
  if (startup.seconds < SILENT_SECONDS || !startup.first) return undefined;
  const node = pod.spec?.nodeName ?? '';
  const shared = {
    subject: podRef(pod),
    severity: 'warning' as const,
    check: kubeletLog(pod),
    suspects: [nodeRef(node)],
    detail: { node },
  };
  const waited = humanSeconds(startup.seconds);
  if (!startup.takenUp) {
    return {
      ...shared,
      code: 'sandbox.kubelet-silent',
      // The kubelet of a node is the node's: all pods that wait there have one cause.
      subject: nodeRef(node),
      message: `The kubelet of node ${node} does not take up what is assigned to it: pod ${pod.metadata?.name} has waited there for ${waited}.`,
      evidence: [proof(podRef(pod), 'status.startTime', '(none)'), ...scheduled(pod)],
      confidence: 'likely',
      fault: `node:${node}`,
      explains: [podRef(pod)],
    };
  }
  if (waitsForConfig(cluster, pod, startup) || volumesOf(cluster, pod).some(isOutside)) return undefined;
  return {
    ...shared,
    code: 'sandbox.unknown',
    message: `Pod ${pod.metadata?.name} has waited for ${waited} on node ${node} before its containers can be started, and no event says why.`,
    evidence: [
      ...condition(pod),
      proof(podRef(pod), 'status.startTime', pod.status?.startTime ?? '(none)', pod.status?.startTime),
    ],
    confidence: 'possible',
  };
}

function scheduled(pod: Pod): Proof[] {
  const found = conditionOf(pod, 'PodScheduled');
  return found === undefined ? [] : [conditionProof(podRef(pod), found)];
}
