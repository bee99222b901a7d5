import { Readable, Writable } from 'node:stream';
import type { Io } from '../../src/cli/io.ts';

export interface TestIoOptions {
  readonly stdin?: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** Whether stdout and stderr are a terminal of 100 columns. */
  readonly terminal?: boolean;
}

/** An Io that keeps what is written, in order. */
export function testIo({
  stdin = Readable.from(['']),
  env = {},
  cwd = '/',
  signal,
  terminal = false,
}: TestIoOptions = {}) {
  const out = collector(terminal);
  const err = collector(terminal);
  const io: Io = {
    stdout: out.stream,
    stderr: err.stream,
    stdin,
    env,
    cwd,
    signal: signal ?? new AbortController().signal,
    name: 'podlens',
  };
  return { io, stdout: out.text, stderr: err.text };
}

function collector(terminal: boolean) {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream: Object.assign(stream, terminal ? { isTTY: true, columns: 100 } : {}), text: () => chunks.join('') };
}
