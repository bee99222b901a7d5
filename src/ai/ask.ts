import { cacheKey, normalize } from '../cache/key.ts';
import type { Problem, Report } from '../finding.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Backend } from './backend.ts';
import { languageName } from './language.ts';
import { type Names, namesOf } from './names.ts';
import { type BuiltPrompt, buildPrompt, promptAsText } from './prompt.ts';
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
  return promptAsText(ask(problem, { names, snapshot }, choices).built.prompt);
}
