import type { NodeFit } from '../objects/fits.ts';
import { hostPortsOf } from '../objects/host-ports.ts';
import type { Node } from '../objects/kinds-schema.ts';
import type { Placement } from '../objects/placement.ts';
import { type Pod, podRef } from '../objects/pods.ts';
import { selectorText } from '../objects/selector.ts';
import { type Case, type Fact, listed, obstacleOf, onNodes, toldWords, type Words } from './scheduling-case.ts';

export function portWords(it: Case): Words {
  const { pod, placement } = it;
  const obstacle = placement.nodes.map((fit) => obstacleOf(fit, 'sched.host-port')).find((o) => o !== undefined);
  const ports = hostPortsOf(pod).map(({ port }) => port);
  const field: Fact = { from: podRef(pod), where: 'spec.containers[*].ports[*].hostPort', text: ports.join(', ') };
  if (obstacle === undefined) {
    return {
      ...toldWords(it),
      text: `It asks for port ${ports.join(', ')} of its host, and the port is taken on the nodes it could use.`,
      evidence: [field],
    };
  }
  return {
    text: `Port ${obstacle.name} of the host is taken on ${onNodes(placement.nodes)}: by ${blockers(placement)}.`,
    evidence: [field, ...inTheWay(placement.nodes, 'sched.host-port')],
    detail: { node: it.placement.nodes[0]?.name },
  };
}

export function repulsionWords(it: Case): Words {
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
    ? `On ${onNodes(placement.nodes)} there is already a pod that it refuses to share a ${obstacle.name} with: ${blockers(placement)}.`
    : `On ${onNodes(placement.nodes)} there is a pod that refuses to share its ${obstacle.name} with it: ${blockers(placement)}.`;
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

export function attractionWords({ pod }: Case): Words {
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

export function spreadWords(it: Case): Words {
  const { pod, placement } = it;
  const hard = (pod.spec?.topologySpreadConstraints ?? []).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable !== 'ScheduleAnyway',
  );
  const named = placement.nodes
    .map((fit) => obstacleOf(fit, 'sched.topology-spread')?.name)
    .find((name) => name !== undefined);
  const constraint = hard.find(({ topologyKey }) => topologyKey === named) ?? hard[0];
  const key = constraint?.topologyKey ?? '';
  const domains = placement.nodes
    .map((fit) => obstacleOf(fit, 'sched.topology-spread')?.counts)
    .find((m) => m !== undefined);
  const counts = [...(domains ?? [])].map(([domain, count]) => `${domain} ${count}`);
  return {
    text: spreadText(
      it,
      key,
      `maxSkew ${constraint?.maxSkew ?? 1} allows${counts.length === 0 ? '' : ` (now ${listed(counts, 6)})`}`,
    ),
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

function spreadText({ cluster, placement }: Case, key: string, allowed: string): string {
  const lacks = ({ metadata }: Node) => metadata?.labels?.[key] === undefined;
  const all = cluster.list('Node');
  if (cluster.covers('Node') && all.length > 0 && all.every(lacks)) {
    return `It has to be spread over ${key}, and no node has that label.`;
  }
  const without = placement.nodes.filter(({ node }) => lacks(node));
  if (without.length > 0 && without.length === placement.nodes.length) {
    return `It has to be spread over ${key}, and ${onNodes(without)} lacks that label.`;
  }
  const uneven = (where: string) =>
    `One more pod on ${where} would spread its pods over ${key} more unevenly than ${allowed}`;
  if (placement.nodes.length === 0) return `${uneven('any node that it could use')}.`;
  if (without.length === 0) return `${uneven(onNodes(placement.nodes))}.`;
  const names = (fits: readonly NodeFit[]) => listed(fits.map(({ name }) => name));
  const within = placement.nodes.filter((fit) => !without.includes(fit));
  return `${uneven(names(within))}; without the label it cannot use ${names(without)}.`;
}

const podName = (pod: Pod): string => `${pod.metadata?.namespace ?? ''}/${pod.metadata?.name ?? ''}`;

/** The pods in the way: "ha/quorum-0, ha/quorum-1". */
const blockers = ({ nodes, code }: Placement): string =>
  listed([
    ...new Set(
      nodes.flatMap((fit) => {
        const by = obstacleOf(fit, code)?.by;
        return by === undefined ? [] : [podName(by)];
      }),
    ),
  ]);

const inTheWay = (nodes: readonly NodeFit[], code: string): Fact[] =>
  nodes.slice(0, 4).flatMap((fit): Fact[] => {
    const by = obstacleOf(fit, code)?.by;
    return by === undefined ? [] : [{ from: podRef(by), where: 'spec.nodeName', text: fit.name }];
  });
