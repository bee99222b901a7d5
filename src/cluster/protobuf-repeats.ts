import type { Plan, Step } from './protobuf-plan.ts';
import { type Cursor, fieldAt, last, readVarint, skip } from './protobuf-wire.ts';

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
  if (
    repeats.hope > 0 &&
    repeats.length >= 0 &&
    runSays(step, cursor.bytes, start, end, repeats, false) === repeats.length
  ) {
    repeats.hope = HOPE;
    cursor.at = runEnd;
    return repeats.value;
  }
  const stop = endOfRun(step, cursor, end);
  cursor.at = start;
  const value = read(step, cursor, stop);
  if (--repeats.hope === DESPAIR) repeats.hope = HOPE;
  if (repeats.hope > 0) {
    repeats.length = runSays(step, cursor.bytes, start, stop, repeats, true);
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

/**
 * Compares what is kept of the elements that follow each other from `at` on with what `repeats` has, or writes it there.
 * Returns where that ends among the bytes of `repeats`; -1 where it differs or does not fit.
 */
function runSays(step: Step, bytes: Buffer, at: number, stop: number, into: Repeats, writes: boolean): number {
  let said = 0;
  for (let end = at; at < stop; at = end) {
    end = fieldAt(bytes, at, stop);
    if (last.tag !== step.tag) break;
    said = fieldSays(step, bytes, at, last.from, end, into, said, writes);
    runEnd = end;
    if (said < 0 || isSingle(step)) break;
  }
  return said;
}

/** Where the elements ended that `runSays` looked at. */
let runEnd = 0;

function fieldSays(
  step: Step,
  bytes: Buffer,
  start: number,
  from: number,
  end: number,
  into: Repeats,
  said: number,
  writes: boolean,
): number {
  const { plan } = step;
  if (plan === undefined) return bytesSay(bytes, start, end, into, said, writes);
  if (step.field.where !== undefined && !hasInlined(plan, bytes, from, end)) return said;
  // Its tag, what is kept of its fields, and an end: no tag is 0.
  let at = from;
  said = bytesSay(bytes, start, start + (step.tag < 0x80 ? 1 : 2), into, said, writes);
  const { steps } = plan;
  while (at < end && said >= 0) {
    const begin = at;
    at = fieldAt(bytes, begin, end);
    const { tag } = last;
    const inner = steps[tag >>> 3];
    if (inner !== undefined && inner.tag === tag)
      said = fieldSays(inner, bytes, begin, last.from, at, into, said, writes);
  }
  return said < 0 ? said : bytesSay(END, 0, 1, into, said, writes);
}

const END: Buffer = Buffer.alloc(1);

function bytesSay(bytes: Buffer, from: number, to: number, into: Repeats, said: number, writes: boolean): number {
  const after = said + to - from;
  if (writes) {
    if (after > LONGEST) return -1;
    grow(into, after);
  } else if (after > into.length) return -1;
  const known = into.bytes;
  for (let i = from, j = said; i < to; i++, j++) {
    if (writes) known[j] = bytes[i] as number;
    else if (known[j] !== bytes[i]) return -1;
  }
  return after;
}
function grow(into: Repeats, size: number): void {
  if (size <= into.bytes.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(256, size * 2));
  into.bytes.copy(larger);
  into.bytes = larger;
}

/** Whether a message has any field of those that are inlined in it. */
export function hasInlined(plan: Plan, bytes: Buffer, from: number, end: number): boolean {
  for (let at = from; at < end; ) {
    at = fieldAt(bytes, at, end);
    const inner = plan.steps[last.tag >>> 3];
    if (inner?.inlined !== true || inner.plan === undefined) continue;
    const { steps } = inner.plan;
    for (let within = last.from; within < at; ) {
      within = fieldAt(bytes, within, at);
      if (steps[last.tag >>> 3] !== undefined) return true;
    }
  }
  return false;
}
