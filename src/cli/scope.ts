import type { Asked } from '../cluster/scope.ts';
import { kindsFor } from '../diagnose.ts';
import { PodlensError } from '../errors.ts';
import type { Scope } from '../finding.ts';
import { parseSelector, type Requirement } from '../objects/label-selector.ts';
import type { Kind } from '../snapshot.ts';
import type { Chosen } from './filters.ts';
import { meant } from './kinds.ts';
import type { ScopeOptions } from './options.ts';
import type { Source } from './source.ts';
import { findTargets, parseTargets, type Target, targetName } from './targets.ts';

/** What the person asked about, before the cluster was read. */
export interface Request {
  readonly namespaces: readonly string[];
  readonly targets: readonly Target[];
  readonly selector: readonly Requirement[] | undefined;
  /** Once the cluster was read; fails for what does not exist in it. */
  resolve(source: Source, chosen: Chosen): Asked;
}

export function understand(words: readonly string[], options: ScopeOptions): Request {
  const parsed = parseTargets(words);
  const named = parsed.filter(({ kind }) => kind === 'Namespace').map(({ name }) => name);
  const targets = parsed.filter(({ kind }) => kind !== 'Namespace');
  const namespaces = [...new Set([...(options.namespace ?? []), ...named])];
  if (options.allNamespaces && namespaces.length > 0) {
    throw new PodlensError('scope-conflict', '-A and -n exclude each other.', { hint: 'Leave one of them out.' });
  }
  const selector = options.selector === undefined ? undefined : selectorOf(options.selector);
  return {
    namespaces,
    targets,
    selector,
    resolve: (source, chosen) => {
      const all = namespaces.length > 0 ? new Set(namespaces) : undefined;
      for (const namespace of namespaces) checkNamespace(namespace, source);
      return {
        ...(all === undefined ? {} : { namespaces: all }),
        ...(selector === undefined ? {} : { selector }),
        ...(targets.length === 0 ? {} : { members: findTargets(targets, source.snapshot, all) }),
        ...(chosen.keeps === undefined ? {} : { keeps: chosen.keeps }),
        scope: scopeOf(namespaces, targets, options.selector, chosen),
      };
    },
  };
}

function scopeOf(
  namespaces: readonly string[],
  targets: readonly Target[],
  selector: string | undefined,
  chosen: Chosen,
): Scope {
  return {
    ...(namespaces.length === 0 ? {} : { namespaces }),
    ...(selector === undefined ? {} : { selector }),
    ...(targets.length === 0 ? {} : { targets: targets.map(targetName) }),
    ...(chosen.names.length === 0 ? {} : { filters: chosen.names }),
  };
}

function selectorOf(text: string): readonly Requirement[] {
  const selector = parseSelector(text);
  if (typeof selector !== 'string') return selector;
  const why = selector.startsWith(`"${text}"`) ? '' : ` ${selector}`;
  throw new PodlensError('selector-malformed', `"${text}" is no label selector.${why}`, {
    hint: "Write app=web, tier!=db, 'env in (a,b)', 'env notin (a,b)', key or '!key', separated by commas.",
  });
}

/** What the analyzers need, what the scope is checked against, and what tells which pods are a target's. */
export function kindsToRead({ namespaces, targets }: Request, { analyzers }: Chosen): readonly Kind[] {
  const kinds = new Set<Kind>(kindsFor(analyzers));
  if (namespaces.length > 0) kinds.add('Namespace');
  for (const { kind } of targets) kinds.add(kind);
  if (targets.length > 0) for (const kind of ['Pod', 'ReplicaSet', 'Job'] as const) kinds.add(kind);
  return [...kinds].sort();
}

/** Every kind that has objects in namespaces tells of them. */
const telling = ['Pod', 'Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job', 'Service', 'Event'] as const;

function checkNamespace(namespace: string, { snapshot, namespaces }: Source): void {
  // The API server was asked for it, or would not tell.
  if (namespaces?.includes(namespace)) return;
  if (snapshot.get('Namespace', namespace) !== undefined) return;
  const seen = new Set(snapshot.list('Namespace').map(({ metadata }) => metadata?.name ?? ''));
  for (const kind of telling) for (const { metadata } of snapshot.list(kind)) seen.add(metadata?.namespace ?? '');
  if (seen.has(namespace)) return;
  if (!snapshot.covers('Namespace') && seen.size === 0) return;
  throw new PodlensError('namespace-not-found', `There is no namespace "${namespace}".`, {
    hint: meant(namespace, seen) ?? (seen.size <= 12 ? `There are ${[...seen].sort().join(', ')}.` : undefined),
  });
}
