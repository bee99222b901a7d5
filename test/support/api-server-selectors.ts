import type { ApiObject } from './api-server.ts';

/** A selector that the API server would refuse. */
export class BadSelector extends Error {}

type Matches = (object: ApiObject) => boolean;

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Pod: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'status.phase',
    'status.podIP',
  ],
  Event: [
    'type',
    'reason',
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
  ],
  Secret: ['type'],
  Namespace: ['status.phase'],
};

/** "status.phase!=Running,spec.nodeName=lab-1" */
export function fieldSelector(kind: string, selector: string): Matches {
  const known = ['metadata.name', 'metadata.namespace', ...(FIELDS[kind] ?? [])];
  const terms = selector.split(',').map((term) => {
    const [, field = '', operator = '', value = ''] = /^(.*?)(!=|==|=)(.*)$/.exec(term) ?? [];
    if (!known.includes(field)) throw new BadSelector(`field label not supported: ${field === '' ? term : field}`);
    return { path: field.split('.'), wanted: operator !== '!=', value };
  });
  return (object) => terms.every(({ path, wanted, value }) => (valueAt(object, path) === value) === wanted);
}

function valueAt(object: unknown, path: readonly string[]): string {
  let value = object;
  for (const name of path) value = (value as Record<string, unknown> | undefined)?.[name];
  return value === undefined ? '' : String(value);
}

/** "app=web,tier in (a,b),!old" */
export function labelSelector(selector: string): Matches {
  const terms = selector.split(/,(?![^(]*\))/).map(requirement);
  return ({ metadata }) => terms.every((term) => term(metadata.labels ?? {}));
}

type Requirement = (labels: Readonly<Record<string, string>>) => boolean;

function requirement(term: string): Requirement {
  const set = /^\s*([^\s!=,()]+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(term);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return (labels) => values.includes(labels[key] ?? '') === (operator === 'in');
  }
  const [, key = '', operator, value = ''] = /^\s*([^\s!=]+)\s*(!=|==|=)\s*(.*?)\s*$/.exec(term) ?? [];
  if (operator !== undefined) {
    const wrong = /^(!=|==|=|!)/.exec(value)?.[0];
    if (wrong !== undefined) {
      throw new BadSelector(`unable to parse requirement: found '${wrong}', expected: identifier`);
    }
    return (labels) => (labels[key] === value) === (operator !== '!=');
  }
  const [, not = '', name = ''] = /^\s*(!?)\s*(\S+)\s*$/.exec(term) ?? [];
  if (name === '') throw new BadSelector(`unable to parse requirement: found '', expected: identifier`);
  return (labels) => Object.hasOwn(labels, name) === (not === '');
}
