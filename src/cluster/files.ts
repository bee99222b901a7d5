import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { loadAll } from 'js-yaml';
import { type Contents, createSnapshot, type Kind, type Log, logName, type Snapshot } from '../snapshot.ts';
import { isApiKind, resources } from './kinds.ts';
import { normalize } from './normalize.ts';

export function readFiles(path: string, at?: string): Snapshot {
  const objects: Record<string, Map<string, unknown>> = {};
  const logs: Log[] = [];
  const namespaces = new Map<Kind, Set<string>>();
  for (const file of filesOf(path)) {
    if (file.endsWith('.log')) {
      const parts = basename(file, '.log').split('.previous');
      const pod = basename(dirname(file));
      const container = parts[0] ?? '';
      const previous = parts.length > 1;
      const text = readFileSync(file, 'utf8');
      logs.push({
        metadata: { name: logName(pod, container, previous), namespace: basename(dirname(dirname(file))) },
        pod,
        container,
        previous,
        lines: text
          .split('\n')
          .filter((l) => l !== '')
          .map((t) => ({ text: t })),
        read: 'last 200 lines',
      });
    } else if (/\.(json|ya?ml)$/.test(file)) {
      for (const doc of loadAll(readFileSync(file, 'utf8')) as { kind?: string; items?: unknown[] }[]) {
        for (const item of (doc?.items ?? [doc]) as {
          kind?: string;
          metadata?: { namespace?: string; name?: string };
        }[]) {
          const kind = item?.kind ?? '';
          if (!isApiKind(kind)) continue;
          objects[kind] ??= new Map();
          objects[kind].set(`${item.metadata?.namespace}/${item.metadata?.name}`, normalize(kind, item));
          if (resources[kind].namespaced) {
            const set = namespaces.get(kind) ?? new Set();
            set.add(item.metadata?.namespace ?? '');
            namespaces.set(kind, set);
          }
        }
      }
    }
  }
  const unreadable = new Map<Kind, string>();
  for (const kind of Object.keys(resources) as Kind[])
    if (objects[kind] === undefined) unreadable.set(kind, 'not in the dump');
  return createSnapshot({
    takenAt: at ?? '2026-11-21T02:07:38.484Z',
    objects: { ...Object.fromEntries(Object.entries(objects).map(([k, v]) => [k, [...v.values()]])), Log: logs },
    unreadable,
    namespaces,
  } as Contents);
}

const filesOf = (path: string): string[] =>
  statSync(path).isDirectory()
    ? readdirSync(path)
        .sort()
        .flatMap((name) => filesOf(join(path, name)))
    : [path];
