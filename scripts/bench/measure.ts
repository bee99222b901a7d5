import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What one process took. */
export interface Measured {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** The most memory it had at once, in MB. */
  readonly peakMb: number;
  readonly code: number | null;
}

// Where /proc is, the process is looked at while it runs; its own clock ticks are hundredths of a second.
const EVERY_MS = 4;
const TICK_MS = 10;

export function measure(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const before = process.hrtime.bigint();
    const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'ignore'] });
    let cpuMs = 0;
    let peakMb = 0;
    const look = setInterval(() => {
      const stat = read(`/proc/${child.pid}/stat`);
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields.length > 12) cpuMs = (Number(fields[11]) + Number(fields[12])) * TICK_MS;
      peakMb = Math.max(peakMb, Number(/VmHWM:\s+(\d+)/.exec(read(`/proc/${child.pid}/status`))?.[1] ?? 0) / 1024);
    }, EVERY_MS);
    child.on('error', reject);
    child.on('exit', (code) => {
      clearInterval(look);
      resolve({ wallMs: Number(process.hrtime.bigint() - before) / 1e6, cpuMs, peakMb, code });
    });
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has just ended, or there is no /proc here
  }
}

/** The median of every column on its own. */
export function medians(runs: readonly Measured[]): Measured {
  const middle = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  return {
    wallMs: middle(runs.map((run) => run.wallMs)),
    cpuMs: middle(runs.map((run) => run.cpuMs)),
    peakMb: middle(runs.map((run) => run.peakMb)),
    code: runs.find((run) => run.code !== 0)?.code ?? 0,
  };
}
