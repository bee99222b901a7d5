import { type ApiKind, type ApiKinds, messages } from '../objects/kinds-schema.ts';
import type { Pod } from '../objects/pod-schema.ts';
import type { Field, Message } from '../objects/schema.ts';
import { intern } from './intern.ts';
import { readPod } from './prune.ts';
import { canonicalMicroTime, canonicalTime } from './times.ts';

/**
 * Cuts an object down to the fields that some analyzer reads (of a healthy pod: to those in `prune.ts`), and freezes it. Values of Secrets and ConfigMaps become
 * empty strings here: past this point only their keys exist.
 *
 * What comes out is the same whether the object came as JSON, as protobuf (`protobuf.ts`) or from a file:
 * - `null`, a value of the wrong type, an empty list and an empty map are absent;
 * - so are '', 0, false and {}, unless the field's table says that they mean something;
 * - the elements of a list are kept as they are, the keys of a map are sorted;
 * - times are in UTC and as precise as the API server writes them.
 */
export function normalize<K extends ApiKind>(kind: K, object: unknown): ApiKinds[K] {
  if (kind !== 'Pod') return normalizeWhole(kind, object);
  return readPod((message) => (pick(message, object) ?? NOTHING) as Pod) as ApiKinds[K];
}

/** The same for a healthy pod too. */
export const normalizeWhole = <K extends ApiKind>(kind: K, object: unknown): ApiKinds[K] =>
  (pick(messages[kind], object) ?? NOTHING) as ApiKinds[K];

const NOTHING = Object.freeze({});

/** kubectl's copy of the whole object, which no analyzer reads. */
export const isDropped = (key: string): boolean => key === 'kubectl.kubernetes.io/last-applied-configuration';

type Plain = Record<string, unknown>;

const isObject = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The fields of the message, as an object; undefined for what is no object. */
function pick(message: Message, from: unknown): Plain | undefined {
  if (!isObject(from)) return undefined;
  const into: Plain = {};
  fill(message, from, into);
  return Object.freeze(into);
}

function fill(message: Message, from: Plain, into: Plain): void {
  for (const entry of orderOf(message)) {
    if (entry.name === undefined) {
      fill(entry.inlined, from, into);
      continue;
    }
    const raw = from[entry.name];
    if (raw === undefined || raw === null) continue;
    const value = convert(entry, raw);
    if (value === undefined) continue;
    // Replicas follow each other in a list and say the same in most of their fields: they share it.
    if (typeof value === 'object' && (entry.last === undefined || !isSame(value, entry.last))) entry.last = value;
    into[entry.name] = typeof value === 'object' ? entry.last : value;
  }
}

/** Whether the fields or elements are identical, which shared parts are. */
function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((element, index) => element === b[index]);
  }
  if (!isObject(a) || !isObject(b)) return false;
  let more = 0;
  for (const name in a) {
    if (a[name] !== b[name]) return false;
    more++;
  }
  for (const _ in b) more--;
  return more === 0;
}

interface NamedEntry {
  readonly name: string;
  readonly field: Field;
  readonly number: number;
  /** What it was the last time. */
  last: unknown;
}

type Entry = NamedEntry | { readonly name: undefined; readonly inlined: Message; readonly number: number };

const orders = new WeakMap<Message, readonly Entry[]>();

/** The fields by their numbers, as they follow each other in protobuf. */
function orderOf(message: Message): readonly Entry[] {
  const known = orders.get(message);
  if (known !== undefined) return known;
  const entries: Entry[] = Object.entries(message.fields).map(([name, field]) => ({
    name,
    field,
    number: field.number,
    last: undefined,
  }));
  const { inlined } = message;
  if (inlined !== undefined) entries.push({ name: undefined, inlined: inlined.message, number: inlined.number });
  entries.sort((a, b) => a.number - b.number);
  orders.set(message, entries);
  return entries;
}

function convert({ field, last }: NamedEntry, raw: unknown): unknown {
  const { type, repeated, keepsEmpty } = field;
  if (repeated) return Array.isArray(raw) ? elements(field, raw, Array.isArray(last) ? last : []) : undefined;
  const value = convertOne(type, raw);
  return keepsEmpty || !isEmpty(value) ? value : undefined;
}

function elements({ type, where }: Field, raw: readonly unknown[], last: readonly unknown[]): unknown {
  const list: unknown[] = [];
  for (const item of raw) {
    const value = convertOne(type, item);
    if (value === undefined || (where !== undefined && !where(value))) continue;
    const before = last[list.length];
    list.push(isSame(value, before) ? before : value);
  }
  return list.length === 0 ? undefined : Object.freeze(list);
}

/** Whether the value is what Go leaves out of JSON where it says `omitempty`, or an object without a field. */
function isEmpty(value: unknown): boolean {
  if (value === '' || value === 0 || value === false) return true;
  if (!isObject(value)) return false;
  for (const _ in value) return false;
  return true;
}

function convertOne(type: Field['type'], raw: unknown): unknown {
  switch (type) {
    case 'string':
    case 'quantity':
      return typeof raw === 'string' ? intern(raw) : typeof raw === 'number' ? String(raw) : undefined;
    case 'int':
      return typeof raw === 'number' ? raw : undefined;
    case 'bool':
      return typeof raw === 'boolean' ? raw : undefined;
    case 'intOrString':
      return typeof raw === 'number' || typeof raw === 'string' ? raw : undefined;
    case 'time':
      return raw === '' ? undefined : canonicalTime(raw);
    case 'microTime':
      return raw === '' ? undefined : canonicalMicroTime(raw);
    case 'json':
      return freezeDeep(raw);
    case 'strings':
    case 'quantities':
    case 'keys':
      return isObject(raw) ? entries(raw, type === 'keys') : undefined;
    default:
      return pick(type, raw);
  }
}

function entries(raw: Plain, keysOnly: boolean): unknown {
  const map: Plain = {};
  let empty = true;
  for (const key of Object.keys(raw).sort()) {
    if (isDropped(key)) continue;
    empty = false;
    const value = keysOnly ? '' : intern(String(raw[key] ?? ''));
    if (key === '__proto__') Object.defineProperty(map, key, { value, enumerable: true });
    else map[key] = value;
  }
  return empty ? undefined : Object.freeze(map);
}

/** Freezes what was parsed from JSON or YAML, with everything in it. */
export function freezeDeep(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) freezeDeep(inner);
  return Object.freeze(value);
}
