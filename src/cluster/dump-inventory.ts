import type { Gap } from '../finding.ts';
import type { ApiKind, ApiKinds } from '../objects/kinds-schema.ts';
import { type Contents, compare, type Log, logName } from '../snapshot.ts';
import { boundaries } from './dump-boundaries.ts';
import { type Coverage, noteList } from './dump-coverage.ts';
import { type FileContents, readInto, type Store } from './dump-file.ts';
import type { DumpHandler, LogName } from './dump-handler.ts';
import {
  asServed,
  isNewer,
  isObject,
  keyOf,
  kindOfList,
  metadataOf,
  type Named,
  type Plain,
  type Version,
  versionOf,
} from './dump-kubernetes.ts';
import { LOG_READ } from './dump-logs.ts';
import type { Place } from './dump-place.ts';
import { newestTime, seeTimes } from './dump-time.ts';
import { isApiKind } from './kinds.ts';
import { normalize } from './normalize.ts';
import type { SavedHeader } from './saved.ts';

export interface Inventory {
  /** Takes what one file holds; `place` is what its path says of it. */
  file(place: Place): { readonly handler: DumpHandler; readonly contents: FileContents };
  readonly log: DumpHandler['log'];
  /** There is a log of this container. Whether it may tell why something is broken; the pods must have been read. */
  wantsLog(name: LogName): boolean;
  /** Objects and Lists of kinds that podlens reads. */
  readonly found: number;
  /** Whether the newest time that was seen is about when the dump was taken. */
  readonly tellsTime: boolean;
  /** `at` is the time to judge by, in place of the newest one that was seen. */
  contents(at: string | undefined): Contents;
  /** What was saved with snapshots. */
  readonly saved: { readonly gaps: readonly Gap[]; readonly namespaces: readonly string[] | undefined };
}

/** Gathers the objects of all files: each once, cut down to what podlens reads. */
export function createInventory(): Inventory {
  const objects = new Map<ApiKind, Map<string, { readonly version: Version; readonly object: Named }>>();
  const logs = new Map<string, Log>();
  const savedLogs = new Set<Log>();
  const headers: SavedHeader[] = [];
  const coverage: Coverage = { everywhere: new Set(), namespaces: new Map() };
  const newest = newestTime();
  let found = 0;
  let hasLogs = false;

  const store: Store = {
    object(kind, raw) {
      const served = asServed(kind, raw);
      const version = versionOf(served);
      const known = entry(objects, kind, () => new Map());
      const key = keyOf(served as Named);
      const before = known.get(key);
      if (before === undefined || isNewer(version, before.version))
        known.set(key, { version, object: normalize(kind, served) });
      entry(coverage.namespaces, kind, () => new Set());
      seeTimes(kind, served, newest.see);
      seeManagedFields(served, newest.see);
      found++;
    },
    list(seen) {
      noteList(coverage, seen);
      const kind = kindOfList(seen.kind) ?? seen.place.kind ?? 'List';
      if (isApiKind(kind) || (kind === 'List' && seen.items.size === 0)) found++;
    },
    log(name, lines) {
      const { namespace, pod, container, previous } = name;
      if (objects.get('Pod')?.has(`${namespace}/${pod}`) && !wantsLog(name)) return;
      hasLogs = true;
      const metadata = { name: logName(pod, container, previous), namespace };
      const log: Log = { metadata, pod, container, previous, lines, read: LOG_READ };
      logs.set(keyOf(log), log);
      for (const { at } of lines) newest.see(at);
    },
    savedLog(log) {
      logs.set(keyOf(log), log);
      savedLogs.add(log);
    },
    header(header) {
      headers.push(header);
      found++;
    },
  };
  const wantsLog = ({ namespace, pod, container }: LogName): boolean => {
    hasLogs = true;
    const known = objects.get('Pod')?.get(`${namespace}/${pod}`);
    return known !== undefined && mayTell(known.object, container);
  };

  /** The names of all namespaces, if the dump has them all. */
  const allNamespaces = (): ReadonlySet<string> | undefined =>
    coverage.everywhere.has('Namespace')
      ? new Set([...(objects.get('Namespace')?.values() ?? [])].map(({ object }) => object.metadata?.name ?? ''))
      : undefined;
  const tellsTime = () => headers.length > 0 || objects.has('Node') || objects.has('Event');
  /** Where every container is well, nobody misses the logs. */
  const isAnyLogMissed = (): boolean =>
    [...(objects.get('Pod')?.values() ?? [])].some(({ object }: { readonly object: ApiKinds['Pod'] }) =>
      object.spec?.containers?.some(({ name }) => name !== undefined && mayTell(object, name)),
    );

  return {
    file: (place) => readInto(store, place),
    log: store.log,
    wantsLog,
    get found() {
      return found;
    },
    get tellsTime() {
      return tellsTime();
    },
    contents(at) {
      const all: Record<string, readonly unknown[]> = {
        Log: [...logs.values()].filter((log) => savedLogs.has(log) || wantsLog(nameOf(log))),
      };
      for (const [kind, byKey] of objects) all[kind] = [...byKey.values()].map(({ object }) => object);
      return {
        takenAt: at ?? lastTaken(headers) ?? (tellsTime() ? newest.value : soonAfter(newest.value)) ?? NO_TIME,
        objects: all as Contents['objects'],
        ...boundaries(coverage, allNamespaces(), headers, hasLogs || !isAnyLogMissed()),
      };
    },
    get saved() {
      const namespaces = headers.flatMap((header) => header.namespaces ?? []);
      return {
        gaps: headers.flatMap(({ gaps }) => gaps),
        namespaces: namespaces.length === 0 ? undefined : [...new Set(namespaces)].sort(compare),
      };
    },
  };
}

/** When a dump was taken in which nothing has a time. */
export const NO_TIME: string = new Date(0).toISOString();

/** A snapshot was taken when it says so, whatever times its objects bear. */
const lastTaken = (headers: readonly SavedHeader[]): string | undefined =>
  headers
    .map(({ takenAt }) => takenAt)
    .sort((a, b) => Date.parse(a) - Date.parse(b))
    .at(-1);

/** What a pod waits for seconds after its creation may be its last time, and who saves it has seen it wait for longer. */
const SAVED_AFTER_MS = 30_000;

const soonAfter = (time: string | undefined): string | undefined =>
  time === undefined ? undefined : new Date(Date.parse(time) + SAVED_AFTER_MS).toISOString();

function entry<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = create();
  map.set(key, value);
  return value;
}

/** The API server notes there when each field was last written; podlens reads no more of it than the time. */
function seeManagedFields(raw: Plain, see: (time: unknown) => void): void {
  const { managedFields } = metadataOf(raw);
  if (!Array.isArray(managedFields)) return;
  for (const field of managedFields) if (isObject(field)) see(field.time);
}

const nameOf = ({ metadata, pod, container, previous }: Log): LogName => ({
  namespace: metadata.namespace,
  pod,
  container,
  previous,
});

/**
 * A container that runs, is ready and never stopped has nothing to tell, nor has an init container that did its work. Of
 * a healthy pod the statuses are not kept.
 */
function mayTell({ status }: ApiKinds['Pod'], container: string): boolean {
  if (status?.phase !== 'Running' && status?.phase !== 'Succeeded') return true;
  const init = status.initContainerStatuses?.find(({ name }) => name === container);
  if (init?.state?.terminated?.exitCode === 0 && !init.restartCount) return false;
  const found = init ?? status.containerStatuses?.find(({ name }) => name === container);
  if (found === undefined) return false;
  return !(found.ready && found.state?.running !== undefined && !found.restartCount);
}
