import type { Evidence } from '../finding.ts';
import type { View } from '../snapshot.ts';
import { eventEvidence } from './events.ts';
import { conditionOf, type Pod, podEvents, podRef } from './pods.ts';

/** What the scheduler last said of a pod, and where it stands. */
export interface SchedulerWords {
  /** Empty where it gave no reason. */
  readonly text: string;
  readonly evidence: readonly Omit<Evidence, 'id'>[];
}

/**
 * The condition's message, which is neither cut nor forgotten; else the newest event FailedScheduling. Karpenter writes
 * events of that reason too. Undefined where no scheduler has said anything.
 */
export function schedulerWordsOf(cluster: View<'Event'>, pod: Pod): SchedulerWords | undefined {
  const condition = conditionOf(pod, 'PodScheduled');
  const from = podRef(pod);
  if (condition?.message !== undefined) {
    const at = condition.lastTransitionTime;
    const where = 'status.conditions[PodScheduled].message';
    return { text: condition.message, evidence: [{ from, where, text: condition.message, ...(at && { at }) }] };
  }
  const event = podEvents(cluster, pod).find(
    ({ reason, source }) => reason === 'FailedScheduling' && source !== 'karpenter',
  );
  if (event !== undefined) return { text: event.message, evidence: [eventEvidence(from, event)] };
  if (condition === undefined) return undefined;
  return {
    text: '',
    evidence: [{ from, where: 'status.conditions[PodScheduled].reason', text: condition.reason ?? '' }],
  };
}
