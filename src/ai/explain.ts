import type { Cache } from '../cache/cache.ts';
import type { Report } from '../finding.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Backend } from './backend.ts';
import type { Explained, Explanation } from './explained.ts';
import type { PromptTexts } from './templates/texts.ts';

export interface ExplainOptions {
  /** Each is asked about every problem. */
  readonly backends: readonly Backend[];
  /** Absent with --no-cache: nothing is read and nothing is written. */
  readonly cache?: Cache;
  /** A language's name or tag: "de", "中文", "pt-BR". English where absent. */
  readonly language?: string;
  /** False sends names as they are; secrets are cut out all the same. */
  readonly anonymize?: boolean;
  readonly maxCalls?: number;
  /** Input and output together. */
  readonly maxTokens?: number;
  /** How many calls at once; 4 where absent. */
  readonly concurrency?: number;
  readonly signal: AbortSignal;
  /** As each arrives; where one backend is asked, in no certain order. */
  readonly onExplained?: (problemId: string, explanation: Explanation) => void;
  /** Before the first: how many there will be. */
  readonly onStart?: (total: number) => void;
  /** In place of podlens' own texts. */
  readonly prompts?: Partial<PromptTexts>;
  /** Milliseconds, for the statistics; the default is the process's monotonic clock. */
  readonly clock?: () => number;
}

/** Never fails for a model's sake: what goes wrong stands in the notes. */
export type Explain = (report: Report, snapshot: Snapshot | undefined, options: ExplainOptions) => Promise<Explained>;
