import type { Rule, Where } from '../analyzer.ts';
import type { Step } from '../finding.ts';
import { change, kubectl, kubectlLogs, look, shell } from '../objects/kubectl.ts';
import { editWorkload, podOf, showCommand } from '../objects/remedies.ts';
import { execFormatRule } from './exec-format-rule.ts';
import { execNotFoundRule } from './exec-not-found-rule.ts';
import { startupRule } from './startup-rule.ts';

const RUNTIME = 'container runtime, through the kubelet (status.containerStatuses[].state.terminated)';
const PROBER = 'kubelet (prober, kuberuntime_manager.go: event Killing)';

const rule = (stage: Rule['stage'], source: string, summary: string, remedy: Rule['remedy']): Rule => ({
  severity: 'critical',
  summary,
  source,
  stage,
  remedy,
});

const logs = (w: Where): string => kubectlLogs(w.subject, w.detail['run'] === 'previous');
const readLog = (w: Where) => look('Read what it said before it ended.', logs(w));
/** What a container uses; of one that is down for good nothing is measured. */
const usage = (w: Where): Step[] =>
  w.detail['run'] === 'current'
    ? []
    : [
        look(
          'See what it uses now, next to its limit.',
          shell('kubectl', 'top', 'pod', w.subject.name, '-n', w.subject.namespace ?? 'default', '--containers'),
        ),
      ];

/** Why containers end. */
export const rules = {
  'oom.container-limit': rule(
    'oom',
    RUNTIME,
    'The container used more memory than its limit allows and was killed.',
    (w) => [
      ...usage(w),
      readLog(w),
      change(
        'Raise limits.memory above the measured peak, or make the heap fit the limit (-XX:MaxRAMPercentage, --max-old-space-size).',
        editWorkload(w),
      ),
    ],
  ),
  'oom.node': rule(
    'oom',
    RUNTIME,
    'The container has no memory limit and was killed because its node ran out of memory.',
    (w) => [
      look('See how full the node is.', w.detail['node'] && shell('kubectl', 'describe', `node/${w.detail['node']}`)),
      look(
        'See who uses the memory there.',
        w.detail['node'] &&
          shell('kubectl', 'get', 'pods', '-A', '-o', 'wide', '--field-selector', `spec.nodeName=${w.detail['node']}`),
      ),
      change('Give the pods on it memory requests and limits, or move some away.', editWorkload(w)),
    ],
  ),
  'oom.suspected': rule(
    'oom',
    RUNTIME,
    'The container was killed with SIGKILL under a memory limit, and nothing else explains it.',
    (w) => [
      ...usage(w),
      look("On the node, look for the kernel's own record.", `dmesg | grep -i 'killed process'`),
      change('If it ran out of memory, raise limits.memory.', editWorkload(w)),
    ],
  ),
  'probe.liveness': rule(
    'probe-kill',
    PROBER,
    'The kubelet restarts the container because its liveness probe fails.',
    (w) => [
      look('See what the probe asks and how long it waits.', kubectl('describe', podOf(w))),
      readLog(w),
      change(
        'Correct port or path of the probe, or give the start more time with a startupProbe or a higher failureThreshold.',
        editWorkload(w),
      ),
    ],
  ),
  'probe.startup': startupRule,
  'hook.post-start': rule(
    'probe-kill',
    'kubelet (lifecycle/handlers.go: event FailedPostStartHook)',
    'The postStart hook fails, and the kubelet kills the container for it.',
    (w) => [
      look(
        'See the hook.',
        kubectl('get', podOf(w), '-o', `jsonpath={.spec.${w.detail['list'] ?? 'containers'}[*].lifecycle.postStart}`),
      ),
      readLog(w),
      change('Correct the hook, or do its work in the container itself.', editWorkload(w)),
    ],
  ),
  'crash.app-error': rule('exit', RUNTIME, 'The application ends with an error of its own.', (w) => [
    readLog(w),
    look('Compare configuration, environment and what it depends on.', kubectl('describe', podOf(w))),
    change('Correct them where the log points.', editWorkload(w)),
  ]),
  'crash.command-not-found': rule(
    'exit',
    RUNTIME,
    'The shell does not find the command, or a shared library is missing.',
    (w) => [
      readLog(w),
      showCommand(w),
      change('Correct the command, or put the program into the image.', editWorkload(w)),
    ],
  ),
  'crash.not-executable': rule('exit', RUNTIME, 'The command was found but cannot be executed.', (w) => [
    readLog(w),
    showCommand(w),
    change('Make the file executable in the image, and see that its interpreter exists.', editWorkload(w)),
  ]),
  'runtime.exec-format': execFormatRule,
  'runtime.exec-not-found': execNotFoundRule,
  'crash.segfault': rule('exit', RUNTIME, 'The process touched memory that is not its own (SIGSEGV).', (w) => [
    readLog(w),
    change('Run the version that worked before, and look for the native library or build that changed.', undo(w)),
  ]),
  'crash.abort': rule('exit', RUNTIME, 'The process aborted itself (SIGABRT).', (w) => [
    readLog(w),
    change('Correct what it complains about; for a full heap, raise the heap or its limit.', editWorkload(w)),
  ]),
  'crash.illegal-instruction': rule(
    'exit',
    RUNTIME,
    'The process used an instruction that the CPU does not have (SIGILL).',
    (w) => [
      look(
        'See which node and CPU it runs on.',
        w.detail['node'] && shell('kubectl', 'describe', `node/${w.detail['node']}`),
      ),
      change('Use a build for that CPU, or nodes that have the instruction.', editWorkload(w)),
    ],
  ),
  'crash.bus-error': rule(
    'exit',
    RUNTIME,
    'The process touched mapped memory that is not backed (SIGBUS), often a full /dev/shm.',
    (w) => [readLog(w), change('Mount an emptyDir with medium Memory on /dev/shm and give it room.', editWorkload(w))],
  ),
  'crash.bad-syscall': rule(
    'exit',
    RUNTIME,
    'The process made a system call that its seccomp profile forbids (SIGSYS).',
    (w) => [
      look('See the seccomp profile.', kubectl('get', podOf(w), '-o', 'jsonpath={..seccompProfile}')),
      change('Allow the call in the profile.', editWorkload(w)),
    ],
  ),
  'crash.sigkill': rule(
    'exit',
    RUNTIME,
    'The process was killed from outside (SIGKILL), and nothing says by whom.',
    (w) => [
      readLog(w),
      look("On the node, look for the kernel's and the runtime's own records.", `dmesg | grep -i 'killed process'`),
      change('Set a memory limit, so that an out-of-memory kill is recorded.', editWorkload(w)),
    ],
  ),
  'crash.sigterm': rule(
    'exit',
    RUNTIME,
    'The process was told to end (SIGTERM) though the pod was not being deleted.',
    (w) => [
      look(
        'See what happened to the pod.',
        shell('kubectl', 'events', '--for', `pod/${w.subject.name}`, '-n', w.subject.namespace ?? 'default'),
      ),
      readLog(w),
    ],
  ),
  'crash.completed-loop': rule(
    'exit',
    RUNTIME,
    'The process ends by itself with success, and is restarted because the pod wants it to run for ever.',
    (w) => [
      showCommand(w),
      readLog(w),
      change('Run the program in the foreground, or make it a Job if it is meant to end.', editWorkload(w)),
    ],
  ),
  'crash.status-lost': rule(
    'exit',
    'kubelet (kubelet_pods.go) or containerd',
    'The runtime lost the container, so that how it ended is not known.',
    (w) => [
      look(
        'See whether the node or its runtime was restarted.',
        w.detail['node'] && shell('kubectl', 'describe', `node/${w.detail['node']}`),
      ),
      readLog(w),
    ],
  ),
} satisfies Record<string, Rule>;

const undo = ({ owner }: Where): string | undefined =>
  owner === undefined || !['Deployment', 'StatefulSet', 'DaemonSet'].includes(owner.kind)
    ? undefined
    : kubectl('rollout undo', owner);

export type Code = keyof typeof rules;
