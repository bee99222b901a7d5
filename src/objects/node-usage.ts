import { type HostPort, hostPortsOf } from './host-ports.ts';
import type { Pod } from './pod-schema.ts';
import { type Amounts, sumOfRequests } from './resources.ts';

/** What a pod asks of its node. */
export interface Asking {
  readonly amounts: Amounts;
  readonly ports: readonly HostPort[];
}

export const askingOf = (pod: Pod): Asking => ({ amounts: sumOfRequests(pod), ports: hostPortsOf(pod) });

/** What the pods on one node take up together, as far as pods were read. */
export class NodeUsage {
  private readonly askings: Asking[] = [];
  private readonly taken: (HostPort & { readonly pod: Pod })[] = [];
  private readonly sums = new Map<string, number>();

  add(pod: Pod, asking: Asking): void {
    this.askings.push(asking);
    for (const port of asking.ports) this.taken.push({ ...port, pod });
  }

  get pods(): number {
    return this.askings.length;
  }

  get ports(): readonly (HostPort & { readonly pod: Pod })[] {
    return this.taken;
  }

  /** How much of a resource they request: added up only where somebody wants to know. */
  requested(resource: string): number {
    let sum = this.sums.get(resource);
    if (sum === undefined) {
      sum = 0;
      for (const { amounts } of this.askings) sum += amounts.get(resource) ?? 0;
      this.sums.set(resource, sum);
    }
    return sum;
  }
}
