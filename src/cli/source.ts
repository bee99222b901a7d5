import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Collected, Progress } from '../cluster/collected.ts';
import { PodlensError } from '../errors.ts';
import { sanitizeLine } from '../report/sanitize.ts';
import type { Kind } from '../snapshot.ts';
import { type Io, write } from './io.ts';
import type { ClusterOptions, ScopeOptions } from './options.ts';
import { createProgress } from './progress.ts';

export interface SourceOptions extends ClusterOptions, ScopeOptions {
  readonly filename?: readonly string[];
  readonly at?: string;
}

/** A cluster as it was read, and how long that took. */
export interface Source extends Collected {
  readonly milliseconds: number;
}

export interface Wanted {
  /** What a live cluster is asked for. */
  readonly kinds: readonly Kind[];
  /** Empty means all. */
  readonly namespaces: readonly string[];
}

/** Reads the cluster that the flags name: a saved one with `-f`, else the live one of the kubeconfig. */
export async function readSource(options: SourceOptions, wanted: Wanted, io: Io): Promise<Source> {
  checkSource(options);
  const started = performance.now();
  // Most of what is read of a large cluster is garbage at once. A young generation that may grow makes the process twice
  // as large, and no faster.
  setFlagsFromString('--semi-space-growth-factor=1');
  const collected =
    options.filename === undefined
      ? await readLive(options, wanted, io)
      : await readSaved(options.filename, options, io);
  return { ...collected, milliseconds: performance.now() - started };
}

function checkSource({ filename, at, context, kubeconfig }: SourceOptions): void {
  const fault = (message: string, hint: string) => new PodlensError('source-conflict', message, { hint });
  if (filename === undefined && at !== undefined) {
    throw fault(
      '--at goes with -f: a live cluster is judged by its own clock.',
      'Leave --at out, or name a saved cluster.',
    );
  }
  const live = context !== undefined ? '--context' : kubeconfig !== undefined ? '--kubeconfig' : undefined;
  if (filename !== undefined && live !== undefined) {
    throw fault(`-f reads a saved cluster and ${live} a live one.`, 'Leave one of them out.');
  }
}

async function readSaved(paths: readonly string[], { at }: SourceOptions, io: Io): Promise<Collected> {
  const { readDump } = await import('../cluster/files.ts');
  const warnings: string[] = [];
  const collected = await readDump(
    paths.map((path) => (path === '-' ? path : resolve(io.cwd, path))),
    { at, stdin: io.stdin, signal: io.signal, onWarning: (line) => warnings.push(line) },
  );
  for (const warning of warnings) await write(io.stderr, `${sanitizeLine(warning)}\n`);
  return collected;
}

async function readLive(options: SourceOptions, { kinds, namespaces }: Wanted, io: Io): Promise<Collected> {
  const [{ connect }, { collect }] = await Promise.all([
    import('../cluster/connect.ts'),
    import('../cluster/collect.ts'),
  ]);
  const connection = await connect({
    kubeconfig: options.kubeconfig,
    context: options.context,
    requestTimeoutMs: options.requestTimeout,
    env: io.env,
    signal: io.signal,
  });
  const progress = await createProgress(io);
  try {
    return await collect(connection, {
      kinds,
      ...(namespaces.length === 0 ? {} : { namespaces }),
      ...(options.allNamespaces === undefined ? {} : { allNamespaces: options.allNamespaces }),
      logs: options.logs,
      signal: io.signal,
      onProgress: (step: Progress) => progress.show(step),
    });
  } finally {
    progress.end();
    connection.transport.close();
  }
}
