import { StringDecoder } from 'node:string_decoder';
import type { LogLine } from '../snapshot.ts';
import type { DumpHandler, DumpReader, LogName } from './dump-handler.ts';

/** How many lines of a log are kept: what a live collection asks for. */
const LOG_LINES = 200;
export const LOG_READ = `last ${LOG_LINES} lines`;
/** The end of a log file that is read: 200 lines of more than a kilobyte each are no log that a person reads. */
export const LOG_TAIL_BYTES = 256 << 10;

/** Keeps the last lines of a log. */
function logTail(): { add(line: string): void; lines(): LogLine[] } {
  let kept: string[] = [];
  return {
    add(line) {
      kept.push(line.endsWith('\r') ? line.slice(0, -1) : line);
      if (kept.length > 4 * LOG_LINES) kept = kept.slice(-LOG_LINES);
    },
    lines: () => logLines(kept.slice(-LOG_LINES)),
  };
}

// The kubelet writes nine digits of a second in front of a line; no common logging library does.
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:Z|[+-]\d\d:\d\d)) ?/;

/** Lines with the time that `kubectl logs --timestamps` puts in front, if every line has one. */
function logLines(lines: readonly string[]): LogLine[] {
  const stamped = lines.every((line) => line === '' || STAMP.test(line));
  if (!stamped) return lines.map((text) => ({ text }));
  return lines.map((line) => {
    const at = STAMP.exec(line)?.[1];
    return at === undefined ? { text: line } : { text: line.replace(STAMP, ''), at };
  });
}

/** The lines of a log's end; `cut` where the text begins in the middle of a line. */
export function linesOfText(text: string, cut: boolean): LogLine[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (cut) lines.shift();
  const tail = logTail();
  for (const line of lines) tail.add(line);
  return tail.lines();
}

const START = /^==== START logs for container (\S+) of pod ([^\s/]+)\/(\S+) ====\s*$/;

/** Takes the logs out of the lines that `kubectl cluster-info dump` writes. */
export interface LogSections {
  readonly open: boolean;
  /** Whether the line belongs to a log. */
  take(line: string): boolean;
  /** The text ended; so does a log that is still open. */
  end(): void;
}

export function logSections(onLog: DumpHandler['log']): LogSections {
  let name: LogName | undefined;
  let endMark = '';
  let tail = logTail();
  const close = () => {
    if (name === undefined) return;
    const lines = tail.lines();
    if (!isRefusal(lines)) onLog(name, lines);
    name = undefined;
  };
  return {
    get open() {
      return name !== undefined;
    },
    take(line) {
      if (name === undefined) {
        const [, container, namespace, pod] = START.exec(line) ?? [];
        if (container === undefined || namespace === undefined || pod === undefined) return false;
        name = { namespace, pod, container, previous: false };
        endMark = `==== END logs for container ${container} of pod ${namespace}/${pod} ====`;
        tail = logTail();
        return true;
      }
      const end = line.trimEnd();
      if (!end.endsWith(endMark)) {
        tail.add(line);
        return true;
      }
      // A log whose last line has no newline runs into the mark.
      if (end.length > endMark.length) tail.add(end.slice(0, -endMark.length));
      close();
      return true;
    },
    end: close,
  };
}

/** Reads a file of sections alone: NAMESPACE/POD/logs.txt. */
export function sectionsReader(onLog: DumpHandler['log']): DumpReader {
  const decoder = new StringDecoder('utf8');
  const sections = logSections(onLog);
  let rest = '';
  return {
    push(chunk) {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) sections.take(line);
    },
    end() {
      sections.take(rest + decoder.end());
      sections.end();
    },
  };
}

/** What kubectl writes in place of a log that it was not given. */
const isRefusal = (lines: readonly LogLine[]): boolean =>
  lines.length === 1 && /^(Create log request|Request log) error: /.test(lines[0]?.text ?? '');

/** Whose log a file is by its path; "sections" where the file says so itself. */
export function logPlace(path: string): LogName | 'sections' | undefined {
  const parts = path.replace(/\.gz$/, '').split(/[/\\]/);
  const file = parts.at(-1) ?? '';
  // NAMESPACE/POD/logs.txt: kubectl cluster-info dump
  if (file === 'logs.txt') return 'sections';
  const name = /^(.+)\.log$/.exec(file)?.[1];
  if (name === undefined) return undefined;
  // namespaces/NAMESPACE/pods/POD/CONTAINER/CONTAINER/logs/current.log: oc adm must-gather
  const run = /^(current|previous)(\.insecure)?$/.exec(name)?.[1];
  if (run !== undefined && parts.at(-2) === 'logs' && parts.at(-6) === 'pods')
    return named(parts.at(-7), parts.at(-5), parts.at(-3), run === 'previous');
  // NAMESPACE/POD/CONTAINER.log and CONTAINER.previous.log
  return named(parts.at(-3), parts.at(-2), name.replace(/\.previous$/, ''), name.endsWith('.previous'));
}

const named = (
  namespace: string | undefined,
  pod: string | undefined,
  container: string | undefined,
  previous: boolean,
): LogName | undefined =>
  namespace === undefined || pod === undefined || container === undefined
    ? undefined
    : { namespace, pod, container, previous };
