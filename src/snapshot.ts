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
  const range = rangesOf(objects).get(namespace);
  if (range === undefined) return undefined;
  let { from, to } = range;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((objects[middle]?.metadata?.name ?? '') < name) from = middle + 1;
    else to = middle;
  }
  const object = from < range.to ? objects[from] : undefined;
  return (object?.metadata?.name ?? '') === name ? object : undefined;
}

/** The objects of one namespace, from a snapshot's list. */
export function inNamespace<T extends Named>(objects: readonly T[], namespace: string): readonly T[] {
  const some: T[] = [];
  const { from, to } = rangesOf(objects).get(namespace) ?? NOWHERE;
  // A slice of a frozen array is slow.
  for (let at = from; at < to; at++) {
    const object = objects[at];
    if (object !== undefined) some.push(object);
  }
  return some;
}

/** The namespaces that the objects of a snapshot's list are in, in order. */
export const namespacesOf = (objects: readonly Named[]): readonly string[] => [...rangesOf(objects).keys()];

/** Where in a list the objects of one namespace stand: `to` is behind the last. */
interface Range {
  readonly from: number;
  readonly to: number;
}

const NOWHERE: Range = { from: 0, to: 0 };

const ranges = new WeakMap<readonly Named[], ReadonlyMap<string, Range>>();

function rangesOf(objects: readonly Named[]): ReadonlyMap<string, Range> {
  const known = ranges.get(objects);
  if (known !== undefined) return known;
  const found = new Map<string, Range>();
  for (let from = 0; from < objects.length; ) {
    const namespace = namespaceAt(objects, from);
    const to = endOf(objects, namespace, from);
    found.set(namespace, { from, to });
    from = to;
  }
  ranges.set(objects, found);
  return found;
}

const namespaceAt = (objects: readonly Named[], at: number): string => objects[at]?.metadata?.namespace ?? '';

/** Where a namespace ends that begins at `from`. */
function endOf(objects: readonly Named[], namespace: string, from: number): number {
  let within = from;
  let behind = objects.length;
  while (behind - within > 1) {
    const middle = (within + behind) >>> 1;
    if (namespaceAt(objects, middle) === namespace) within = middle;
    else behind = middle;
  }
  return behind;
}

function byName(a: Named, b: Named): number {
  return (
    compare(a.metadata?.namespace ?? '', b.metadata?.namespace ?? '') ||
    compare(a.metadata?.name ?? '', b.metadata?.name ?? '')
  );
}

/** Orders strings by code unit, the same on every machine and in every locale. */
export const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
