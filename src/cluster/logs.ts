import type { Gap } from '../finding.ts';
import { groupBy } from '../objects/group.ts';
import { type WantedLog, wantedLogs } from '../objects/wanted-logs.ts';
import { type Log, type LogLine, logName, type Snapshot } from '../snapshot.ts';
import type { Progress } from './collected.ts';
import { ApiError, ConnectionError } from './errors.ts';
import { resources } from './kinds.ts';
import { limiter } from './limiter.ts';
import { type Reader, resourcePath } from './list.ts';
import { retrying } from './retry.ts';
import { CONNECTIONS } from './wire.ts';

const LINES = 200;
// The kubelet counts bytes from the first of the last lines, so a log that reaches this is asked for again, shorter.
const BYTES = 256 * 1024;
const FEWER_LINES = 20;
const CONTAINERS = 50;
// A log is worth less than an answer: a kubelet that is slow is not waited for.
const TIMEOUT_MS = 10_000;

/** The logs of broken containers. What cannot be read is left out; only being forbidden to read any makes a gap. */
export async function readLogs(
  reader: Reader,
  snapshot: Snapshot,
  onProgress?: (progress: Progress) => void,
): Promise<{ logs: readonly Log[]; gaps: readonly Gap[] }> {
  const { chosen, left } = firstContainers(wantedLogs(snapshot));
  const slot = limiter(CONNECTIONS);
  const logs: Log[] = [];
  let forbidden: ApiError | undefined;
  let failed: unknown;
  let failures = 0;
  let done = 0;
  const readOne = async (wanted: WantedLog) => {
    // Whoever may not read one log may read none, and need not ask for each.
    if (forbidden !== undefined) return;
    try {
      const log = await readLog(wanted, reader);
      if (log !== undefined) logs.push(log);
    } catch (error) {
      reader.signal.throwIfAborted();
      if (error instanceof ApiError && error.status === 403) forbidden = error;
      else if (!isOrdinary(error)) throw error;
      else if (!isRefused(error)) {
        failed = error;
        failures++;
      }
    }
    done++;
    onProgress?.({ kind: 'Log', pages: done, objects: logs.length, remaining: chosen.length - done, done: false });
  };
  await Promise.all(chosen.map((wanted) => slot(() => readOne(wanted))));
  if (chosen.length > 0) onProgress?.({ kind: 'Log', pages: done, objects: logs.length, done: true });
  if (failures > 0 && failures === chosen.length) return { logs, gaps: [allFailed(failures, failed)] };
  return { logs, gaps: gapsOf(forbidden, left) };
}

/** Answered, by a kubelet that knows no such log. */
const isRefused = (error: unknown): boolean => error instanceof ApiError && error.status < 500;

function allFailed(count: number, error: unknown): Gap {
  const why = error instanceof Error ? error.message : String(error);
  const reason = `none of the ${count} that were asked for could be read, the last because: ${why}`;
  return {
    what: 'container logs',
    reason,
    hint: 'The API server asks the kubelets for them: kubectl logs shows whether it reaches them.',
  };
}

/** Containers that have no log, kubelets that do not answer: a log that cannot be had is no failure of the run. */
const isOrdinary = (error: unknown): boolean =>
  (error instanceof ApiError && error.status !== 401) ||
  (error instanceof ConnectionError && error.trouble !== 'down') ||
  (error instanceof DOMException && error.name === 'TimeoutError');

function firstContainers(wanted: readonly WantedLog[]): { chosen: readonly WantedLog[]; left: number } {
  const byContainer = groupBy(wanted, ({ namespace, pod, container }) => `${namespace}/${pod}/${container}`);
  const groups = [...byContainer.values()];
  return { chosen: groups.slice(0, CONTAINERS).flat(), left: Math.max(0, groups.length - CONTAINERS) };
}

function gapsOf(forbidden: ApiError | undefined, left: number): Gap[] {
  if (forbidden !== undefined) {
    const hint = 'Logs often say why a container exits: allow get on pods/log. podlens rbac prints the role.';
    return [{ what: 'container logs', reason: `forbidden: ${forbidden.message}`, hint }];
  }
  if (left === 0) return [];
  const reason = `the logs of ${CONTAINERS} broken containers were asked for, those of ${left} more were not`;
  return [{ what: 'container logs', reason, hint: 'Choose namespaces with -n to have the others read.' }];
}

async function readLog(wanted: WantedLog, reader: Reader): Promise<Log | undefined> {
  const { namespace, pod, container, previous } = wanted;
  let lines = LINES;
  let bytes = await readBytes(wanted, lines, reader);
  if (bytes.length >= BYTES) {
    lines = FEWER_LINES;
    bytes = await readBytes(wanted, lines, reader);
  }
  const text = bytes.toString('utf8');
  // The kubelet answers so, with a 200, once the runtime has removed the container.
  if (text.startsWith('unable to retrieve container logs for ')) return undefined;
  return {
    metadata: { namespace, name: logName(pod, container, previous) },
    pod,
    container,
    previous,
    lines: linesOf(text),
    read: `last ${lines} lines`,
  };
}

async function readBytes(wanted: WantedLog, lines: number, reader: Reader): Promise<Buffer> {
  const { transport, signal, pace, onRetry } = reader;
  const query = new URLSearchParams({
    container: wanted.container,
    ...(wanted.previous ? { previous: 'true' } : {}),
    tailLines: String(lines),
    limitBytes: String(BYTES),
    timestamps: 'true',
  });
  const pod = `${resourcePath(resources.Pod, wanted.namespace)}/${encodeURIComponent(wanted.pod)}`;
  const ask = async () => {
    const chunks: Buffer[] = [];
    await transport.get(`${pod}/log?${query}`, {
      accept: 'application/json, */*',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      onBytes: (chunk) => void chunks.push(Buffer.from(chunk)),
    });
    return Buffer.concat(chunks);
  };
  // A node that is down answers with a 500 for each of its containers; asking again would only take time.
  return retrying(ask, { pace, signal, answered: () => true, onRetry, again: (error) => !isServerError(error) });
}

const isServerError = (error: unknown): boolean => error instanceof ApiError && error.status >= 500;

const STAMPED = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?(.*)$/s;

/** Lines with the time that the runtime received them. */
export function linesOf(text: string): LogLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, at, rest = ''] = STAMPED.exec(line) ?? [];
      return at === undefined ? { text: line } : { text: rest, at };
    });
}
