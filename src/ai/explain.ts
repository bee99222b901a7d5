import type { Cache } from '../cache/cache.ts';
import type { Report } from '../finding.ts';
import type { Snapshot } from '../snapshot.ts';
import { type Answer, checkAnswer, lastingPart, readAnswer } from './answer.ts';
import { pieceReader } from './answer-stream.ts';
import { type Asked, askedOf, type Group, groupsOf, type PromptChoices } from './ask.ts';
import type { Backend, Prompt } from './backend.ts';
import { addTokens, call, createLimits, createRun, type Limits, type Run, total } from './calls.ts';
import { nameableOf } from './commands.ts';
import type { Cost, Explained, Explanation } from './explained.ts';
import { fill } from './templates/texts.ts';

export { renderPrompt, renderPrompts } from './ask.ts';

export interface ExplainOptions extends PromptChoices {
  /** Each is asked about every problem. */
  readonly backends: readonly Backend[];
  /** Absent with --no-cache: nothing is read and nothing is written. */
  readonly cache?: Cache | undefined;
  readonly maxCalls?: number | undefined;
  /** Input and output together. */
  readonly maxTokens?: number | undefined;
  /** How many calls at once of each backend; 4 where absent. */
  readonly concurrency?: number | undefined;
  readonly signal: AbortSignal;
  /** As each arrives, in no certain order. */
  readonly onExplained?: ((problemId: string, explanation: Explanation) => void) | undefined;
  /** Where one backend explains one problem: each claim about its cause that passed the check, as soon as it is there. */
  readonly onPiece?: ((problemId: string, text: string) => void) | undefined;
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
  const { clock = () => performance.now(), concurrency = 4 } = options;
  const onPiece = asked.length === 1 && runs.length === 1 ? options.onPiece : undefined;
  const asking: Asking = { options, limits: createLimits({ ...options, clock }), onPiece };
  options.onStart?.(asked.length * runs.length);
  await Promise.all(
    runs.map((run) => {
      const groups = groupsOf(asked, run.backend, options);
      return inParallel(groups, concurrency, (group) => explainGroup(group, run, asking));
    }),
  );

  const explanations = Object.fromEntries(
    asked.flatMap(({ problem: { id } }) => {
      const found = runs.flatMap((run) => run.explanations.get(id) ?? []);
      return found.length === 0 ? [] : [[id, found] as const];
    }),
  );
  const notes = [...new Set([...runs.flatMap((run) => [...run.notes]), ...asking.limits.notes()])];
  const backends = Object.fromEntries(runs.map(({ backend, stats }) => [backend.id, { ...stats }]));
  return { ...report, explanations, explain: { notes, stats: total(runs.map(({ stats }) => stats)), backends } };
}

interface Asking {
  readonly options: ExplainOptions;
  readonly limits: Limits;
  readonly onPiece: ExplainOptions['onPiece'];
}

interface Answered {
  readonly answer: Answer;
  readonly cached: boolean;
  readonly cost?: Cost;
}

type Outcome = Answered | { readonly note: string; readonly cost?: Cost } | undefined;

async function explainGroup({ key, members }: Group, run: Run, asking: Asking): Promise<void> {
  const { options } = asking;
  const [first, ...others] = members;
  if (first === undefined) return;
  const outcome = (await fromCache(key, options)) ?? (await fromBackend(first, run, asking));
  if (outcome === undefined) return;
  if ('answer' in outcome && outcome.cached) run.stats.cacheHits++;
  note(first, explanationOf(first, outcome, { backend: run.backend.id, shared: false }), run, options);

  const lasting = 'answer' in outcome ? await keep(outcome, first, key, options) : outcome;
  // What the first was told came of its own timeline alone: the others are asked about for themselves.
  if (lasting === undefined) return explainGroup({ key, members: others }, run, asking);
  for (const member of others) {
    if ('answer' in lasting) run.stats.shared++;
    note(member, explanationOf(member, lasting, { backend: run.backend.id, shared: true }), run, options);
  }
}

/** What of an answer holds for equal problems, now and from the cache: undefined where that explains nothing. */
async function keep(outcome: Answered, first: Asked, key: string, { cache }: ExplainOptions) {
  if (outcome.cached) return outcome;
  const answer = lastingPart(outcome.answer, first.built.passing);
  if (answer.cause.length === 0) return undefined;
  if (checked(answer, first).cause !== '') await cache?.set(key, JSON.stringify(answer));
  return { ...outcome, answer };
}

function note(member: Asked, explanation: Explanation, run: Run, options: ExplainOptions): void {
  run.stats.unsupported += explanation.unsupported;
  run.stats.rejected += explanation.rejected.length;
  if (explanation.cause === '' && explanation.steps.length === 0) run.stats.failed++;
  run.explanations.set(member.problem.id, explanation);
  options.onExplained?.(member.problem.id, explanation);
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
  { backend, shared }: { readonly backend: string; readonly shared: boolean },
): Explanation {
  const cost = outcome.cost === undefined || shared ? {} : { cost: outcome.cost };
  if (!('answer' in outcome)) {
    const none = { cause: '', steps: [], confidence: 'possible', cites: [], unsupported: 0, rejected: [] } as const;
    return { ...none, backend, cached: false, note: outcome.note, ...cost };
  }
  const said = checked(outcome.answer, member);
  const note = noteOf(said);
  return { ...said, backend, cached: outcome.cached || shared, ...(note === undefined ? {} : { note }), ...cost };
}

const checked = (answer: Answer, { built: { ids }, redaction, problem }: Asked) =>
  checkAnswer(answer, { ids, redaction, nameable: nameableOf(problem) });

function noteOf({ cause, unsupported }: Pick<Explanation, 'cause' | 'unsupported'>): string | undefined {
  if (cause !== '') return undefined;
  return `Nothing it said about the cause rests on the evidence (${unsupported} ${unsupported === 1 ? 'claim' : 'claims'} left out); the rules' own words stand.`;
}

/** One call, and a second one where the first answer cannot be read. Undefined where it was not made. */
async function fromBackend(asked: Asked, run: Run, { limits, onPiece }: Asking): Promise<Outcome> {
  const { prompt } = asked.built;
  let cost: Cost = { calls: 0, tokens: { input: 0, output: 0 }, milliseconds: 0 };
  let next: Prompt = prompt;
  let error = '';
  for (let attempt = 0; attempt < 2; attempt++) {
    const streamed = attempt === 0 && onPiece !== undefined;
    const reply = await call(next, run, streamed ? { ...limits, onText: pieces(asked, onPiece) } : limits);
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

function pieces({ problem, built: { ids }, redaction }: Asked, onPiece: NonNullable<ExplainOptions['onPiece']>) {
  const check = { ids, redaction, nameable: nameableOf(problem) };
  return pieceReader(check, (text) => onPiece(problem.id, text));
}

const unread = (error: string): string => `Its answer could not be read: ${error} The rules' own words stand.`;

const LONGEST_ANSWER = 4000;

function repairOf({ built: { prompt }, texts, language }: Asked, answer: string, error: string): Prompt {
  const said = answer.trim().slice(0, LONGEST_ANSWER);
  if (said === '') return prompt;
  const history = [{ role: 'user', content: prompt.user } as const, { role: 'assistant', content: said } as const];
  return { ...prompt, user: fill(texts.repair, { error, language }), history };
}

/** `work` on every item, in their order, on so many at once. */
async function inParallel<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(width, items.length)) }, worker));
}
