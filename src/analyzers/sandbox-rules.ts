import type { Rule, Where } from '../analyzer.ts';
import { change, look, shell } from '../objects/kubectl.ts';
import { cordonNode, describeNode, describePod, editWorkload, podsOnNode } from '../objects/remedies.ts';
import { rules as runtimeRules } from './runtime-rules.ts';

const SANDBOX = 'kubelet (event FailedCreatePodSandBox), in the words of the runtime and the network plugin';

const rule = (summary: string, remedy: Rule['remedy'], source = SANDBOX): Rule => ({
  severity: 'critical',
  summary,
  source,
  stage: 'sandbox',
  remedy,
});

const plugin = (w: Where) => look('See how the pods of the network plugin on that node are.', pluginPods(w));
const pluginPods = ({ detail: { node } }: Where): string | undefined =>
  node &&
  shell('kubectl', 'get', 'pods', '-n', 'kube-system', '-o', 'wide', '--field-selector', `spec.nodeName=${node}`);
const pluginLog = ({ detail: { plugin: name, pluginNamespace } }: Where) =>
  look(
    "Read the log of the plugin's pod there.",
    name && shell('kubectl', 'logs', name, '-n', pluginNamespace ?? 'kube-system', '--all-containers', '--tail=50'),
  );
const restartPlugin = ({ detail: { plugin: name, pluginNamespace } }: Where) =>
  change(
    'Restart the network plugin on that node.',
    name && shell('kubectl', 'delete', `pod/${name}`, '-n', pluginNamespace ?? 'kube-system'),
  );
const runtime = (w: Where) => [
  look('See the node.', describeNode(w)),
  look('On the node, see how the runtime is.', 'systemctl status containerd'),
];

export const sandboxRules = {
  'cni.not-ready': rule(
    'The network of the node is not ready: the network plugin has not set it up.',
    (w) => [plugin(w), pluginLog(w), restartPlugin(w)],
    'kubelet (event NetworkNotReady)',
  ),
  'cni.ip-exhausted': rule('The network plugin has no IP address left to give.', (w) => [
    look('See how many pods the node runs.', podsOnNode(w)),
    plugin(w),
    change('Enlarge the address range (subnet, pod CIDR, prefix delegation), or move pods to other nodes.'),
  ]),
  'cni.plugin-missing': rule('The program of the network plugin is not installed on the node.', (w) => [
    look('On the node, see what is installed.', 'ls -l /opt/cni/bin'),
    plugin(w),
    change('Let the DaemonSet of the plugin install it again.', restartPlugin(w).command),
  ]),
  'cni.config': rule('The configuration of the network plugin is missing or wrong on the node.', (w) => [
    look('On the node, see what is configured.', 'ls -l /etc/cni/net.d'),
    plugin(w),
    restartPlugin(w),
  ]),
  'cni.daemon': rule('The daemon of the network plugin does not answer, or may not ask the API server.', (w) => [
    plugin(w),
    pluginLog(w),
    restartPlugin(w),
  ]),
  'cni.generic': rule('The network plugin fails to set up the network of the pod.', (w) => [
    look('Read what it says.', describePod(w)),
    plugin(w),
    pluginLog(w),
  ]),
  'sandbox.pause-image': rule('The image of the sandbox (pause) cannot be pulled.', (w) => [
    look('On the node, see which image the runtime uses.', 'crictl info | grep -i sandbox'),
    change(
      "Make it reachable, or set another one (containerd's sandbox image, CRI-O's pause_image) and restart the runtime.",
    ),
    look('See the node.', describeNode(w)),
  ]),
  'sandbox.runtimeclass': rule('The runtime handler of the RuntimeClass does not exist on the node.', (w) => [
    look('See which RuntimeClasses there are, and their handlers.', 'kubectl get runtimeclasses'),
    look('On the node, see which handlers the runtime has.', 'crictl info'),
    change(
      'Install the handler there, schedule the pod to nodes that have it, or correct runtimeClassName.',
      editWorkload(w),
    ),
  ]),
  'sandbox.sysctl': rule('A sysctl of the pod cannot be set in its sandbox.', (w) => [
    look('See which sysctls it sets.', describePod(w)),
    change(
      'Remove the sysctl: it belongs to the node, or to a network that the pod shares with it (hostNetwork).',
      editWorkload(w),
    ),
  ]),
  'sandbox.name-reserved': rule('An earlier try to create the sandbox has not come to an end.', (w) => [
    ...runtime(w),
    change('Keep pods off the node and see what slows it (disk, load).', cordonNode(w)),
  ]),
  'sandbox.io': rule('The disk of the node, or a shim of the runtime, fails.', (w) => [
    ...runtime(w),
    look('On the node, look for disk errors.', 'dmesg --level=err,warn'),
    change('Keep pods off the node while it is repaired.', cordonNode(w)),
  ]),
  'sandbox.cgroup': rule(
    'The cgroup of the pod cannot be created.',
    (w) => [
      ...runtime(w),
      change('See that kubelet and runtime use the same cgroup driver, and that the node has cgroups left.'),
    ],
    'kubelet (event FailedCreatePodContainer) or the runtime',
  ),
  'sandbox.timeout': rule('The runtime does not create the sandbox in time.', (w) => [
    ...runtime(w),
    change('Keep pods off the node and see what slows it (disk, load).', cordonNode(w)),
  ]),
  'sandbox.dies': rule(
    'The sandbox is created, and ends again and again.',
    (w) => [
      look('Read what the kubelet says.', describePod(w)),
      ...runtime(w),
      look("On the node, read the runtime's log.", 'journalctl -u containerd --since -15min'),
    ],
    'kubelet (event SandboxChanged, repeated)',
  ),
  'sandbox.dra': rule(
    'The devices that the pod claims cannot be prepared on the node.',
    (w) => [
      look(
        'See claims and devices.',
        shell('kubectl', 'get', 'resourceclaims', '-n', w.subject.namespace ?? 'default'),
      ),
      look("See whether the driver's pod runs on the node.", podsOnNode(w)),
      look('Read what the driver says.', describePod(w)),
    ],
    'kubelet (event FailedPrepareDynamicResources), in the words of the DRA driver',
  ),
  'sandbox.kubelet-silent': rule(
    'The pod is assigned to a node whose kubelet has not taken it up.',
    (w) => [
      look('See when the node last reported.', describeNode(w)),
      look('On the node, see whether the kubelet runs.', 'systemctl status kubelet'),
      change('Keep pods off the node until it does.', cordonNode(w)),
    ],
    'kubelet (it sets status.startTime as soon as it sees a pod)',
  ),
  'runtime.cgroup-mem': runtimeRules['runtime.cgroup-mem'],
  'sandbox.unknown': rule(
    'The sandbox cannot be created, for a reason podlens does not know.',
    (w) => [look('Read what the kubelet says.', describePod(w)), ...runtime(w)],
    'kubelet',
  ),
} satisfies Record<string, Rule>;

export type SandboxCode = keyof typeof sandboxRules;
