import { type ApiKind, type ApiKinds, messages } from '../objects/kinds-schema.ts';
import type { Field, Message } from '../objects/schema.ts';

/**
 * Cuts an object down to the fields that some analyzer reads, whatever reader it came from, and freezes it. Values of
 * Secrets and ConfigMaps become empty strings here: past this point only their keys exist.
 */
export function normalize<K extends ApiKind>(kind: K, object: unknown): ApiKinds[K] {
  return pick(messages[kind], object) as ApiKinds[K];
}

type Plain = Record<string, unknown>;

const isObject = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function pick(message: Message, from: unknown, into: Plain = {}): unknown {
  if (!isObject(from)) return undefined;
  for (const name of Object.keys(message.fields)) {
    const raw = from[name];
    if (raw === undefined || raw === null || raw === '') continue;
    const value = convert(message.fields[name] as Field, raw);
    if (value !== undefined) into[name] = value;
  }
  if (message.inlined !== undefined) pick(message.inlined.message, from, into);
  return Object.freeze(into);
}

function convert({ type, repeated }: Field, raw: unknown): unknown {
  if (repeated) {
    if (!Array.isArray(raw)) return undefined;
    return Object.freeze(raw.map((item) => convertOne(type, item)).filter((item) => item !== undefined));
  }
  return convertOne(type, raw);
}

function convertOne(type: Field['type'], raw: unknown): unknown {
  switch (type) {
    case 'string':
    case 'quantity':
      return typeof raw === 'string' ? raw : typeof raw === 'number' ? String(raw) : undefined;
    case 'int':
      return typeof raw === 'number' ? raw : undefined;
    case 'bool':
      return typeof raw === 'boolean' ? raw : undefined;
    case 'intOrString':
      return typeof raw === 'number' || typeof raw === 'string' ? raw : undefined;
    case 'time':
      return raw instanceof Date ? raw.toISOString() : typeof raw === 'string' ? raw : undefined;
    case 'json':
      return raw;
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
  for (const key of Object.keys(raw)) {
    if (key === 'kubectl.kubernetes.io/last-applied-configuration') continue;
    map[key] = keysOnly ? '' : String(raw[key] ?? '');
  }
  return Object.freeze(map);
}
