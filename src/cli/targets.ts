import { existsSync } from 'node:fs';
import { resources } from '../cluster/kinds.ts';
import { membersOf } from '../cluster/scope.ts';
import { PodlensError } from '../errors.ts';
import type { Ref } from '../finding.ts';
import type { ApiKind } from '../objects/kinds-schema.ts';
import { didYouMean } from '../objects/suggest.ts';
import { compare, type Snapshot } from '../snapshot.ts';
import { kindNamed, meant } from './kinds.ts';
import { orList } from './or-list.ts';

/** An object as the person named it: `pod/web-0`. Its namespace is not known yet. */
export interface Target {
  readonly kind: ApiKind;
  readonly name: string;
}

/** `TYPE/NAME …` or `TYPE NAME …`, as kubectl takes them. */
export function parseTargets(words: readonly string[]): readonly Target[] {
  if (words.length === 0) return [];
  for (const word of words) if (looksLikeFile(word)) throw forgottenFlag(word);
  if (words.some((word) => word.includes('/'))) return words.map(parseSlashed);
  const [type = '', ...names] = words;
  const kind = kindFor(type);
  if (names.length === 0) {
    throw new PodlensError('target-incomplete', `"${type}" names no object.`, {
      hint: `Write ${resources[kind].plural}/NAME for one, or --filter=${kind} for all.`,
    });
  }
  return names.map((name) => ({ kind, name }));
}

/** A file or folder that is there, by a name that no kind and no object has. */
const looksLikeFile = (word: string): boolean =>
  kindNamed(word.split('/')[0] ?? '') === undefined && /[./]/.test(word) && existsSync(word);

const forgottenFlag = (word: string): PodlensError =>
  new PodlensError('target-malformed', `"${word}" is no object of a cluster, but a file.`, {
    hint: `Did you mean -f ${word}?`,
  });

function parseSlashed(word: string): Target {
  const [type = '', name = '', ...more] = word.split('/');
  if (type === '' || name === '' || more.length > 0) {
    throw new PodlensError('target-malformed', `"${word}" is no target.`, {
      hint: 'Write TYPE/NAME for each, for example pod/web-0 deploy/web.',
    });
  }
  return { kind: kindFor(type), name };
}

function kindFor(type: string): ApiKind {
  const kind = kindNamed(type);
  if (kind !== undefined) return kind;
  const words = Object.values(resources).flatMap(({ plural, shortNames }) => [plural, ...shortNames]);
  const singulars = Object.keys(resources).map((known) => known.toLowerCase());
  throw new PodlensError('target-kind-unknown', `podlens does not know the kind "${type}".`, {
    hint:
      meant(type, [...singulars, ...words]) ?? 'A target is written TYPE/NAME, for example pod/web-0 or deploy/web.',
  });
}

/** As kubectl names it: "deployment/web". */
export const targetName = ({ kind, name }: Target): string => `${kind.toLowerCase()}/${name}`;

/**
 * The keys of the objects the targets name, in any of the namespaces that were read, and of all that belongs to them.
 * Fails for a target that does not exist.
 */
export function findTargets(
  targets: readonly Target[],
  snapshot: Snapshot,
  namespaces: ReadonlySet<string> | undefined,
): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const target of targets) {
    for (const ref of placesOf(target, snapshot, namespaces)) {
      for (const key of membersOf(ref, snapshot)) keys.add(key);
    }
  }
  return keys;
}

function placesOf(target: Target, snapshot: Snapshot, namespaces: ReadonlySet<string> | undefined): readonly Ref[] {
  const { kind, name } = target;
  const inside = (namespace: string | undefined) =>
    namespaces === undefined || !resources[kind].namespaced || namespaces.has(namespace ?? '');
  const named = snapshot.list(kind).filter(({ metadata }) => inside(metadata?.namespace));
  const found = named.filter(({ metadata }) => metadata?.name === name);
  if (found.length > 0) return found.map(({ metadata }) => refOf(kind, name, metadata?.namespace));

  // It may not be readable, or missing and just that is the trouble: its pods still tell of it.
  const places = [...new Set(snapshot.list('Pod').map(({ metadata }) => metadata?.namespace ?? ''))]
    .filter(inside)
    .map((namespace) => refOf(kind, name, resources[kind].namespaced ? namespace : undefined))
    .filter((ref) => membersOf(ref, snapshot).size > 1);
  if (places.length > 0) return places;
  throw notFound(target, snapshot, namespaces);
}

const refOf = (kind: ApiKind, name: string, namespace: string | undefined): Ref => ({
  kind,
  ...(namespace === undefined ? {} : { namespace }),
  name,
});

function notFound(target: Target, snapshot: Snapshot, namespaces: ReadonlySet<string> | undefined): PodlensError {
  const where = namespaces === undefined ? '' : ` in ${[...namespaces].sort(compare).join(', ')}`;
  const unreadable = snapshot.unreadable.get(target.kind);
  if (unreadable !== undefined) {
    return new PodlensError('target-unreadable', `Nothing was found of ${targetName(target)}${where}.`, {
      hint: `${resources[target.kind].plural} could not be read: ${unreadable}.`,
    });
  }
  return new PodlensError('target-not-found', `There is no ${targetName(target)}${where}.`, {
    hint: nearTargets(target, snapshot, namespaces),
  });
}

/** The same name elsewhere or of another kind first, then near names of the same kind. */
function nearTargets(
  target: Target,
  snapshot: Snapshot,
  namespaces: ReadonlySet<string> | undefined,
): string | undefined {
  const elsewhere = snapshot.list(target.kind).find(({ metadata }) => metadata?.name === target.name);
  if (elsewhere !== undefined) return `It is in namespace ${elsewhere.metadata?.namespace}.`;
  const inside = (namespace: string | undefined) => namespaces === undefined || namespaces.has(namespace ?? '');
  for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'Pod', 'ReplicaSet'] as const) {
    const same = snapshot
      .list(kind)
      .some(({ metadata }) => metadata?.name === target.name && inside(metadata?.namespace));
    if (same) return `Did you mean ${targetName({ kind, name: target.name })}?`;
  }
  const names = new Set(
    snapshot
      .list(target.kind)
      .filter(({ metadata }) => inside(metadata?.namespace))
      .map(({ metadata }) => metadata?.name ?? ''),
  );
  const near = didYouMean(target.name, names).map((name) => targetName({ ...target, name }));
  return near.length === 0 ? undefined : `Did you mean ${orList(near)}?`;
}
