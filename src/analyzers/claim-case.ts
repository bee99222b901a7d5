import type { Evidence, Ref } from '../finding.ts';
import type { ClaimUse } from '../objects/claims.ts';
import type { FitNeeds } from '../objects/fits.ts';
import type { Pod } from '../objects/pods.ts';
import { parseSchedulerMessage, type Reason } from '../objects/scheduler-message.ts';
import { schedulerWordsOf } from '../objects/scheduler-words.ts';
import { claimsOf } from '../objects/volumes.ts';
import type { View } from '../snapshot.ts';
import { type ClaimRule, rules } from './claim-rules.ts';

export type Needs = FitNeeds | 'Event' | 'StorageClass' | 'CSINode' | 'ReplicaSet' | 'Job';

export type Fact = Omit<Evidence, 'id'>;

/** What an analysis of one claim needs. */
export interface Case {
  readonly cluster: View<Needs>;
  readonly use: ClaimUse;
  readonly ref: Ref;
  /** What the scheduler says to the waiting pods of claims and volumes. */
  readonly said: readonly (Reason & { readonly pod: Pod })[];
}

/** Why a claim has no volume. */
export interface Cause {
  readonly code: ClaimRule;
  readonly text: string;
  readonly evidence: readonly Fact[];
  readonly confidence?: 'certain' | 'likely' | 'possible';
  readonly detail?: Readonly<Record<string, string | undefined>>;
  readonly suspects?: readonly Ref[];
  readonly fault?: string;
  readonly since?: string | undefined;
}

/** A pod and its claim may come in any order. */
export const FRESH_SECONDS = 15;

/** A provisioner is given this long. */
export const SLOW_SECONDS = 120;

/** What the scheduler says of the claims and volumes of a pod that has no node. */
export function claimReasons(cluster: View<Needs>, pod: Pod): (Reason & { pod: Pod })[] {
  if (pod.spec?.nodeName !== undefined) return [];
  const words = schedulerWordsOf(cluster, pod);
  if (words === undefined) return [];
  return parseSchedulerMessage(words.text)
    .reasons.filter(({ code }) => code.startsWith('storage.'))
    .map((reason) => ({ ...reason, pod }));
}

/** Whether the scheduler says this of the claim, by its name or because the pod has no other. */
export const isSaid = ({ said, use }: Case, code: ClaimRule): boolean =>
  said.some((reason) => reason.code === code && (reason.name === use.name || claimsOf(reason.pod).length === 1));

export const isClaimRule = (code: string): code is ClaimRule => Object.hasOwn(rules, code);
