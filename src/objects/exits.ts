import type { ContainerView } from './pods.ts';
import { secondsBetween } from './time.ts';

/** How a run of a container ended. */
export interface Exit {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly startedAt: string | undefined;
  readonly finishedAt: string | undefined;
  /** How long the run lasted; undefined where the runtime did not say. */
  readonly seconds: number | undefined;
  /** Where it stands: "state" for a container that is down now, "lastState" for the run before the present one. */
  readonly from: 'state' | 'lastState';
}

/** The newest exit of a container: its state if it is down, else the exit of the run before. */
export function lastExit({ status }: ContainerView): Exit | undefined {
  const from = status?.state?.terminated === undefined ? 'lastState' : 'state';
  const terminated = status?.[from]?.terminated;
  if (terminated === undefined) return undefined;
  const { exitCode = 0, reason = '', message = '', finishedAt } = terminated;
  // containerd writes 1970 for a container that never started; the kubelet leaves the times of a lost one null.
  const startedAt = terminated.startedAt?.startsWith('1970') ? undefined : terminated.startedAt;
  return {
    code: exitCode,
    reason,
    message,
    startedAt,
    finishedAt,
    seconds: secondsBetween(startedAt, finishedAt),
    from,
  };
}

const meanings: Readonly<Record<number, string>> = {
  1: 'the application reports an error',
  2: 'a Go panic or wrong usage',
  64: 'wrong usage',
  65: 'wrong input data',
  66: 'input cannot be opened',
  69: 'a service it needs is unavailable',
  70: 'an internal error',
  73: 'output cannot be created',
  74: 'an input or output error',
  75: 'a temporary failure',
  77: 'permission denied',
  78: 'a configuration error',
  124: 'its own `timeout` ran out',
  125: 'the wrapper that starts it failed',
  126: 'found but not executable',
  127: 'command not found, or a shared library is missing',
  128: 'it could not be started',
  129: 'SIGHUP',
  130: 'SIGINT',
  131: 'SIGQUIT',
  132: 'SIGILL: an instruction this CPU lacks',
  133: 'SIGTRAP',
  134: 'SIGABRT: it aborted itself',
  135: 'SIGBUS',
  136: 'SIGFPE: an arithmetic error',
  137: 'SIGKILL',
  138: 'SIGUSR1',
  139: 'SIGSEGV: a segmentation fault',
  140: 'SIGUSR2',
  141: 'SIGPIPE',
  143: 'SIGTERM',
  152: 'SIGXCPU: a CPU time limit',
  153: 'SIGXFSZ: a file size limit',
  159: 'SIGSYS: a system call that is not allowed',
  255: 'it exited with -1, or could not be executed',
};

// Windows reports NTSTATUS, as int32 or unsigned.
const windows: Readonly<Record<number, string>> = {
  [-1073741819]: 'an access violation',
  [-1073741515]: 'a DLL is missing',
  [-1073741502]: 'a DLL failed to initialise',
  [-1073741571]: 'a stack overflow',
  [-1073740791]: 'a stack buffer overrun',
  [-1073740940]: 'heap corruption',
  [-1073741510]: 'Ctrl-C',
  [-532462766]: 'a .NET exception',
};

/** What an exit code stands for, in words; undefined for codes that are the application's own. */
export const meaningOf = (code: number): string | undefined => meanings[code] ?? windows[code | 0];

export const isAccessViolation = (code: number): boolean => (code | 0) === -1073741819 || (code | 0) === -1073741571;
