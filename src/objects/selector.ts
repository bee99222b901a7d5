import type { LabelSelector } from './meta.ts';

export type Labels = Readonly<Record<string, string>>;

/** One condition on labels, of a label selector or of a node selector term. */
export interface Requirement {
  readonly key?: string;
  /** In, NotIn, Exists, DoesNotExist; for nodes also Gt and Lt. */
  readonly operator?: string;
  readonly values?: readonly string[];
}

const NONE: Labels = {};

export function matchesRequirement(requirement: Requirement, labels: Labels | undefined = NONE): boolean {
  const { key = '', operator, values = [] } = requirement;
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

/** A requirement as kubectl's `-l` takes it: "app=web", "tier in (a,b)", "!gpu". */
export function requirementText({ key = '', operator, values = [] }: Requirement): string {
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.join(', ')})`;
    case 'NotIn':
      return values.length === 1 ? `${key}!=${values[0]}` : `${key} notin (${values.join(', ')})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    case 'Gt':
      return `${key}>${values[0]}`;
    case 'Lt':
      return `${key}<${values[0]}`;
    default:
      return `${key} ${operator ?? ''} ${values.join(', ')}`.trim();
  }
}

/** A label selector as kubectl's `-l` takes it. */
export const selectorText = (selector: LabelSelector | undefined): string =>
  [
    ...Object.entries(selector?.matchLabels ?? NONE).map(([key, value]) => `${key}=${value}`),
    ...(selector?.matchExpressions ?? []).map(requirementText),
  ].join(',');
