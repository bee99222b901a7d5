import { PodlensError } from '../errors.ts';
import { type ApiKind, messages } from '../objects/kinds-schema.ts';
import type { Message } from '../objects/schema.ts';

/** Remembers the newest time it is shown. */
export function newestTime(): { see(time: unknown): void; readonly value: string | undefined } {
  let newest: string | undefined;
  let newestMs = Number.NEGATIVE_INFINITY;
  return {
    see(time) {
      if (typeof time !== 'string') return;
      const value = Date.parse(time);
      if (!(value > newestMs)) return;
      newestMs = value;
      newest = new Date(value).toISOString();
    },
    get value() {
      return newest;
    },
  };
}

/**
 * Shows every time in an object, normalised or not, that lies in the past when it is written; a deletionTimestamp is when
 * the grace period ends.
 */
export function seeTimes(kind: ApiKind, object: unknown, see: (time: unknown) => void): void {
  walk(messages[kind], object, see);
}

function walk(message: Message, object: unknown, see: (time: unknown) => void): void {
  if (typeof object !== 'object' || object === null) return;
  for (const { name, inner } of timesIn(message)) {
    const value = (object as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) continue;
    if (inner === undefined) see(value);
    else if (Array.isArray(value)) for (const one of value) walk(inner, one, see);
    else walk(inner, value, see);
  }
}

/** A field that is a time, or a message with times in it. */
interface Timed {
  readonly name: string;
  readonly inner: Message | undefined;
}

const known = new WeakMap<Message, readonly Timed[]>();

function timesIn(message: Message): readonly Timed[] {
  const before = known.get(message);
  if (before !== undefined) return before;
  const timed = Object.entries({ ...message.inlined?.message.fields, ...message.fields }).flatMap(
    ([name, { type }]): Timed[] => {
      if (typeof type === 'object') return timesIn(type).length === 0 ? [] : [{ name, inner: type }];
      const isTime = (type === 'time' || type === 'microTime') && name !== 'deletionTimestamp';
      return isTime ? [{ name, inner: undefined }] : [];
    },
  );
  known.set(message, timed);
  return timed;
}

/** The time in `--at TIME`, as an ISO string. */
export function parseAt(text: string): string {
  const iso = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))?$/i.test(text);
  const time = iso ? new Date(text.replace(' ', 'T')) : undefined;
  if (time === undefined || Number.isNaN(time.getTime()))
    throw new PodlensError('invalid-time', `"${text}" is no time that podlens understands.`, {
      hint: 'Write it as RFC 3339 with a time zone, for example 2026-01-31T14:05:00Z.',
    });
  return time.toISOString();
}
