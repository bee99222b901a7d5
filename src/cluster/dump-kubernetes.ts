import type { ApiKind } from '../objects/kinds-schema.ts';
import { isApiKind, resources } from './kinds.ts';

export type Plain = Record<string, unknown>;

export const isObject = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

export const text = (value: unknown): string | undefined => (isText(value) ? value : undefined);

export const metadataOf = (object: Plain): Plain => (isObject(object.metadata) ? object.metadata : {});

export const isList = (value: Plain): value is Plain & { readonly items: readonly unknown[] } =>
  (text(value.kind)?.endsWith('List') ?? false) && Array.isArray(value.items);

/** The kind of a typed list's items: "Pod" of "PodList". A plain `List` has none. */
export const kindOfList = (kind: string | undefined): string | undefined => /^(.+)List$/.exec(kind ?? '')?.[1];

/** Whether a list is one page of several, as the API itself gives it. */
export const hasMore = (list: unknown): boolean => isObject(list) && isText(metadataOf(list).continue);

/** Kinds of other groups share names: a Service of Knative, a Node of OpenShift's config. */
export function isReadable(kind: string, apiVersion: string | undefined): kind is ApiKind {
  if (!isApiKind(kind)) return false;
  if (apiVersion === undefined) return true;
  const group = groupOf(apiVersion);
  return group === groupOf(resources[kind].groupVersion) || (kind === 'Event' && group === 'events.k8s.io');
}

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '');

/** What kubectl prints without `-o`. */
export const isTable = (value: unknown): boolean =>
  typeof value === 'string' && /^(NAMESPACE +)?(NAME|LAST SEEN) {2,}/.test(value);

const KUBECTL_ERRORS = [
  'error: ',
  'Error from server',
  'Unable to connect to the server',
  'The connection to the server ',
];

/** What kubectl writes to stderr, and with 2>&1 into the file; undefined for any other line. */
export function errorOfKubectl(line: string): string | undefined {
  // "E1121 02:00:00.000000 1234 memcache.go:265] …"
  const isError = KUBECTL_ERRORS.some((start) => line.startsWith(start)) || /^E\d{4} /.test(line);
  return isError ? shortened(line) : undefined;
}

const shortened = (line: string): string => (line.length > 300 ? `${line.slice(0, 300)}…` : line);

/** The object by the names and with the namespace that the API server gives it in core/v1. */
export function asServed(kind: ApiKind, raw: Plain): Plain {
  const object = kind === 'Event' ? coreEvent(raw) : raw;
  const metadata = metadataOf(object);
  if (!resources[kind].namespaced || isText(metadata.namespace)) return object;
  return { ...object, metadata: { ...metadata, namespace: 'default' } };
}

/** An Event of events.k8s.io/v1 by the names that core/v1 gives to the same fields. */
function coreEvent(raw: Plain): Plain {
  if (raw.regarding === undefined && raw.note === undefined) return raw;
  return {
    ...raw,
    involvedObject: raw.regarding,
    message: raw.note,
    source: raw.deprecatedSource,
    firstTimestamp: raw.deprecatedFirstTimestamp,
    lastTimestamp: raw.deprecatedLastTimestamp,
    count: raw.deprecatedCount,
    reportingComponent: raw.reportingController,
  };
}

export interface Named {
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
}

export const keyOf = ({ metadata }: Named): string => `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;

/** What tells two sightings of one name apart. */
export interface Version {
  readonly uid: string | undefined;
  readonly created: string;
  readonly changed: number;
}

export function versionOf(object: Plain): Version {
  const { uid, creationTimestamp, resourceVersion } = metadataOf(object);
  return { uid: text(uid), created: text(creationTimestamp) ?? '', changed: Number(resourceVersion ?? 0) };
}

/** Of two objects with one name: whether `a` was created later, or changed later, than `b`. */
export const isNewer = (a: Version, b: Version): boolean =>
  a.uid === b.uid ? a.changed >= b.changed : a.created >= b.created;
