import type { Node } from './kinds-schema.ts';
import type { NodeSelector, NodeSelectorTerm, PodSpec } from './pod-schema.ts';
import type { Of } from './schema.ts';
import { type Labels, matchesRequirement, type Requirement, requirementText } from './selector.ts';

type Selector = Of<typeof NodeSelector>;
type Term = Of<typeof NodeSelectorTerm>;

/** Requirements that must all hold; a pod may give several such lists, of which one has to. */
export interface NodeTerm {
  readonly labels: readonly Requirement[];
  /** On `metadata.name`: how the DaemonSet controller pins a pod to its node. */
  readonly fields: readonly Requirement[];
}

/** What a pod's nodeSelector and required node affinity ask of a node; empty where they ask nothing. */
export function nodeTermsOf(spec: PodSpec | undefined): readonly NodeTerm[] {
  const selector = Object.entries(spec?.nodeSelector ?? {}).map(
    ([key, value]): Requirement => ({ key, operator: 'In', values: [value] }),
  );
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required === undefined) return selector.length === 0 ? [] : [{ labels: selector, fields: [] }];
  return (required.nodeSelectorTerms ?? []).filter(isTerm).map((term) => ({
    labels: [...selector, ...(term.matchExpressions ?? [])],
    fields: term.matchFields ?? [],
  }));
}

/** Whether the pod asks for terms at all and none of them can match (an empty term matches no node). */
export const asksForNoNode = (spec: PodSpec | undefined): boolean =>
  spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined &&
  nodeTermsOf(spec).length === 0;

/** What it asks of a node's labels: "topology.kubernetes.io/zone=a or topology.kubernetes.io/zone=b". */
export const nodeSelectorText = (selector: Selector | undefined): string =>
  (selector?.nodeSelectorTerms ?? [])
    .map(({ matchExpressions = [] }) => matchExpressions.map(requirementText).join(', '))
    .join(' or ');

const isTerm = (term: Term): boolean => (term.matchExpressions?.length ?? 0) + (term.matchFields?.length ?? 0) > 0;

export function matchesTerm({ labels, fields }: NodeTerm, node: Node): boolean {
  const carried: Labels | undefined = node.metadata?.labels;
  return (
    labels.every((requirement) => matchesRequirement(requirement, carried)) &&
    fields.every((requirement) => matchesField(requirement, node))
  );
}

export const matchesField = (requirement: Requirement, node: Node): boolean =>
  matchesRequirement(requirement, { [requirement.key ?? '']: node.metadata?.name ?? '' });

/** The required node affinity of a volume; an absent one matches every node. */
export function matchesNodeSelector(selector: Selector | undefined, node: Node): boolean {
  if (selector === undefined) return true;
  return (selector.nodeSelectorTerms ?? [])
    .filter(isTerm)
    .some((term) => matchesTerm({ labels: term.matchExpressions ?? [], fields: term.matchFields ?? [] }, node));
}
