import { readFile } from 'node:fs/promises';
import type { Backend } from '../ai/backend.ts';
import type { BackendRequest } from '../ai/choose-backends.ts';
import type { Explained, ExplainStats, Explanation } from '../ai/explained.ts';
import type { Cache } from '../cache/cache.ts';
import type { Config } from '../config.ts';
import { PodlensError } from '../errors.ts';
import type { Report } from '../finding.ts';
import { sanitizeLine } from '../report/sanitize.ts';
import type { Snapshot } from '../snapshot.ts';
import { type Io, write } from './io.ts';

/** What the flags say about explaining. */
export interface ExplainFlags extends BackendRequest {
  readonly language?: string | undefined;
  /** False: answers are neither looked up nor kept. */
  readonly cache: boolean;
  /** Absent: as the config says. */
  readonly anonymize?: boolean | undefined;
  readonly maxCalls?: number | undefined;
  readonly maxTokensTotal?: number | undefined;
}

/** Everything that is decided before the cluster is read, so that a wrong flag costs no waiting. */
export interface Explainer {
  readonly backends: readonly Backend[];
  readonly language: string | undefined;
  readonly anonymize: boolean;
  /** Never fails for a model's sake: what went wrong stands in the notes of the result. */
  explain(report: Report, snapshot: Snapshot | undefined, events?: ExplainEvents): Promise<Explained>;
}

interface ExplainEvents {
  /** How many explanations there will be at most. */
  readonly onStart?: (total: number) => void;
  readonly onExplained?: (problemId: string, explanation: Explanation) => void;
  /** Where one backend explains one problem: what it says of the cause, checked, before the explanation is whole. */
  readonly onPiece?: (problemId: string, text: string) => void;
}

/** Chooses and opens the backends. Fails where the person's choice cannot work; an endpoint that is down is no failure. */
export async function prepareExplainer(flags: ExplainFlags, config: Config, io: Io): Promise<Explainer> {
  const { chooseBackends } = await import('../ai/choose-backends.ts');
  const settings = chooseBackends(flags, config, io.env);
  const { openOrDown } = await import('../ai/backends.ts');
  const { env, signal } = io;
  const keys = new Map<string, Promise<string>>();
  const backends = await Promise.all(settings.map((one) => openOrDown(one, { env, signal, keys })));
  const choices = await promptChoices(flags, config, io);
  if (choices.anonymize === false) await warnOfNames(backends, io);
  const cache = flags.cache && config.cache.enabled ? await openCache(config, io.env) : undefined;
  return {
    backends,
    language: choices.language,
    anonymize: choices.anonymize,
    async explain(report, snapshot, events = {}) {
      const { explain } = await import('../ai/explain.ts');
      const { maxCalls, maxTokensTotal: maxTokens } = flags;
      return explain(report, snapshot, { ...choices, ...events, backends, cache, maxCalls, maxTokens, signal });
    },
  };
}

export interface PrintedPrompts {
  readonly text: string;
  /** What the pseudonyms stand for: not to be pasted anywhere. */
  readonly names: string;
}

/** `--print-prompt`: what would be sent for each distinct cause. Contacts nobody and needs no backend. */
export async function printedPrompts(
  report: Report,
  snapshot: Snapshot | undefined,
  { flags, config, io }: { readonly flags: ExplainFlags; readonly config: Config; readonly io: Io },
): Promise<PrintedPrompts> {
  const { renderPrompts } = await import('../ai/explain.ts');
  const prompts = renderPrompts(report, snapshot, await promptChoices(flags, config, io));
  const tables = prompts.flatMap(({ names }, index) => {
    const lines = [...names].map(([pseudonym, name]) => `  ${pseudonym}: ${sanitizeLine(name)}\n`);
    return lines.length === 0
      ? []
      : [`Names in ${prompts.length === 1 ? 'the prompt' : `prompt ${index + 1}`}:\n${lines.join('')}`];
  });
  return { text: prompts.map(({ text }) => text).join(`\n${'─'.repeat(60)}\n\n`), names: tables.join('') };
}

async function promptChoices(flags: ExplainFlags, config: Config, io: Io) {
  const entries = Object.entries(config.prompts).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const texts = await Promise.all(entries.map(async ([name, file]) => [name, await readPrompt(name, file)] as const));
  return {
    language: flags.language ?? (io.env['PODLENS_LANGUAGE'] || config.language),
    anonymize: flags.anonymize ?? config.anonymize,
    prompts: Object.fromEntries(texts),
  };
}

async function readPrompt(name: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PodlensError('prompt-unreadable', `The file for prompts.${name} cannot be read: ${reason}`, { cause });
  }
}

async function warnOfNames(backends: readonly Backend[], io: Io): Promise<void> {
  const remote = backends.filter(({ local }) => !local).map(({ id }) => id);
  if (remote.length === 0) return;
  await write(io.stderr, `warning: Names, images and addresses are sent as they are to ${remote.join(', ')}.\n`);
}

async function openCache({ cache }: Config, env: NodeJS.ProcessEnv): Promise<Cache | undefined> {
  const { cacheFolder, createFileCache } = await import('../cache/file.ts');
  const folder = cacheFolder(env);
  if (folder === undefined) return undefined;
  return createFileCache({ folder, maxBytes: cache.maxSizeMb * 2 ** 20, maxAgeMs: cache.maxAgeDays * 24 * 3_600_000 });
}

/** What `--stats` says of the models: a line for each, and one for all where there are several. */
export function explainStatsLines({ explain }: Explained): string[] {
  if (explain === undefined) return [];
  const backends = Object.entries(explain.backends);
  const lines = backends.map(([id, stats]) => `${id}: ${statsWords(stats)}`);
  return backends.length > 1 ? [...lines, `all models: ${statsWords(explain.stats)}`] : lines;
}

function statsWords({
  calls,
  cacheHits,
  shared,
  failed,
  tokens,
  milliseconds,
  unsupported,
  rejected,
}: ExplainStats): string {
  return [
    count(calls, 'call'),
    `${cacheHits} from the cache`,
    ...(shared === 0 ? [] : [`${shared} shared`]),
    ...(failed === 0 ? [] : [`${failed} without an answer`]),
    `${tokens.input} tokens in, ${tokens.output} out`,
    `${(milliseconds / 1000).toFixed(1)} s`,
    `${count(unsupported, 'claim')} and ${count(rejected, 'command')} left out`,
  ].join(', ');
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
