import { type Draft, defineAnalyzer, type Rule, type Where } from '../analyzer.ts';
import { type Ending, type EvictCode, endingOf } from '../objects/ending.ts';
import { change, destroy, kubectl, look, shell } from '../objects/kubectl.ts';
import { endingHistory } from '../objects/leftover.ts';
import { type Node, nodeRef } from '../objects/node-health.ts';
import { conditionOf, type Pod, podRef, troubledPods } from '../objects/pods.ts';
import { conditionProof, type Proof, proof, sentence } from '../objects/proof.ts';
import { cordonNode, describeNode, describePod, editWorkload, podOf } from '../objects/remedies.ts';
import type { View } from '../snapshot.ts';

type Needs = 'Pod' | 'Event' | 'Node' | 'ReplicaSet' | 'Job';

const SOURCE = 'kubelet (eviction/eviction_manager.go: status.reason Evicted)';

const clear = (w: Where) =>
  w.owner === undefined
    ? destroy('Delete the evicted pod and create it again: nothing else brings it back.', kubectl('delete', podOf(w)))
    : destroy(
        'Remove what is left of failed pods once they have been looked at.',
        shell(
          'kubectl',
          'delete',
          'pods',
          '-n',
          w.subject.namespace ?? 'default',
          '--field-selector=status.phase=Failed',
        ),
      );

const rules = {
  'evict.node-pressure': {
    severity: 'critical',
    summary: 'The kubelet evicted the pod because its node ran low on memory, disk or process ids.',
    source: SOURCE,
    stage: 'rejected',
    remedy: (w) => [
      look('See what the node still lacks and what its pods request.', describeNode(w)),
      change(
        'Request as much as the pod really uses, so that it is placed where there is room and evicted last.',
        editWorkload(w),
      ),
      clear(w),
    ],
  },
  'evict.storage-limit': {
    severity: 'critical',
    summary: 'The pod wrote more to its local disk than a limit of its own allows.',
    source: SOURCE,
    stage: 'rejected',
    remedy: (w) => [
      look('See its volumes and limits.', describePod(w)),
      change(
        'Raise the limit (sizeLimit of the emptyDir, limits.ephemeral-storage), or write less: rotate logs, clean up.',
        editWorkload(w),
      ),
      clear(w),
    ],
  },
  'evict.node-condition': {
    severity: 'critical',
    summary: 'The kubelet did not admit the pod because its node is under pressure.',
    source: SOURCE,
    stage: 'rejected',
    remedy: (w) => [
      look('See the conditions of the node.', describeNode(w)),
      change('Free what the node lacks; until then keep pods off it.', cordonNode(w)),
      clear(w),
    ],
  },
} satisfies Record<EvictCode, Rule>;

const isEviction = (ending: Ending | undefined): ending is Ending & { readonly code: EvictCode } =>
  ending !== undefined && ending.code in rules;

export const podEviction = defineAnalyzer<Needs, EvictCode>({
  id: 'pod-eviction',
  kind: 'Pod',
  title: 'Pods that the kubelet evicted',
  needs: ['Pod', 'Event', 'Node', 'ReplicaSet', 'Job'],
  rules,
  *analyze(cluster) {
    for (const evicted of troubledPods(cluster)) {
      const ending = endingOf(cluster, evicted);
      if (isEviction(ending)) yield explain(cluster, evicted, ending);
    }
  },
});

function explain(cluster: View<Needs>, evicted: Pod, ending: Ending & { readonly code: EvictCode }): Draft<EvictCode> {
  const history = endingHistory(cluster, evicted);
  const shared = {
    code: ending.code,
    severity: history.severity,
    since: history.at,
    detail: { node: evicted.spec?.nodeName },
  };
  if (ending.code === 'evict.storage-limit') {
    const { container, words, evidence } = overLimit(evicted, ending.text);
    return {
      ...shared,
      subject: podRef(evicted, container),
      message: `Pod ${evicted.metadata?.name} was evicted because ${words}.${history.sentence}`,
      evidence: [...ending.evidence, ...evidence],
    };
  }
  const name = evicted.spec?.nodeName ?? '';
  const shortage = ending.code === 'evict.node-pressure' ? shortageOf(ending.text) : conditionNamed(ending.text);
  const pressure = pressureOf(cluster.get('Node', name), shortage.condition);
  return {
    ...shared,
    subject: podRef(evicted),
    message: `Pod ${evicted.metadata?.name} was ${shortage.words(name)}.${history.sentence}`,
    evidence: [...ending.evidence, ...pressure],
    ...(shortage.condition === undefined
      ? {
          confidence: 'likely',
          check: look('See the conditions and events of the node.', kubectl('describe', nodeRef(name))),
        }
      : undefined),
    suspects: [nodeRef(name)],
    fault: `node:${name}:${shortage.condition ?? ''}`,
    explainedBy: pressure.length > 0 ? [nodeRef(name)] : [],
  };
}

interface Shortage {
  /** The condition of the node that goes with it. */
  readonly condition: string | undefined;
  readonly words: (node: string) => string;
}

const conditions: Readonly<Record<string, string>> = {
  memory: 'MemoryPressure',
  'ephemeral-storage': 'DiskPressure',
  inodes: 'DiskPressure',
  nodefs: 'DiskPressure',
  imagefs: 'DiskPressure',
  pids: 'PIDPressure',
};

const USES = /(Pod|Container) (\S+) was using (\S+?),? (?:which exceeds its request of|request is) (\S+?)[,.](?:\s|$)/g;

/** "The node was low on resource: memory. Threshold quantity: 100Mi, available: 95Mi. Container app was using 1Gi, request is 0, …" */
function shortageOf(text: string): Shortage {
  const resource = /low on resource: ([\w.-]+?)\.(?:\s|$)/.exec(text)?.[1];
  if (resource === undefined) return { condition: undefined, words: () => `evicted by the kubelet: ${text}` };
  const amounts = /Threshold quantity: (.+?), available: (\S+?)\.(?:\s|$)/.exec(text);
  const left = amounts === null ? '' : ` (${amounts[2]} left of a threshold of ${amounts[1]})`;
  const uses = [...text.matchAll(USES)].map(
    ([, what = '', name, used, request]) => `${what.toLowerCase()} ${name} was using ${used} and requests ${request}`,
  );
  return {
    condition: conditions[resource],
    words: (name) =>
      `evicted because node ${name} ran low on ${resource}${left}${uses.length === 0 ? '' : `; ${uses.join(', ')}`}`,
  };
}

/** "The node had condition: [DiskPressure]." */
function conditionNamed(text: string): Shortage {
  const condition = /condition: \[([^\]]+)\]/.exec(text)?.[1];
  return {
    condition: condition?.split(/[ ,]+/)[0],
    words: (name) => `refused by node ${name} because the node reports ${condition ?? 'pressure'}`,
  };
}

function pressureOf(node: Node | undefined, type: string | undefined): Proof[] {
  const condition = node === undefined || type === undefined ? undefined : conditionOf(node, type);
  if (node?.metadata?.name === undefined || condition?.status !== 'True') return [];
  return [conditionProof(nodeRef(node.metadata.name), condition)];
}

interface OverLimit {
  readonly container: string | undefined;
  readonly words: string;
  readonly evidence: readonly Proof[];
}

function overLimit(evicted: Pod, text: string): OverLimit {
  const [, volume, size] = /EmptyDir volume "([^"]+)" exceeds the limit "([^"]+)"/i.exec(text) ?? [];
  if (volume !== undefined) {
    const users = (evicted.spec?.containers ?? []).filter(({ volumeMounts }) =>
      volumeMounts?.some((mount) => mount.name === volume),
    );
    const by = users.length === 0 ? '' : `, written by container ${users.map(({ name }) => name).join(', ')},`;
    return {
      container: users.length === 1 ? users[0]?.name : undefined,
      words: `its emptyDir volume "${volume}"${by} grew beyond its sizeLimit of ${size}`,
      evidence: [proof(podRef(evicted), `spec.volumes[${volume}].emptyDir.sizeLimit`, size ?? '')],
    };
  }
  const [, container, limit] = /Container (\S+) exceeded its local ephemeral storage limit "([^"]+)"/i.exec(text) ?? [];
  if (container !== undefined) {
    return {
      container,
      words: `container ${container} wrote more than its ephemeral-storage limit of ${limit} (its own files, its logs and emptyDirs)`,
      evidence: [
        proof(
          podRef(evicted, container),
          `spec.containers[${container}].resources.limits.ephemeral-storage`,
          limit ?? '',
        ),
      ],
    };
  }
  const total = /total limit of containers (\S+?)\.?(?:\s|$)/i.exec(text)?.[1];
  if (total === undefined) return { container: undefined, words: sentence(text).slice(0, -1), evidence: [] };
  return {
    container: undefined,
    words: `its containers together wrote more than their ephemeral-storage limits of ${total}`,
    evidence: [],
  };
}
