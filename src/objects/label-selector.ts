/** One requirement of a label selector: `app=web`, `env in (a,b)`, `!canary`. */
export interface Requirement {
  readonly key: string;
  readonly operator: 'in' | 'notin' | 'exists' | 'absent';
  readonly values: readonly string[];
}

export type Labels = Readonly<Record<string, string>>;

/** All requirements hold. As in Kubernetes, `!=` and `notin` also hold where the label is absent. */
export const meetsRequirements = (requirements: readonly Requirement[], labels: Labels = {}): boolean =>
  requirements.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (operator === 'exists') return value !== undefined;
    if (operator === 'absent') return value === undefined;
    const listed = value !== undefined && values.includes(value);
    return operator === 'in' ? listed : !listed;
  });

/** Reads what `kubectl -l` reads. Returns the sentence that says what is wrong with it where it is not one. */
export function parseSelector(text: string): readonly Requirement[] | string {
  const requirements: Requirement[] = [];
  for (const part of splitOutsideParentheses(text)) {
    const requirement = parseRequirement(part.trim());
    if (typeof requirement === 'string') return requirement;
    requirements.push(requirement);
  }
  return requirements;
}

const splitOutsideParentheses = (text: string): string[] => text.split(/,(?![^()]*\))/);

const KEY = String.raw`([a-z0-9A-Z](?:[-\w./]*[a-z0-9A-Z])?)`;
const setBased = new RegExp(String.raw`^${KEY}\s+(in|notin)\s*\(([^()]*)\)$`);
const equality = new RegExp(String.raw`^${KEY}\s*(==|=|!=)\s*([^=!\s]*)$`);
const existence = new RegExp(String.raw`^(!?)\s*${KEY}$`);

function parseRequirement(part: string): Requirement | string {
  if (part === '') return 'A requirement is empty.';
  const set = setBased.exec(part);
  if (set !== null) return checked(part, set[1] ?? '', set[2] === 'in' ? 'in' : 'notin', (set[3] ?? '').split(','));
  const equal = equality.exec(part);
  if (equal !== null) return checked(part, equal[1] ?? '', equal[2] === '!=' ? 'notin' : 'in', [equal[3] ?? '']);
  const bare = existence.exec(part);
  if (bare !== null) return checked(part, bare[2] ?? '', bare[1] === '!' ? 'absent' : 'exists', []);
  return `"${part}" is no requirement.`;
}

const VALUE = /^(?:[a-z0-9A-Z](?:[-\w.]{0,61}[a-z0-9A-Z])?)?$/;
const NAME = /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?[a-z0-9A-Z](?:[-\w.]{0,61}[a-z0-9A-Z])?$/;

function checked(
  part: string,
  key: string,
  operator: Requirement['operator'],
  raw: readonly string[],
): Requirement | string {
  const values = raw.map((value) => value.trim());
  if (!NAME.test(key)) return `In "${part}", "${key}" cannot be a label.`;
  const wrong = values.find((value) => !VALUE.test(value));
  if (wrong !== undefined) return `In "${part}", "${wrong}" cannot be the value of a label.`;
  return { key, operator, values };
}
