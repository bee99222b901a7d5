import { type Contents, compare, type Kind } from '../snapshot.ts';
import type { Coverage } from './dump-coverage.ts';
import { resources } from './kinds.ts';
import type { SavedHeader } from './saved.ts';

/**
 * Which kinds are not in the dump, and which of them only for some namespaces. `all` are the names of all namespaces,
 * where the dump has them.
 */
export function boundaries(
  coverage: Coverage,
  all: ReadonlySet<string> | undefined,
  headers: readonly SavedHeader[],
  hasLogs: boolean,
): Pick<Contents, 'unreadable' | 'namespaces'> {
  const unreadable = new Map<Kind, string>();
  const namespaces = new Map<Kind, ReadonlySet<string>>();
  const isEverywhere = (kind: Kind): boolean =>
    coverage.everywhere.has(kind) || isInAll(coverage.namespaces.get(kind), all);
  for (const kind of [...Object.keys(resources), 'Log'] as Kind[]) {
    const saved = headers.map((header) => header.read[kind]).filter((where) => where !== undefined);
    if (isEverywhere(kind) || saved.includes('everywhere')) continue;
    const known = coverage.namespaces.get(kind);
    const refused = headers.map((header) => header.unreadable[kind]).find((reason) => reason !== undefined);
    // A snapshot may hold objects of a kind that it calls unreadable: those that came before the list broke off.
    const beside = kind === 'Log' ? hasLogs : known !== undefined;
    const hasSome = saved.length > 0 || (beside && (refused === undefined || (known?.size ?? 0) > 0));
    if (!hasSome) unreadable.set(kind, refused ?? 'not in the dump');
    else namespaces.set(kind, new Set([...(known ?? []), ...saved.flat()].sort(compare)));
  }
  return { unreadable, namespaces };
}

/** Whether a kind was saved from each namespace that there is. */
function isInAll(known: ReadonlySet<string> | undefined, all: ReadonlySet<string> | undefined): boolean {
  if (known === undefined || all === undefined) return false;
  return [...all].every((namespace) => known.has(namespace));
}
