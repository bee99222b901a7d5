import type { Explanation } from '../ai/explained.ts';
import type { Problem } from '../finding.ts';
import { continues } from './continues.ts';
import { sanitizeLine } from './sanitize.ts';
import type { Style } from './style.ts';
import { headline, indented, section, stepLines, tookOf } from './text.ts';

/** The heading of an explanation that is still being written, and the first piece of it. */
export function begunText(
  problem: Problem,
  number: number,
  { backend, text }: { readonly backend: string; readonly text: string },
  style: Style,
): string {
  const said = section(sanitizeLine(`Explained by ${backend}`), indented(sanitizeLine(text), style), style);
  return `\n${[...headline(problem, number, style), ...said].join('\n')}\n`;
}

/** One more piece of it. */
export const pieceText = (text: string, style: Style): string => textOf(indented(sanitizeLine(text), style));

/**
 * What is left of an explanation once it is whole. Where it does not go on from what was said, only that: the explanation
 * then follows in full.
 */
export function restText(said: string, explanation: Explanation | undefined, style: Style): string {
  if (explanation === undefined) return textOf(indented('The answer broke off here.', style));
  if (!continues(explanation, said)) {
    return textOf(indented('The answer did not come to a proper end; what follows takes its place.', style));
  }
  const { cause, steps, note } = explanation;
  const rest = cause.slice(said.length).trim();
  const took = tookOf(explanation).join(', ');
  return textOf([
    ...(rest === '' ? [] : indented(rest, style)),
    ...steps.flatMap((step, index) => stepLines(step, index + 1, style)),
    ...(note === undefined ? [] : indented(note, style)),
    ...(took === '' ? [] : indented(`(${took})`, style).map((line) => style.paint.dim(line))),
  ]);
}

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
