import type { LabelSelector } from './meta.ts';
import { type Labels, matchesRequirement } from './selector.ts';

/** Whether labels satisfy a plain map, as a Service's selector is one. An empty selector selects nothing. */
export function matchesLabels(selector: Labels, labels: Labels = {}): boolean {
  const keys = Object.keys(selector);
  return keys.length > 0 && keys.every((key) => labels[key] === selector[key]);
}

/** Whether labels satisfy a LabelSelector. An empty one selects everything, an absent one nothing. */
export function matchesSelector(selector: LabelSelector | undefined, labels: Labels = {}): boolean {
  if (selector === undefined) return false;
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) if (labels[key] !== value) return false;
  return (selector.matchExpressions ?? []).every((requirement) => matchesRequirement(requirement, labels));
}

/** "app=web, version=v2". */
export const labelText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ');
