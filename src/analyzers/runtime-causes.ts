import type { Code } from './runtime-rules.ts';

/**
 * The inner words of runc, crun and the runtimes, most telling first: what quotes a program or a path comes before the
 * single words that may be part of such a name.
 */
const causes: readonly (readonly [Code, RegExp])[] = [
  ['runtime.exec-format', /exec format error/i],
  [
    'runtime.cgroup-mem',
    /container init was OOM-killed|memory limit too low|unable to set memory limit to|set memory limit \d+ too low/i,
  ],
  ['runtime.disk', /no space left on device|input\/output error|structure needs cleaning/i],
  [
    'runtime.name-reserved',
    /is reserved for|failed to reserve container name|kubelet may be retrying requests|may be retrying requests that are timing out/i,
  ],
  [
    'runtime.exec-not-found',
    /executable file (`[^`]*` )?not found|exec: \\?"[^"]*": stat .*no such file or directory/i,
  ],
  ['runtime.exec-permission', /exec: \\?"[^"]*": (permission denied|is a directory)/i],
  [
    'runtime.device',
    /CDI device|nvidia-container-cli|failed to initialize NVML|unresolvable CDI|lstat \/dev\/|error gathering device information/i,
  ],
  [
    'runtime.user',
    /unable to find (user|group)|linux spec user|no matching entries in (passwd|group) file|no (users|groups) found/i,
  ],
  // runc makes the working directory itself, and says of it no more than what mkdir says.
  [
    'runtime.workdir',
    /\bchdir\b|container init(:| caused:?) \\?"?mkdir [^:]+: (read-only file system|permission denied|not a directory)/i,
  ],
  [
    'runtime.mount',
    /error mounting|not a directory.*mount|Are you trying to mount a directory|is not a shared mount|cannot be mounted because it is inside|ImageVolumeMountFailed|failed to (mount|stat|mkdir) |rootfs_linux\.go|\bmount `[^`]*` to `[^`]*`/i,
  ],
  ['runtime.lsm', /apparmor|keycreate|seccomp|selinux/i],
  ['runtime.exec-permission', /exec:? .*permission denied|open executable: permission denied/i],
  [
    'runtime.exec-not-found',
    /\bstat [^:]+: no such file or directory|no command specified|exec[:" ].*no such file or directory/i,
  ],
  ['runtime.sandbox-gone', /sandbox container .* is not running|sandbox was stopped|sandbox .* not found/i],
  ['runtime.cgroup', /cgroup|cpu\.cfs_quota|memory\.max/i],
  ['runtime.disk', /read-only file system/i],
  ['runtime.timeout', /context deadline exceeded|DeadlineExceeded/i],
];

/** What the runtime's words say about why it did not start a container. */
export const causeOfStart = (message: string): Code =>
  causes.find(([, words]) => words.test(message))?.[0] ?? 'runtime.unknown';
