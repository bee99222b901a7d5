import type { Confidence, Evidence, Ref, Severity, Step } from './finding.ts';
import type { Kind, View } from './snapshot.ts';

/**
 * How early in a pod's life a cause strikes. For one object the earliest stage is the root and the rest are its symptoms:
 * a pod that its node refused has no image to pull.
 */
export const stages = [
  'rejected', // status.reason: the kubelet refused, evicted or ended the pod
  'disrupted', // DisruptionTarget
  'node', // the node is not there
  'terminating',
  'claim', // a claim the pod waits for
  'scheduling',
  'volume',
  'sandbox', // network and sandbox
  'init',
  'image',
  'config',
  'start',
  'oom', // exits, most telling first
  'probe-kill',
  'exit',
  'failed',
  'unready',
  'owner', // the workload or service around the pods
  'hint',
] as const;
export type Stage = (typeof stages)[number];

/** What a rule's remedy may name. */
export interface Where {
  readonly subject: Ref;
  /** The workload on top: the Deployment, not the ReplicaSet. */
  readonly owner?: Ref;
  /** What the analyzer found out, by name: `image`, `node`, `claim`, … */
  readonly detail: Readonly<Record<string, string | undefined>>;
}

export interface Rule {
  readonly severity: Severity;
  /** The cause in one sentence, for people who read the list of codes. */
  readonly summary: string;
  /** The component that writes what the rule reads: "kubelet (images/image_manager.go)". */
  readonly source: string;
  readonly stage: Stage;
  /**
   * It says no more than that the pods in `explainedBy` are not ready: where what is known of each of them is only worth
   * knowing, so is this.
   */
  readonly isConsequence?: boolean;
  /** Two or three steps. A step whose command needs a detail that is absent leaves the command out. */
  remedy(where: Where): readonly Step[];
}

/** A finding as an analyzer writes it; what is left out comes from its rule. */
export interface Draft<R extends string = string> {
  readonly code: R;
  readonly subject: Ref;
  /** One sentence of fact, with the object's own words. */
  readonly message: string;
  readonly evidence: readonly Omit<Evidence, 'id'>[];
  readonly severity?: Severity | undefined;
  /** `certain` unless said otherwise. */
  readonly confidence?: Confidence | undefined;
  readonly check?: Step | undefined;
  readonly suspects?: readonly Ref[] | undefined;
  /** In place of the rule's. */
  readonly remedy?: readonly Step[] | undefined;
  readonly detail?: Readonly<Record<string, string | undefined>> | undefined;
  readonly since?: string | undefined;
  /**
   * Two findings with the same code and the same fault are one problem, whatever owns their pods: "image:shop/web:v2".
   * Without it the same code in the same container of the same owner is one problem.
   */
  readonly fault?: string | undefined;
  /** What this breaks: their findings of the same or a later stage become symptoms, and they are listed as affected. */
  readonly explains?: readonly Ref[] | undefined;
  /** If one of these has a finding of its own, this is a symptom of it. */
  readonly explainedBy?: readonly Ref[] | undefined;
}

/** Answers one question about the objects of a snapshot. It does no I/O, reads no clock and keeps nothing. */
export interface Analyzer<K extends Kind = Kind, R extends string = string> {
  /** `<kind>-<problem>`: "pod-image-pull". */
  readonly id: string;
  /** What `--filter=Pod` selects. */
  readonly kind: Kind;
  readonly title: string;
  /** The kinds it may see: what is collected, what the RBAC role allows, what becomes a gap. */
  readonly needs: readonly K[];
  readonly rules: Readonly<Record<R, Rule>>;
  analyze(cluster: View<K>): Iterable<Draft<NoInfer<R>>>;
}

/** Types an analyzer: `cluster` has the kinds of `needs`, a draft's code is one of `rules`. */
export const defineAnalyzer = <K extends Kind, R extends string>(analyzer: Analyzer<K, R>): Analyzer<K, R> => analyzer;

/** An analyzer whose kinds and codes no longer matter. */
export type AnyAnalyzer = Omit<Analyzer, 'analyze'> & { analyze(cluster: View<never>): Iterable<Draft> };
