import type { Evidence, Ref } from '../finding.ts';
import type { FitNeeds, NodeFit, Obstacle } from '../objects/fits.ts';
import type { Placement } from '../objects/placement.ts';
import type { Pod } from '../objects/pods.ts';
import { refTo } from '../objects/refs.ts';
import type { Reason, SchedulerMessage } from '../objects/scheduler-message.ts';
import { classOfTaint, taintText } from '../objects/taints.ts';
import type { View } from '../snapshot.ts';

export type Fact = Omit<Evidence, 'id'>;

/** What is said of a pod that cannot be placed. */
export interface Words {
  /** One sentence or two; the first letter is large. */
  readonly text: string;
  readonly evidence: readonly Fact[];
  readonly detail: Readonly<Record<string, string | undefined>>;
  readonly suspects?: readonly Ref[];
  readonly explainedBy?: readonly Ref[];
  /** What pods that fail for the same reason have in common, whatever owns them. */
  readonly fault?: string;
}

export interface Case {
  readonly cluster: View<FitNeeds>;
  readonly pod: Pod;
  readonly placement: Placement;
  readonly said: SchedulerMessage | undefined;
}

export const listed = (names: readonly string[], most = 3): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;

export const nodeRef = (fit: NodeFit): Ref => refTo('Node', fit.node);

export const obstacleOf = (fit: NodeFit, code: string): Obstacle | undefined =>
  fit.obstacles.find((o) => o.code === code);

/** "lab-1" or "each of the 3 nodes". */
export const onNodes = (fits: readonly NodeFit[]): string =>
  fits.length === 1
    ? `the only node that it could use (${fits[0]?.name})`
    : `every node that it could use (${listed(fits.map((fit) => fit.name))})`;

/** The reason on most nodes; the taint of the control plane comes last. */
function foremost({ code }: Placement, said: SchedulerMessage | undefined): Reason | undefined {
  const reasons = said?.reasons.filter((reason) => reason.code === code) ?? [];
  const weight = ({ count, taint }: Reason) =>
    taint !== undefined && classOfTaint(taint) === 'control-plane' ? 0 : count;
  return reasons.toSorted((a, b) => weight(b) - weight(a))[0] ?? said?.reasons[0];
}

/** Only the scheduler's own words are known. */
export function toldWords({ placement, said }: Case): Words {
  const reason = foremost(placement, said);
  const count = said?.form === 'nodes' && reason !== undefined ? ` (${reason.count} of ${said.nodes} nodes)` : '';
  return {
    text: reason === undefined ? 'No node is fit for it.' : `The scheduler says "${reason.text}"${count}.`,
    evidence: [],
    detail: { resource: reason?.resource, taint: reason?.taint === undefined ? undefined : taintText(reason.taint) },
  };
}
