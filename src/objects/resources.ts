import type { Node } from './kinds-schema.ts';
import type { Container, Pod } from './pod-schema.ts';
import { amountOf } from './quantity.ts';

/** Amounts by resource name, as the scheduler counts them: cpu in thousandths of a core, the rest in whole units. */
export type Amounts = ReadonlyMap<string, number>;

const known = new WeakMap<Pod, Amounts>();

/**
 * What a pod asks of its node (resourcehelper.PodRequests): the containers' sum, or the largest init container with the
 * sidecars started before it, whichever is more; pod-level requests in place of both; and the runtime's overhead.
 */
export function requestsOf(pod: Pod): Amounts {
  let amounts = known.get(pod);
  if (amounts === undefined) {
    amounts = sumOfRequests(pod);
    known.set(pod, amounts);
  }
  return amounts;
}

/** The memory a container may use, by its own limit or its pod's: "128Mi". */
export const memoryLimitOf = (pod: Pod, { resources }: Container): string | undefined =>
  resources?.limits?.['memory'] ?? pod.spec?.resources?.limits?.['memory'];

/** Whether it is certain at a glance that two pods ask for the same: what is equal is mostly shared when it is read. */
export const asksTheSame = ({ spec: a }: Pod, { spec: b }: Pod): boolean =>
  areAlike(a?.containers, b?.containers) &&
  areAlike(a?.initContainers, b?.initContainers) &&
  a?.resources === b?.resources &&
  a?.overhead === b?.overhead;

type Containers = readonly Container[];

const areAlike = (a: Containers = [], b: Containers = []): boolean =>
  a === b || (a.length === b.length && a.every((container, at) => isLike(container, b[at])));

const isLike = (a: Container, b: Container | undefined): boolean =>
  a.resources === b?.resources && a.ports === b?.ports && a.restartPolicy === b?.restartPolicy;

/** The same without keeping it: for the many pods that only take up room. */
export function sumOfRequests({ spec }: Pod): Amounts {
  const total = new Map<string, number>();
  for (const container of spec?.containers ?? []) addContainer(total, container);
  if (spec?.initContainers !== undefined) addInit(total, spec.initContainers);
  if (spec?.resources !== undefined) {
    const podLevel = amountsOf({ ...spec.resources.limits, ...spec.resources.requests });
    for (const [resource, amount] of podLevel) total.set(resource, amount);
  }
  if (spec?.overhead !== undefined) add(total, amountsOf(spec.overhead));
  for (const [resource, amount] of total) if (amount === 0) total.delete(resource);
  return total;
}

function addInit(total: Map<string, number>, containers: readonly Container[]): void {
  const sidecars = new Map<string, number>();
  const init = new Map<string, number>();
  for (const container of containers) {
    if (container.restartPolicy === 'Always') {
      addContainer(sidecars, container);
      raise(init, sidecars);
    } else {
      const peak = new Map(sidecars);
      addContainer(peak, container);
      raise(init, peak);
    }
  }
  add(total, sidecars);
  raise(total, init);
}

function addContainer(into: Map<string, number>, { resources }: Container): void {
  if (resources === undefined) return;
  const { requests = NONE, limits = NONE } = resources;
  for (const resource of Object.keys(requests)) increase(into, resource, amountOf(resource, requests[resource]));
  // A request that is not written equals the limit: the API server fills it in so.
  for (const resource of Object.keys(limits)) {
    if (requests[resource] === undefined) increase(into, resource, amountOf(resource, limits[resource]));
  }
}

const NONE: Readonly<Record<string, string>> = {};

function increase(into: Map<string, number>, resource: string, amount: number): void {
  into.set(resource, (into.get(resource) ?? 0) + amount);
}

function amountsOf(quantities: Readonly<Record<string, string>> = NONE): Amounts {
  return new Map(Object.entries(quantities).map(([resource, text]) => [resource, amountOf(resource, text)]));
}

function add(into: Map<string, number>, amounts: Amounts): void {
  for (const [resource, amount] of amounts) increase(into, resource, amount);
}

function raise(into: Map<string, number>, amounts: Amounts): void {
  for (const [resource, amount] of amounts) into.set(resource, Math.max(into.get(resource) ?? 0, amount));
}

const allocatable = new WeakMap<Node, Amounts>();

/** What a node offers to pods: status.allocatable. */
export function allocatableOf(node: Node): Amounts {
  let amounts = allocatable.get(node);
  if (amounts === undefined) {
    amounts = amountsOf(node.status?.allocatable ?? node.status?.capacity);
    allocatable.set(node, amounts);
  }
  return amounts;
}
