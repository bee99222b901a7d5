/** Points at one object, or at one container of a pod. */
export interface Ref {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly container?: string;
  readonly uid?: string;
}

/** What a sentence of the report rests on. */
export interface Evidence {
  /** Unique within its problem: "e1". */
  readonly id: string;
  readonly from: Ref;
  /** A field path ("status.conditions[PodScheduled].message"), "event <reason>", or "log". */
  readonly where: string;
  /** The object's own words, verbatim. */
  readonly text: string;
  /** ISO 8601. */
  readonly at?: string;
}

export type Severity = 'critical' | 'warning' | 'info';
export type Confidence = 'certain' | 'likely' | 'possible';

export interface Step {
  readonly text: string;
  /** Runs as printed: real names, no placeholder, never one that prints a Secret. */
  readonly command?: string;
  readonly safety: 'inspect' | 'change' | 'destructive';
}

export interface Finding {
  /** A cause, from the vocabulary that `podlens codes` prints. */
  readonly code: string;
  readonly severity: Severity;
  readonly subject: Ref;
  /** One sentence of fact. */
  readonly message: string;
  readonly evidence: readonly Evidence[];
  /** Other objects that may be at fault. */
  readonly suspects: readonly Ref[];
  readonly remedy: readonly Step[];
  readonly confidence: Confidence;
  /** Where the confidence is not `certain`: the cheapest look that would settle it. */
  readonly check?: Step;
  /** ISO 8601: when it began, as far as the objects tell. */
  readonly since?: string;
}

/** Something that happened to the objects of a problem. */
export interface Moment {
  readonly at: string;
  readonly from: Ref;
  readonly text: string;
}

/** One cause, with everything that is wrong because of it. */
export interface Problem {
  /** Stable across runs: the code and the owner of the root's subject. */
  readonly id: string;
  readonly root: Finding;
  readonly symptoms: readonly Finding[];
  /** Every object the cause breaks, pods above all. */
  readonly affects: readonly Ref[];
  /** The workload that the root's subject belongs to. */
  readonly owner?: Ref;
  /** What changed just before it began. */
  readonly changes?: readonly Moment[];
  /** What happened, oldest first. */
  readonly timeline?: readonly Moment[];
}

/** What podlens could not look at. */
export interface Gap {
  readonly what: string;
  readonly reason: string;
  readonly hint?: string;
}

/** What the person asked about. Absent means everything. */
export interface Scope {
  readonly namespaces?: readonly string[];
  readonly selector?: string;
  /** "pod/web-0", "deployment/web": as kubectl names them. */
  readonly targets?: readonly string[];
  /** Kinds or analyzer ids. */
  readonly filters?: readonly string[];
}

export interface Stats {
  /** How many objects of each kind were read. */
  readonly objects: Readonly<Record<string, number>>;
  /** How many namespaces have objects among them. */
  readonly namespaces: number;
  readonly analyzers: number;
}

export interface Report {
  readonly schemaVersion: 1;
  readonly takenAt: string;
  readonly scope: Scope;
  /** Worst first. */
  readonly problems: readonly Problem[];
  readonly gaps: readonly Gap[];
  readonly stats: Stats;
}

export const severities: readonly Severity[] = ['critical', 'warning', 'info'];
