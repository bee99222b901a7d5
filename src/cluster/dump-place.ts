import type { ApiKind } from '../objects/kinds-schema.ts';
import { resources } from './kinds.ts';

/** What a file's path says about the list in it: `NAMESPACE/PLURAL.json`, `namespaces/NAMESPACE/core/PLURAL.yaml`. */
export interface Place {
  readonly kind?: ApiKind;
  /** Only where the path names the kind, too. */
  readonly namespace?: string;
}

// `kubectl cluster-info dump` writes replication-controllers.json; podlens reads no kind with such a name, but may.
const kindOfPlural = new Map(Object.entries(resources).map(([kind, { plural }]) => [plural, kind as ApiKind]));

export function placeOf(path: string): Place {
  const parts = path.split(/[/\\]/);
  const plural = (parts.at(-1) ?? '').replace(/\.gz$/, '').replace(/\.(json|ya?ml)$/, '');
  const kind = kindOfPlural.get(plural.replaceAll('-', ''));
  if (kind === undefined) return {};
  const namespace = parts.at(-4) === 'namespaces' ? parts.at(-3) : parts.at(-2);
  if (!resources[kind].namespaced || !isNamespace(namespace)) return { kind };
  return { kind, namespace };
}

const isNamespace = (name: string | undefined): name is string =>
  name !== undefined && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name);
