import type { Plan, Step } from './protobuf-plan.ts';
import { type Cursor, fieldAt, LENGTH, last, readVarint, skip } from './protobuf-wire.ts';

/*
 * Replicas follow each other in a list, and say the same in most of their fields. The bytes of a field are compared with
 * those of the last time, but only where they are kept, and where they say how long things are: the pods of a workload
 * share their parts, although the name of each pod's own token volume stands in the middle of its containers.
 */

/** What a field said the last time it was read. */
export interface Repeats {
  /** All its elements. */
  bytes: Buffer;
  /** How many bytes there are; -1 where there is nothing to compare with. */
  size: number;
  /** What must be the same, as pairs of a begin and an end among the bytes: what is kept, and all tags and lengths. */
  kept: number[];
  value: unknown;
  /** How often it is still to be compared before it counts as never saying the same. */
  hope: number;
}

// A field that said something else this often in a row is compared again only now and then.
const HOPE = 16;
const DESPAIR = -64;
// More is seldom said twice.
const LONGEST = 16_384;
const NOTHING: Buffer = Buffer.alloc(0);

export const newRepeats = (): Repeats => ({ bytes: NOTHING, size: -1, kept: [], value: undefined, hope: HOPE });

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
  if (repeats.hope > 0 && saysTheSame(step, cursor.bytes, start, end)) {
    repeats.hope = HOPE;
    cursor.at = start + repeats.size;
    return repeats.value;
  }
  const stop = endOfRun(step, cursor, end);
  const value = read(step, cursor, stop);
  if (--repeats.hope === DESPAIR) repeats.hope = HOPE;
  if (repeats.hope > 0) remember(step, cursor.bytes, start, stop, value);
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

function saysTheSame(step: Step, bytes: Buffer, start: number, end: number): boolean {
  const { bytes: known, size, kept } = step.repeats;
  const stop = start + size;
  if (size < 0 || stop > end) return false;
  for (let pair = 0; pair < kept.length; pair += 2) {
    const to = kept[pair + 1] as number;
    for (let i = kept[pair] as number; i < to; i++) if (known[i] !== bytes[start + i]) return false;
  }
  // The same, and one element more, would be another list.
  return stop === end || isSingle(step) || tagAt(bytes, stop) !== step.tag;
}

function tagAt(bytes: Buffer, at: number): number {
  const first = bytes[at] as number;
  return first < 0x80 ? first : (first & 0x7f) | ((bytes[at + 1] as number) << 7);
}

function remember(step: Step, bytes: Buffer, start: number, stop: number, value: unknown): void {
  const { repeats } = step;
  const size = stop - start;
  repeats.size = -1;
  if (size > LONGEST) return;
  if (size > repeats.bytes.length) repeats.bytes = Buffer.allocUnsafeSlow(size * 2);
  bytes.copy(repeats.bytes, 0, start, stop);
  repeats.kept = [];
  for (let at = 0; at < size; ) {
    const begin = at;
    at = fieldAt(repeats.bytes, begin, size);
    keepField(step, repeats, begin, last.from, at);
  }
  repeats.size = size;
  repeats.value = value;
}

/** Of the field from `begin` to `end`, whose content starts at `from`: what is read of it. */
function keepField(step: Step, into: Repeats, begin: number, from: number, end: number): void {
  const { plan, field } = step;
  if (plan === undefined) {
    keep(into, begin, end);
    return;
  }
  keep(into, begin, from);
  const ignored = field.where !== undefined && !hasInlined(plan, into.bytes, from, end);
  keepFields(plan, into, from, end, ignored);
}

/** `ignored`: nothing is read, for want of the fields that are inlined. */
function keepFields(plan: Plan, into: Repeats, from: number, end: number, ignored: boolean): void {
  for (let at = from; at < end; ) {
    const begin = at;
    at = fieldAt(into.bytes, begin, end);
    const { tag, from: content } = last;
    const inner = plan.steps[tag >>> 3];
    const isRead = inner !== undefined && inner.tag === tag;
    if (isRead && inner.inlined && ignored) {
      keep(into, begin, content);
      keepFields(NO_FIELDS, into, content, at, true);
    } else if (isRead && !ignored) keepField(inner, into, begin, content, at);
    // Of what is passed over the length counts, or what comes behind it would lie elsewhere.
    else keep(into, begin, (tag & 7) === LENGTH ? content : at);
  }
}

const NO_FIELDS: Plan = { steps: [] };

function keep({ kept }: Repeats, begin: number, end: number): void {
  if (kept.at(-1) === begin) kept[kept.length - 1] = end;
  else kept.push(begin, end);
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
