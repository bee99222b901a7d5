import type { Evidence, Ref } from '../finding.ts';
import type { Condition } from './meta.ts';

/** Evidence before it is numbered. */
export type Proof = Omit<Evidence, 'id'>;

/** What stands in a field of an object, and since when. */
export const proof = (from: Ref, where: string, text: string, at?: string): Proof => ({
  from,
  where,
  text,
  ...(at === undefined ? {} : { at }),
});

/** A condition as evidence: "Unschedulable: 0/3 nodes are available", or its status where it says nothing more. */
export function conditionProof(from: Ref, condition: Condition): Proof {
  const { type = '', status = '', reason = '', message = '', lastTransitionTime } = condition;
  const words = [reason, message].filter((word) => word !== '').join(': ');
  return proof(from, `status.conditions[${type}]`, words === '' ? status : `${status}: ${words}`, lastTransitionTime);
}

/** Ends a quoted text as a sentence ends. */
export const sentence = (text: string): string => `${text.trim().replace(/[.\s]+$/, '')}.`;
