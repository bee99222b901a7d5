import type { View } from '../snapshot.ts';
import { collide, type HostPort, hostPortsOf } from './host-ports.ts';
import type { Node } from './kinds-schema.ts';
import { asksForNoNode, matchesNodeSelector, matchesTerm, nodeTermsOf } from './node-affinity.ts';
import type { NodeUsage } from './node-usage.ts';
import { placedPods } from './placed-pods.ts';
import { type Neighbourhood, neighbourhoodOf, neighboursMatter } from './pod-affinity.ts';
import type { PodSpec } from './pod-schema.ts';
import type { Pod } from './pods.ts';
import { type Amounts, allocatableOf, requestsOf } from './resources.ts';
import { codeOfResource, type ScheduleCode } from './scheduler-message.ts';
import { classOfTaint, type Taint, type TaintClass, untolerated } from './taints.ts';
import { claimNameOf, claimsOf } from './volumes.ts';

export type FitNeeds = 'Pod' | 'Node' | 'Namespace' | 'PersistentVolumeClaim' | 'PersistentVolume';

/**
 * Why one node is no place for one pod.
 * `where`: it could never be, as the pod and the node are written. `gate`: the node keeps pods off, or this one.
 * `now`: it would be, were it not for what runs there.
 */
export interface Obstacle {
  readonly tier: 'where' | 'gate' | 'now';
  readonly code: ScheduleCode;
  readonly taint?: Taint;
  readonly taintClass?: TaintClass;
  readonly resource?: string;
  /** Amounts as in `Amounts`: what the pod asks for, what the node offers, and what is left of it at most. */
  readonly asked?: number;
  readonly offered?: number;
  readonly free?: number;
  /** The pod in the way. */
  readonly by?: Pod;
  /** A label's key, a claim's or a volume's name. */
  readonly name?: string;
  /** Of a spread constraint: how many pods each domain has. */
  readonly counts?: ReadonlyMap<string, number>;
}

export interface NodeFit {
  readonly node: Node;
  readonly name: string;
  readonly obstacles: readonly Obstacle[];
}

/** Every node and what keeps the pod from it, as far as the objects that were read tell. */
export function fitsOf(cluster: View<FitNeeds>, pod: Pod): readonly NodeFit[] {
  const check = checkOf(cluster, pod);
  return cluster.list('Node').map((node) => ({ node, name: node.metadata?.name ?? '', obstacles: check(node) }));
}

/**
 * Everything that decides where a pod may go, and what is said of it: pods with the same key fare alike, whatever owns
 * them.
 */
export function keyOf(cluster: View<FitNeeds>, pod: Pod): string {
  const { spec, metadata } = pod;
  const claims = claimsOf(pod);
  return JSON.stringify([
    neighboursMatter(cluster, pod) ? [metadata?.namespace, metadata?.labels] : [],
    spec?.nodeSelector,
    spec?.affinity,
    spec?.tolerations,
    spec?.topologySpreadConstraints,
    [...requestsOf(pod)],
    hostPortsOf(pod),
    claims.length > 0 ? [metadata?.namespace, ...claims] : [],
    spec?.resourceClaims === undefined ? [] : [metadata?.namespace, spec.resourceClaims],
  ]);
}

// Where the labels do not match nothing else matters, and in a large cluster that is most nodes.
const MISMATCH: readonly Obstacle[] = [{ tier: 'where', code: 'sched.node-affinity' }];

function checkOf(cluster: View<FitNeeds>, pod: Pod): (node: Node) => readonly Obstacle[] {
  const terms = nodeTermsOf(pod.spec);
  const impossible = asksForNoNode(pod.spec);
  const volumes = volumesOf(cluster, pod);
  const requests = [...requestsOf(pod)];
  const ports = hostPortsOf(pod);
  const neighbours = neighbourhoodOf(cluster, pod);
  const { byNode } = placedPods(cluster);
  return (node) => {
    if (impossible || (terms.length > 0 && !terms.some((term) => matchesTerm(term, node)))) return MISMATCH;
    const obstacles: Obstacle[] = [];
    for (const { claim, fits } of volumes) {
      if (!fits(node)) obstacles.push({ tier: 'where', code: 'sched.volume-zone', name: claim });
    }
    pushGates(obstacles, node, pod.spec?.tolerations);
    const usage = byNode.get(node.metadata?.name ?? '');
    pushResources(obstacles, requests, allocatableOf(node), usage);
    pushPorts(obstacles, ports, usage?.ports);
    pushNeighbours(obstacles, node, neighbours);
    return obstacles;
  };
}

function pushGates(obstacles: Obstacle[], node: Node, tolerations: PodSpec['tolerations']): void {
  const taints = untolerated(node, tolerations);
  const cordon = taints.find((taint) => classOfTaint(taint) === 'cordon');
  const ignores = tolerations?.some(
    ({ key = '', operator }) => operator === 'Exists' && (key === '' || key === CORDON),
  );
  if (cordon !== undefined || (node.spec?.unschedulable === true && !ignores)) {
    obstacles.push({ tier: 'gate', code: 'sched.cordoned' });
  }
  for (const taint of taints) {
    const taintClass = classOfTaint(taint);
    if (taintClass !== 'cordon') obstacles.push({ tier: 'gate', code: 'sched.taint', taint, taintClass });
  }
}

const CORDON = 'node.kubernetes.io/unschedulable';

function pushResources(
  obstacles: Obstacle[],
  requests: readonly (readonly [string, number])[],
  offers: Amounts,
  usage: NodeUsage | undefined,
): void {
  // A node that says nothing of its resources proves nothing.
  if (offers.size === 0) return;
  for (const [resource, asked] of requests) {
    const offered = offers.get(resource) ?? 0;
    const free = Math.max(0, offered - (usage?.requested(resource) ?? 0));
    if (asked <= free) continue;
    obstacles.push({
      tier: asked > offered ? 'where' : 'now',
      code: codeOfResource(resource),
      resource,
      asked,
      offered,
      free,
    });
  }
  const pods = offers.get('pods');
  if (pods === undefined || usage === undefined || usage.pods < pods) return;
  obstacles.push({ tier: 'now', code: 'sched.too-many-pods', resource: 'pods', asked: 1, offered: pods, free: 0 });
}

function pushPorts(
  obstacles: Obstacle[],
  wanted: readonly HostPort[],
  taken: readonly (HostPort & { readonly pod: Pod })[] = [],
): void {
  for (const port of wanted) {
    const other = taken.find((one) => collide(one, port));
    if (other === undefined) continue;
    obstacles.push({ tier: 'now', code: 'sched.host-port', name: `${port.port}/${port.protocol}`, by: other.pod });
  }
}

function pushNeighbours(obstacles: Obstacle[], node: Node, neighbours: Neighbourhood): void {
  const unmet = neighbours.unmet(node);
  if (unmet !== undefined) {
    obstacles.push({ tier: 'now', code: 'sched.pod-affinity', name: unmet.topologyKey ?? '' });
  }
  const conflict = neighbours.conflict(node);
  if (conflict !== undefined) {
    const name = conflict.term.topologyKey ?? '';
    obstacles.push({ tier: 'now', code: 'sched.pod-anti-affinity', name, by: conflict.pod });
  }
  const repelled = neighbours.repelledBy(node);
  // A pod and its replicas repel each other: that is said once.
  if (repelled !== undefined && conflict === undefined) {
    const name = repelled.term.topologyKey ?? '';
    obstacles.push({ tier: 'now', code: 'sched.existing-anti-affinity', name, by: repelled.pod });
  }
  const skewed = neighbours.skewed(node);
  if (skewed !== undefined) {
    const { constraint, counts } = skewed;
    obstacles.push({ tier: 'now', code: 'sched.topology-spread', name: constraint.topologyKey ?? '', counts });
  }
}

interface BoundVolume {
  readonly claim: string;
  fits(node: Node): boolean;
}

const ZONES = [
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
];

/** The pod's bound volumes that restrict where it may run. */
function volumesOf(cluster: View<FitNeeds>, pod: Pod): BoundVolume[] {
  const bound: BoundVolume[] = [];
  for (const volume of pod.spec?.volumes ?? []) {
    const claim = claimNameOf(pod, volume);
    if (claim === undefined) continue;
    const name = cluster.get('PersistentVolumeClaim', claim, pod.metadata?.namespace)?.spec?.volumeName;
    const persistent = name === undefined ? undefined : cluster.get('PersistentVolume', name);
    if (persistent === undefined) continue;
    const required = persistent.spec?.nodeAffinity?.required;
    const zones = ZONES.filter((key) => persistent.metadata?.labels?.[key] !== undefined);
    bound.push({
      claim,
      fits: (node) =>
        matchesNodeSelector(required, node) &&
        zones.every((key) =>
          (persistent.metadata?.labels?.[key] ?? '').split('__').includes(node.metadata?.labels?.[key] ?? ''),
        ),
    });
  }
  return bound;
}
