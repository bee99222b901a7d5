import { PodlensError } from '../errors.ts';
import {
  type Backend,
  type CompleteOptions,
  failuresOfPrompt,
  lastingFailures,
  type Prompt,
  type Tokens,
} from './backend.ts';
import { cleanLine } from './clean.ts';
import type { ExplainStats, Explanation } from './explained.ts';
import { estimateTokens } from './prompt.ts';
import { cutSecrets } from './secrets.ts';

type Count = { -readonly [K in keyof ExplainStats]: ExplainStats[K] };

/** What one backend did in this run. */
export interface Run {
  readonly backend: Backend;
  readonly explanations: Map<string, Explanation>;
  readonly notes: Set<string>;
  readonly stats: Count;
  /** Why it is not asked any more. */
  stopped: boolean;
  lastFailure: string | undefined;
  /** Failures since the last answer. */
  failures: number;
}

export const createRun = (backend: Backend): Run => ({
  backend,
  explanations: new Map(),
  notes: new Set(),
  stats: noStats(),
  stopped: false,
  lastFailure: undefined,
  failures: 0,
});

const noStats = (): Count => ({
  calls: 0,
  cacheHits: 0,
  shared: 0,
  failed: 0,
  unsupported: 0,
  rejected: 0,
  tokens: { input: 0, output: 0 },
  milliseconds: 0,
});

export function total(all: readonly ExplainStats[]): ExplainStats {
  const sum = noStats();
  for (const stats of all) {
    for (const name of ['calls', 'cacheHits', 'shared', 'failed', 'unsupported', 'rejected', 'milliseconds'] as const)
      sum[name] += stats[name];
    sum.tokens = addTokens(sum.tokens, stats.tokens);
  }
  return sum;
}

export const addTokens = (a: Tokens, b: Tokens): Tokens => ({ input: a.input + b.input, output: a.output + b.output });

/** What all backends share. */
export interface Limits {
  readonly signal: AbortSignal;
  readonly clock: () => number;
  /** Whether one more call with about so many tokens may be made; if so it counts from now on. */
  take(tokens: number): boolean;
  /** What a call took in the end. */
  settle(taken: number, tokens: number): void;
  notes(): readonly string[];
}

export interface Budget {
  readonly signal: AbortSignal;
  readonly clock: () => number;
  readonly maxCalls?: number | undefined;
  readonly maxTokens?: number | undefined;
}

// What an answer is reckoned at before it is there.
const ANSWER_TOKENS = 600;

/** Counts what has been spent. */
export function createLimits({
  signal,
  clock,
  maxCalls = Number.POSITIVE_INFINITY,
  maxTokens = Number.POSITIVE_INFINITY,
}: Budget): Limits {
  const notes = new Set<string>();
  let calls = 0;
  let tokens = 0;
  return {
    signal,
    clock,
    take(wanted) {
      if (calls >= maxCalls)
        notes.add(
          `The budget of ${maxCalls} ${maxCalls === 1 ? 'call' : 'calls'} is used up; what is not explained keeps the rules' own remedy.`,
        );
      else if (tokens + wanted > maxTokens)
        notes.add(`The budget of ${maxTokens} tokens is used up; what is not explained keeps the rules' own remedy.`);
      else {
        calls++;
        tokens += wanted;
        return true;
      }
      return false;
    },
    settle(taken, used) {
      tokens += used - taken;
    },
    notes: () => [...notes],
  };
}

type Reply = { readonly tokens: Tokens; readonly milliseconds: number } & (
  | { readonly text: string }
  | { readonly failure: string }
);

/** Undefined where no call is made any more: the budget is used up, or the backend is known to be down. */
export async function call(
  prompt: Prompt,
  run: Run,
  { signal, clock, take, settle, onText }: Limits & Pick<CompleteOptions, 'onText'>,
): Promise<Reply | undefined> {
  if (run.stopped || signal.aborted) return undefined;
  const input = estimateTokens(
    [prompt.system, ...(prompt.history ?? []).map(({ content }) => content), prompt.user].join('\n'),
  );
  const reckoned = input + ANSWER_TOKENS;
  if (!take(reckoned)) return undefined;
  run.stats.calls++;
  const begin = clock();
  const spend = (tokens: Tokens) => {
    const milliseconds = clock() - begin;
    settle(reckoned, tokens.input + tokens.output);
    run.stats.tokens = addTokens(run.stats.tokens, tokens);
    run.stats.milliseconds += milliseconds;
    return { tokens, milliseconds };
  };
  try {
    const { text, tokens } = await run.backend.complete(prompt, onText === undefined ? { signal } : { signal, onText });
    const spent = spend(tokens ?? { input, output: estimateTokens(text) });
    run.lastFailure = undefined;
    run.failures = 0;
    return { text, ...spent };
  } catch (error) {
    const spent = spend({ input: 0, output: 0 });
    if (signal.aborted) return undefined;
    return fail(error, run, spent);
  }
}

/** Of prompts that are refused one after the other. */
const MOST_REFUSALS = 5;

/** A backend that is down, that fails twice in the same way, or too often in a row, is said once and not asked again. */
function fail(
  error: unknown,
  run: Run,
  spent: { readonly tokens: Tokens; readonly milliseconds: number },
): Reply | undefined {
  const failure = failureOf(error);
  const code = error instanceof PodlensError ? error.code : '';
  run.failures++;
  const down = run.failures > 2 || run.lastFailure === failure || lastingFailures.has(code);
  if (failuresOfPrompt.has(code) ? run.failures >= MOST_REFUSALS : down) {
    run.stopped = true;
    run.notes.add(`${run.backend.id}: ${failure} It is not asked again; the rules' own words stand.`);
    return undefined;
  }
  run.lastFailure = failure;
  return { failure, ...spent };
}

function failureOf(error: unknown): string {
  const hint = error instanceof PodlensError && error.hint !== undefined ? ` ${error.hint}` : '';
  const message = `${error instanceof Error ? error.message : String(error)}${hint}`;
  const line = cleanLine(cutSecrets(message)).slice(0, 500);
  return line === '' ? 'The call failed.' : /[.!?]$/.test(line) ? line : `${line}.`;
}
