import { z } from 'zod';
import type { Confidence, Step } from '../finding.ts';
import { cleanLine } from './clean.ts';
import { checkCommand, type Nameable } from './commands.ts';
import type { Explanation } from './explained.ts';
import { cleanProse } from './prose.ts';
import type { Redaction } from './redact.ts';

const confidences = { high: 'likely', medium: 'likely', low: 'possible' } satisfies Record<string, Confidence>;

const ID = /[a-z]\d+(?:\.e\d+)?/gi;

/** Small models write "e1", "[E1]" or "e1, e2" where a list is asked for. */
const cites = z.preprocess(
  (value) => (Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : []).flatMap(idsIn),
  z.array(z.string()),
);

function idsIn(text: string): string[] {
  const ids = text.match(ID);
  return ids === null ? [text] : ids.map((id) => id.toLowerCase());
}

const words = z.string().transform(cleanLine);

const claim = z.object({ text: words, cites });

/** A sentence with its ids inside: "The image does not exist [e1]." */
const sentence = z.string().transform((text) => ({
  text: cleanLine(text.replace(/\s*[[(](?:[a-z]\d+(?:\.e\d+)?(?:,\s*)?)+[\])]/gi, '')),
  cites: (text.match(/(?<=[[(,\s])[a-z]\d+(?:\.e\d+)?(?=[\]),])/gi) ?? []).map((id) => id.toLowerCase()),
}));

const Claim = z.union([claim, sentence]);

/** Something a model says, and the evidence it names for it. */
export type Claim = z.infer<typeof Claim>;

/** One entry of an answer's cause, undefined where it has another shape. */
export const readClaim = (value: unknown): Claim | undefined => Claim.safeParse(value).data;

const Answer = z.object({
  cause: z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(Claim).min(1)),
  steps: z
    .array(
      z.union([
        claim.extend({ command: words.nullish() }),
        sentence.transform((said) => ({ ...said, command: undefined })),
      ]),
    )
    .default([]),
  confidence: z.preprocess(
    (value) =>
      typeof value === 'string'
        ? ((confidences as Record<string, string>)[value.toLowerCase()] ?? value.toLowerCase())
        : value,
    z.enum(['certain', 'likely', 'possible']).catch('possible'),
  ),
});

/** An answer that has the right shape. Nothing in it has been checked against the report yet. */
export type Answer = z.infer<typeof Answer>;

export type Read = { readonly answer: Answer } | { readonly error: string };

/** Finds the answer in what a model wrote: alone, inside ``` fences, after its thoughts or among prose. */
export function readAnswer(text: string): Read {
  let error = text.trim() === '' ? 'it was empty.' : 'it has no JSON object.';
  for (const candidate of jsonObjects(text)) {
    const result = Answer.safeParse(candidate);
    if (result.success) return { answer: result.data };
    const [issue] = result.error.issues;
    error = `"${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'it has another shape'}.`;
  }
  return { error };
}

/** Every JSON object in a text that is not inside another, the last first: thoughts and examples come before answers. */
function jsonObjects(text: string): unknown[] {
  const found: unknown[] = [];
  let tries = 0;
  for (let at = text.indexOf('{'); at >= 0 && tries < 200; at = text.indexOf('{', at + 1), tries++) {
    const end = endOfObject(text, at);
    if (end === undefined) continue;
    try {
      found.unshift(JSON.parse(text.slice(at, end)));
      at = end - 1;
    } catch {
      // Not JSON from here; an object inside may be.
    }
  }
  return found;
}

function endOfObject(text: string, start: number): number | undefined {
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at);
    if (inString) {
      if (character === '\\') at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{') depth++;
    else if (character === '}' && --depth === 0) return at + 1;
  }
  return undefined;
}

export interface CheckOptions {
  /** What may be cited. */
  readonly ids: ReadonlySet<string>;
  readonly redaction: Redaction;
  readonly nameable: Nameable;
}

export type Checked = Pick<Explanation, 'cause' | 'steps' | 'confidence' | 'cites' | 'unsupported' | 'rejected'>;

/** What an answer says of the cause beyond so many claims is not shown. */
export const MOST_CLAIMS = 5;
const MOST_STEPS = 6;
const LONGEST_CLAIM = 600;

/** What may be shown of a claim: its text with real names, undefined where it does not rest on the evidence. */
export function checkClaim({ text, cites }: Claim, { ids, redaction, nameable }: CheckOptions) {
  const holds = cites.length > 0 && cites.every((id) => ids.has(id)) && !redaction.invents(text);
  const prose = cleanProse(cleanLine(redaction.reveal(text)).slice(0, LONGEST_CLAIM), nameable);
  return { text: holds && /\p{L}/u.test(prose.text) ? prose.text : undefined, rejected: prose.rejected };
}

/** Holds an answer to the evidence: what is not supported is dropped, real names stand in for pseudonyms. */
export function checkAnswer(answer: Answer, options: CheckOptions): Checked {
  const { redaction, nameable } = options;
  const rejected: string[] = [];
  const cited = new Set<string>();
  let unsupported = 0;

  const supported = (said: Claim): string | undefined => {
    const checked = checkClaim(said, options);
    rejected.push(...checked.rejected);
    if (checked.text === undefined) unsupported++;
    else for (const id of said.cites) cited.add(id);
    return checked.text;
  };

  const cause = answer.cause.slice(0, MOST_CLAIMS).flatMap((said) => supported(said) ?? []);
  const steps: Step[] = [];
  for (const step of answer.steps.slice(0, MOST_STEPS)) {
    const text = supported(step);
    if (text === undefined) continue;
    const proposed = redaction.invents(step.command ?? '')
      ? undefined
      : cleanLine(redaction.reveal(step.command ?? ''));
    if (proposed === undefined) rejected.push('it names an object that the report does not know');
    if (proposed === undefined || proposed === '') {
      steps.push(unchecked(text));
      continue;
    }
    const verdict = checkCommand(proposed, nameable);
    if ('rejected' in verdict) {
      rejected.push(verdict.rejected);
      steps.push(unchecked(text));
    } else steps.push({ text, ...verdict });
  }
  return {
    cause: cause.join(' '),
    steps,
    confidence: answer.confidence,
    cites: [...cited].sort(),
    unsupported,
    rejected,
  };
}

/** A step in words alone may well mean a change. */
const unchecked = (text: string): Step => ({ text, safety: 'change' });

/** What an answer says that does not rest on evidence which comes and goes: as much of it as holds for another run. */
export function lastingPart({ cause, steps, confidence }: Answer, passing: ReadonlySet<string>): Answer {
  const lasts = ({ cites }: Claim) => !cites.some((id) => passing.has(id));
  return { cause: cause.filter(lasts), steps: steps.filter(lasts), confidence };
}
