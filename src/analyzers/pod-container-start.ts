import { type Draft, defineAnalyzer } from '../analyzer.ts';
import { lastExit } from '../objects/exits.ts';
import { kubectl, look } from '../objects/kubectl.ts';
import { isOutlived } from '../objects/leftover.ts';
import {
  type ContainerView,
  containersOf,
  isLiving,
  type Pod,
  podRef,
  specListOf,
  troubledPods,
} from '../objects/pods.ts';
import { secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import { causeOfStart } from './runtime-causes.ts';
import { type Code, rules } from './runtime-rules.ts';

type Needs = 'Pod' | 'ReplicaSet' | 'Job' | 'Node';

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

/** runc quotes the program, in CRI-O's log line once more; crun writes backticks. */
function programIn(message: string): string | undefined {
  const [, quoted, ticked] = /exec: \\?"([^"\\]+)|executable file `([^`]+)`/.exec(message) ?? [];
  return quoted ?? ticked;
}

function explain(cluster: View<Needs>, pod: Pod, container: ContainerView, words: Words): Draft<Code> {
  const subject = podRef(pod, container.name);
  const managers = /^Pre(Create|Start)HookError$/.test(words.reason);
  const code = managers ? 'runtime.resource-manager' : causeOfStart(`${words.reason} ${words.message}`);
  const program = programIn(words.message);
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
    detail: { node: pod.spec?.nodeName, image: container.spec.image, list: specListOf(container.role) },
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
