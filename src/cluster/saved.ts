import type { Gap } from '../finding.ts';
import type { Kind, Log, LogLine } from '../snapshot.ts';
import { isObject, isText, type Plain } from './dump-kubernetes.ts';
import { resources } from './kinds.ts';

/** The apiVersion of what only podlens knows of: a snapshot's first item and its logs. */
export const SNAPSHOT_VERSION = 'podlens/v1';

/** The first item of a saved snapshot: what its objects cannot say. */
export interface SavedHeader {
  readonly apiVersion: typeof SNAPSHOT_VERSION;
  readonly kind: 'Snapshot';
  readonly takenAt: string;
  /** Kinds that were read: everywhere, or in these namespaces alone. */
  readonly read: { readonly [K in Kind]?: 'everywhere' | readonly string[] };
  /** Kinds that were not, and why. */
  readonly unreadable: { readonly [K in Kind]?: string };
  readonly gaps: readonly Gap[];
  /** The namespaces that were read, where that is not all of them. */
  readonly namespaces?: readonly string[];
}

const isKind = (kind: string): kind is Kind => kind === 'Log' || Object.hasOwn(resources, kind);
const isTextList = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);
const isGap = (value: unknown): value is Gap =>
  isObject(value) && isText(value.what) && isText(value.reason) && (value.hint === undefined || isText(value.hint));

/** The header, without what this version of podlens does not know; undefined where the object is none. */
export function savedHeader(from: Plain): SavedHeader | undefined {
  if (from.kind !== 'Snapshot' || !isText(from.takenAt)) return undefined;
  const kinds = (value: unknown) => Object.entries(isObject(value) ? value : {}).filter(([kind]) => isKind(kind));
  return {
    apiVersion: SNAPSHOT_VERSION,
    kind: 'Snapshot',
    takenAt: from.takenAt,
    read: Object.fromEntries(kinds(from.read).filter(([, where]) => where === 'everywhere' || isTextList(where))),
    unreadable: Object.fromEntries(kinds(from.unreadable).filter(([, reason]) => isText(reason))),
    gaps: Array.isArray(from.gaps) ? from.gaps.filter(isGap) : [],
    ...(isTextList(from.namespaces) ? { namespaces: from.namespaces } : {}),
  };
}

/** A log of a saved snapshot; undefined where the object is none. */
export function savedLog(from: Plain): Log | undefined {
  const metadata = isObject(from.metadata) ? from.metadata : {};
  const { pod, container, previous, lines, read } = from;
  if (from.kind !== 'Log' || !isText(metadata.name) || !isText(metadata.namespace)) return undefined;
  if (!isText(pod) || !isText(container) || !isText(read) || !Array.isArray(lines)) return undefined;
  return {
    metadata: { name: metadata.name, namespace: metadata.namespace },
    pod,
    container,
    previous: previous === true,
    lines: lines.filter(isLine),
    read,
  };
}

const isLine = (value: unknown): value is LogLine =>
  isObject(value) && typeof value.text === 'string' && (value.at === undefined || isText(value.at));
