import { type Resource, resources } from '../../src/cluster/kinds.ts';
import { type Answer, json, text } from './api-server-answers.ts';

/** What a path of the API points at. */
export interface Place {
  readonly kind: string;
  readonly resource: string;
  /** "" for the core group. */
  readonly group: string;
  readonly groupVersion: string;
  readonly namespaced: boolean;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

const PATH =
  /^\/(?:api\/(?<core>[^/]+)|apis\/(?<group>[^/]+\/[^/]+))(?:\/namespaces\/(?<namespace>[^/]+))?\/(?<rest>.+)$/;

/** Undefined for what is no resource of this cluster. */
export function placeOf(path: string, missingGroups: readonly string[]): Place | undefined {
  const root = /^\/api\/v1\/namespaces\/(?<name>[^/]+)$/.exec(path)?.groups;
  if (root !== undefined) return place('v1', undefined, 'namespaces', root['name']);
  const found = PATH.exec(path)?.groups;
  const groupVersion = found?.['core'] ?? found?.['group'];
  if (found === undefined || groupVersion === undefined) return undefined;
  if (missingGroups.includes(groupOf(groupVersion))) return undefined;
  const [plural = '', name, subresource] = (found['rest'] ?? '').split('/').map(decodeURIComponent);
  return place(groupVersion, found['namespace'], plural, name, subresource);
}

function place(
  groupVersion: string,
  namespace: string | undefined,
  plural: string,
  name?: string,
  subresource?: string,
): Place | undefined {
  const row = Object.entries(resources).find(
    ([, resource]) => resource.groupVersion === groupVersion && resource.plural === plural,
  );
  if (row === undefined) return undefined;
  const [kind, { namespaced }] = row;
  const group = groupOf(groupVersion);
  const where = namespace === undefined ? undefined : decodeURIComponent(namespace);
  return { kind, resource: plural, group, groupVersion, namespaced, namespace: where, name, subresource };
}

const groupOf = (groupVersion: string): string =>
  groupVersion.includes('/') ? (groupVersion.split('/')[0] ?? '') : '';

/** What is no resource: versions, groups, health. */
export function infoAnswer(path: string, missingGroups: readonly string[]): Answer {
  if (path === '/version') return { ...json(versionInfo), body: Buffer.from(JSON.stringify(versionInfo, null, 2)) };
  if (path === '/readyz') return text('[+]ping ok\n[+]log ok\nreadyz check passed\n');
  const group = /^\/apis\/([^/]+)$/.exec(path)?.[1];
  const versions = Object.values(resources)
    .map(({ groupVersion }) => groupVersion)
    .filter((groupVersion) => groupOf(groupVersion) === group && group !== undefined);
  if (versions.length > 0 && group !== undefined && !missingGroups.includes(group)) {
    return json({ kind: 'APIGroup', apiVersion: 'v1', name: group, versions: [...new Set(versions)].map(version) });
  }
  const groupVersion = /^\/apis?\/(.+)$/.exec(path)?.[1];
  const rows = Object.entries(resources).filter(([, resource]) => resource.groupVersion === groupVersion);
  if (rows.length === 0) return text('404 page not found\n', 404);
  return json({ kind: 'APIResourceList', groupVersion, resources: rows.map(discovered) });
}

const version = (groupVersion: string) => ({ groupVersion, version: groupVersion.split('/')[1] });

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

const discovered = ([kind, { plural, namespaced, shortNames }]: [string, Resource]) => ({
  name: plural,
  singularName: kind.toLowerCase(),
  namespaced,
  kind,
  // A namespace is not deleted with others at once.
  verbs: kind === 'Namespace' ? VERBS.filter((verb) => verb !== 'deletecollection') : VERBS,
  ...(shortNames.length === 0 ? {} : { shortNames }),
});

const versionInfo = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: 'v1.36.2',
  gitCommit: 'test',
  gitTreeState: 'clean',
  buildDate: '2026-08-21T00:00:00Z',
  goVersion: 'go1.26.10',
  compiler: 'gc',
  platform: 'linux/amd64',
};
