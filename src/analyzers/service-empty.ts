import type { Draft } from '../analyzer.ts';
import type { Evidence, Ref } from '../finding.ts';
import { labelText, matchesLabels } from '../objects/labels.ts';
import { type Pod, podRef } from '../objects/pods.ts';
import { refTo, shortName } from '../objects/refs.ts';
import type { Labels } from '../objects/selector.ts';
import { didYouMean } from '../objects/suggest.ts';
import { secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import type { Service, ServiceCode, ServiceNeeds } from './service-rules.ts';
import { type Workload, workloadsIn } from './service-workloads.ts';

// Services are made before their workloads.
const SETTLED_SECONDS = 60;

/** A Service of whose pods, if it selects any, none is meant to run any longer. `others` are the namespace's living pods. */
export function* noneLiving(
  cluster: View<ServiceNeeds>,
  service: Service,
  selected: readonly Pod[],
  others: readonly Pod[],
): Generator<Draft<ServiceCode>> {
  const selector = service.spec?.selector ?? {};
  const workloads = workloadsIn(cluster, service.metadata?.namespace ?? '');
  const exact = workloads.filter(({ template }) => matchesLabels(selector, template));
  const behind = exact.length > 0 ? exact : workloads.filter((one) => wouldMatch(selector, one));
  const [first] = behind;
  const roles = inOtherRoles(selector, workloads, others);
  if (first !== undefined) yield atRest(service, first, behind, selected);
  else if (selected.length > 0) yield allEnded(cluster, service, selected);
  else if (roles.length > 0) yield noSuchRole(service, roles);
  else if (!isNew(cluster, service)) {
    const nearest = nearestLabels(selector, [
      ...others.map((pod) => ({ ref: podRef(pod), labels: pod.metadata?.labels ?? {} })),
      ...workloads.map(({ ref, template }) => ({ ref, labels: template })),
    ]);
    yield nearest === undefined ? selectsNothing(service) : selectsNearly(service, nearest);
  }
}

/** Labels such as the role of a database are put on pods while they run, and this workload has none. */
const wouldMatch = (selector: Labels, { template, rests }: Workload): boolean => {
  const known = Object.keys(selector).filter((key) => template[key] !== undefined);
  return rests !== undefined && known.length > 0 && known.every((key) => template[key] === selector[key]);
};

/**
 * Where the Service asks for a role, the pods that have another: they are of a workload whose template has the other
 * labels of the selector, and carry this one besides, as those of a database do that say which is the primary.
 */
function inOtherRoles(selector: Labels, workloads: readonly Workload[], pods: readonly Pod[]): readonly Pod[] {
  for (const { template } of workloads) {
    const known = Object.keys(selector).filter((key) => template[key] !== undefined);
    if (known.length === 0 || !known.every((key) => template[key] === selector[key])) continue;
    const others = pods.filter(({ metadata: { labels = {} } = {} }) =>
      Object.keys(selector).every(
        (key) => labels[key] !== undefined && (!known.includes(key) || labels[key] === selector[key]),
      ),
    );
    if (others.length > 0) return others;
  }
  return [];
}

function noSuchRole(service: Service, pods: readonly Pod[]): Draft<ServiceCode> {
  const subject = refTo('Service', service);
  const asked = asksFor(service);
  return {
    code: 'service.no-endpoints',
    subject,
    message: `Service ${subject.namespace}/${subject.name} has no pod just now: none has ${asked.text}, a role that pods take while they run.`,
    evidence: [
      asked,
      ...pods
        .slice(0, 3)
        .map((pod) => ({ from: podRef(pod), where: 'metadata.labels', text: labelText(pod.metadata?.labels ?? {}) })),
    ],
    severity: 'info',
    explainedBy: pods.map((pod) => podRef(pod)),
  };
}

/** A Service in a namespace whose pods are not known, and for which the controller found none. */
export function* withoutEndpoints(cluster: View<ServiceNeeds>, service: Service): Generator<Draft<ServiceCode>> {
  const selector = service.spec?.selector ?? {};
  const behind = workloadsIn(cluster, service.metadata?.namespace ?? '').filter(({ template }) =>
    matchesLabels(selector, template),
  );
  const [first] = behind;
  if (first !== undefined) yield atRest(service, first, behind, []);
  else if (!isNew(cluster, service)) {
    const subject = refTo('Service', service);
    yield {
      code: 'service.no-endpoints',
      subject,
      message: `Service ${subject.namespace}/${subject.name} has no endpoints: Kubernetes finds no running pod with ${labelText(selector)}.`,
      evidence: [asksFor(service), { from: subject, where: 'endpoints of its EndpointSlice', text: '(none)' }],
    };
  }
}

const isNew = (cluster: View<ServiceNeeds>, service: Service): boolean =>
  (secondsBetween(service.metadata?.creationTimestamp, cluster.takenAt) ?? Infinity) < SETTLED_SECONDS;

const asksFor = (service: Service): Omit<Evidence, 'id'> => ({
  from: refTo('Service', service),
  where: 'spec.selector',
  text: labelText(service.spec?.selector ?? {}),
});

/** Its pods are about to come, cannot be created (which is reported of the workload), are done, or are not wanted. */
function atRest(
  service: Service,
  first: Workload,
  behind: readonly Workload[],
  ended: readonly Pod[],
): Draft<ServiceCode> {
  const subject = refTo('Service', service);
  return {
    code: 'service.no-endpoints',
    subject,
    message: `Service ${subject.namespace}/${subject.name} has no running pod: ${shortName(first.ref)} behind it ${first.rests ?? 'has none'}.`,
    evidence: [asksFor(service), first.evidence],
    severity: 'info',
    explainedBy: [...behind.map(({ ref }) => ref), ...ended.map((pod) => podRef(pod))],
  };
}

function allEnded(cluster: View<ServiceNeeds>, service: Service, ended: readonly Pod[]): Draft<ServiceCode> {
  const subject = refTo('Service', service);
  const which = ended.length === 1 ? 'the one that it selects' : `all ${ended.length} that it selects`;
  const leaving = ended.every(({ metadata }) => metadata?.deletionTimestamp !== undefined);
  const how =
    ended.length === 1 ? (leaving ? 'is being deleted' : 'has ended') : leaving ? 'are being deleted' : 'have ended';
  return {
    code: 'service.no-endpoints',
    subject,
    message: `Service ${subject.namespace}/${subject.name} has no running pod: ${which} ${how}.`,
    evidence: [asksFor(service), ...ended.slice(0, 3).map(endOf)],
    severity: ended.every((pod) => hasEndedWell(cluster, pod)) ? 'info' : undefined,
    explainedBy: ended.map((pod) => podRef(pod)),
  };
}

const endOf = (pod: Pod): Omit<Evidence, 'id'> =>
  pod.metadata?.deletionTimestamp === undefined
    ? { from: podRef(pod), where: 'status.phase', text: pod.status?.phase ?? 'unknown' }
    : { from: podRef(pod), where: 'metadata.deletionTimestamp', text: pod.metadata.deletionTimestamp };

// deletionTimestamp includes the grace period; the kubelet and the API server need a moment more.
const DELETED_SECONDS = 30;

const hasEndedWell = (cluster: View<ServiceNeeds>, { metadata, status }: Pod): boolean =>
  status?.phase === 'Succeeded' ||
  (secondsBetween(metadata?.deletionTimestamp, cluster.takenAt) ?? Infinity) <= DELETED_SECONDS;

function selectsNothing(service: Service): Draft<ServiceCode> {
  const subject = refTo('Service', service);
  const asked = asksFor(service);
  return {
    code: 'service.no-endpoints',
    subject,
    message: `Service ${subject.namespace}/${subject.name} selects no pod: none in the namespace has ${asked.text}.`,
    evidence: [asked],
  };
}

function selectsNearly(service: Service, nearest: Labelled): Draft<ServiceCode> {
  const subject = refTo('Service', service);
  const selector = service.spec?.selector ?? {};
  const differs = Object.keys(selector).filter((key) => nearest.labels[key] !== selector[key]);
  return {
    code: 'service.selector-mismatch',
    subject,
    message: `Service ${subject.namespace}/${subject.name} selects no pod: it asks for ${labelText(pick(selector, differs))}, and ${shortName(nearest.ref)} has ${labelText(pick(nearest.labels, differs)) || 'no such label'}.`,
    evidence: [asksFor(service), { from: nearest.ref, where: 'metadata.labels', text: labelText(nearest.labels) }],
    suspects: [nearest.ref],
  };
}

const pick = (labels: Labels, keys: readonly string[]): Labels =>
  Object.fromEntries(keys.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]])));

interface Labelled {
  readonly ref: Ref;
  readonly labels: Labels;
}

/** The object that meets most of the selector, if it meets any of it or has the same keys with other values. */
function nearestLabels(selector: Labels, candidates: readonly Labelled[]): Labelled | undefined {
  let best: Labelled | undefined;
  let most = 0;
  for (const candidate of candidates) {
    let score = 0;
    for (const [key, value] of Object.entries(selector)) {
      const has = candidate.labels[key];
      if (has === value) score += 2;
      else if (has !== undefined && isLike(value, has)) score += 1;
    }
    if (score > most) {
      most = score;
      best = candidate;
    }
  }
  return best;
}

/** Shares its first letters, contains the other, or is a slip of the keyboard away: "web" and "web-v1", "web" and "wbe". */
const isLike = (a: string, b: string): boolean =>
  a.includes(b) ||
  b.includes(a) ||
  (a.length > 3 && a.slice(0, 3) === b.slice(0, 3)) ||
  (a.length > 2 && didYouMean(a, [b]).length > 0);
