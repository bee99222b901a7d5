import type { Placement } from '../objects/placement.ts';
import { type Pod, podRef } from '../objects/pods.ts';
import { humanAmount } from '../objects/quantity.ts';
import { allocatableOf, requestsOf } from '../objects/resources.ts';
import { codeOfResource } from '../objects/scheduler-message.ts';
import { didYouMean } from '../objects/suggest.ts';
import type { View } from '../snapshot.ts';
import {
  type Case,
  type Fact,
  listed,
  nodeRef,
  obstacleOf,
  onNodes,
  toldWords,
  type Words,
} from './scheduling-case.ts';

export function resourceWords(it: Case): Words {
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
      : `${asks}, and fits on no node that it could use, however empty: the largest, ${owner.fit.name}, has ${amount(largest)}.${largeEnough(placement)}`;
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
  const open = placement.nodes.slice(0, 3).map(({ node, name }) => {
    return `${name} offers ${humanAmount(resource, allocatableOf(node).get(resource) ?? 0)} in all`;
  });
  return {
    text: `${asks}, and the scheduler found too little of it left on ${count}${open.length === 0 ? '' : ` (${open.join(', ')})`}.`,
    detail: { resource },
  };
}

function requestFact(pod: Pod, resource: string): Fact {
  const asked = humanAmount(resource, requestsOf(pod).get(resource) ?? 0);
  return { from: podRef(pod), where: 'spec.containers[*].resources.requests', text: `${resource}: ${asked} in all` };
}

/** Nodes that are not open to the pod and would be large enough. */
function largeEnough({ others }: Placement): string {
  const names = others
    .filter(({ obstacles }) => obstacles.every(({ tier }) => tier === 'gate'))
    .map(({ name }) => name);
  return names.length === 0
    ? ''
    : ` Large enough would be ${listed(names)}, which ${names.length === 1 ? 'is' : 'are'} not open to it.`;
}

const isOffered = (cluster: View<'Node'>, resource: string): boolean =>
  cluster.list('Node').some((node) => (allocatableOf(node).get(resource) ?? 0) > 0);

function nearResource(cluster: View<'Node'>, resource: string): string {
  const offered = new Set(cluster.list('Node').flatMap((node) => [...allocatableOf(node).keys()]));
  for (const other of offered) if (!isOffered(cluster, other)) offered.delete(other);
  const near = didYouMean(resource, offered)[0];
  return near === undefined ? '' : ` Did you mean "${near}"?`;
}

export function crowdWords(it: Case): Words {
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
