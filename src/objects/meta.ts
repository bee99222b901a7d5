import { bool, int, list, message, type Of, omitZero, part, string, stringList, strings, time } from './schema.ts';

// meta/v1

const OwnerReference = message({
  kind: string(1),
  name: string(3),
  uid: string(4),
  apiVersion: string(5),
  controller: bool(6),
});

const metaFields = {
  name: string(1),
  generateName: string(2),
  namespace: string(3),
  uid: string(5),
  resourceVersion: string(6),
  generation: omitZero(int(7)),
  creationTimestamp: time(8),
  deletionTimestamp: time(9),
  deletionGracePeriodSeconds: int(10),
  labels: strings(11),
  annotations: strings(12),
  ownerReferences: list(13, OwnerReference),
  finalizers: stringList(14),
};

export const ObjectMeta = message(metaFields);
export type ObjectMeta = Of<typeof ObjectMeta>;

const LabelSelectorRequirement = message({
  key: string(1),
  operator: string(2),
  values: stringList(3),
});

export const LabelSelector = message({
  matchLabels: strings(1),
  matchExpressions: list(2, LabelSelectorRequirement),
});
export type LabelSelector = Of<typeof LabelSelector>;

/** meta/v1 Condition and the older per-kind conditions share these names, not these numbers. */
export const MetaCondition = message({
  type: string(1),
  status: string(2),
  observedGeneration: omitZero(int(3)),
  lastTransitionTime: time(4),
  reason: string(5),
  message: string(6),
});

/** ConditionStatus, reason and message as every kind's conditions have them in JSON. */
export interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export const withMeta = part(1, ObjectMeta);

/** Who last wrote an object and when: for the few kinds whose changes explain something. */
const ManagedFieldsEntry = message({ manager: string(1), operation: string(2), time: time(4) });

export const withHistory = part(1, message({ ...metaFields, managedFields: list(17, ManagedFieldsEntry) }));
