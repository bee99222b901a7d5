import type { Kind } from '../snapshot.ts';
import type { Collected } from './collected.ts';
import { isApiKind, resources } from './kinds.ts';
import { type SavedHeader, SNAPSHOT_VERSION } from './saved.ts';

/**
 * A snapshot as text, in pieces: a Kubernetes `List` with one object per line, so that kubectl's users and jq can read
 * it. Its first item is a `Snapshot` of podlens, which says when it was taken and what could not be read; logs are items
 * of kind `Log`. `readDump` reads the same snapshot from it. Values of Secrets and ConfigMaps are not in it.
 */
export function* saveSnapshot(collected: Pick<Collected, 'snapshot' | 'gaps' | 'namespaces'>): Generator<string> {
  const { snapshot } = collected;
  yield `{"apiVersion":"v1","kind":"List","items":[\n${JSON.stringify(headerOf(collected))}`;
  for (const kind of kinds) {
    const apiVersion = isApiKind(kind) ? resources[kind].groupVersion : SNAPSHOT_VERSION;
    for (const object of snapshot.list(kind)) yield `,\n${JSON.stringify({ apiVersion, kind, ...object })}`;
  }
  yield '\n]}\n';
}

const kinds = [...Object.keys(resources), 'Log'] as Kind[];

function headerOf({ snapshot, gaps, namespaces }: Pick<Collected, 'snapshot' | 'gaps' | 'namespaces'>): SavedHeader {
  const read: { [K in Kind]?: 'everywhere' | readonly string[] } = {};
  for (const kind of kinds) {
    if (snapshot.unreadable.has(kind)) continue;
    const only = snapshot.namespaces.get(kind);
    read[kind] = only === undefined ? 'everywhere' : [...only];
  }
  return {
    apiVersion: SNAPSHOT_VERSION,
    kind: 'Snapshot',
    takenAt: snapshot.takenAt,
    read,
    unreadable: Object.fromEntries(snapshot.unreadable),
    gaps,
    ...(namespaces === undefined ? {} : { namespaces }),
  };
}
