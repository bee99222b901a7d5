import type { Rule, Where } from '../analyzer.ts';
import { change, kubectl, look, shell } from '../objects/kubectl.ts';
import { describePod, editWorkload, podOf, showCommand } from '../objects/remedies.ts';
import { execFormatRule } from './exec-format-rule.ts';
import { execNotFoundRule } from './exec-not-found-rule.ts';

const RUNTIME = 'container runtime (runc, containerd, CRI-O), through the kubelet (kuberuntime_container.go)';

const rule = (summary: string, remedy: Rule['remedy'], source = RUNTIME): Rule => ({
  severity: 'critical',
  summary,
  source,
  stage: 'start',
  remedy,
});

const describe = (w: Where) => look('Read the whole of it.', describePod(w));
const node = (w: Where) =>
  look(
    'See whether the node has other trouble.',
    w.detail['node'] && shell('kubectl', 'describe', `node/${w.detail['node']}`),
  );

/** Why a container cannot be created or started. */
export const rules = {
  'runtime.exec-not-found': execNotFoundRule,
  'runtime.exec-format': execFormatRule,
  'runtime.exec-permission': rule('The program that the container is to run is not executable.', (w) => [
    showCommand(w),
    change('Make it executable in the image (chmod +x), or run it through its interpreter.', editWorkload(w)),
  ]),
  'runtime.mount': rule('A volume cannot be mounted into the container.', (w) => [
    look(
      'See volumeMounts and volumes: a file must be mounted on a file, a folder on a folder, and inside a read-only mount only on what is there.',
      describePod(w),
    ),
    change('Correct the mount path or use subPath.', editWorkload(w)),
  ]),
  'runtime.workdir': rule('The working directory of the container cannot be entered or made.', (w) => [
    look('See workingDir and the user it runs as.', describePod(w)),
    change('Correct workingDir, or the rights on it in the image.', editWorkload(w)),
  ]),
  'runtime.user': rule('The user or group that the container is to run as does not exist in the image.', (w) => [
    look('See runAsUser and runAsGroup.', kubectl('get', podOf(w), '-o', 'jsonpath={..securityContext}')),
    change('Use a numeric user, or one that the image has.', editWorkload(w)),
  ]),
  'runtime.cgroup-mem': rule('The memory limit is too low even to start the container.', (w) => [
    look(
      'See the limit.',
      kubectl('get', podOf(w), '-o', `jsonpath={.spec.${w.detail['list'] ?? 'containers'}[*]['name','resources']}`),
    ),
    change('Raise limits.memory.', editWorkload(w)),
  ]),
  'runtime.cgroup': rule('The cgroup of the container cannot be set up.', (w) => [
    node(w),
    look('On the node, read the log of the kubelet.', 'journalctl -u kubelet'),
  ]),
  'runtime.lsm': rule('AppArmor, SELinux or seccomp cannot be set up for the container.', (w) => [
    describe(w),
    change('Load the profile on the nodes, or correct its name in the pod.', editWorkload(w)),
  ]),
  'runtime.name-reserved': rule(
    'An earlier try to create the container still holds its name: the runtime is too slow.',
    (w) => [
      node(w),
      look('On the node, see how the disk and the runtime do.', 'crictl ps -a'),
      change('If it does not pass, restart the runtime on the node.', 'systemctl restart containerd'),
    ],
  ),
  'runtime.timeout': rule('The runtime does not answer in time.', (w) => [
    node(w),
    look('On the node, see how the runtime does.', 'systemctl status containerd'),
    change('Restart the runtime, or drain the node.', 'systemctl restart containerd'),
  ]),
  'runtime.sandbox-gone': rule('The sandbox of the pod stopped while the container was being made.', (w) => [
    describe(w),
    node(w),
  ]),
  'runtime.device': rule('A device (GPU, CDI) cannot be given to the container.', (w) => [
    node(w),
    look('See the device plugins.', shell('kubectl', 'get', 'daemonsets', '-A')),
    change(
      'Mend driver or device plugin on the node, or keep pods off it.',
      w.detail['node'] && shell('kubectl', 'cordon', w.detail['node']),
    ),
  ]),
  'runtime.disk': rule('The disk of the node is full, broken or read-only.', (w) => [
    node(w),
    change(
      'Keep new pods off the node while it is mended.',
      w.detail['node'] && shell('kubectl', 'cordon', w.detail['node']),
    ),
  ]),
  'runtime.resource-manager': rule(
    "The kubelet's CPU, memory, topology or device manager refuses the container.",
    (w) => [describe(w), look('On the node, read the log of the kubelet.', 'journalctl -u kubelet')],
    'kubelet (kuberuntime_container.go: PreCreateHookError, PreStartHookError)',
  ),
  'runtime.unknown': rule('The container cannot be created or started, for a reason podlens does not know.', (w) => [
    describe(w),
    node(w),
  ]),
} satisfies Record<string, Rule>;

export type Code = keyof typeof rules;
