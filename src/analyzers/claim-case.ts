import type { Evidence, Ref } from '../finding.ts';
import type { ClaimUse } from '../objects/claims.ts';
import { eventEvidence } from '../objects/events.ts';
import type { FitNeeds } from '../objects/fits.ts';
import { type Pod, podEvents, podRef } from '../objects/pods.ts';
import { parseSchedulerMessage, type Reason } from '../objects/scheduler-message.ts';
import { schedulerWordsOf } from '../objects/scheduler-words.ts';
import { sinceVolumes } from '../objects/startup.ts';
import { claimTroubles } from '../objects/volume-wait.ts';
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
  /** What the scheduler or the kubelet says to the waiting pods of claims and volumes. */
  readonly said: readonly Said[];
}

export interface Said extends Pick<Reason, 'code' | 'text' | 'name'> {
  readonly pod: Pod;
  readonly by: 'scheduler' | 'kubelet';
  readonly evidence: readonly Fact[];
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

/** What is said of the claims and volumes of a pod: by the scheduler, or by the kubelet once it has a node. */
export const claimReasons = (cluster: View<Needs>, pod: Pod): Said[] =>
  pod.spec?.nodeName === undefined ? bySchedulerOf(cluster, pod) : byKubeletOf(cluster, pod);

function bySchedulerOf(cluster: View<Needs>, pod: Pod): Said[] {
  const words = schedulerWordsOf(cluster, pod);
  if (words === undefined) return [];
  return parseSchedulerMessage(words.text)
    .reasons.filter(({ code }) => code.startsWith('storage.'))
    .map((reason) => ({ ...reason, pod, by: 'scheduler', evidence: words.evidence }));
}

const kubeletWords: readonly (readonly [Said['code'], RegExp])[] = [
  ['storage.claim-missing', /persistentvolumeclaims? "[^"]*" not found/],
  ['storage.claim-deleting', /PVC is being deleted/],
  ['storage.claim-pending', /PVC is not bound/],
];

/** A pod that was put on its node by hand never meets the scheduler. A claim that was read needs no words of others. */
function byKubeletOf(cluster: View<Needs>, pod: Pod): Said[] {
  if (cluster.covers('PersistentVolumeClaim', pod.metadata?.namespace ?? '')) return [];
  const event = sinceVolumes(podEvents(cluster, pod)).find(({ message }) => claimTroubles(message).length > 0);
  if (event === undefined) return [];
  return claimTroubles(event.message).flatMap(({ name, text }): Said[] => {
    const code = kubeletWords.find(([, words]) => words.test(text))?.[0];
    return code === undefined
      ? []
      : [{ code, text, name, pod, by: 'kubelet', evidence: [eventEvidence(podRef(pod), event)] }];
  });
}

/** Whether somebody says this of the claim, by its name or because the pod has no other. */
export const isSaid = ({ said, use }: Case, code: ClaimRule): boolean =>
  said.some((reason) => reason.code === code && (reason.name === use.name || claimsOf(reason.pod).length === 1));

export const isClaimRule = (code: string): code is ClaimRule => Object.hasOwn(rules, code);
