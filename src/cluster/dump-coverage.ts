import type { Kind } from '../snapshot.ts';
import type { Place } from './dump-place.ts';
import { isApiKind, resources } from './kinds.ts';

/** What a List held, for what may be concluded from it. */
export interface ListSeen {
  /** "PodList" or "List", where it says so. */
  readonly kind: string | undefined;
  /** Every object in it by kind and namespace, those of kinds that podlens does not read as well. */
  readonly items: ReadonlyMap<
    string,
    ReadonlyMap<string, { readonly count: number; readonly names: ReadonlySet<string> }>
  >;
  /** False where a part was broken, or the API server had more to give. */
  readonly whole: boolean;
  readonly place: Place;
}

/** Which kinds were saved, and where. */
export interface Coverage {
  /** Kinds saved from everywhere. */
  readonly everywhere: Set<Kind>;
  /** Kinds of which something was saved, and the namespaces from which all of it was. */
  readonly namespaces: Map<Kind, Set<string>>;
}

// Every cluster has these, so a list without them is a selection: `-l app=web`, or objects asked for by name.
const ALWAYS: Partial<Record<Kind, string>> = {
  Namespace: 'default',
  ConfigMap: 'kube-root-ca.crt',
  ServiceAccount: 'default',
};

/** The names that tell a whole list from a selection. */
export const isTelling = (kind: string, name: string): boolean => ALWAYS[kind as Kind] === name;

/**
 * What a List proves the absence of. kubectl does not write down how it was asked, so:
 * - a list with objects of several namespaces was asked for with -A and covers all of them;
 * - a list with objects of one namespace covers that one;
 * - an empty list covers the namespace that its path names;
 * - in a list of mixed kinds a kind of which there is one object was perhaps asked for by name and is not covered;
 * - a list that lacks what every cluster has is a selection.
 */
export function noteList(coverage: Coverage, list: ListSeen): void {
  const typed = /^(.+)List$/.exec(list.kind ?? '')?.[1];
  const kinds = new Set([...list.items.keys(), ...(typed === undefined ? [] : [typed])]);
  if (list.items.size === 0 && list.place.kind !== undefined) kinds.add(list.place.kind);
  if (kinds.size > 1 && [...kinds].some((kind) => isSelection(kind, list))) return;
  for (const kind of kinds) {
    if (!isApiKind(kind)) continue;
    const known = coverage.namespaces.get(kind) ?? new Set<string>();
    coverage.namespaces.set(kind, known);
    if (!list.whole || isSelection(kind, list)) continue;
    const byNamespace = list.items.get(kind);
    const count = [...(byNamespace?.values() ?? [])].reduce((sum, { count }) => sum + count, 0);
    if (kinds.size > 1 && count < 2) continue;
    if (!resources[kind].namespaced) coverage.everywhere.add(kind);
    else if (byNamespace === undefined) addNamed(known, list.place, kind);
    else if (byNamespace.size > 1) coverage.everywhere.add(kind);
    else for (const namespace of byNamespace.keys()) known.add(namespace);
  }
}

function addNamed(known: Set<string>, place: Place, kind: Kind): void {
  if (place.kind === kind && place.namespace !== undefined) known.add(place.namespace);
}

/** Whether what every namespace has is missing. A file that is named for its namespace and kind is taken at its word. */
function isSelection(kind: string, { items, place }: ListSeen): boolean {
  const always = ALWAYS[kind as Kind];
  if (always === undefined || place.namespace !== undefined) return false;
  return [...(items.get(kind)?.values() ?? [])].some(({ names }) => !names.has(always));
}
