import type { Evidence, Finding, Moment, Problem, Ref } from '../finding.ts';
import type { Snapshot } from '../snapshot.ts';
import { answerSchema } from './answer-schema.ts';
import type { Prompt } from './backend.ts';
import { quoted, unquoted } from './clean.ts';
import type { Redaction } from './redact.ts';
import { setupOf } from './setup.ts';
import { shorten } from './shorten.ts';
import { fill, type PromptTexts } from './templates/texts.ts';
import { aCommonWord } from './words.ts';

/** About how many tokens the system and user parts of a prompt may have together. */
const BUDGET = 4000;
const LONGEST_TEXT = 1600;
const MOST_MOMENTS = 12;
const MOST_EVIDENCE = 30;
const MOST_SYMPTOMS = 10;
const MOST_OF_A_SYMPTOM = 4;

export interface BuiltPrompt {
  readonly prompt: Prompt;
  /** What an answer may cite. */
  readonly ids: ReadonlySet<string>;
  /** Those of them that may be gone in the next run while the fault is still there. */
  readonly passing: ReadonlySet<string>;
  /** The prompt without what changes from run to run beside times and counts: for the cache's key. */
  readonly essence: string;
}

export interface PromptOptions {
  /** What the report was made from, where there is more to say of it. */
  readonly snapshot?: Snapshot | undefined;
  readonly redaction: Redaction;
  readonly texts: PromptTexts;
  /** As `languageName` gives it. */
  readonly language: string;
}

/** What a person, or an answer, may point at by id: "e1" of the cause, "p1" of a spec, "s1" and "s1.e1" of a symptom, "c1", "t1". */
export function citable(problem: Problem, snapshot: Snapshot | undefined): Map<string, Omit<Evidence, 'id'>> {
  const entries = new Map<string, Omit<Evidence, 'id'>>();
  for (const line of linesOf(problem, snapshot)) if (line.id !== undefined) entries.set(line.id, line.entry);
  return entries;
}

/** The prompt for one problem: everything in it has passed redaction. */
export function buildPrompt(problem: Problem, { snapshot, redaction, texts, language }: PromptOptions): BuiltPrompt {
  const say = (text: string) => quoted(shorten(redaction.hide(text), LONGEST_TEXT));
  const system = fill(texts.system, { language });
  const about = (affects: string) => problemLines(problem, redaction, say, affects);
  const everything = linesOf(problem, snapshot);
  // Once before it counts: a host or user that one text gives away is then hidden in all of them.
  for (const text of [...about(''), ...everything.map((line) => line.entry.text)]) redaction.hide(text);
  const remedy = remedyLines(problem, redaction);
  const head = about(affectsOf(problem)).join('\n');
  const room = BUDGET - estimateTokens(system + texts.user + head + remedy.join('\n'));
  const lines = keepTelling(
    everything.map((line) => ({ ...line, text: writeLine(line, redaction) })),
    room,
  );
  const written = (kept: readonly Written[]) => kept.map(({ text }) => text).join('\n') || '(none)';
  const values = { language, remedy: remedy.join('\n') || '(nothing)' };
  const user = fill(texts.user, { ...values, problem: head, evidence: written(lines) });
  const lasting = lines.filter(({ passing }) => passing !== true);
  const idsOf = (some: readonly Line[]) => new Set(some.flatMap(({ id }) => id ?? []));
  return {
    prompt: { system, user, schema: answerSchema },
    ids: idsOf(lines),
    passing: idsOf(lines.filter(({ passing }) => passing === true)),
    essence: fill(texts.user, { ...values, problem: about('').join('\n'), evidence: written(lasting) }),
  };
}

/** The prompt as one text, ready to paste into a chat. */
export const promptAsText = ({ system, user }: Prompt): string => `${system}\n\n${user}\n`;

/** Four characters of English make a token, one of Chinese. */
export function estimateTokens(text: string): number {
  let wide = 0;
  for (const character of text) if (character > '\u02ff') wide++;
  return Math.ceil((text.length - wide) / 4 + wide);
}

function problemLines(
  problem: Problem,
  redaction: Redaction,
  say: (text: string) => string,
  affects: string,
): string[] {
  const { root, owner } = problem;
  return [
    `Cause: ${root.code} (${root.severity}, ${root.confidence})`,
    `Finding: ${say(root.message)}`,
    `Object: ${unquoted(redaction.hide(nameOf(root.subject)))}`,
    ...(owner === undefined ? [] : [`Owner: ${unquoted(redaction.hide(nameOf(owner)))}`]),
    ...(root.suspects.length === 0
      ? []
      : [`Suspects: ${unquoted(redaction.hide(root.suspects.slice(0, 5).map(nameOf).join(', ')))}`]),
    ...(affects === '' ? [] : [`Affects: ${affects}`]),
  ];
}

/** "9 Pods, 1 Service": names would only differ between replicas. */
function affectsOf({ affects }: Problem): string {
  const counts = new Map<string, number>();
  for (const { kind } of affects) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}${count === 1 ? '' : 's'}`).join(', ');
}

function remedyLines({ root }: Problem, redaction: Redaction): string[] {
  const steps = [...root.remedy, ...(root.check === undefined ? [] : [root.check])];
  return steps.map(
    ({ text, command }) =>
      `- ${quoted(hideNames(text, redaction))}${command === undefined ? '' : ` ${unquoted(redaction.hide(command))}`}`,
  );
}

/** In a rule's own sentence "the data" is the data, whatever else is called so. */
const hideNames = (text: string, { hide }: Redaction): string =>
  text
    .split(aCommonWord)
    .map((part, index) => (index % 2 === 1 ? part : hide(part)))
    .join('');

/** A field's path has names in its brackets alone: "status.containerStatuses[app]", "event BackOff". */
const hidePlace = (where: string, { hide }: Redaction): string =>
  /^(?:(?:log|event|symptom) )?[\w.-]+(?:\[[^\]]*\][\w.-]*)*$/.test(where)
    ? where.replace(/\[([^\]]*)\]/g, (_, inner: string) => `[${hide(inner)}]`)
    : hide(where);

const nameOf = ({ kind, namespace, name, container }: Ref): string =>
  `${container === undefined || container === '' ? '' : `container ${container} of `}${kind} ${name}${namespace === undefined ? '' : ` in namespace ${namespace}`}`;

interface Line {
  readonly id?: string;
  readonly entry: Omit<Evidence, 'id'>;
  /** The higher, the more it tells. */
  readonly weight: number;
  /** Whether it comes and goes while the fault stays. */
  readonly passing?: boolean;
}

interface Written extends Line {
  readonly text: string;
}

/** Everything that may be cited, in the order in which it is shown. */
function linesOf(problem: Problem, snapshot: Snapshot | undefined): Line[] {
  return [
    ...problem.root.evidence
      .slice(0, MOST_EVIDENCE)
      .map((evidence, index) => evidenceLine(evidence, evidence.id, 100 - index)),
    ...setupOf(problem, snapshot).map((entry, index) => ({ id: `p${index + 1}`, entry, weight: 75 - index })),
    ...momentLines('c', problem.changes ?? [], 70),
    ...symptomLines(problem.symptoms),
    ...momentLines('t', problem.timeline ?? [], 20).map((line) => ({ ...line, passing: true })),
  ];
}

const evidenceLine = ({ id: _, ...entry }: Evidence, id: string, weight: number): Line => ({
  id,
  entry,
  weight: entry.where.startsWith('log') ? weight - 20 : weight,
});

const momentLines = (letter: string, moments: readonly Moment[], weight: number): Line[] =>
  moments.slice(-MOST_MOMENTS).map(({ from, at, text }, index) => ({
    id: `${letter}${index + 1}`,
    entry: { from, where: letter === 'c' ? 'changed' : 'happened', text, at },
    weight: weight + index / 100,
  }));

/** The first of each code speaks for all that share it. */
function symptomLines(symptoms: readonly Finding[]): Line[] {
  const codes = new Set<string>();
  const lines: Line[] = [];
  for (const symptom of symptoms) {
    if (codes.has(symptom.code) || codes.size === MOST_SYMPTOMS) continue;
    codes.add(symptom.code);
    const id = `s${codes.size}`;
    const entry = { from: symptom.subject, where: `symptom ${symptom.code}`, text: symptom.message };
    lines.push({ id, entry, weight: 60 - codes.size });
    symptom.evidence.slice(0, MOST_OF_A_SYMPTOM).forEach((evidence, index) => {
      lines.push(evidenceLine(evidence, `${id}.${evidence.id}`, 50 - codes.size - index));
    });
  }
  return lines;
}

function writeLine({ id, entry: { from, where, text, at } }: Line, redaction: Redaction): string {
  const time = at !== undefined && /^[\dT:.Z+-]{10,35}$/.test(at) ? `, ${at}` : '';
  const place = `${unquoted(`${redaction.hide(nameOf(from))}, ${hidePlace(where, redaction)}`)}${time}`;
  return `[${id}] ${place}: ${quoted(shorten(redaction.hide(text), LONGEST_TEXT))}`;
}

/** Takes the lines that tell most until the room is used up, and gives them in their own order. */
function keepTelling(lines: readonly Written[], room: number): Written[] {
  const kept = new Set<Written>();
  let left = room;
  for (const line of [...lines].sort((a, b) => b.weight - a.weight)) {
    const tokens = estimateTokens(line.text) + 1;
    if (tokens > left) continue;
    kept.add(line);
    left -= tokens;
  }
  return lines.filter((line) => kept.has(line));
}
