import { createHash } from 'node:crypto';

const DURATION = '\\d+(?:\\.\\d+)?';

/** What differs from run to run while a fault stays the same, and what stands for it. The order matters. */
const passing: readonly (readonly [RegExp, string])[] = [
  [/\d{4}[-/]\d{2}[-/]\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s?(?:Z|UTC|[+-]\d{2}:?\d{2})?/g, 'TIME'],
  [/\b[IWEF]\d{4} \d{2}:\d{2}:\d{2}\.\d+(?:\s+\d+)?/g, 'TIME'],
  [/\b\d{2}\/[A-Z][a-z]{2}\/\d{4}:\d{2}:\d{2}:\d{2}(?: [+-]\d{4})?/g, 'TIME'],
  [
    /\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )?(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* +\d{1,2}|\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*)(?:,? \d{4})?(?:,? \d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: \d{4}| ?[A-Z]{3,4}\b)?)?/g,
    'TIME',
  ],
  [/\b\d{4}-\d{2}-\d{2}\b/g, 'TIME'],
  [/\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?\b/g, 'TIME'],
  [/(?<=\b(?:ts|time|timestamp|at|epoch)["']?\s?[=:]\s?["']?)1\d{9}(?:\d{3})?(?:\.\d+)?\b/g, 'TIME'],
  // "5m0s", "1h2m"; "500m" alone is half a CPU unless the words around it say that it is a time.
  [new RegExp(`(?<![\\w.])(?:${DURATION}(?:ns|us|µs|ms|s|m|h|d)){2,}(?!\\w)`, 'g'), 'DURATION'],
  [
    new RegExp(
      `(?<![\\w.])${DURATION} ?(?:ns|us|µs|ms|s|h|d|min|secs?|seconds?|mins?|minutes?|hours?|days?|weeks?)(?![\\w/])`,
      'g',
    ),
    'DURATION',
  ],
  [/(?<=\b(?:for|after|in|over|last|within|back-off|backoff|age|every)[ :=])\d+m\b/g, 'DURATION'],
  [/\b\d+\/\d+(?= (?:nodes?|pods?|replicas?)\b)/g, 'N'],
  [
    /\b\d+ (?=(?:times|more|others?|lines?|restarts?|attempts?|failures?|events?|replicas?|containers?|pods?|nodes?|services?|jobs?|deployments?|objects?)\b|node\(s\)|Insufficient |Too many |No preemption|Preemption)/gi,
    'N ',
  ],
  [/(?<=\brestart(?:ed|s|Count)?["']?[:= ]\s?)\d+\b/g, 'N'],
  [/(?<=\b(?:attempt|retry|try|retries|restart|failed|pid|line)[ :=#]\s?)\d+\b/gi, 'N'],
  [/(?<=[( ])x\d+\b/g, 'N'],
  [/(?<=\w)\[\d+\]/g, '[N]'],
  [/\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b/g, 'IP'],
  [/\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b/g, 'UID'],
  // A pod that is gone and whose owner is not known: its name ends in the hash of its template and five characters.
  [/-[bcdf-hj-np-tv-xz2-9]{8,10}-[bcdf-hj-np-tv-xz2-9]{5}\b/g, '-HASH'],
  [/\b0x[0-9a-fA-F]{6,}\b/g, 'ADDRESS'],
];

/** A text without times, durations, counts, addresses and hashes: the same for the same fault tomorrow. Exit codes, ports and sizes stay. */
export function normalize(text: string): string {
  let result = text;
  for (const [pattern, replacement] of passing) result = result.replace(pattern, replacement);
  return result;
}

/** SHA-256 in hex of everything an answer depends on. */
export const cacheKey = (parts: Readonly<Record<string, unknown>>): string =>
  createHash('sha256').update(stable(parts)).digest('hex');

/** JSON with sorted keys. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}
