import type { View } from '../snapshot.ts';
import type { FitNeeds, NodeFit, Obstacle } from './fits.ts';
import { fitsOf } from './fits.ts';
import { nodeTermsOf } from './node-affinity.ts';
import type { Pod } from './pods.ts';
import { requestsOf } from './resources.ts';
import type { Reason, ScheduleCode, SchedulerMessage } from './scheduler-message.ts';
import { type TaintClass, tolerates } from './taints.ts';

/** What keeps a pod from being scheduled, on the nodes that it could otherwise use. */
export interface Placement {
  readonly code: ScheduleCode;
  /** `computed` from nodes and pods, or only `told` by the scheduler. */
  readonly from: 'computed' | 'told';
  /** The nodes that the cause stops it on; empty where only the scheduler's words are known. */
  readonly nodes: readonly NodeFit[];
  /** All the others, which are no place for it anyway. */
  readonly others: readonly NodeFit[];
  /** Whether another reading of the same facts is possible. */
  readonly sure: boolean;
}

/**
 * Finds the cause. Nodes that the pod could never run on (labels, volumes, size) are left aside first, then pools that
 * are dedicated to something else; what stops it on the rest is the cause. The scheduler gives one reason per node, the
 * first that it meets, and so counts a control-plane taint like a full node: its words decide only between causes that
 * the objects leave open, or where nodes were not read.
 */
export function placementOf(
  cluster: View<FitNeeds>,
  pod: Pod,
  said: SchedulerMessage | undefined,
): Placement | undefined {
  const reasons = said?.form === 'nodes' ? said.reasons : [];
  const fits = cluster.list('Node').length > 0 ? fitsOf(cluster, pod) : [];
  if (fits.length === 0) return told(reasons, fits, pod);
  const found = computed(pod, fits, reasons);
  if (found !== undefined && !contradicted(found, fits, reasons)) return found;
  return told(reasons, fits, pod) ?? found;
}

const has = (fit: NodeFit, tier: Obstacle['tier']): boolean => fit.obstacles.some((obstacle) => obstacle.tier === tier);

function computed(pod: Pod, fits: readonly NodeFit[], reasons: readonly Reason[]): Placement | undefined {
  const possible = fits.filter((fit) => !has(fit, 'where'));
  const home = possible.filter((fit) => !isForeign(pod, fit, fits));
  const open = home.filter((fit) => !has(fit, 'gate'));
  if (open.length > 0) return occupied(open, fits, reasons, pod);
  if (home.length > 0) return gated(home, fits, reasons);
  const unsuitable = fits.filter((fit) => !has(fit, 'gate'));
  if (possible.length === 0 || unsuitable.length > 0) return unfit(fits, reasons);
  return gated(possible, fits, reasons);
}

const reserving = new Set<TaintClass>(['dedicated', 'control-plane', 'disruption']);

/** Labels that every cluster's nodes differ in, so that choosing by them chooses no pool. */
const EVERYWHERE = new Set([
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);

/**
 * Whether a node belongs to a pool that the pod has nothing to do with: it has a taint that somebody put there for
 * others, and nothing in the pod points to it.
 */
function isForeign(pod: Pod, fit: NodeFit, fits: readonly NodeFit[]): boolean {
  return hasTaint(fit, (taintClass) => reserving.has(taintClass)) && !pointsTo(pod, fit, fits);
}

function pointsTo(pod: Pod, fit: NodeFit, fits: readonly NodeFit[]): boolean {
  const chooses = nodeTermsOf(pod.spec).some(({ labels, fields }) =>
    fields.length > 0
      ? true
      : labels.some(
          ({ key = '', operator }) => operator !== 'DoesNotExist' && operator !== 'NotIn' && !EVERYWHERE.has(key),
        ),
  );
  if (chooses && fits.some((other) => other.obstacles.some(({ code }) => code === 'sched.node-affinity'))) return true;
  if ([...requestsOf(pod).keys()].some((resource) => !COMMON.has(resource))) return true;
  const tolerations = (pod.spec?.tolerations ?? []).filter(
    ({ key = '' }) => key !== '' && !key.startsWith('node.kubernetes.io/'),
  );
  return (fit.node.spec?.taints ?? []).some((taint) => tolerations.some((toleration) => tolerates(toleration, taint)));
}

/** Every node has these; any other resource is a reason to be on the nodes that have it. */
const COMMON = new Set(['cpu', 'memory', 'ephemeral-storage', 'pods']);

/** No node could take the pod, as both are written. */
function unfit(fits: readonly NodeFit[], reasons: readonly Reason[]): Placement {
  const mismatched = (fit: NodeFit) => fit.obstacles.some(({ code }) => code === 'sched.node-affinity');
  const chosen = fits.filter((fit) => !mismatched(fit));
  if (chosen.length === 0) return placement('sched.node-affinity', fits, fits, true);
  const impossible = chosen.filter((fit) => has(fit, 'where'));
  const near = fewest(
    preferred(impossible, (fit) => !has(fit, 'gate')),
    codesIn('where'),
  );
  const code = mostFrequent(tally(near, 'where'), reasons);
  return placement(code ?? 'sched.node-affinity', withCode(near, code), fits, code !== undefined);
}

const hasTaint = ({ obstacles }: NodeFit, test: (taintClass: TaintClass) => boolean): boolean =>
  obstacles.some(({ taintClass }) => taintClass !== undefined && test(taintClass));

/** Every node that could take the pod keeps pods off. */
function gated(nodes: readonly NodeFit[], fits: readonly NodeFit[], reasons: readonly Reason[]): Placement {
  // A node that nobody dedicated to something else is where the pod would have gone.
  const own = preferred(
    preferred(nodes, (fit) => !hasTaint(fit, (taintClass) => taintClass === 'control-plane')),
    (fit) => !hasTaint(fit, (taintClass) => reserving.has(taintClass)),
  );
  const near = preferred(
    fewest(own, (fit) => fit.obstacles.filter(({ tier }) => tier === 'gate').length),
    (fit) => !has(fit, 'now'),
  );
  const cordoned = withCode(near, 'sched.cordoned');
  const tainted = near.filter((fit) => !cordoned.includes(fit));
  const code = tainted.length >= cordoned.length ? 'sched.taint' : 'sched.cordoned';
  const told = reasons.length === 0 || reasons.some((reason) => reason.code === code);
  return placement(code, code === 'sched.taint' ? tainted : cordoned, fits, told);
}

/** Nodes are open to the pod, and full or taken. */
function occupied(
  open: readonly NodeFit[],
  fits: readonly NodeFit[],
  reasons: readonly Reason[],
  pod: Pod,
): Placement | undefined {
  const explained = open.filter((fit) => has(fit, 'now'));
  const near = fewest(explained, codesIn('now'));
  const counts = tally(near, 'now');
  const own = reasonsFor(pod, reasons).filter(({ code }) => !background.has(code));
  if (explained.length < open.length) {
    // What the objects do not show (claims, devices, limits, pods that were not read) the scheduler has seen.
    for (const { code, count } of own) {
      const seen = withCode(fits, code).filter((fit) => !has(fit, 'gate')).length;
      if (count > seen) counts.set(code, Math.max(counts.get(code) ?? 0, count - seen));
    }
  }
  const named = new Set(own.map(({ code }) => code));
  const agreed = new Map([...counts].filter(([code]) => named.has(code)));
  const code = mostFrequent(agreed.size > 0 ? agreed : counts, reasons);
  if (code === undefined) return undefined;
  const nodes = withCode(open, code);
  return {
    ...placement(code, nodes.length > 0 ? nodes : open, fits, counts.size === 1 || agreed.size === 1),
    from: nodes.length > 0 ? 'computed' : 'told',
  };
}

/** Whether the scheduler was stopped by something on an open node where the objects show no such node. */
function contradicted(found: Placement, fits: readonly NodeFit[], reasons: readonly Reason[]): boolean {
  if (found.code !== 'sched.taint' && found.code !== 'sched.cordoned') return false;
  const seen = new Set(fits.flatMap(({ obstacles }) => obstacles.map(({ code }) => code)));
  return reasons.some(({ code }) => !background.has(code) && code !== 'sched.node-affinity' && !equivalent(code, seen));
}

const equivalent = (code: ScheduleCode, seen: ReadonlySet<ScheduleCode>): boolean =>
  seen.has(code) || (code === 'storage.no-volume' && seen.has('sched.volume-zone'));

/** From the scheduler's words alone: what fills open nodes, then what the pod asks for, then what keeps pods off. */
function told(reasons: readonly Reason[], fits: readonly NodeFit[], pod: Pod): Placement | undefined {
  const own = reasonsFor(pod, reasons);
  const front = own.filter(({ code }) => !background.has(code));
  const ranked = front.length > 0 ? front : own;
  const counts = new Map<ScheduleCode, number>();
  for (const { code, count, taint } of ranked) {
    const weight = taint?.key?.startsWith('node-role.kubernetes.io/') ? 0 : count;
    counts.set(code, (counts.get(code) ?? 0) + weight);
  }
  const code = mostFrequent(counts, []);
  if (code === undefined) return undefined;
  return { ...placement(code, [], fits, counts.size === 1), from: 'told' };
}

const background = new Set<ScheduleCode>(['sched.taint', 'sched.cordoned']);

/** Up to 1.21 one wording stood for both kinds of pod affinity; the pod tells which it has. */
function reasonsFor(pod: Pod, reasons: readonly Reason[]): readonly Reason[] {
  const affinity = pod.spec?.affinity;
  if (affinity?.podAntiAffinity !== undefined || affinity?.podAffinity === undefined) return reasons;
  return reasons.map((reason) =>
    reason.text.includes('affinity/anti-affinity') ? { ...reason, code: 'sched.pod-affinity' } : reason,
  );
}

const placement = (
  code: ScheduleCode,
  nodes: readonly NodeFit[],
  all: readonly NodeFit[],
  sure: boolean,
): Placement => ({
  code,
  from: 'computed',
  nodes,
  others: without(all, nodes),
  sure,
});

function without(all: readonly NodeFit[], some: readonly NodeFit[]): readonly NodeFit[] {
  const left = new Set(some);
  return all.filter((fit) => !left.has(fit));
}

function preferred(fits: readonly NodeFit[], test: (fit: NodeFit) => boolean): readonly NodeFit[] {
  const some = fits.filter(test);
  return some.length > 0 ? some : fits;
}

function fewest(fits: readonly NodeFit[], count: (fit: NodeFit) => number): readonly NodeFit[] {
  const least = Math.min(...fits.map(count));
  return fits.filter((fit) => count(fit) === least);
}

/** How many different causes stand in the way. */
const codesIn =
  (tier: Obstacle['tier']) =>
  (fit: NodeFit): number =>
    new Set(fit.obstacles.filter((obstacle) => obstacle.tier === tier).map(({ code }) => code)).size;

function tally(fits: readonly NodeFit[], tier: Obstacle['tier']): Map<ScheduleCode, number> {
  const counts = new Map<ScheduleCode, number>();
  for (const fit of fits) {
    for (const code of new Set(fit.obstacles.filter((o) => o.tier === tier).map((o) => o.code))) {
      counts.set(code, (counts.get(code) ?? 0) + 1);
    }
  }
  return counts;
}

const withCode = (fits: readonly NodeFit[], code: ScheduleCode | undefined): readonly NodeFit[] =>
  fits.filter((fit) => fit.obstacles.some((obstacle) => obstacle.code === code));

/**
 * A node that has no room would have been the next choice; one that is taken by a replica or a port is used up by
 * design. A device is scarcer than memory, memory scarcer than cpu.
 */
const order: readonly (readonly ScheduleCode[])[] = [
  [
    'sched.gpu',
    'sched.extended-resource',
    'sched.memory',
    'sched.cpu',
    'sched.ephemeral-storage',
    'sched.too-many-pods',
    'sched.dra',
    'sched.volume-limit',
    'sched.volume-in-use',
    'sched.csi-capacity',
  ],
  [
    'sched.host-port',
    'sched.pod-anti-affinity',
    'sched.existing-anti-affinity',
    'sched.pod-affinity',
    'sched.topology-spread',
    'sched.feature',
    'sched.unknown',
  ],
  [
    'sched.csi-missing',
    'storage.no-volume',
    'sched.volume-zone',
    'storage.claim-lost',
    'sched.node-name',
    'sched.node-affinity',
  ],
  ['sched.taint', 'sched.cordoned'],
];

function mostFrequent(counts: ReadonlyMap<ScheduleCode, number>, reasons: readonly Reason[]): ScheduleCode | undefined {
  const named = new Set(reasons.map(({ code }) => code));
  for (const group of order) {
    const present = group.filter((code) => counts.has(code));
    present.sort(
      (a, b) =>
        (counts.get(b) ?? 0) - (counts.get(a) ?? 0) ||
        Number(named.has(b)) - Number(named.has(a)) ||
        group.indexOf(a) - group.indexOf(b),
    );
    if (present[0] !== undefined) return present[0];
  }
  return undefined;
}
