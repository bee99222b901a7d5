import type { Gap, Problem, Ref, Report, Scope } from '../finding.ts';
import { configRefs } from '../objects/config-refs.ts';
import { type Labels, meetsRequirements, type Requirement } from '../objects/label-selector.ts';
import { matchesLabels } from '../objects/labels.ts';
import { ownerOf, workloadOf } from '../objects/owner.ts';
import { podRef } from '../objects/pods.ts';
import { objectKey } from '../objects/refs.ts';
import type { Kind, Kinds, Snapshot } from '../snapshot.ts';
import { isApiKind, resources } from './kinds.ts';

/** What the person asked about, understood. What is absent does not narrow anything. */
export interface Asked {
  readonly namespaces?: ReadonlySet<string>;
  readonly selector?: readonly Requirement[];
  /** Keys (`objectKey`) of the targets and of everything that belongs to them. */
  readonly members?: ReadonlySet<string>;
  /** Which problems a filter lets through. */
  readonly keeps?: (problem: Problem) => boolean;
  /** As the person said it, for the report. */
  readonly scope: Scope;
}

/**
 * The report's problems that concern what was asked: their root, the workload that owns it or something they break is
 * in the namespaces, carries the labels and belongs to a target. What such a problem breaks elsewhere stays listed.
 */
export function inScope(report: Report, snapshot: Snapshot, asked: Asked): Report {
  const { namespaces, keeps } = asked;
  const includes = (ref: Ref) => isAsked(ref, snapshot, asked);
  const problems = report.problems.filter(
    (problem) => (keeps?.(problem) ?? true) && judgedBy(problem, asked).some(includes),
  );
  const pods = narrows(asked) ? snapshot.list('Pod').filter((pod) => includes(podRef(pod))) : snapshot.list('Pod');
  return {
    ...report,
    scope: asked.scope,
    problems,
    gaps: [...unmatched(snapshot, asked), ...report.gaps],
    stats: {
      ...report.stats,
      objects: countIn(report, snapshot, namespaces, pods.length),
      namespaces: new Set(pods.map((pod) => pod.metadata?.namespace)).size,
    },
  };
}

/** Whether some objects are left out, wherever they are. */
const narrows = ({ namespaces, selector, members }: Asked): boolean =>
  namespaces !== undefined || selector !== undefined || members !== undefined;

const LABELLED = ['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob', 'Service', 'Node'] as const;

/** Labels that nothing carries are often misspelt: to find no problem then says nothing. */
function unmatched(snapshot: Snapshot, asked: Asked): readonly Gap[] {
  const { selector, namespaces, scope } = asked;
  if (selector === undefined) return [];
  for (const kind of LABELLED) {
    for (const { metadata: { name = '', namespace } = {} } of snapshot.list(kind)) {
      const inside = namespaces === undefined || namespaces.has(namespace ?? '');
      const ref = { kind, name, ...(namespace === undefined ? {} : { namespace }) };
      if (inside && meetsRequirements(selector, labelsOf(ref, snapshot))) return [];
    }
  }
  const where = namespaces === undefined ? '-A' : `-n ${[...namespaces][0]}`;
  return [
    {
      what: `objects with the labels ${scope.selector ?? ''}`,
      reason: 'nothing that was read has these labels',
      hint: `Which labels pods have is shown by: kubectl get pods ${where} --show-labels`,
    },
  ];
}

/**
 * The objects that decide. Labels are read from pods where there are any: `app!=web` must not let a web pod through
 * because its Deployment carries no label.
 */
function judgedBy({ root, owner, affects, symptoms }: Problem, { selector, members }: Asked): readonly Ref[] {
  const all = [root.subject, ...affects, ...(owner === undefined ? [] : [owner])];
  if (members !== undefined) all.push(...symptoms.map(({ subject }) => subject), ...root.suspects);
  if (selector === undefined) return all;
  const pods = all.filter((ref) => ref.kind === 'Pod');
  return pods.length > 0 ? pods : all;
}

function isAsked(ref: Ref, snapshot: Snapshot, { namespaces, selector, members }: Asked): boolean {
  if (namespaces !== undefined && !namespaces.has(ref.namespace ?? '')) return false;
  if (members !== undefined && !members.has(objectKey(ref))) return false;
  return selector === undefined || meetsRequirements(selector, labelsOf(ref, snapshot));
}

interface Labelled {
  readonly metadata?: { readonly labels?: Labels };
  readonly spec?: { readonly template?: { readonly metadata?: { readonly labels?: Labels } } };
}

/** A workload's own labels, and those that its pods would have. */
function labelsOf(ref: Ref, snapshot: Snapshot): Labels {
  if (!isApiKind(ref.kind)) return {};
  const object = snapshot.get(ref.kind, ref.name, ref.namespace) as Labelled | undefined;
  return { ...object?.metadata?.labels, ...object?.spec?.template?.metadata?.labels };
}

function countIn(
  { stats }: Report,
  snapshot: Snapshot,
  namespaces: ReadonlySet<string> | undefined,
  pods: number,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of Object.keys(stats.objects)) {
    const all = stats.objects[kind] ?? 0;
    const narrowed = namespaces !== undefined && isApiKind(kind) && resources[kind].namespaced;
    counts[kind] = narrowed ? countNamespaced(snapshot, kind, namespaces) : all;
  }
  if (counts['Pod'] !== undefined) counts['Pod'] = pods;
  return counts;
}

function countNamespaced(snapshot: Snapshot, kind: Kind, namespaces: ReadonlySet<string>): number {
  let count = 0;
  for (const object of snapshot.list(kind)) if (namespaces.has(object.metadata?.namespace ?? '')) count++;
  return count;
}

/**
 * The keys of a target and of everything that belongs to it: a workload's pods and what stands between, a node's pods,
 * the pods that a service selects, that mount a claim or refer to a ConfigMap, a Secret or a service account.
 */
export function membersOf(target: Ref, snapshot: Snapshot): Set<string> {
  const keys = new Set([objectKey(target)]);
  for (const pod of snapshot.list('Pod')) {
    if (!belongs(pod, target, snapshot)) continue;
    keys.add(objectKey(podRef(pod)));
  }
  for (const kind of ['ReplicaSet', 'Job'] as const) {
    for (const object of snapshot.list(kind)) {
      const ref = { kind, namespace: object.metadata?.namespace ?? '', name: object.metadata?.name ?? '' };
      if (objectKey(workloadOf(snapshot, ref)) === objectKey(target)) keys.add(objectKey(ref));
    }
  }
  return keys;
}

function belongs(pod: Kinds['Pod'], target: Ref, snapshot: Snapshot): boolean {
  const { kind, name } = target;
  if (kind === 'Node') return pod.spec?.nodeName === name;
  if (pod.metadata?.namespace !== target.namespace) return false;
  if (kind === 'Service') {
    const service = snapshot.get('Service', name, target.namespace);
    return matchesLabels(service?.spec?.selector ?? {}, pod.metadata?.labels);
  }
  if (refersTo(pod, kind, name)) return true;
  const controller = pod.metadata?.ownerReferences?.find((reference) => reference.controller === true);
  if (controller?.kind === kind && controller.name === name) return true;
  const owner = ownerOf(snapshot, pod);
  return owner !== undefined && objectKey(owner) === objectKey(target);
}

function refersTo(pod: Kinds['Pod'], kind: string, name: string): boolean {
  const { volumes, serviceAccountName, imagePullSecrets } = pod.spec ?? {};
  switch (kind) {
    case 'PersistentVolumeClaim':
      return volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === name) === true;
    case 'ServiceAccount':
      return serviceAccountName === name;
    case 'Secret':
      if (imagePullSecrets?.some((secret) => secret.name === name)) return true;
      break;
    case 'ConfigMap':
      break;
    default:
      return false;
  }
  return configRefs(pod).some((ref) => ref.kind === kind && ref.name === name);
}
