import type { Moment, Problem, Ref } from './finding.ts';
import { type ConfigRef, configRefs } from './objects/config-refs.ts';
import type { PodTemplateSpec } from './objects/pod-schema.ts';
import { conditionOf, containersOf, type Pod, podEvents } from './objects/pods.ts';
import { refTo } from './objects/refs.ts';
import type { Of } from './objects/schema.ts';
import { diffTemplates } from './objects/template-diff.ts';
import { ms } from './objects/time.ts';
import { compare, type Kinds, type View } from './snapshot.ts';

/** The kinds that tell what changed, beside those that tell what is wrong. */
export const changeKinds = ['Pod', 'Event', 'Node', 'ReplicaSet', 'ControllerRevision', 'ConfigMap', 'Secret'] as const;
type Needs = (typeof changeKinds)[number];

type Template = Of<typeof PodTemplateSpec>;

// What changed longer than this before the trouble began is not named.
const WINDOW_MS = 3_600_000;

/**
 * What changed just before the problem began: the revision that the broken pods are of, against the one before; the
 * ConfigMaps and Secrets they read; the node under them. Oldest first.
 */
export function changesBefore(cluster: View<Needs>, problem: Problem): Moment[] {
  const pod = brokenPod(cluster, problem);
  if (pod === undefined) return [];
  const began = beginOf(cluster, pod);
  const moments = [
    ...revisionChange(cluster, problem, pod),
    ...configChanges(cluster, pod),
    ...nodeChanges(cluster, pod),
  ];
  return moments
    .filter(({ at }) => {
      const time = ms(at);
      return time === undefined || began === undefined || (time <= began + 60_000 && time >= began - WINDOW_MS);
    })
    .sort((a, b) => compare(a.at, b.at) || compare(a.text, b.text));
}

/** The pod that stands for the problem: the root's subject, or the first that it affects. */
export function brokenPod(cluster: View<'Pod'>, { root, affects }: Problem): Pod | undefined {
  const ref = [root.subject, ...affects].find(({ kind }) => kind === 'Pod');
  return ref === undefined ? undefined : cluster.get('Pod', ref.name, ref.namespace);
}

/** When the pod's trouble began, as far as anything still tells; milliseconds since the epoch. */
function beginOf(cluster: View<Needs>, pod: Pod): number | undefined {
  const ready = conditionOf(pod, 'Ready');
  const signs = [
    ready?.status === 'True' ? undefined : ready?.lastTransitionTime,
    ...containersOf(pod).map(
      ({ status }) => status?.lastState?.terminated?.finishedAt ?? status?.state?.terminated?.finishedAt,
    ),
    ...podEvents(cluster, pod)
      .filter(({ type }) => type === 'Warning')
      .map(({ firstAt }) => firstAt),
  ];
  const times = signs.map(ms).filter((time) => time !== undefined);
  return times.length === 0 ? ms(pod.metadata?.creationTimestamp) : Math.min(...times);
}

interface Revision {
  readonly number: number;
  readonly ref: Ref;
  readonly at: string;
  template(): Template;
}

function revisionChange(cluster: View<Needs>, { owner }: Problem, pod: Pod): Moment[] {
  if (owner === undefined) return [];
  const revisions = revisionsOf(cluster, owner).sort((a, b) => a.number - b.number);
  const own = revisions.findIndex(({ ref }) => isOf(pod, ref));
  const after = revisions[own < 0 ? revisions.length - 1 : own];
  const before = own < 0 ? revisions.at(-2) : revisions[own - 1];
  if (after === undefined || before === undefined) return [];
  const lines = diffTemplates(before.template(), after.template());
  if (lines.length === 0) return [];
  const more = lines.length > 4 ? `; and ${lines.length - 4} more` : '';
  return [
    {
      at: after.at,
      from: after.ref,
      text: `Revision ${after.number} of ${owner.kind.toLowerCase()}/${owner.name}: ${lines.slice(0, 4).join('; ')}${more}.`,
    },
  ];
}

/** Pods name their revision: a ReplicaSet owns them, a StatefulSet or DaemonSet labels them. */
function isOf(pod: Pod, revision: Ref): boolean {
  if (revision.kind === 'ReplicaSet') {
    return (
      pod.metadata?.ownerReferences?.some(({ kind, name }) => kind === 'ReplicaSet' && name === revision.name) ?? false
    );
  }
  const hash = pod.metadata?.labels?.['controller-revision-hash'];
  return hash !== undefined && (revision.name === hash || revision.name.endsWith(`-${hash}`));
}

function revisionsOf(cluster: View<Needs>, owner: Ref): Revision[] {
  if (owner.kind === 'Deployment') {
    return ownedBy(cluster, 'ReplicaSet', owner).map((set) => ({
      number: Number(set.metadata?.annotations?.['deployment.kubernetes.io/revision'] ?? 0),
      ref: refTo('ReplicaSet', set),
      at: set.metadata?.creationTimestamp ?? '',
      template: () => withoutHash(set.spec?.template ?? {}),
    }));
  }
  return ownedBy(cluster, 'ControllerRevision', owner).map((revision) => ({
    number: revision.revision ?? 0,
    ref: refTo('ControllerRevision', revision),
    at: revision.metadata?.creationTimestamp ?? '',
    template: () => (revision.data as { spec?: { template?: Template } } | undefined)?.spec?.template ?? {},
  }));
}

const withoutHash = (template: Template): Template => ({ ...template, metadata: {} });

const indexes = new WeakMap<readonly unknown[], Map<string, unknown[]>>();

function ownedBy<K extends 'ReplicaSet' | 'ControllerRevision'>(cluster: View<Needs>, kind: K, owner: Ref): Kinds[K][] {
  const objects: readonly Kinds[K][] = cluster.list<K>(kind);
  let index = indexes.get(objects) as Map<string, Kinds[K][]> | undefined;
  if (index === undefined) {
    index = new Map();
    for (const object of objects) {
      for (const above of object.metadata?.ownerReferences ?? []) {
        const key = `${above.kind}/${object.metadata?.namespace}/${above.name}`;
        const list = index.get(key);
        if (list === undefined) index.set(key, [object]);
        else list.push(object);
      }
    }
    indexes.set(objects, index as Map<string, unknown[]>);
  }
  return [...(index.get(`${owner.kind}/${owner.namespace}/${owner.name}`) ?? [])];
}

/** Written after the pod was made: a container that restarts reads them anew. */
function configChanges(cluster: View<Needs>, pod: Pod): Moment[] {
  const moments = new Map<string, Moment>();
  for (const { kind, name } of configRefs(pod)) {
    const object = cluster.get(kind, name, pod.metadata?.namespace);
    const written = lastWrite(object);
    if (object === undefined || written === undefined || written.at <= (pod.metadata?.creationTimestamp ?? ''))
      continue;
    moments.set(`${kind}/${name}`, {
      at: written.at,
      from: refTo(kind, object),
      text: `${kind} ${name} was changed by ${written.by}.`,
    });
  }
  return [...moments.values()];
}

function lastWrite(
  object: Kinds[ConfigRef['kind']] | undefined,
): { readonly at: string; readonly by: string } | undefined {
  let last: { readonly at: string; readonly by: string } | undefined;
  for (const { manager = 'an unnamed client', time } of object?.metadata?.managedFields ?? []) {
    if (time !== undefined && (last === undefined || time > last.at)) last = { at: time, by: manager };
  }
  return last;
}

function nodeChanges(cluster: View<Needs>, pod: Pod): Moment[] {
  const name = pod.spec?.nodeName;
  const node = name === undefined ? undefined : cluster.get('Node', name);
  const from: Ref = { kind: 'Node', name: name ?? '' };
  return (node?.status?.conditions ?? []).flatMap(({ type, status, reason, lastTransitionTime }) => {
    const well = (type === 'Ready') === (status === 'True');
    if (well || lastTransitionTime === undefined) return [];
    return [
      {
        at: lastTransitionTime,
        from,
        text: `Node ${name}: ${type} became ${status}${reason === undefined ? '' : ` (${reason})`}.`,
      },
    ];
  });
}
