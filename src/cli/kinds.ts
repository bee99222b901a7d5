import { resources } from '../cluster/kinds.ts';
import type { ApiKind } from '../objects/kinds-schema.ts';
import { didYouMean } from '../objects/suggest.ts';
import { orList } from './or-list.ts';

/** The kind that a word names as kubectl understands it: "Pod", "pods", "po", "deployments.apps"; in any case. */
export function kindNamed(word: string): ApiKind | undefined {
  const wanted = word.toLowerCase().split('.')[0] ?? '';
  for (const kind of Object.keys(resources) as ApiKind[]) {
    const { plural, shortNames } = resources[kind];
    if (kind.toLowerCase() === wanted || plural === wanted || shortNames.includes(wanted)) return kind;
  }
  return undefined;
}

/** "Did you mean a?", "Did you mean a or b?"; undefined where nothing is near. */
export function meant(word: string, candidates: Iterable<string>): string | undefined {
  const byLowerCase = new Map<string, string>();
  for (const candidate of candidates) {
    const key = candidate.toLowerCase();
    if (!byLowerCase.has(key)) byLowerCase.set(key, candidate);
  }
  const near = didYouMean(word.toLowerCase(), byLowerCase.keys()).map((name) => byLowerCase.get(name) ?? name);
  return near.length === 0 ? undefined : `Did you mean ${orList(near)}?`;
}
