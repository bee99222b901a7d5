import type { Confidence, Report, Step } from '../finding.ts';
import type { Tokens } from './backend.ts';

/** What one backend made of one problem: added beside the rules' own words, never in place of them. */
export interface Explanation {
  /** In the reader's language; empty where only `note` stands. */
  readonly cause: string;
  /** A command stands only where it was checked against the report. */
  readonly steps: readonly Step[];
  /** The model's own estimate; it changes nothing in the report. */
  readonly confidence: Confidence;
  /** Ids of the evidence it rests on, as `citable` gives them: "e1", "s1.e2". */
  readonly cites: readonly string[];
  /** How many claims were dropped because they cite nothing, or nothing that exists. */
  readonly unsupported: number;
  /** How many commands were dropped, and why: "it would print a Secret". */
  readonly rejected: readonly string[];
  /** Backend.id. */
  readonly backend: string;
  readonly cached: boolean;
  /** One line: why there is no explanation, or what is missing of it. */
  readonly note?: string;
  /** What getting it took; absent where it came from the cache. */
  readonly cost?: Cost;
}

export interface Cost {
  readonly calls: number;
  readonly tokens: Tokens;
  readonly milliseconds: number;
}

export interface ExplainStats extends Cost {
  readonly cacheHits: number;
  /** Explanations taken over from another problem with the same cause. */
  readonly shared: number;
  /** Problems that a backend left without an explanation. */
  readonly failed: number;
  readonly unsupported: number;
  readonly rejected: number;
}

/** A report, and what models said about its problems. */
export type Explained = Report & {
  /** By problem id; one per backend, in the order they were asked for. */
  readonly explanations?: Readonly<Record<string, readonly Explanation[]>>;
  readonly explain?: {
    /** Each said once: "Ollama at … cannot be reached", "the budget of 10 calls is used up". */
    readonly notes: readonly string[];
    readonly stats: ExplainStats;
    /** By Backend.id. */
    readonly backends: Readonly<Record<string, ExplainStats>>;
  };
};
