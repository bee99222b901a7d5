import { type Draft, defineAnalyzer, type Rule, type Where } from '../analyzer.ts';
import { lastExit } from '../objects/exits.ts';
import { change, kubectl, look, shell } from '../objects/kubectl.ts';
import { isOutlived } from '../objects/leftover.ts';
import { type ContainerView, containersOf, isLiving, type Pod, podRef, troubledPods } from '../objects/pods.ts';
import { describePod, editWorkload, podOf } from '../objects/remedies.ts';
import { secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import { execFormatRule } from './exec-format-rule.ts';
import { execNotFoundRule } from './exec-not-found-rule.ts';

type Needs = 'Pod' | 'ReplicaSet' | 'Job' | 'Node';

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
const command = (w: Where) =>
  look(
    'See which command it runs.',
    kubectl('get', podOf(w), '-o', `jsonpath={.spec.containers[*]['name','command','args']}`),
  );

const rules = {
  'runtime.exec-not-found': execNotFoundRule,
  'runtime.exec-format': execFormatRule,
  'runtime.exec-permission': rule('The program that the container is to run is not executable.', (w) => [
    command(w),
    change('Make it executable in the image (chmod +x), or run it through its interpreter.', editWorkload(w)),
  ]),
  'runtime.mount': rule('A volume cannot be mounted into the container.', (w) => [
    look('See volumeMounts and volumes: a file must be mounted on a file, a folder on a folder.', describePod(w)),
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
    look('See the limit.', kubectl('get', podOf(w), '-o', 'jsonpath={.spec.containers[*].resources}')),
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

type Code = keyof typeof rules;

/** The inner words of runc, crun and the runtimes, most telling first. */
const causes: readonly (readonly [Code, RegExp])[] = [
  ['runtime.exec-format', /exec format error/i],
  ['runtime.cgroup-mem', /container init was OOM-killed|memory limit too low/i],
  ['runtime.disk', /no space left on device|input\/output error|structure needs cleaning/i],
  [
    'runtime.name-reserved',
    /is reserved for|failed to reserve container name|kubelet may be retrying requests|may be retrying requests that are timing out/i,
  ],
  ['runtime.device', /CDI device|nvidia-container-cli|failed to initialize NVML|unresolvable CDI/i],
  ['runtime.lsm', /apparmor|keycreate|seccomp|selinux/i],
  ['runtime.workdir', /chdir to cwd|mkdir .*: (read-only file system|permission denied)|cannot chdir/i],
  ['runtime.user', /unable to find (user|group)|linux spec user|no matching entries in (passwd|group) file/i],
  [
    'runtime.mount',
    /error mounting|not a directory.*mount|Are you trying to mount a directory|is not a shared mount|ImageVolumeMountFailed|failed to (mount|stat) |rootfs_linux\.go/i,
  ],
  ['runtime.exec-permission', /exec:? .*permission denied|: permission denied/i],
  [
    'runtime.exec-not-found',
    /executable file not found|stat [^:]+: no such file or directory|no command specified|exec[:" ].*no such file or directory/i,
  ],
  ['runtime.sandbox-gone', /sandbox container .* is not running|sandbox was stopped|sandbox .* not found/i],
  ['runtime.cgroup', /cgroup|cpu\.cfs_quota|memory\.max/i],
  ['runtime.disk', /read-only file system/i],
  ['runtime.timeout', /context deadline exceeded|DeadlineExceeded/i],
];

/** What the runtime's words say about why it did not start a container. */
const causeOfStart = (message: string): Code =>
  causes.find(([, words]) => words.test(message))?.[0] ?? 'runtime.unknown';

const sentences: Readonly<Record<Code, string>> = {
  'runtime.exec-not-found': 'its program is not in the image',
  'runtime.exec-format': "its program is built for another platform than the node's",
  'runtime.exec-permission': 'its program is not executable',
  'runtime.mount': 'a volume cannot be mounted into it',
  'runtime.workdir': 'its working directory cannot be entered',
  'runtime.user': 'the user it is to run as is not in the image',
  'runtime.cgroup-mem': 'its memory limit is too low even to start',
  'runtime.cgroup': 'its cgroup cannot be set up',
  'runtime.lsm': 'its security profile cannot be set up',
  'runtime.name-reserved': 'an earlier try still holds its name',
  'runtime.timeout': 'the runtime does not answer in time',
  'runtime.sandbox-gone': "the pod's sandbox stopped meanwhile",
  'runtime.device': 'a device cannot be given to it',
  'runtime.disk': "the node's disk is full or broken",
  'runtime.resource-manager': 'a resource manager of the kubelet refuses it',
  'runtime.unknown': 'the reason is new to podlens',
};

// Reasons that other analyzers read, or that say no more than "wait".
const others = new Set([
  'ContainerCreating',
  'PodInitializing',
  'CrashLoopBackOff',
  'ErrImagePull',
  'ImagePullBackOff',
  'ImagePullError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
  'ErrImageNeverPull',
  'ImageInspectError',
  'InvalidImageName',
  'CreateContainerConfigError',
  'VerifyNonRootError',
  'PostStartHookError',
  'RestartingAllContainers',
]);

// The runtime has made the container but the kubelet has not started it: a hiccup, unless it lasts.
const CREATED_SECONDS = 120;

export const podContainerStart = defineAnalyzer<Needs, Code>({
  id: 'pod-container-start',
  kind: 'Pod',
  title: 'Containers that the runtime cannot create or start',
  needs: ['Pod', 'ReplicaSet', 'Job', 'Node'],
  rules,
  *analyze(cluster) {
    for (const pod of troubledPods(cluster)) {
      const failed = pod.status?.phase === 'Failed' && pod.metadata?.deletionTimestamp === undefined;
      if (!isLiving(pod) && !failed) continue;
      for (const container of containersOf(pod)) {
        const words = isLiving(pod)
          ? (waitingWords(cluster, pod, container) ?? exitWords(container))
          : exitWords(container);
        if (words !== undefined) yield explain(cluster, pod, container, words);
      }
    }
  },
});

interface Words {
  readonly reason: string;
  readonly message: string;
  readonly where: string;
  readonly at?: string | undefined;
}

function waitingWords(cluster: View<Needs>, pod: Pod, { status, path }: ContainerView): Words | undefined {
  const waiting = status?.state?.waiting;
  if (waiting === undefined) return undefined;
  const { reason = '', message = '' } = waiting;
  if (others.has(reason)) return undefined;
  const where = `${path}.state.waiting`;
  if (reason !== '') return { reason, message, where };
  const age = secondsBetween(pod.status?.startTime, cluster.takenAt) ?? 0;
  return age < CREATED_SECONDS ? undefined : { reason: 'created, not started', message, where };
}

/** containerd starts the container and reports StartError, dockershim reported ContainerCannotRun. */
function exitWords(container: ContainerView): Words | undefined {
  const exit = lastExit(container);
  if (exit === undefined) return undefined;
  const isStart =
    exit.reason === 'StartError' ||
    exit.reason === 'ContainerCannotRun' ||
    (exit.code === 128 && /OCI runtime|failed to (create|start)/.test(exit.message));
  if (!isStart) return undefined;
  const running = container.status?.state?.running !== undefined;
  if (running) return undefined;
  return {
    reason: exit.reason,
    message: exit.message,
    where: `${container.path}.${exit.from}.terminated`,
    at: exit.finishedAt,
  };
}

function explain(cluster: View<Needs>, pod: Pod, container: ContainerView, words: Words): Draft<Code> {
  const subject = podRef(pod, container.name);
  const managers = /^Pre(Create|Start)HookError$/.test(words.reason);
  const code = managers ? 'runtime.resource-manager' : causeOfStart(`${words.reason} ${words.message}`);
  const program = /exec: "([^"]+)"/.exec(words.message)?.[1];
  const said = words.message === '' ? words.reason : innermost(words.message);
  return {
    code,
    subject,
    message: `Container ${container.name} cannot be started: ${sentences[code]}${program === undefined || !code.startsWith('runtime.exec') ? '' : ` ("${program}")`}. The runtime says: "${said}".`,
    evidence: [
      {
        from: subject,
        where: words.where,
        text: words.message === '' ? words.reason : `${words.reason}: ${words.message}`,
        ...(words.at === undefined ? {} : { at: words.at }),
      },
    ],
    severity: severityOf(cluster, pod, container, words),
    ...(code === 'runtime.unknown'
      ? { confidence: 'likely', check: look('Read the events of the pod.', kubectl('describe', podRef(pod))) }
      : {}),
    detail: { node: pod.spec?.nodeName, image: container.spec.image },
    since: pod.status?.startTime,
  };
}

function severityOf(cluster: View<Needs>, pod: Pod, container: ContainerView, words: Words): Draft['severity'] {
  if (container.role === 'ephemeral') return 'info';
  if (!isLiving(pod) && isOutlived(cluster, pod)) return 'info';
  return words.reason === 'created, not started' ? 'warning' : undefined;
}

/** Drops the layers that wrapped the words of runc: "…: unable to start container process: <inner>: unknown". */
function innermost(message: string): string {
  const inner =
    /(?:unable to start container process: |container create failed: )(?:error during container init: )?(.+)$/s.exec(
      message,
    )?.[1] ?? message;
  return inner.replace(/: unknown$/, '').trim();
}
