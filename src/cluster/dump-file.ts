import type { ApiKind } from '../objects/kinds-schema.ts';
import type { Log } from '../snapshot.ts';
import { isTelling, type ListSeen } from './dump-coverage.ts';
import type { DumpHandler, Flaw } from './dump-handler.ts';
import {
  hasMore,
  isList,
  isObject,
  isReadable,
  isTable,
  kindOfList,
  metadataOf,
  type Plain,
  text,
} from './dump-kubernetes.ts';
import type { Place } from './dump-place.ts';
import { type SavedHeader, SNAPSHOT_VERSION, savedHeader, savedLog } from './saved.ts';

/** Where what a file holds goes. */
export interface Store {
  object(kind: ApiKind, raw: Plain): void;
  /** A List ended. */
  list(seen: ListSeen): void;
  log: DumpHandler['log'];
  savedLog(log: Log): void;
  header(header: SavedHeader): void;
}

/** What a file turned out to hold. */
export interface FileContents {
  /** How many objects of Kubernetes and Lists, of kinds that podlens does not read as well, and logs. */
  known: number;
  /** What it holds in place of them; `isLoss` where objects should be there. */
  foreign: { readonly why: string; readonly isLoss: boolean } | undefined;
  readonly flaws: Flaw[];
}

/** A List while it is read. */
interface OpenList {
  kind: string | undefined;
  apiVersion: string | undefined;
  /** Items that do not say what they are, until the List does. */
  readonly unnamed: Plain[];
  readonly items: Map<string, Map<string, { count: number; names: Set<string> }>>;
  /** A snapshot that podlens saved says itself what it covers. */
  saved: boolean;
  readonly flawsBefore: number;
}

/** Tells objects, Lists and podlens' own items apart, and what is none of them. */
export function readInto(
  store: Store,
  place: Place,
): { readonly handler: DumpHandler; readonly contents: FileContents } {
  const contents: FileContents = { known: 0, foreign: undefined, flaws: [] };
  let list: OpenList | undefined;

  const item = (value: unknown) => {
    if (!isObject(value)) return foreign(value);
    if (isList(value)) return nested(value);
    const kind = text(value.kind) ?? itemKind(list, place);
    if (kind !== undefined) named(kind, value);
    else if (list !== undefined && isObject(value.metadata)) list.unnamed.push(value);
    else foreign(value);
  };
  const named = (kind: string, value: Plain) => {
    const apiVersion = text(value.apiVersion) ?? list?.apiVersion;
    if (apiVersion === SNAPSHOT_VERSION) return own(value);
    if (kind === 'Status') {
      const message = text(value.message) ?? 'no message';
      contents.foreign = { why: `it holds an error of the API server: ${message}`, isLoss: true };
      return;
    }
    const metadata = metadataOf(value);
    const name = text(metadata.name);
    if (name === undefined && apiVersion === undefined) return foreign(value);
    contents.known++;
    if (name === undefined) return;
    if (list !== undefined) count(list, kind, name, text(metadata.namespace) ?? '');
    if (isReadable(kind, apiVersion)) store.object(kind, value);
  };
  const own = (value: Plain) => {
    contents.known++;
    const header = savedHeader(value);
    const log = savedLog(value);
    if (header !== undefined) {
      if (list !== undefined) list.saved = true;
      store.header(header);
    }
    if (log !== undefined) store.savedLog(log);
  };
  const foreign = (value: unknown) => {
    contents.foreign ??= isTable(value)
      ? { why: 'it is what kubectl prints for people to read; -o json saves it for programs', isLoss: true }
      : { why: 'it holds no Kubernetes object', isLoss: false };
  };
  const begin = (head: unknown) => {
    const { kind, apiVersion } = isObject(head) ? head : {};
    list = {
      kind: text(kind),
      apiVersion: text(apiVersion),
      unnamed: [],
      items: new Map(),
      saved: false,
      flawsBefore: contents.flaws.length,
    };
  };
  const finish = (list: OpenList, value: unknown) => {
    if (isObject(value)) {
      list.kind ??= text(value.kind);
      list.apiVersion ??= text(value.apiVersion);
    }
    const kind = itemKind(list, place);
    for (const item of list.unnamed) if (kind !== undefined) named(kind, item);
    if (list.kind === undefined && list.items.size === 0) return foreign(value);
    contents.known++;
    if (list.saved) return;
    const whole = contents.flaws.length === list.flawsBefore && !hasMore(value);
    store.list({ kind: list.kind, items: list.items, whole, place });
  };
  const nested = (value: Plain & { readonly items: readonly unknown[] }) => {
    const outer = list;
    begin(value);
    for (const each of value.items) item(each);
    end(value);
    list = outer;
  };
  const end = (value: unknown) => {
    if (list !== undefined) finish(list, value);
    list = undefined;
  };
  return {
    contents,
    handler: {
      list: begin,
      item,
      document(value) {
        if (list === undefined) item(value);
        else end(value);
      },
      log(name, lines) {
        contents.known++;
        store.log(name, lines);
      },
      flaw: (flaw) => contents.flaws.push(flaw),
    },
  };
}

/** The kind of items that do not say it: typed lists leave it out. */
const itemKind = (list: OpenList | undefined, place: Place): string | undefined =>
  kindOfList(list?.kind) ?? (list === undefined ? undefined : place.kind);

function count(list: OpenList, kind: string, name: string, namespace: string): void {
  const byNamespace = list.items.get(kind) ?? new Map<string, { count: number; names: Set<string> }>();
  list.items.set(kind, byNamespace);
  const seen = byNamespace.get(namespace) ?? { count: 0, names: new Set<string>() };
  byNamespace.set(namespace, seen);
  seen.count++;
  if (isTelling(kind, name)) seen.names.add(name);
}
