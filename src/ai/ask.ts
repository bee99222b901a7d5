import { cacheKey, normalize } from '../cache/key.ts';
import type { Problem, Report } from '../finding.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Backend } from './backend.ts';
import { languageName } from './language.ts';
import { type Names, namesOf } from './names.ts';
import { type BuiltPrompt, buildPrompt, promptAsText } from './prompt.ts';
import { PSEUDONYM } from './pseudonyms.ts';
import { createRedaction, type Redaction } from './redact.ts';
import { type PromptTexts, promptTexts } from './templates/texts.ts';

export interface PromptChoices {
  /** A language's name or tag: "de", "中文", "pt-BR". English where absent. */
  readonly language?: string | undefined;
  /** False sends names as they are; secrets are cut out all the same. */
  readonly anonymize?: boolean | undefined;
  /** In place of podlens' own texts. */
  readonly prompts?: Partial<PromptTexts> | undefined;
}

/** A problem and the prompt for it. */
export interface Asked {
  readonly problem: Problem;
  readonly built: BuiltPrompt;
  /** What it comes down to, without times and counts: equal for equal causes, and with pseudonyms whatever their names. */
  readonly essence: string;
  readonly redaction: Redaction;
  readonly texts: PromptTexts;
  readonly language: string;
}

/** Information is no problem: nobody is asked about it. */
export function askedOf(report: Report, snapshot: Snapshot | undefined, choices: PromptChoices): Asked[] {
  const problems = report.problems.filter(({ root }) => root.severity !== 'info');
  if (problems.length === 0) return [];
  const names = namesOf(report, snapshot);
  return problems.map((problem) => ask(problem, { names, snapshot }, choices));
}

interface Known {
  readonly names: Names;
  readonly snapshot: Snapshot | undefined;
}

function ask(
  problem: Problem,
  { names, snapshot }: Known,
  { language: asked, anonymize = true, prompts }: PromptChoices,
): Asked {
  const texts = { ...promptTexts, ...prompts };
  const language = languageName(asked);
  // Each problem has pseudonyms of its own, counted in the order they appear: the same fault elsewhere reads the same.
  const redaction = createRedaction(names, { anonymize });
  const built = buildPrompt(problem, { snapshot, redaction, texts, language });
  const essence = normalize(`${built.prompt.system}\n${built.essence}`);
  return { problem, built, essence, redaction, texts, language };
}

/** Problems that one answer explains, and its key. */
export interface Group {
  readonly key: string;
  readonly members: readonly Asked[];
}

/** Distinct causes: each is asked about once. */
export function groupsOf(
  asked: readonly Asked[],
  { id, parameters = {} }: Backend,
  { anonymize = true }: PromptChoices,
): Group[] {
  const groups = new Map<string, Asked[]>();
  for (const one of asked) {
    const key = cacheKey({
      version: 2,
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

export interface RenderedPrompt {
  readonly problemIds: readonly string[];
  readonly text: string;
  /** What the pseudonyms in it stand for: in the first of these problems, where there are several. */
  readonly names: ReadonlyMap<string, string>;
}

/** What would be sent for each distinct cause, as text: contacts nobody. */
export function renderPrompts(
  report: Report,
  snapshot: Snapshot | undefined,
  choices: PromptChoices,
): RenderedPrompt[] {
  const prompts = new Map<string, RenderedPrompt & { problemIds: string[] }>();
  for (const { problem, built, essence, redaction } of askedOf(report, snapshot, choices)) {
    const known = prompts.get(essence);
    if (known !== undefined) {
      known.problemIds.push(problem.id);
      continue;
    }
    const text = promptAsText(built.prompt);
    prompts.set(essence, { problemIds: [problem.id], text, names: namesIn(built.prompt.user, redaction) });
  }
  return [...prompts.values()];
}

function namesIn(text: string, { reveal }: Redaction): Map<string, string> {
  const pairs = (text.match(PSEUDONYM) ?? []).map((pseudonym) => [pseudonym, reveal(pseudonym)] as const);
  return new Map(
    pairs
      .filter(([pseudonym, name]) => name !== pseudonym)
      .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })),
  );
}

/** The prompt for one problem, as text. */
export function renderPrompt(problem: Problem, snapshot: Snapshot | undefined, choices: PromptChoices): string {
  const names = namesOf({ problems: [problem] }, snapshot);
  return promptAsText(ask(problem, { names, snapshot }, choices).built.prompt);
}
