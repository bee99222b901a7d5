import { namespacesOf, type View } from '../snapshot.ts';
import type { Node } from './kinds-schema.ts';
import { matchesSelector } from './labels.ts';
import { matchesTerm, nodeTermsOf } from './node-affinity.ts';
import { placedPods, placedPodsIn } from './placed-pods.ts';
import type { Pod, PodSpec } from './pod-schema.ts';
import { untolerated } from './taints.ts';

type Needs = 'Pod' | 'Node' | 'Namespace';
type Affinity = NonNullable<PodSpec['affinity']>;
type Term = NonNullable<NonNullable<Affinity['podAffinity']>['requiredDuringSchedulingIgnoredDuringExecution']>[number];
type Constraint = NonNullable<PodSpec['topologySpreadConstraints']>[number];

/** What other pods have to say about a node. */
export interface Neighbourhood {
  /** A pod that this one refuses to share the node's domain with, and the domain's label. */
  conflict(node: Node): { readonly pod: Pod; readonly term: Term } | undefined;
  /** A pod that refuses to share the node's domain with this one. */
  repelledBy(node: Node): { readonly pod: Pod; readonly term: Term } | undefined;
  /** A required affinity that nothing in the node's domain satisfies; undefined also where pods were not all read. */
  unmet(node: Node): Term | undefined;
  /** A spread constraint that one more pod in the node's domain would break. */
  skewed(node: Node): { readonly constraint: Constraint; readonly counts: ReadonlyMap<string, number> } | undefined;
}

const requiredOf = (rules: Affinity['podAffinity'] | undefined): readonly Term[] =>
  rules?.requiredDuringSchedulingIgnoredDuringExecution ?? [];

/** Whether other pods decide where this one may go: by its own rules or by theirs, which look at namespace and labels. */
export function neighboursMatter(cluster: View<'Pod'>, { metadata, spec }: Pod): boolean {
  const { affinity, topologySpreadConstraints } = spec ?? {};
  const { repellingOwn, repellingAll } = placedPods(cluster);
  const own = affinity?.podAffinity ?? affinity?.podAntiAffinity ?? topologySpreadConstraints;
  return own !== undefined || repellingAll.length > 0 || repellingOwn.has(metadata?.namespace ?? '');
}

export function neighbourhoodOf(cluster: View<Needs>, pod: Pod): Neighbourhood {
  const conflicts = requiredOf(pod.spec?.affinity?.podAntiAffinity).map((term) => ({
    term,
    domains: domainsOf(cluster, matching(cluster, pod, term).pods, term.topologyKey ?? ''),
  }));
  const wanted = requiredOf(pod.spec?.affinity?.podAffinity).map((term) => {
    const { pods, complete } = matching(cluster, pod, term);
    // The first of a group that wants to be together may go anywhere.
    const first = pods.length === 0 && selects(cluster, term, pod, pod);
    return { term, complete, first, domains: domainsOf(cluster, pods, term.topologyKey ?? '') };
  });
  const repelling = repellersOf(cluster, pod);
  const spreads = spreadsOf(cluster, pod);
  return {
    conflict(node) {
      for (const { term, domains } of conflicts) {
        const other = domains.get(labelOf(node, term.topologyKey) ?? '');
        if (other !== undefined) return { pod: other, term };
      }
      return undefined;
    },
    repelledBy(node) {
      for (const [key, { term, domains }] of repelling) {
        const other = domains.get(labelOf(node, key) ?? '');
        if (other !== undefined) return { pod: other, term };
      }
      return undefined;
    },
    unmet(node) {
      for (const { term, complete, first, domains } of wanted) {
        const domain = labelOf(node, term.topologyKey);
        if (domain === undefined) return term;
        if (complete && !first && !domains.has(domain)) return term;
      }
      return undefined;
    },
    skewed(node) {
      for (const { constraint, counts, minimum, self } of spreads) {
        const domain = labelOf(node, constraint.topologyKey);
        if (domain === undefined) return { constraint, counts };
        const count = counts.get(domain);
        if (count !== undefined && count + self - minimum > (constraint.maxSkew ?? 1)) return { constraint, counts };
      }
      return undefined;
    },
  };
}

const labelOf = (node: Node | undefined, key: string | undefined): string | undefined =>
  node?.metadata?.labels?.[key ?? ''];

/** One pod for each domain that has some. */
function domainsOf(cluster: View<Needs>, pods: readonly Pod[], key: string): Map<string, Pod> {
  const domains = new Map<string, Pod>();
  for (const pod of pods) {
    const domain = labelOf(cluster.get('Node', pod.spec?.nodeName ?? ''), key);
    if (domain !== undefined && !domains.has(domain)) domains.set(domain, pod);
  }
  return domains;
}

/** The placed pods that a term of `owner` selects, and whether every pod it might select was read. */
function matching(cluster: View<Needs>, owner: Pod, term: Term): { pods: readonly Pod[]; complete: boolean } {
  const everywhere = term.namespaceSelector !== undefined;
  const own = owner.metadata?.namespace ?? '';
  const named = term.namespaces?.length ? term.namespaces : everywhere ? [] : [own];
  const namespaces = everywhere ? namespacesOf(cluster.list('Pod')) : named;
  const pods = namespaces
    .filter((namespace) => inTerm(cluster, term, namespace, own))
    .flatMap((namespace) => placedPodsIn(cluster, namespace).filter((pod) => labelled(term, pod)));
  const complete = everywhere
    ? cluster.covers('Pod') && cluster.covers('Namespace')
    : named.every((namespace) => cluster.covers('Pod', namespace));
  return { pods, complete };
}

const labelled = (term: Term, pod: Pod): boolean => matchesSelector(term.labelSelector, pod.metadata?.labels);

/** Whether a term of a pod in `own` looks at a namespace. */
function inTerm(cluster: View<Needs>, term: Term, namespace: string, own: string): boolean {
  if (term.namespaces?.includes(namespace)) return true;
  if (term.namespaceSelector === undefined) return !term.namespaces?.length && namespace === own;
  return matchesSelector(term.namespaceSelector, cluster.get('Namespace', namespace)?.metadata?.labels);
}

const selects = (cluster: View<Needs>, term: Term, owner: Pod, pod: Pod): boolean =>
  inTerm(cluster, term, pod.metadata?.namespace ?? '', owner.metadata?.namespace ?? '') && labelled(term, pod);

interface Repellers {
  readonly term: Term;
  readonly domains: Map<string, Pod>;
}

/** By topology key the domains that other pods keep this one out of. */
function repellersOf(cluster: View<Needs>, pod: Pod): Map<string, Repellers> {
  const byKey = new Map<string, Repellers>();
  const { repellingOwn, repellingAll } = placedPods(cluster);
  const own = repellingOwn.get(pod.metadata?.namespace ?? '') ?? [];
  for (const other of [...own, ...repellingAll]) {
    for (const term of requiredOf(other.spec?.affinity?.podAntiAffinity)) {
      if (!selects(cluster, term, other, pod)) continue;
      const key = term.topologyKey ?? '';
      const domain = labelOf(cluster.get('Node', other.spec?.nodeName ?? ''), key);
      if (domain === undefined) continue;
      const repellers = byKey.get(key) ?? { term, domains: new Map() };
      byKey.set(key, repellers);
      if (!repellers.domains.has(domain)) repellers.domains.set(domain, other);
    }
  }
  return byKey;
}

interface Spread {
  readonly constraint: Constraint;
  /** Matching pods by domain. */
  readonly counts: ReadonlyMap<string, number>;
  readonly minimum: number;
  /** 1 where the pod itself counts. */
  readonly self: number;
}

function spreadsOf(cluster: View<Needs>, pod: Pod): Spread[] {
  const namespace = pod.metadata?.namespace ?? '';
  if (!cluster.covers('Pod', namespace)) return [];
  const hard = (pod.spec?.topologySpreadConstraints ?? []).filter(
    ({ whenUnsatisfiable = 'DoNotSchedule' }) => whenUnsatisfiable === 'DoNotSchedule',
  );
  return hard.map((constraint) => spreadOf(cluster, pod, constraint, hard));
}

function spreadOf(cluster: View<Needs>, pod: Pod, constraint: Constraint, all: readonly Constraint[]): Spread {
  const labels = pod.metadata?.labels ?? {};
  const matches = (other: Pod): boolean =>
    matchesSelector(constraint.labelSelector, other.metadata?.labels) &&
    (constraint.matchLabelKeys ?? []).every((key) => other.metadata?.labels?.[key] === labels[key]);
  const terms = nodeTermsOf(pod.spec);
  const counts = new Map<string, number>();
  const domains = new Map<string, string>();
  for (const node of cluster.list('Node')) {
    const domain = labelOf(node, constraint.topologyKey);
    if (domain === undefined || !all.every(({ topologyKey }) => labelOf(node, topologyKey) !== undefined)) continue;
    const affine = terms.length === 0 || terms.some((term) => matchesTerm(term, node));
    if (!affine && constraint.nodeAffinityPolicy !== 'Ignore') continue;
    if (constraint.nodeTaintsPolicy === 'Honor' && untolerated(node, pod.spec?.tolerations).length > 0) continue;
    domains.set(node.metadata?.name ?? '', domain);
    if (!counts.has(domain)) counts.set(domain, 0);
  }
  for (const other of placedPodsIn(cluster, pod.metadata?.namespace ?? '')) {
    const domain = domains.get(other.spec?.nodeName ?? '');
    if (domain === undefined || other.metadata?.deletionTimestamp !== undefined || !matches(other)) continue;
    counts.set(domain, (counts.get(domain) ?? 0) + 1);
  }
  const few = counts.size < (constraint.minDomains ?? 1);
  return {
    constraint,
    counts,
    minimum: few ? 0 : Math.min(...counts.values(), Number.MAX_SAFE_INTEGER),
    self: matches(pod) ? 1 : 0,
  };
}
