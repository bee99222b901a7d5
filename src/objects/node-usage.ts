import type { View } from '../snapshot.ts';
import type { Pod } from './pod-schema.ts';
import { isTerminal } from './pods.ts';
import { addRequests } from './resources.ts';

export interface HostPort {
  readonly port: number;
  readonly protocol: string;
  readonly ip: string;
}

/** What the pods on one node take up, as far as pods were read. */
interface NodeUsage {
  readonly pods: readonly Pod[];
  /** What they request together, by resource. */
  readonly requested: ReadonlyMap<string, number>;
  readonly ports: readonly (HostPort & { readonly pod: Pod })[];
}

/** Pods by where they are, without those that have finished. */
export interface PodIndex {
  readonly byNode: ReadonlyMap<string, NodeUsage>;
  /** Pods that have a node. */
  readonly byNamespace: ReadonlyMap<string, readonly Pod[]>;
  /** Pods that have a node and required anti-affinity, which may keep away others in their own namespace. */
  readonly repellingOwn: ReadonlyMap<string, readonly Pod[]>;
  /** … and those whose rules reach into other namespaces. */
  readonly repellingAll: readonly Pod[];
}

const indexes = new WeakMap<readonly Pod[], PodIndex>();

/** Built once per snapshot. */
export function podIndexOf(cluster: View<'Pod'>): PodIndex {
  const pods = cluster.list('Pod');
  let index = indexes.get(pods);
  if (index === undefined) {
    index = build(pods);
    indexes.set(pods, index);
  }
  return index;
}

interface Usage extends NodeUsage {
  readonly pods: Pod[];
  readonly requested: Map<string, number>;
  readonly ports: (HostPort & { pod: Pod })[];
}

function build(pods: readonly Pod[]): PodIndex {
  const byNode = new Map<string, Usage>();
  const byNamespace = new Map<string, Pod[]>();
  const repellingOwn = new Map<string, Pod[]>();
  const repellingAll: Pod[] = [];
  for (const pod of pods) {
    const node = pod.spec?.nodeName;
    if (node === undefined || isTerminal(pod)) continue;
    let usage = byNode.get(node);
    if (usage === undefined) {
      usage = { pods: [], requested: new Map(), ports: [] };
      byNode.set(node, usage);
    }
    usage.pods.push(pod);
    addRequests(usage.requested, pod);
    for (const port of hostPortsOf(pod)) usage.ports.push({ ...port, pod });
    const namespace = pod.metadata?.namespace ?? '';
    const neighbours = byNamespace.get(namespace);
    if (neighbours === undefined) byNamespace.set(namespace, [pod]);
    else neighbours.push(pod);
    const rules = pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    if (rules.some(({ namespaces, namespaceSelector }) => namespaceSelector !== undefined || namespaces?.length)) {
      repellingAll.push(pod);
    } else if (rules.length > 0) {
      const own = repellingOwn.get(namespace);
      if (own === undefined) repellingOwn.set(namespace, [pod]);
      else own.push(pod);
    }
  }
  return { byNode, byNamespace, repellingOwn, repellingAll };
}

export function hostPortsOf({ spec }: Pod): HostPort[] {
  const ports: HostPort[] = [];
  for (const container of [...(spec?.containers ?? []), ...(spec?.initContainers ?? []).filter(isSidecar)]) {
    for (const { hostPort, protocol = 'TCP', hostIP = '' } of container.ports ?? []) {
      if (hostPort !== undefined && hostPort > 0) ports.push({ port: hostPort, protocol, ip: hostIP });
    }
  }
  return ports;
}

const isSidecar = ({ restartPolicy }: { readonly restartPolicy?: string }): boolean => restartPolicy === 'Always';

const isAny = (ip: string): boolean => ip === '' || ip === '0.0.0.0' || ip === '::';

export const collide = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (isAny(a.ip) || isAny(b.ip) || a.ip === b.ip);
