import type { Evidence } from '../finding.ts';
import type { Node } from '../objects/kinds-schema.ts';
import { matchesField, type NodeTerm, nodeTermsOf } from '../objects/node-affinity.ts';
import { type Pod, podRef } from '../objects/pods.ts';
import { refTo } from '../objects/refs.ts';
import { matchesRequirement, type Requirement, requirementText } from '../objects/selector.ts';
import { didYouMean } from '../objects/suggest.ts';
import type { View } from '../snapshot.ts';
import type { Words } from './scheduling-case.ts';

type Fact = Omit<Evidence, 'id'>;

/** Which label the pod asks for that no node carries, and what the nodes carry instead. */
export function affinityWords(cluster: View<'Node'>, pod: Pod): Words {
  const nodes = cluster.list('Node');
  const terms = nodeTermsOf(pod.spec);
  const asked = terms.map(termText).join('; or ');
  const field: Fact = { from: podRef(pod), where: fieldOf(pod), text: asked };
  if (terms.length === 0) {
    return { text: 'Its required node affinity is empty, which no node can match.', evidence: [], detail: {} };
  }
  const lacks = terms.map((term) => lackOf(term, nodes)).filter((lack) => lack !== undefined);
  if (lacks.length < terms.length || lacks.length === 0) {
    const text =
      terms.length === 1
        ? `No node has all of the labels it asks for: ${asked}.`
        : `No node matches any of its node affinity terms: ${asked}.`;
    return { text, evidence: [field, ...partial(terms, nodes)], detail: { key: keyOf(terms) } };
  }
  const sentences = [...new Set(lacks.map(({ text }) => text))];
  const lack = lacks[0];
  return {
    text: `${sentences.slice(0, 3).join(' ')}`,
    evidence: [field, ...(lack?.carriers ?? []).slice(0, 4)],
    detail: { key: lack?.key, label: lack?.label, candidate: lack?.candidate },
  };
}

interface Lack {
  readonly text: string;
  readonly key: string | undefined;
  /** Evidence of what the nodes carry. */
  readonly carriers: readonly Fact[];
  readonly label?: string;
  /** A node that could be given the label. */
  readonly candidate?: string;
}

/** The first requirement of a term that no node meets. */
function lackOf(term: NodeTerm, nodes: readonly Node[]): Lack | undefined {
  for (const field of term.fields) {
    if (nodes.some((node) => matchesField(field, node))) continue;
    return {
      text: `It is meant for node ${field.values?.join(', ')}, which does not exist.`,
      key: undefined,
      carriers: [],
    };
  }
  for (const requirement of term.labels) {
    if (nodes.some((node) => matchesRequirement(requirement, node.metadata?.labels))) continue;
    return labelLack(requirement, nodes);
  }
  return undefined;
}

function labelLack(requirement: Requirement, nodes: readonly Node[]): Lack {
  const { key = '', operator, values = [] } = requirement;
  const carried = new Map<string, Node[]>();
  for (const node of nodes) {
    const value = node.metadata?.labels?.[key];
    if (value === undefined) continue;
    const on = carried.get(value);
    if (on === undefined) carried.set(value, [node]);
    else on.push(node);
  }
  const label = operator === 'In' && values[0] !== undefined ? `${key}=${values[0]}` : undefined;
  // Kubernetes' own labels are set by the kubelet and the cloud, and are not for people to write.
  const candidate = /kubernetes\.io\//.test(key) || carried.size > 0 ? undefined : openNode(nodes);
  const fix = label === undefined || candidate === undefined ? {} : { label, candidate };
  if (carried.size === 0) {
    const keys = new Set(nodes.flatMap((node) => Object.keys(node.metadata?.labels ?? {})));
    const near = didYouMean(key, keys)[0] ?? sameName(key, keys);
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
    return {
      text: `No node ${wanted(requirement)}; none has a label ${key} at all.${hint}`,
      key,
      carriers: [],
      ...fix,
    };
  }
  const groups = [...carried].map(([value, on]) => `${key}=${value} (${names(on)})`);
  const more = groups.length > 4 ? ` and ${groups.length - 4} other values` : '';
  const near = operator === 'In' ? nearValue(key, values, [...carried.keys()]) : undefined;
  return {
    text: `No node ${wanted(requirement)}; nodes carry ${groups.slice(0, 4).join(', ')}${more}.${near === undefined ? '' : ` Did you mean "${near}"?`}`,
    key,
    carriers: [...carried].flatMap(([value, on]) =>
      on
        .slice(0, 1)
        .map((node): Fact => ({ from: refTo('Node', node), where: `metadata.labels[${key}]`, text: value })),
    ),
  };
}

const openNode = (nodes: readonly Node[]): string | undefined =>
  nodes.find(({ spec }) => spec?.taints === undefined && spec?.unschedulable !== true)?.metadata?.name;

/** Values of these are no slips of the keyboard for one another. */
const DISTINCT = /(?:^|\/)(?:arch|os)$/;

/** The one value that is spelt nearly so, or of which one is a part of the other: "ssd" for "ssd-fast". */
function nearValue(key: string, values: readonly string[], carried: readonly string[]): string | undefined {
  if (DISTINCT.test(key)) return undefined;
  const near = values.flatMap((value) => [
    ...didYouMean(value, carried).filter((other) => other.length > 2),
    ...carried.filter((other) => other.length > 1 && (value.includes(other) || other.includes(value))),
  ]);
  return new Set(near).size === 1 ? near[0] : undefined;
}

/** The same last part under another prefix: "disktype" for "example.com/disktype". */
function sameName(key: string, keys: Iterable<string>): string | undefined {
  const last = key.slice(key.lastIndexOf('/') + 1);
  return [...keys].find((other) => other !== key && other.slice(other.lastIndexOf('/') + 1) === last);
}

function wanted(requirement: Requirement): string {
  if (requirement.operator === 'In') return `has ${requirementText(requirement)}`;
  return requirement.operator === 'Exists'
    ? `has the label ${requirement.key}`
    : `meets ${requirementText(requirement)}`;
}

const names = (nodes: readonly Node[]): string =>
  nodes.length > 2 ? `${nodes.length} nodes` : nodes.map((node) => node.metadata?.name).join(', ');

/** Where single labels are met but never all on one node: one node for each, to compare. */
function partial(terms: readonly NodeTerm[], nodes: readonly Node[]): Fact[] {
  const facts: Fact[] = [];
  for (const requirement of terms[0]?.labels ?? []) {
    const node = nodes.find((one) => matchesRequirement(requirement, one.metadata?.labels));
    if (node === undefined) continue;
    const { key = '' } = requirement;
    facts.push({
      from: refTo('Node', node),
      where: `metadata.labels[${key}]`,
      text: node.metadata?.labels?.[key] ?? '(none)',
    });
  }
  return facts.slice(0, 4);
}

const termText = ({ labels, fields }: NodeTerm): string => [...labels, ...fields].map(requirementText).join(', ');

const keyOf = (terms: readonly NodeTerm[]): string | undefined => terms[0]?.labels[0]?.key;

function fieldOf({ spec }: Pod): string {
  const affinity = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined;
  if (!affinity) return 'spec.nodeSelector';
  return spec?.nodeSelector === undefined
    ? 'spec.affinity.nodeAffinity'
    : 'spec.nodeSelector, spec.affinity.nodeAffinity';
}
