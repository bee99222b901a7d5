import type { Plan, Step } from './protobuf-plan.ts';
import { type Cursor, readEnd, readVarint, skip } from './protobuf-wire.ts';

/*
 * Replicas follow each other in a list, and say the same in most of their fields. What is kept of a field is compared, byte
 * by byte and without making anything, with what was kept of it the last time: the pods of a workload share their parts,
 * although other fields around them differ (the name of each pod's own token volume stands in the middle of its containers).
 */

/** What a field said the last time it was read. */
export interface Repeats {
  /** Of everything that is kept: tags, lengths and values of scalars; tags and ends of messages. */
  bytes: Buffer;
  length: number;
  value: unknown;
  /** How often it is still to be compared before it counts as never saying the same. */
  hope: number;
}

// A field that said something else this often in a row is compared again only now and then.
const HOPE = 16;
const DESPAIR = -64;
// More is seldom said twice.
const LONGEST = 4096;
const NOTHING: Buffer = Buffer.alloc(0);

export const newRepeats = (): Repeats => ({ bytes: NOTHING, length: -1, value: undefined, hope: HOPE });

/**
 * The value of the field that begins at the cursor, with all its elements: the last one where it says the same, else what
 * `read` makes of it. Moves the cursor behind it.
 */
export function repeated(
  step: Step,
  cursor: Cursor,
  end: number,
  read: (step: Step, cursor: Cursor, stop: number) => unknown,
): unknown {
  const { repeats } = step;
  const start = cursor.at;
  if (repeats.hope > 0 && repeats.length >= 0) {
    seen.begin(repeats.bytes, repeats.length, false);
    if (runSays(step, cursor, end) && seen.at === repeats.length) {
      repeats.hope = HOPE;
      return repeats.value;
    }
    cursor.at = start;
  }
  const stop = endOfRun(step, cursor, end);
  cursor.at = start;
  const value = read(step, cursor, stop);
  if (--repeats.hope === DESPAIR) repeats.hope = HOPE;
  if (repeats.hope > 0) {
    cursor.at = start;
    seen.begin(repeats.bytes, LONGEST, true);
    const fits = runSays(step, cursor, stop);
    repeats.bytes = seen.bytes;
    repeats.length = fits ? seen.at : -1;
    repeats.value = value;
  }
  cursor.at = stop;
  return value;
}

/** Where the elements of the field end that follow each other from the cursor on; a field of one message has one. */
export function endOfRun(step: Step, cursor: Cursor, end: number): number {
  const start = cursor.at;
  let stop = start;
  do {
    const tag = readVarint(cursor);
    if (tag !== step.tag) break;
    skip(cursor, tag & 7);
    stop = cursor.at;
  } while (stop < end && !isSingle(step));
  cursor.at = start;
  return stop;
}

export const isSingle = ({ plan, field }: Step): boolean => plan !== undefined && !field.repeated;

/** What is kept is compared with these bytes, or written to them. */
const seen = {
  bytes: NOTHING,
  limit: 0,
  writes: false,
  at: 0,

  begin(bytes: Buffer, limit: number, writes: boolean): void {
    this.bytes = bytes;
    this.limit = limit;
    this.writes = writes;
    this.at = 0;
  },

  /** False where it is not the same, or does not fit. */
  says(from: Buffer, start: number, stop: number): boolean {
    const { at } = this;
    this.at = at + stop - start;
    if (this.at > this.limit) return false;
    if (this.writes) {
      this.grow(at);
      from.copy(this.bytes, at, start, stop);
      return true;
    }
    const { bytes } = this;
    for (let i = start, j = at; i < stop; i++, j++) if (bytes[j] !== from[i]) return false;
    return true;
  },

  /** The end of a message: no tag is 0. */
  ends(): boolean {
    const { at } = this;
    if (++this.at > this.limit) return false;
    if (!this.writes) return this.bytes[at] === 0;
    this.grow(at);
    this.bytes[at] = 0;
    return true;
  },

  grow(used: number): void {
    if (this.at <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(256, this.at * 2));
    this.bytes.copy(larger, 0, 0, used);
    this.bytes = larger;
  },
};

function runSays(step: Step, cursor: Cursor, end: number): boolean {
  do {
    const start = cursor.at;
    if (readVarint(cursor) !== step.tag) {
      cursor.at = start;
      return true;
    }
    if (!elementSays(step, cursor, start)) return false;
  } while (cursor.at < end && !isSingle(step));
  return true;
}

/** The cursor is behind the tag, which is at `start`. */
function elementSays(step: Step, cursor: Cursor, start: number): boolean {
  const { plan, field } = step;
  const { bytes } = cursor;
  if (plan === undefined) {
    skip(cursor, step.tag & 7);
    return seen.says(bytes, start, cursor.at);
  }
  if (field.where !== undefined && !hasInlined(plan, cursor)) {
    cursor.at = readEnd(cursor);
    return true;
  }
  const from = cursor.at;
  const stop = readEnd(cursor);
  if (!seen.says(bytes, start, from) || !messageSays(plan, cursor, stop)) return false;
  return seen.ends();
}

function messageSays(plan: Plan, cursor: Cursor, stop: number): boolean {
  while (cursor.at < stop) {
    const start = cursor.at;
    const tag = readVarint(cursor);
    const step = plan.steps[tag >>> 3];
    if (step === undefined || step.tag !== tag) skip(cursor, tag & 7);
    else if (!elementSays(step, cursor, start)) return false;
  }
  return true;
}

/** Whether the element has any field of the message that is inlined in it. Does not move the cursor. */
export function hasInlined(plan: Plan, cursor: Cursor): boolean {
  const before = cursor.at;
  const end = readEnd(cursor);
  const found = findInlined(plan, cursor, end);
  cursor.at = before;
  return found;
}

function findInlined(plan: Plan, cursor: Cursor, end: number): boolean {
  while (cursor.at < end) {
    const tag = readVarint(cursor);
    const inner = plan.steps[tag >>> 3];
    if (inner?.inlined !== true || inner.plan === undefined) {
      skip(cursor, tag & 7);
      continue;
    }
    const stop = readEnd(cursor);
    while (cursor.at < stop) {
      const innerTag = readVarint(cursor);
      if (inner.plan.steps[innerTag >>> 3] !== undefined) return true;
      skip(cursor, innerTag & 7);
    }
  }
  return false;
}
