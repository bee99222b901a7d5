import { inNamespace, type View } from '../snapshot.ts';
import type { Container, Pod } from './pod-schema.ts';
import { isTerminal } from './pods.ts';
import { type Amounts, asksTheSame, sumOfRequests } from './resources.ts';

export interface HostPort {
  readonly port: number;
  readonly protocol: string;
  readonly ip: string;
}

/** What the pods on one node take up, as far as pods were read. */
export interface NodeUsage {
  readonly pods: number;
  readonly ports: readonly (HostPort & { readonly pod: Pod })[];
  /** How much of a resource they request together. */
  requested(resource: string): number;
}

/** What pods that have a node, and have not finished, mean to others. */
interface PodIndex {
  readonly byNode: ReadonlyMap<string, NodeUsage>;
  /** Pods with required anti-affinity, which may keep away others in their own namespace. */
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

/** The pods of a namespace that take up room on a node. */
export const placedPods = (cluster: View<'Pod'>, namespace: string): readonly Pod[] =>
  inNamespace(cluster.list('Pod'), namespace).filter(isPlaced);

const isPlaced = (pod: Pod): boolean => pod.spec?.nodeName !== undefined && !isTerminal(pod);

function build(pods: readonly Pod[]): PodIndex {
  const byNode = new Map<string, Usage>();
  const repellingOwn = new Map<string, Pod[]>();
  const repellingAll: Pod[] = [];
  let asking: Asking | undefined;
  for (const pod of pods) {
    const node = pod.spec?.nodeName;
    if (node === undefined || isTerminal(pod)) continue;
    // Replicas follow each other.
    if (asking === undefined || !asksTheSame(pod, asking.first)) asking = askingOf(pod);
    let usage = byNode.get(node);
    if (usage === undefined) {
      usage = new Usage();
      byNode.set(node, usage);
    }
    usage.add(pod, asking);
    const rules = pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (rules === undefined || rules.length === 0) continue;
    const { namespace = '' } = pod.metadata ?? {};
    const own = repellingOwn.get(namespace);
    if (rules.some(({ namespaces, namespaceSelector }) => namespaceSelector !== undefined || namespaces?.length)) {
      repellingAll.push(pod);
    } else if (own === undefined) repellingOwn.set(namespace, [pod]);
    else own.push(pod);
  }
  return { byNode, repellingOwn, repellingAll };
}

/** What a pod asks of its node, and those after it that ask for the same. */
interface Asking {
  readonly first: Pod;
  readonly amounts: Amounts;
  readonly ports: readonly HostPort[];
}

const askingOf = (pod: Pod): Asking => ({ first: pod, amounts: sumOfRequests(pod), ports: hostPortsOf(pod) });

/** Adds up only the resources that somebody asks about. */
class Usage implements NodeUsage {
  readonly ports: (HostPort & { readonly pod: Pod })[] = [];
  private readonly amounts: Amounts[] = [];
  private readonly sums = new Map<string, number>();

  get pods(): number {
    return this.amounts.length;
  }

  add(pod: Pod, { amounts, ports }: Asking): void {
    this.amounts.push(amounts);
    for (const port of ports) this.ports.push({ ...port, pod });
  }

  requested(resource: string): number {
    let sum = this.sums.get(resource);
    if (sum === undefined) {
      sum = 0;
      for (const amounts of this.amounts) sum += amounts.get(resource) ?? 0;
      this.sums.set(resource, sum);
    }
    return sum;
  }
}

export function hostPortsOf({ spec }: Pod): readonly HostPort[] {
  const ports: HostPort[] = [];
  for (const container of spec?.containers ?? []) pushHostPorts(ports, container);
  for (const container of spec?.initContainers ?? []) if (isSidecar(container)) pushHostPorts(ports, container);
  return ports;
}

function pushHostPorts(into: HostPort[], container: Container): void {
  for (const { hostPort, protocol = 'TCP', hostIP = '' } of container.ports ?? []) {
    if (hostPort !== undefined && hostPort > 0) into.push({ port: hostPort, protocol, ip: hostIP });
  }
}

const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always';

const isAny = (ip: string): boolean => ip === '' || ip === '0.0.0.0' || ip === '::';

export const collide = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (isAny(a.ip) || isAny(b.ip) || a.ip === b.ip);
