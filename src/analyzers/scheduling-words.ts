import type { Evidence, Ref } from '../finding.ts';
import type { FitNeeds, NodeFit, Obstacle } from '../objects/fits.ts';
import { nodeTermsOf } from '../objects/node-affinity.ts';
import type { Placement } from '../objects/placement.ts';
import { type Pod, podRef } from '../objects/pods.ts';
import { humanAmount } from '../objects/quantity.ts';
import { refTo } from '../objects/refs.ts';
import { allocatableOf, requestsOf } from '../objects/resources.ts';
import { codeOfResource, type SchedulerMessage } from '../objects/scheduler-message.ts';
import { requirementText, selectorText } from '../objects/selector.ts';
import { didYouMean } from '../objects/suggest.ts';
import { taintText } from '../objects/taints.ts';
import type { View } from '../snapshot.ts';
import { affinityWords } from './scheduling-affinity.ts';

type Fact = Omit<Evidence, 'id'>;

/** What is said of a pod that cannot be placed. */
export interface Words {
  /** One sentence or two; the first letter is large. */
  readonly text: string;
  readonly evidence: readonly Fact[];
  readonly detail: Readonly<Record<string, string | undefined>>;
  readonly suspects?: readonly Ref[];
  readonly explainedBy?: readonly Ref[];
}

export interface Case {
  readonly cluster: View<FitNeeds>;
  readonly pod: Pod;
  readonly placement: Placement;
  readonly said: SchedulerMessage | undefined;
}

/** The cause in words, with the facts of nodes and pods that it rests on. */
export function wordsOf(it: Case): Words {
  const { code } = it.placement;
  switch (code) {
    case 'sched.cpu':
    case 'sched.memory':
    case 'sched.ephemeral-storage':
    case 'sched.gpu':
    case 'sched.extended-resource':
      return resourceWords(it);
    case 'sched.taint':
      return taintWords(it);
    case 'sched.cordoned':
      return cordonWords(it);
    case 'sched.node-affinity':
      return it.placement.nodes.length === 0 ? toldWords(it) : affinityWords(it.cluster, it.pod);
    case 'sched.host-port':
      return portWords(it);
    case 'sched.pod-anti-affinity':
    case 'sched.existing-anti-affinity':
      return repulsionWords(it);
    case 'sched.pod-affinity':
      return attractionWords(it);
    case 'sched.topology-spread':
      return spreadWords(it);
    case 'sched.volume-zone':
      return volumeWords(it);
    case 'sched.too-many-pods':
      return crowdWords(it);
    default:
      return toldWords(it);
  }
}

export const listed = (names: readonly string[], most = 3): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;

const nodeRef = (fit: NodeFit): Ref => refTo('Node', fit.node);

const obstacleOf = (fit: NodeFit, code: string): Obstacle | undefined => fit.obstacles.find((o) => o.code === code);

const first = (it: Case): string | undefined => it.placement.nodes[0]?.name;

/** "lab-1" or "each of the 3 nodes". */
const onNodes = (fits: readonly NodeFit[]): string =>
  fits.length === 1
    ? `the only node that it could use (${fits[0]?.name})`
    : `every node that it could use (${listed(fits.map((fit) => fit.name))})`;

/** Only the scheduler's own words are known. */
function toldWords({ placement, said }: Case): Words {
  const reason = said?.reasons.find(({ code }) => code === placement.code) ?? said?.reasons[0];
  const count = said?.form === 'nodes' && reason !== undefined ? ` (${reason.count} of ${said.nodes} nodes)` : '';
  return {
    text: reason === undefined ? 'No node is fit for it.' : `The scheduler says "${reason.text}"${count}.`,
    evidence: [],
    detail: { resource: reason?.resource, taint: reason?.taint === undefined ? undefined : taintText(reason.taint) },
  };
}

function resourceWords(it: Case): Words {
  const { cluster, pod, placement } = it;
  const short = placement.nodes
    .flatMap((fit) =>
      fit.obstacles.filter(({ code }) => code === placement.code).map((obstacle) => ({ fit, obstacle })),
    )
    .sort(
      (a, b) =>
        (b.obstacle.free ?? 0) - (a.obstacle.free ?? 0) || (b.obstacle.offered ?? 0) - (a.obstacle.offered ?? 0),
    );
  const best = short[0];
  const named = it.said?.reasons.find(({ code }) => code === placement.code)?.resource;
  const resource =
    best?.obstacle.resource ??
    named ??
    [...requestsOf(pod).keys()].find((key) => codeOfResource(key) === placement.code) ??
    '';
  const asked = requestsOf(pod).get(resource);
  const asks =
    asked === undefined ? `It asks for ${resource}` : `It asks for ${humanAmount(resource, asked)} ${resource}`;
  const field: Fact[] = asked === undefined ? [] : [requestFact(pod, resource)];
  if (best === undefined) return { ...toldResource(it, resource, asks), evidence: field };
  const largest = Math.max(...short.map(({ obstacle }) => obstacle.offered ?? 0));
  const owner = short.find(({ obstacle }) => obstacle.offered === largest) ?? best;
  const amount = (value: number | undefined) => humanAmount(resource, value ?? 0);
  const never = (asked ?? 0) > largest;
  const all = cluster.covers('Pod');
  const text = !never
    ? `${asks}, and ${all ? '' : 'as far as pods were read '}no node that it could use has that much free: ${best.fit.name} has the most, ${amount(best.obstacle.free)} of ${amount(best.obstacle.offered)}.`
    : largest === 0
      ? `${asks}, and no node ${isOffered(cluster, resource) ? 'that it could use ' : ''}offers ${resource}.${nearResource(cluster, resource)}`
      : `${asks}, and fits on no node that it could use, however empty: the largest, ${owner.fit.name}, has ${amount(largest)}.`;
  const shown = never ? [owner, ...short.filter((one) => one !== owner)] : short;
  return {
    text,
    evidence: [
      ...field,
      ...shown.slice(0, 4).map(
        ({ fit, obstacle }): Fact => ({
          from: nodeRef(fit),
          where: `status.allocatable[${resource}]`,
          text: `${amount(obstacle.offered)}, of which ${amount(obstacle.free)} ${all ? 'is' : 'at most is'} free`,
        }),
      ),
    ],
    detail: { resource, node: (never ? owner : best).fit.name },
  };
}

/** The scheduler counted full nodes, and not all pods that fill them were read. */
function toldResource({ said, placement }: Case, resource: string, asks: string): Omit<Words, 'evidence'> {
  const reason = said?.reasons.find(({ code }) => code === placement.code);
  const count = reason === undefined ? 'the nodes' : `${reason.count} of ${said?.nodes} nodes`;
  return { text: `${asks}, and the scheduler found too little of it left on ${count}.`, detail: { resource } };
}

function requestFact(pod: Pod, resource: string): Fact {
  const asked = humanAmount(resource, requestsOf(pod).get(resource) ?? 0);
  return { from: podRef(pod), where: 'spec.containers[*].resources.requests', text: `${resource}: ${asked} in all` };
}

const isOffered = (cluster: View<'Node'>, resource: string): boolean =>
  cluster.list('Node').some((node) => (allocatableOf(node).get(resource) ?? 0) > 0);

function nearResource(cluster: View<'Node'>, resource: string): string {
  const offered = new Set(cluster.list('Node').flatMap((node) => Object.keys(node.status?.allocatable ?? {})));
  const near = didYouMean(resource, offered)[0];
  return near === undefined ? '' : ` Did you mean "${near}"?`;
}

function taintWords(it: Case): Words {
  const { nodes } = it.placement;
  if (nodes.length === 0) return toldWords(it);
  const byTaint = new Map<string, string[]>();
  for (const fit of nodes) {
    for (const taint of new Set(fit.obstacles.flatMap((o) => (o.taint === undefined ? [] : [taintText(o.taint)])))) {
      const names = byTaint.get(taint);
      if (names === undefined) byTaint.set(taint, [fit.name]);
      else names.push(fit.name);
    }
  }
  const gates = nodes.flatMap(({ obstacles }) => obstacles.filter(({ tier }) => tier === 'gate'));
  const unwell = gates.every(({ taintClass }) => taintClass === 'condition');
  const taints = [...byTaint].map(([taint, names]) => `${taint} (${listed(names)})`);
  const refs = nodes.map(nodeRef);
  return {
    text: unwell
      ? `The nodes that it could use are not well and keep new pods off: ${listed(taints)}.`
      : `The nodes that it could use have a taint that it does not tolerate: ${listed(taints)}.`,
    evidence: nodes.slice(0, 4).map(
      (fit): Fact => ({
        from: nodeRef(fit),
        where: 'spec.taints',
        text: (fit.node.spec?.taints ?? []).map(taintText).join(', '),
      }),
    ),
    detail: { node: first(it), taint: [...byTaint.keys()][0], unwell: unwell ? 'yes' : undefined },
    suspects: refs,
    ...(unwell ? { explainedBy: refs } : {}),
  };
}

function cordonWords(it: Case): Words {
  const { nodes } = it.placement;
  if (nodes.length === 0) return toldWords(it);
  const names = nodes.map(({ name }) => name);
  return {
    text:
      nodes.length === 1
        ? `The only node that it could use, ${names[0]}, is cordoned.`
        : `The nodes that it could use are cordoned: ${listed(names)}.`,
    evidence: nodes.slice(0, 4).map((fit): Fact => ({ from: nodeRef(fit), where: 'spec.unschedulable', text: 'true' })),
    detail: { node: names[0] },
    suspects: nodes.map(nodeRef),
  };
}

const podName = (pod: Pod): string => `${pod.metadata?.namespace ?? ''}/${pod.metadata?.name ?? ''}`;

const inTheWay = (nodes: readonly NodeFit[], code: string): Fact[] =>
  nodes.slice(0, 4).flatMap((fit): Fact[] => {
    const by = obstacleOf(fit, code)?.by;
    return by === undefined ? [] : [{ from: podRef(by), where: 'spec.nodeName', text: fit.name }];
  });

function portWords(it: Case): Words {
  const { pod, placement } = it;
  const obstacle = placement.nodes.map((fit) => obstacleOf(fit, 'sched.host-port')).find((o) => o !== undefined);
  const ports = (pod.spec?.containers ?? []).flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort }) => hostPort ?? []),
  );
  const field: Fact = { from: podRef(pod), where: 'spec.containers[*].ports[*].hostPort', text: ports.join(', ') };
  if (obstacle === undefined) {
    return {
      ...toldWords(it),
      text: `It asks for port ${ports.join(', ')} of its host, and the port is taken on the nodes it could use.`,
      evidence: [field],
    };
  }
  return {
    text: `Port ${obstacle.name} of the host is taken on ${onNodes(placement.nodes)}${obstacle.by === undefined ? '' : `, there by pod ${podName(obstacle.by)}`}.`,
    evidence: [field, ...inTheWay(placement.nodes, 'sched.host-port')],
    detail: { node: first(it) },
  };
}

function repulsionWords(it: Case): Words {
  const { pod, placement } = it;
  const own = placement.code === 'sched.pod-anti-affinity';
  const rules = pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const field: Fact[] = own
    ? rules.map(
        ({ labelSelector, topologyKey = '' }): Fact => ({
          from: podRef(pod),
          where: 'spec.affinity.podAntiAffinity',
          text: `not in the same ${topologyKey} as ${selectorText(labelSelector) || 'any pod'}`,
        }),
      )
    : [];
  const selector = own ? selectorText(rules[0]?.labelSelector) : '';
  const known = placement.nodes.find((fit) => obstacleOf(fit, placement.code)?.by !== undefined);
  const obstacle = known === undefined ? undefined : obstacleOf(known, placement.code);
  if (obstacle?.by === undefined) {
    const words = toldWords(it);
    const text = own
      ? `It refuses to be in the same ${rules[0]?.topologyKey ?? 'place'} as pods with ${selector || 'any labels'}, and there are such pods wherever it could go.`
      : 'Wherever it could go there is a pod whose required anti-affinity refuses it.';
    return { text, evidence: field, detail: { ...words.detail, selector: selector || undefined } };
  }
  const text = own
    ? `On ${onNodes(placement.nodes)} there is already a pod that it refuses to share a ${obstacle.name} with: ${podName(obstacle.by)}.`
    : `On ${onNodes(placement.nodes)} there is a pod that refuses to share its ${obstacle.name} with it: ${podName(obstacle.by)}.`;
  return {
    text,
    evidence: [...field, ...inTheWay(placement.nodes, placement.code)],
    detail: {
      selector: selector || undefined,
      other: obstacle.by.metadata?.name,
      otherNamespace: obstacle.by.metadata?.namespace,
    },
  };
}

function attractionWords({ pod }: Case): Words {
  const rules = pod.spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const selector = selectorText(rules[0]?.labelSelector);
  return {
    text: `It has to be in the same ${rules[0]?.topologyKey ?? 'place'} as a pod with ${selector || 'the labels it asks for'}, and no node that it could use is.`,
    evidence: rules.map(
      ({ labelSelector, topologyKey = '' }): Fact => ({
        from: podRef(pod),
        where: 'spec.affinity.podAffinity',
        text: `in the same ${topologyKey} as ${selectorText(labelSelector)}`,
      }),
    ),
    detail: { selector: selector || undefined },
  };
}

function spreadWords(it: Case): Words {
  const { pod, placement, cluster } = it;
  const hard = (pod.spec?.topologySpreadConstraints ?? []).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable !== 'ScheduleAnyway',
  );
  const named = placement.nodes
    .map((fit) => obstacleOf(fit, 'sched.topology-spread')?.name)
    .find((name) => name !== undefined);
  const constraint = hard.find(({ topologyKey }) => topologyKey === named) ?? hard[0];
  const key = constraint?.topologyKey ?? '';
  const carriers = cluster.list('Node').filter((node) => node.metadata?.labels?.[key] !== undefined).length;
  const text =
    carriers === 0 && cluster.covers('Node') && cluster.list('Node').length > 0
      ? `It has to be spread over ${key}, and no node has that label.`
      : `One more pod on ${placement.nodes.length === 0 ? 'any node that it could use' : onNodes(placement.nodes)} would spread its pods over ${key} more unevenly than maxSkew ${constraint?.maxSkew ?? 1} allows.`;
  return {
    text,
    evidence: [
      {
        from: podRef(pod),
        where: 'spec.topologySpreadConstraints',
        text: `${key}, maxSkew ${constraint?.maxSkew ?? 1}, ${selectorText(constraint?.labelSelector)}`,
      },
    ],
    detail: { key: key || undefined, selector: selectorText(constraint?.labelSelector) || undefined },
  };
}

function volumeWords(it: Case): Words {
  const { cluster, pod, placement } = it;
  const claim = placement.nodes
    .map((fit) => obstacleOf(fit, 'sched.volume-zone')?.name)
    .find((name) => name !== undefined);
  if (claim === undefined) {
    return { ...toldWords(it), text: 'Its volume can only be used on nodes that it cannot run on.' };
  }
  const volume = cluster.get('PersistentVolumeClaim', claim, pod.metadata?.namespace)?.spec?.volumeName ?? '';
  const persistent = cluster.get('PersistentVolume', volume);
  const terms = persistent?.spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const zones = Object.entries(persistent?.metadata?.labels ?? {}).filter(([key]) => /zone|region/.test(key));
  const place =
    terms.map(({ matchExpressions = [] }) => matchExpressions.map(requirementText).join(', ')).join(' or ') ||
    zones.map(([key, value]) => `${key}=${value}`).join(', ');
  const ref: Ref = { kind: 'PersistentVolume', name: volume };
  return {
    text: `Its volume ${volume} (claim ${claim}) can only be used on nodes with ${place}, and none of those can take the pod.`,
    evidence: [{ from: ref, where: 'spec.nodeAffinity', text: place }],
    detail: { volume },
    suspects: [ref],
  };
}

function crowdWords(it: Case): Words {
  const nodes = it.placement.nodes.filter((fit) => obstacleOf(fit, 'sched.too-many-pods') !== undefined);
  if (nodes.length === 0) return toldWords(it);
  return {
    text: `As many pods as may run there are already on ${onNodes(nodes)}.`,
    evidence: nodes.slice(0, 4).map(
      (fit): Fact => ({
        from: nodeRef(fit),
        where: 'status.allocatable[pods]',
        text: fit.node.status?.allocatable?.['pods'] ?? '',
      }),
    ),
    detail: { node: nodes[0]?.name },
  };
}

/** What the other nodes are, so that nobody takes them for the cause: "Of the other nodes lab-3 is cordoned." */
export function othersSentence(pod: Pod, { others, code }: Placement): string {
  const groups = new Map<Background, string[]>();
  for (const fit of others) {
    const why = backgroundOf(pod, fit, code);
    if (why === undefined) continue;
    const names = groups.get(why);
    if (names === undefined) groups.set(why, [fit.name]);
    else names.push(fit.name);
  }
  const parts = [...groups].map(([why, names]) => `${listed(names)} ${backgrounds[why][names.length === 1 ? 0 : 1]}`);
  return parts.length === 0 ? '' : ` Of the other nodes ${parts.join('; ')}.`;
}

const backgrounds = {
  labels: ['lacks the labels it asks for', 'lack the labels it asks for'],
  cordoned: ['is cordoned', 'are cordoned'],
  unwell: ['is not well', 'are not well'],
  tainted: ['has a taint that it does not tolerate', 'have taints that it does not tolerate'],
  volume: ['cannot use its volume', 'cannot use its volume'],
  small: ['is too small', 'are too small'],
  taken: ['is taken or full', 'are taken or full'],
} as const;

type Background = keyof typeof backgrounds;

function backgroundOf(pod: Pod, { obstacles }: NodeFit, cause: string): Background | undefined {
  const has = (code: string) => obstacles.some((obstacle) => obstacle.code === code);
  if (has('sched.node-affinity') && nodeTermsOf(pod.spec).length > 0) return 'labels';
  if (obstacles.some(({ taintClass }) => taintClass === 'condition')) return 'unwell';
  if (has('sched.cordoned')) return cause === 'sched.cordoned' ? undefined : 'cordoned';
  if (has('sched.taint')) return 'tainted';
  if (has('sched.volume-zone')) return 'volume';
  if (obstacles.some(({ tier }) => tier === 'where')) return 'small';
  return obstacles.length === 0 || has(cause) ? undefined : 'taken';
}
