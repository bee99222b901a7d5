import type { Cache } from '../cache/cache.ts';
import { cacheKey, normalize } from '../cache/key.ts';
import type { Problem, Report } from '../finding.ts';
import type { Snapshot } from '../snapshot.ts';
import { type Answer, checkAnswer, readAnswer, storedAnswer } from './answer.ts';
import { type Backend, lastingFailures, type Prompt, type Tokens } from './backend.ts';
import { cleanLine } from './clean.ts';
import { nameableOf } from './commands.ts';
import type { Cost, Explained, ExplainStats, Explanation } from './explained.ts';
import { languageName } from './language.ts';
import { type Names, namesOf } from './names.ts';
import { type BuiltPrompt, buildPrompt, estimateTokens, promptAsText } from './prompt.ts';
import { createRedaction, type Redaction } from './redact.ts';
import { cutSecrets } from './secrets.ts';
import { fill, type PromptTexts, promptTexts } from './templates/texts.ts';

export interface PromptChoices {
  /** A language's name or tag: "de", "中文", "pt-BR". English where absent. */
  readonly language?: string | undefined;
  /** False sends names as they are; secrets are cut out all the same. */
  readonly anonymize?: boolean | undefined;
  /** In place of podlens' own texts. */
  readonly prompts?: Partial<PromptTexts> | undefined;
}

export interface ExplainOptions extends PromptChoices {
  /** Each is asked about every problem. */
  readonly backends: readonly Backend[];
  /** Absent with --no-cache: nothing is read and nothing is written. */
  readonly cache?: Cache | undefined;
  readonly maxCalls?: number | undefined;
  /** Input and output together. */
  readonly maxTokens?: number | undefined;
  /** How many calls at once; 4 where absent. */
  readonly concurrency?: number | undefined;
  readonly signal: AbortSignal;
  /** As each arrives, in no certain order. */
  readonly onExplained?: ((problemId: string, explanation: Explanation) => void) | undefined;
  /** Before the first: how many explanations there will be at most. */
  readonly onStart?: ((total: number) => void) | undefined;
  /** Milliseconds, for the statistics; the default is the process's monotonic clock. */
  readonly clock?: (() => number) | undefined;
}

/**
 * Asks models about the problems of a report, once per distinct cause. It only adds: whatever they say, the report's
 * own causes, severities and commands stay. It never fails for a model's sake; what goes wrong stands in the notes.
 */
export async function explain(
  report: Report,
  snapshot: Snapshot | undefined,
  options: ExplainOptions,
): Promise<Explained> {
  const asked = askedOf(report, snapshot, options);
  const runs = options.backends.map((backend) => createRun(backend));
  const jobs = runs.flatMap((run) =>
    groupsOf(asked, run, options).map((group) => () => explainGroup(group, run, limits)),
  );
  const limits = createLimits(options);
  options.onStart?.(asked.length * runs.length);
  await inParallel(jobs, options.concurrency ?? 4);

  const explanations = Object.fromEntries(
    asked.flatMap(({ problem: { id } }) => {
      const found = runs.flatMap((run) => run.explanations.get(id) ?? []);
      return found.length === 0 ? [] : [[id, found] as const];
    }),
  );
  const notes = [...new Set([...runs.flatMap((run) => [...run.notes]), ...limits.notes()])];
  const backends = Object.fromEntries(runs.map(({ backend, stats }) => [backend.id, { ...stats }]));
  return { ...report, explanations, explain: { notes, stats: total(runs.map(({ stats }) => stats)), backends } };
}

/** What would be sent for each distinct cause, as text: contacts nobody. */
export function renderPrompts(
  report: Report,
  snapshot: Snapshot | undefined,
  choices: PromptChoices,
): { readonly problemIds: readonly string[]; readonly text: string }[] {
  const texts = new Map<string, { problemIds: string[]; text: string }>();
  for (const { problem, built, essence } of askedOf(report, snapshot, choices)) {
    const known = texts.get(essence);
    if (known === undefined) texts.set(essence, { problemIds: [problem.id], text: promptAsText(built.prompt) });
    else known.problemIds.push(problem.id);
  }
  return [...texts.values()];
}

/** The prompt for one problem, as text. */
export function renderPrompt(problem: Problem, snapshot: Snapshot | undefined, choices: PromptChoices): string {
  const names = namesOf({ problems: [problem] }, snapshot);
  return promptAsText(ask(problem, names, choices).built.prompt);
}

/** A problem and the prompt for it. */
interface Asked {
  readonly problem: Problem;
  readonly built: BuiltPrompt;
  /** What it comes down to, with pseudonyms and without times and counts: equal for equal causes. */
  readonly essence: string;
  /** Takes the pseudonyms of an answer back, whether or not the prompt had any. */
  readonly disguise: Redaction;
  readonly redaction: Redaction;
  readonly texts: PromptTexts;
  readonly language: string;
}

/** Information is no problem: nobody is asked about it. */
function askedOf(report: Report, snapshot: Snapshot | undefined, choices: PromptChoices): Asked[] {
  const problems = report.problems.filter(({ root }) => root.severity !== 'info');
  if (problems.length === 0) return [];
  const names = namesOf(report, snapshot);
  return problems.map((problem) => ask(problem, names, choices));
}

function ask(problem: Problem, names: Names, { language: asked, anonymize = true, prompts }: PromptChoices): Asked {
  const texts = { ...promptTexts, ...prompts };
  const language = languageName(asked);
  // Each problem has pseudonyms of its own, counted in the order they appear: the same fault elsewhere reads the same.
  const disguise = createRedaction(names, { anonymize: true });
  const disguised = buildPrompt(problem, { redaction: disguise, texts, language });
  const redaction = anonymize ? disguise : createRedaction(names, { anonymize: false });
  const built = anonymize ? disguised : buildPrompt(problem, { redaction, texts, language });
  const essence = normalize(`${disguised.prompt.system}\n${disguised.essence}`);
  return { problem, built, essence, disguise, redaction, texts, language };
}

/** Problems that one answer explains, and its key. */
interface Group {
  readonly key: string;
  readonly members: readonly Asked[];
}

function groupsOf(asked: readonly Asked[], { backend }: Run, { anonymize = true }: PromptChoices): Group[] {
  const groups = new Map<string, Asked[]>();
  for (const one of asked) {
    const { id, parameters = {} } = backend;
    const key = cacheKey({
      version: 1,
      backend: id,
      parameters,
      anonymize,
      language: one.language,
      essence: one.essence,
    });
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups].map(([key, members]) => ({ key, members }));
}

type Count = { -readonly [K in keyof ExplainStats]: ExplainStats[K] };

/** What one backend did in this run. */
interface Run {
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

const createRun = (backend: Backend): Run => ({
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

function total(all: readonly ExplainStats[]): ExplainStats {
  const sum = noStats();
  for (const stats of all) {
    for (const name of ['calls', 'cacheHits', 'shared', 'failed', 'unsupported', 'rejected', 'milliseconds'] as const)
      sum[name] += stats[name];
    sum.tokens = addTokens(sum.tokens, stats.tokens);
  }
  return sum;
}

const addTokens = (a: Tokens, b: Tokens): Tokens => ({ input: a.input + b.input, output: a.output + b.output });

/** What all backends share. */
interface Limits {
  readonly options: ExplainOptions;
  readonly clock: () => number;
  /** Whether one more call with about so many tokens may be made; if so it counts from now on. */
  take(tokens: number): boolean;
  /** What a call took in the end. */
  settle(taken: number, tokens: number): void;
  notes(): readonly string[];
}

// What an answer is reckoned at before it is there.
const ANSWER_TOKENS = 600;

function createLimits(options: ExplainOptions): Limits {
  const { maxCalls = Number.POSITIVE_INFINITY, maxTokens = Number.POSITIVE_INFINITY } = options;
  const notes = new Set<string>();
  let calls = 0;
  let tokens = 0;
  return {
    options,
    clock: options.clock ?? (() => performance.now()),
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

type Outcome =
  | { readonly answer: Answer; readonly cached: boolean; readonly cost?: Cost }
  | { readonly note: string; readonly cost?: Cost }
  | undefined;

async function explainGroup({ key, members }: Group, run: Run, limits: Limits): Promise<void> {
  const [first] = members;
  if (first === undefined) return;
  const outcome = (await fromCache(key, limits.options)) ?? (await fromBackend(first, run, limits));
  if (outcome === undefined) return;
  if ('answer' in outcome && !outcome.cached) {
    const hide = first.redaction === first.disguise ? (text: string) => text : first.disguise.hide;
    await limits.options.cache?.set(key, storedAnswer(outcome.answer, hide));
  }
  if ('answer' in outcome && outcome.cached) run.stats.cacheHits++;
  members.forEach((member, index) => {
    // The others of the group read the first one's answer as they would read it from the cache.
    const shared = index > 0;
    if (shared && 'answer' in outcome) run.stats.shared++;
    const explanation = explanationOf(member, outcome, { backend: run.backend.id, shared, from: first });
    run.stats.unsupported += explanation.unsupported;
    run.stats.rejected += explanation.rejected.length;
    if (explanation.cause === '' && explanation.steps.length === 0) run.stats.failed++;
    run.explanations.set(member.problem.id, explanation);
    limits.options.onExplained?.(member.problem.id, explanation);
  });
}

async function fromCache(key: string, { cache }: ExplainOptions): Promise<Outcome> {
  const kept = await cache?.get(key);
  if (kept === undefined) return undefined;
  const read = readAnswer(kept);
  return 'answer' in read ? { answer: read.answer, cached: true } : undefined;
}

function explanationOf(
  member: Asked,
  outcome: NonNullable<Outcome>,
  { backend, shared, from }: { readonly backend: string; readonly shared: boolean; readonly from: Asked },
): Explanation {
  const cost = outcome.cost === undefined || shared ? {} : { cost: outcome.cost };
  if (!('answer' in outcome)) {
    const none = { cause: '', steps: [], confidence: 'possible', cites: [], unsupported: 0, rejected: [] } as const;
    return { ...none, backend, cached: false, note: outcome.note, ...cost };
  }
  const clear = from.redaction !== from.disguise && !outcome.cached;
  const checked = checkAnswer(clear && shared ? disguised(outcome.answer, from) : outcome.answer, {
    ids: member.built.ids,
    redaction: clear && !shared ? member.redaction : member.disguise,
    nameable: nameableOf(member.problem),
  });
  const note = noteOf(checked);
  return { ...checked, backend, cached: outcome.cached || shared, ...(note === undefined ? {} : { note }), ...cost };
}

/** An answer with real names as it would stand in the cache. */
function disguised(answer: Answer, { disguise }: Asked): Answer {
  const read = readAnswer(storedAnswer(answer, disguise.hide));
  return 'answer' in read ? read.answer : answer;
}

function noteOf({ cause, unsupported }: Pick<Explanation, 'cause' | 'unsupported'>): string | undefined {
  if (cause !== '') return undefined;
  return `Nothing it said about the cause rests on the evidence (${unsupported} ${unsupported === 1 ? 'claim' : 'claims'} left out); the rules' own words stand.`;
}

/** One call, and a second one where the first answer cannot be read. Undefined where it was not made. */
async function fromBackend(asked: Asked, run: Run, limits: Limits): Promise<Outcome> {
  const { prompt } = asked.built;
  let cost: Cost = { calls: 0, tokens: { input: 0, output: 0 }, milliseconds: 0 };
  let next: Prompt = prompt;
  let error = '';
  for (let attempt = 0; attempt < 2; attempt++) {
    const reply = await call(next, run, limits);
    if (reply === undefined) return cost.calls === 0 ? undefined : { note: unread(error), cost };
    cost = {
      calls: cost.calls + 1,
      tokens: addTokens(cost.tokens, reply.tokens),
      milliseconds: cost.milliseconds + reply.milliseconds,
    };
    if ('failure' in reply) return { note: reply.failure, cost };
    const read = readAnswer(reply.text);
    if ('answer' in read) return { answer: read.answer, cached: false, cost };
    error = read.error;
    next = repairOf(asked, reply.text, error);
  }
  return { note: unread(error), cost };
}

const unread = (error: string): string => `Its answer could not be read: ${error} The rules' own words stand.`;

const LONGEST_ANSWER = 4000;

function repairOf({ built: { prompt }, texts, language }: Asked, answer: string, error: string): Prompt {
  const said = answer.trim().slice(0, LONGEST_ANSWER);
  if (said === '') return prompt;
  const history = [{ role: 'user', content: prompt.user } as const, { role: 'assistant', content: said } as const];
  return { ...prompt, user: fill(texts.repair, { error, language }), history };
}

type Reply = { readonly tokens: Tokens; readonly milliseconds: number } & (
  | { readonly text: string }
  | { readonly failure: string }
);

/** Undefined where no call is made any more: the budget is used up, or the backend is known to be down. */
async function call(
  prompt: Prompt,
  run: Run,
  { options: { signal }, clock, take, settle }: Limits,
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
    const { text, tokens } = await run.backend.complete(prompt, { signal });
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

/** A backend that is down, or that fails twice in the same way or three times in a row, is said once and not asked again. */
function fail(
  error: unknown,
  run: Run,
  spent: { readonly tokens: Tokens; readonly milliseconds: number },
): Reply | undefined {
  const failure = failureOf(error);
  const { code } = error as { readonly code?: unknown };
  run.failures++;
  if (run.failures > 2 || run.lastFailure === failure || (typeof code === 'string' && lastingFailures.has(code))) {
    run.stopped = true;
    run.notes.add(`${run.backend.id}: ${failure} It is not asked again; the rules' own words stand.`);
    return undefined;
  }
  run.lastFailure = failure;
  return { failure, ...spent };
}

function failureOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const line = cleanLine(cutSecrets(message)).slice(0, 300);
  return line === '' ? 'The call failed.' : /[.!?]$/.test(line) ? line : `${line}.`;
}

async function inParallel(jobs: readonly (() => Promise<void>)[], width: number): Promise<void> {
  const queue = jobs.values();
  const work = async () => {
    for (const job of queue) await job();
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(width, jobs.length)) }, work));
}
