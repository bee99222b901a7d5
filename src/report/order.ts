import { compare } from '../snapshot.ts';

// What a thing is comes before what is said about it.
const keys = [
  'schemaVersion',
  'takenAt',
  'scope',
  'problems',
  'gaps',
  'stats',
  'explanations',
  'explain',
  'id',
  'root',
  'owner',
  'affects',
  'symptoms',
  'changes',
  'timeline',
  'code',
  'severity',
  'subject',
  'kind',
  'namespace',
  'name',
  'container',
  'uid',
  'message',
  'since',
  'confidence',
  'check',
  'evidence',
  'suspects',
  'remedy',
  'at',
  'from',
  'where',
  'text',
  'command',
  'safety',
  'what',
  'reason',
  'hint',
];
const ranks = new Map(keys.map((key, index) => [key, index]));
const rank = (key: string): number => ranks.get(key) ?? keys.length;

/** The same value with its keys in one order, whoever built it; keys that are not known follow by name. */
export function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  entries.sort(([a], [b]) => rank(a) - rank(b) || compare(a, b));
  return Object.fromEntries(entries.map(([key, inner]) => [key, inOrder(inner)]));
}
