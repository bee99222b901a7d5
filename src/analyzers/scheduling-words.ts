import { taintText } from '../objects/taints.ts';
import { affinityWords } from './scheduling-affinity.ts';
import { type Case, type Fact, listed, nodeRef, toldWords, type Words } from './scheduling-case.ts';
import { deviceWords } from './scheduling-devices.ts';
import { attractionWords, portWords, repulsionWords, spreadWords } from './scheduling-neighbours.ts';
import { crowdWords, resourceWords } from './scheduling-resources.ts';
import { inUseWords, volumeWords } from './scheduling-volumes.ts';

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
    case 'sched.volume-in-use':
      return inUseWords(it);
    case 'sched.too-many-pods':
      return crowdWords(it);
    case 'sched.dra':
      return deviceWords(it.pod, toldWords(it).text);
    default:
      return toldWords(it);
  }
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
    detail: { node: it.placement.nodes[0]?.name, taint: [...byTaint.keys()][0], unwell: unwell ? 'yes' : undefined },
    suspects: refs,
    ...(unwell ? { explainedBy: refs } : {}),
  };
}

function cordonWords(it: Case): Words {
  const { nodes } = it.placement;
  if (nodes.length === 0) return toldWords(it);
  const names = nodes.map(({ name }) => name);
  const refs = nodes.map(nodeRef);
  // Pods cannot be let in again before such a node is well.
  const unwell = nodes.every(({ obstacles }) => obstacles.some(({ taintClass }) => taintClass === 'condition'));
  const besides = new Set(
    nodes.flatMap(({ obstacles }) => obstacles.flatMap(({ taint }) => (taint === undefined ? [] : taintText(taint)))),
  );
  return {
    text: `${
      nodes.length === 1
        ? `The only node that it could use, ${names[0]}, is cordoned`
        : `The nodes that it could use are cordoned: ${listed(names)}`
    }.${besides.size === 0 ? '' : ` Besides, it does not tolerate ${listed([...besides])} there.`}`,
    evidence: nodes.slice(0, 4).map((fit): Fact => ({ from: nodeRef(fit), where: 'spec.unschedulable', text: 'true' })),
    detail: { node: names[0] },
    suspects: refs,
    ...(unwell ? { explainedBy: refs } : {}),
  };
}
