import { groupBy } from '../objects/group.ts';
import type { ApiKind } from '../objects/kinds-schema.ts';
import { compare, type Kind } from '../snapshot.ts';
import { isApiKind, resources } from './kinds.ts';

/**
 * The least ClusterRole that reads these kinds, as YAML: list on each, get on the logs of pods where `Log` is among
 * them, get on namespaces for -n.
 */
export function clusterRole(kinds: readonly Kind[], name = 'podlens'): string {
  const api = kinds.filter(isApiKind);
  const groups = groupBy(new Set(api), groupOf);
  const rules = [...groups]
    .sort(([a], [b]) => compare(a, b))
    .map(([group, kinds]) => rule(group, kinds.map((kind) => resources[kind].plural).sort(compare), 'list'));
  const logs = kinds.includes('Log') ? [rule('', ['pods/log'], 'get')] : [];
  return [
    'apiVersion: rbac.authorization.k8s.io/v1',
    'kind: ClusterRole',
    'metadata:',
    `  name: ${name}`,
    'rules:',
    ...[...rules, ...logs, rule('', ['namespaces'], 'get')].flat(),
    '',
  ].join('\n');
}

/** "" for the core group, as RBAC has it. */
function groupOf(kind: ApiKind): string {
  const [group = '', version] = resources[kind].groupVersion.split('/');
  return version === undefined ? '' : group;
}

const rule = (group: string, plurals: readonly string[], verb: 'get' | 'list'): string[] => [
  `  - apiGroups: ["${group}"]`,
  `    resources: [${plurals.map((plural) => `"${plural}"`).join(', ')}]`,
  `    verbs: ["${verb}"]`,
];
