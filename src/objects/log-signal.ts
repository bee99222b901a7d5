import type { Evidence, Ref } from '../finding.ts';
import { type LogLine, logName, type View } from '../snapshot.ts';

/** The line of a log that says why, and how much was read to find it. */
export interface LogSignal {
  readonly line: LogLine;
  /** "last 200 lines of the previous container". */
  readonly read: string;
  readonly evidence: Omit<Evidence, 'id'>;
  /** Whether the line names a fault, or is just the last one. */
  readonly telling: boolean;
}

// The more telling first. Each is a habit of a language's runtime or of people who write logs.
const tells: readonly RegExp[] = [
  /^panic:|^fatal error:|^thread '.*' panicked/,
  /OutOfMemoryError|JavaScript heap out of memory|Cannot allocate memory|MemoryError/,
  /error while loading shared libraries|exec format error|executable file not found|: (command )?not found\b|No module named|Cannot find module/i,
  /\bFATAL\b|\bCRITICAL\b|\bEMERG(ENCY)?\b|\bPANIC\b|\[(emerg|alert|crit)\]|level=(fatal|panic)|^Description: |"level":\s*"?(fatal|critical|panic|60)\b/,
  /^Caused by: /,
  /^([\w.$]+\.)?\w*(Error|Exception|Errno|Failure)\b[\w.]*(:| \[)|^Exception in thread|^Unhandled exception|^Uncaught |^Error: /,
  /connection refused|ECONNREFUSED|ENOTFOUND|EADDRINUSE|address already in use|no such host|could not translate host name|could not resolve|can't resolve|bad address|Name or service not known|timed out|deadline exceeded|access denied|permission denied|authentication failed|no such file or directory|read-only file system|no space left on device|certificate/i,
  /\bERROR\b|level=error|"s":\s*"[EF]"|"level":\s*"?(error|50)\b|\berror:|\bE\d{4} \d\d:\d\d/,
  /\b(not set|not defined|unrecogni[sz]ed|illegal|missing|required|invalid|unknown|cannot|could not|unable to|failed|failure|refused|denied|abort(ed|ing)?)\b/i,
];

// Lines that only continue another one, and those of a key or certificate, which is one only as a whole.
const FOLDED =
  /^-----(BEGIN|END) |^\s*[A-Za-z0-9+/=]{32,}\s*$|^Error: (Could not create the Java Virtual Machine|A fatal exception has occurred)|^exit status \d+$|^BEGIN failed--|LoggingFailureAnalysisReporter\s*:?\s*$|^Run .bundle install|\bAborting$|^\s+at |^\s+File "|^\s*\.\.\. \d+ more|^\s+[\w/.-]+\.go:\d+|^\tat |^\s*~*\^+|^goroutine |^\s*$|^created by |^\s{4,}\S/;

/**
 * The last word of a container that ended: of the previous run first, then of the current one. Of the most telling kind
 * of line the last is taken, except for a Go panic, whose first line tells.
 */
export function logSignal(cluster: View<'Log'>, container: Ref, prefer: 'previous' | 'current'): LogSignal | undefined {
  const name = container.container ?? '';
  const order = prefer === 'previous' ? [true, false] : [false, true];
  for (const previous of order) {
    const log = cluster.get('Log', logName(container.name, name, previous), container.namespace);
    if (log === undefined || log.lines.length === 0) continue;
    const spoken = spokenIn(log.lines);
    const told = mostTelling(spoken);
    const line = told ?? spoken.at(-1) ?? log.lines.at(-1) ?? { text: '' };
    const read = `${log.read} of the ${previous ? 'previous' : 'current'} container`;
    return {
      line,
      read,
      telling: told !== undefined,
      evidence: {
        from: container,
        where: `log (${read})`,
        text: excerpt(spoken, line),
        ...(line.at === undefined ? {} : { at: line.at }),
      },
    };
  }
  return undefined;
}

/** Whether a log of the container was read and is empty. */
export function logIsEmpty(cluster: View<'Log'>, container: Ref): boolean {
  const name = container.container ?? '';
  const logs = [true, false]
    .map((previous) => cluster.get('Log', logName(container.name, name, previous), container.namespace))
    .filter((log) => log !== undefined);
  return logs.length > 0 && logs.every((log) => log.lines.length === 0);
}

function mostTelling(spoken: readonly LogLine[]): LogLine | undefined {
  for (const [index, tell] of tells.entries()) {
    const found =
      index === 0 ? spoken.find(({ text }) => tell.test(text)) : spoken.findLast(({ text }) => tell.test(text));
    if (found !== undefined) return found;
  }
  return undefined;
}

// Rust says where it panicked, and Spring that it describes a failure, on a line of its own.
const HEADING = /panicked at .+:\d+:\d+:$|^Description:$/;

/** The lines that say something of their own, a heading together with what it is about. */
function spokenIn(lines: readonly LogLine[]): LogLine[] {
  const spoken: LogLine[] = [];
  let heading: LogLine | undefined;
  for (const line of lines) {
    if (FOLDED.test(line.text)) continue;
    const whole = heading === undefined ? line : { ...line, text: `${heading.text} ${line.text.trim()}` };
    heading = HEADING.test(whole.text) ? whole : undefined;
    if (heading === undefined) spoken.push(whole);
  }
  return heading === undefined ? spoken : [...spoken, heading];
}

const SHORT_LOG = 6;
const AROUND = 2;

/** What stands around a line: the one that names the fault and the one that gives its reason need not be the same. */
function excerpt(spoken: readonly LogLine[], line: LogLine): string {
  const at = spoken.findIndex(({ text, at }) => text === line.text && at === line.at);
  const some = spoken.length <= SHORT_LOG ? spoken : spoken.slice(Math.max(0, at - AROUND), at + AROUND + 1);
  return some.length === 0 ? line.text : some.map(({ text }) => text).join('\n');
}

/** Shortens a line for a sentence; the evidence keeps it whole. */
export function inSentence(text: string): string {
  const line = (saidInJson(text) ?? text).replace(STAMP, '').trim();
  return line.length > 160 ? `${line.slice(0, 157)}…` : line;
}

const STAMP = /^[[(]?(?:time=")?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*\s+/;

/** What a line of structured logging says: its message and its error, under the names that loggers give them. */
function saidInJson(text: string): string | undefined {
  if (!/^\s*\{.*\}\s*$/s.test(text)) return undefined;
  try {
    const fields = JSON.parse(text) as Record<string, unknown>;
    const first = (...names: string[]) =>
      names.map((name) => fields[name]).find((value): value is string => typeof value === 'string' && value !== '');
    const parts = [first('msg', 'message', 'event', 'log'), first('error', 'err', 'exception', 'cause')];
    const said = parts.filter((part) => part !== undefined).join(': ');
    return said === '' ? undefined : said;
  } catch {
    return undefined;
  }
}
