import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { resources } from '../../src/cluster/kinds.ts';
import type { Kind, Snapshot } from '../../src/snapshot.ts';

/** A folder with these files, gone when the test is. Objects become JSON as kubectl indents it. */
export function dumpFolder(files: Readonly<Record<string, string | Buffer | object>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'podlens-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    const raw = typeof content === 'string' || Buffer.isBuffer(content);
    writeFileSync(path, raw ? content : `${JSON.stringify(content, null, 4)}\n`);
  }
  return folder;
}

/** What `kubectl get … -o json` prints for several objects. */
export const listOf = (...items: readonly object[]): object => ({
  apiVersion: 'v1',
  items,
  kind: 'List',
  metadata: { resourceVersion: '' },
});

const kinds = [...Object.keys(resources), 'Log'] as Kind[];

/** Everything a snapshot tells, as plain data: two snapshots are equal if this is. */
export const dataOf = (snapshot: Snapshot): object => ({
  takenAt: snapshot.takenAt,
  objects: Object.fromEntries(kinds.map((kind) => [kind, snapshot.list(kind)])),
  unreadable: Object.fromEntries(snapshot.unreadable),
  namespaces: Object.fromEntries([...snapshot.namespaces].map(([kind, names]) => [kind, [...names]])),
});

/** "Pod a/web, Secret a/token": what a snapshot holds. */
export const namesOf = (snapshot: Snapshot): string[] =>
  kinds.flatMap((kind) =>
    snapshot.list(kind).map(({ metadata }) => {
      const { namespace, name } = metadata ?? {};
      return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
    }),
  );
