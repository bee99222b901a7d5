import type { ApiKinds } from './objects/kinds-schema.ts';

/** One line of a container's log. */
export interface LogLine {
  readonly text: string;
  /** When the runtime received it; only known where the log was read with timestamps. */
  readonly at?: string;
}

/** The end of one container's log, as `kubectl logs --tail` gives it. */
export interface Log {
  /** `name` is `logName(…)`, so that a log is looked up like any other object. */
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly pod: string;
  readonly container: string;
  /** The log of the container's previous run (`kubectl logs --previous`). */
  readonly previous: boolean;
  readonly lines: readonly LogLine[];
  /** How much was asked for, in words: "last 200 lines". */
  readonly read: string;
}

export const logName = (pod: string, container: string, previous: boolean): string =>
  `${pod}/${container}${previous ? '/previous' : ''}`;

/** Every kind of object in a snapshot: the API's, and `Log`. */
export interface Kinds extends ApiKinds {
  Log: Log;
}

export type Kind = keyof Kinds;

/** What an analyzer sees of a snapshot: the kinds it declared. Objects are plain, frozen JSON; times are ISO strings. */
export interface View<K extends Kind> {
  /** The time to judge by: when the snapshot was taken. ISO 8601. */
  readonly takenAt: string;
  list<T extends K>(kind: T): readonly Kinds[T][];
  get<T extends K>(kind: T, name: string, namespace?: string): Kinds[T] | undefined;
  /**
   * Whether an object of this kind that is not listed does not exist. False where the kind could not be read, was not
   * saved in the dump, or lies outside the namespaces that were read; without `namespace`, whether all of them were.
   */
  covers(kind: K, namespace?: string): boolean;
}

export interface Snapshot extends View<Kind> {
  /** Kinds that could not be read at all, and why: "forbidden: …", "not in the dump". */
  readonly unreadable: ReadonlyMap<Kind, string>;
  /** For kinds that were read in some namespaces only: those. What `covers` answers from, for who saves a snapshot. */
  readonly namespaces: ReadonlyMap<Kind, ReadonlySet<string>>;
}

export interface Contents {
  readonly takenAt: string;
  readonly objects: { readonly [K in Kind]?: readonly Kinds[K][] };
  readonly unreadable?: ReadonlyMap<Kind, string>;
  /** For kinds that were read in some namespaces only: those. A kind that is not listed was read everywhere. */
  readonly namespaces?: ReadonlyMap<Kind, ReadonlySet<string>>;
}

interface Named {
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
}

const NOTHING: readonly never[] = Object.freeze([]);

/** Objects are sorted by namespace and name, so that a report does not depend on the order they were read in. */
export function createSnapshot(contents: Contents): Snapshot {
  const lists = new Map<Kind, readonly Named[]>();
  for (const kind of Object.keys(contents.objects) as Kind[]) {
    const objects: Named[] = [...(contents.objects[kind] ?? NOTHING)];
    objects.sort(byName);
    lists.set(kind, Object.freeze(objects));
  }
  const unreadable = contents.unreadable ?? new Map<Kind, string>();
  const namespaces = contents.namespaces ?? new Map<Kind, ReadonlySet<string>>();
  return {
    takenAt: contents.takenAt,
    unreadable,
    namespaces,
    list: <T extends Kind>(kind: T) => (lists.get(kind) ?? NOTHING) as readonly Kinds[T][],
    get: <T extends Kind>(kind: T, name: string, namespace = '') =>
      find(lists.get(kind) ?? NOTHING, name, namespace) as Kinds[T] | undefined,
    covers(kind, namespace) {
      if (unreadable.has(kind)) return false;
      const only = namespaces.get(kind);
      if (only === undefined) return true;
      return namespace !== undefined && only.has(namespace);
    },
  };
}

/** The lists are sorted, and an index of a large cluster's pods would take as much memory as a tenth of them. */
function find(objects: readonly Named[], name: string, namespace: string): Named | undefined {
  const object = objects[placeOf(objects, namespace, name)];
  const { metadata } = object ?? {};
  return (metadata?.namespace ?? '') === namespace && (metadata?.name ?? '') === name ? object : undefined;
}

/** The objects of one namespace, from a snapshot's list: they stand together. */
export const inNamespace = <T extends Named>(objects: readonly T[], namespace: string): readonly T[] =>
  objects.slice(placeOf(objects, namespace, ''), endOf(objects, namespace));

/** The namespaces that the objects of a snapshot's list are in, in order. */
export function namespacesOf(objects: readonly Named[]): string[] {
  const namespaces: string[] = [];
  for (let at = 0; at < objects.length; ) {
    const { namespace = '' } = objects[at]?.metadata ?? {};
    namespaces.push(namespace);
    at = endOf(objects, namespace);
  }
  return namespaces;
}

/** Where the next namespace begins: nothing stands between a name and the same with a zero behind it. */
const endOf = (objects: readonly Named[], namespace: string): number => placeOf(objects, `${namespace}\0`, '');

/** Where in a sorted list an object of that name stands, or would stand. */
function placeOf(objects: readonly Named[], namespace: string, name: string): number {
  let from = 0;
  let to = objects.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const { metadata } = objects[middle] ?? {};
    const order = compare(metadata?.namespace ?? '', namespace) || compare(metadata?.name ?? '', name);
    if (order < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

function byName(a: Named, b: Named): number {
  return (
    compare(a.metadata?.namespace ?? '', b.metadata?.namespace ?? '') ||
    compare(a.metadata?.name ?? '', b.metadata?.name ?? '')
  );
}

/** Orders strings by code unit, the same on every machine and in every locale. */
export const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
