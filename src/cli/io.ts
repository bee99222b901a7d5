import { PodlensError } from '../errors.ts';

/** What the command line may touch. Tests hand over their own, so that it runs in-process. */
export interface Io {
  /** The report goes here, and nothing else. */
  readonly stdout: Output;
  /** Progress, warnings and errors. */
  readonly stderr: Output;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** As the person called it: "podlens", or "kubectl podlens" where it runs as a plugin. */
  readonly name: string;
}

export type Output = NodeJS.WritableStream & {
  /** Absent unless it is a terminal. */
  readonly isTTY?: boolean;
  readonly columns?: number;
};

/**
 * Resolves once the text is handed over, also where the reader has gone away, as in `podlens analyze | head`.
 * @throws PodlensError `output-unwritable`, as for a full disk
 */
export function write(output: Output, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error) => (error && !isBrokenPipe(error) ? reject(unwritable(error)) : resolve()));
  });
}

const unwritable = (cause: Error): PodlensError =>
  new PodlensError('output-unwritable', `The output cannot be written: ${cause.message}.`, { cause });

const isBrokenPipe = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED');

const set = (value: string | undefined): value is string => value !== undefined && value !== '';

/** NO_COLOR and FORCE_COLOR as their sites define them; without either, colours are for terminals. */
export function wantsColor(output: Output, env: NodeJS.ProcessEnv, flag: boolean): boolean {
  if (!flag) return false;
  const force = env['FORCE_COLOR'];
  if (force !== undefined) return force !== '0' && force !== 'false';
  if (set(env['NO_COLOR']) || env['TERM'] === 'dumb') return false;
  return output.isTTY === true;
}

/** Where nothing says how wide the reader's screen is. */
const DEFAULT_COLUMNS = 100;

/** The width to wrap at: the terminal's, else `COLUMNS`, else 100. Never less than 40. */
export function columnsOf(output: Output, env: NodeJS.ProcessEnv): number {
  const asked = output.columns ?? Number.parseInt(env['COLUMNS'] ?? '', 10);
  return Math.max(40, asked > 0 ? asked : DEFAULT_COLUMNS);
}
