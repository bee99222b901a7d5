import stringWidth from 'string-width';

// ASCII, the rest of Latin-1 and the marks of the reports themselves: each takes one column and joins no other.
const special = /[^\u0020-\u007e\u00a1-\u00ac\u00ae-\u00ff…→]/;
const isPlain = (text: string): boolean => !special.test(text);

/** How many columns a text takes: wide characters take two. */
export const widthOf = (text: string): number => (isPlain(text) ? text.length : stringWidth(text));

/** Breaks plain text at blanks; what is longer than a line is broken where the line ends. Line feeds are kept. */
export function wrap(text: string, columns: number): string[] {
  const width = Math.max(20, columns);
  return text.split('\n').flatMap((line) => wrapLine(line, width));
}

function wrapLine(line: string, columns: number): string[] {
  if (widthOf(line) <= columns) return [line.trimEnd()];
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(/(?<= )(?=[^ ])/)) {
    const whole = current + word;
    if (widthOf(whole.trimEnd()) <= columns) {
      current = whole;
      continue;
    }
    if (fitsAlone(word, columns)) {
      if (current.trim() !== '') lines.push(current.trimEnd());
      current = word;
      continue;
    }
    // A word longer than a line starts where the text before it ends.
    const pieces = cut(whole, columns);
    current = (pieces.pop() ?? '').trimStart();
    lines.push(...pieces.map((piece) => piece.trim()));
  }
  if (current.trim() !== '') lines.push(current.trimEnd());
  return lines;
}

/** A run of wide characters may be broken anywhere: such scripts put no blanks between words. */
const fitsAlone = (word: string, columns: number): boolean =>
  widthOf(word.trimEnd()) <= columns && !/[\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]/.test(word);

// Made when it is first used: that takes milliseconds, and most reports need none.
let segmenter: Intl.Segmenter | undefined;
function* graphemesOf(text: string): Generator<string> {
  if (isPlain(text)) return yield* text;
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  for (const { segment } of segmenter.segment(text)) yield segment;
}

/** Where a path, a URL or a list may be broken. */
const seams = /^[./:;,&?=_\-@]$/;

/** Closing marks do not begin a line. */
const closes = /^[、。，．：；！？）」』】〉》…,.;:!?)]/;

function cut(text: string, columns: number): string[] {
  const pieces: string[] = [];
  let piece: string[] = [];
  let width = 0;
  for (const segment of graphemesOf(text)) {
    const more = widthOf(segment);
    if (width + more > columns) {
      const at = seamOf(piece, segment);
      pieces.push(piece.slice(0, at).join(''));
      piece = piece.slice(at);
      width = widthOf(piece.join(''));
    }
    piece.push(segment);
    width += more;
  }
  return [...pieces, piece.join('')];
}

/** Where a line ends that has no room for what comes next: behind the last seam in its latter half, else at its end. */
function seamOf(piece: readonly string[], next: string): number {
  const end = closes.test(next) ? piece.length - 1 : piece.length;
  for (let at = end; at > piece.length / 2; at--) if (seams.test(piece[at - 1] ?? '')) return at;
  return Math.max(1, end);
}

/** Cuts a text to a number of columns, with … where something is missing. */
export function truncate(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = '';
  let width = 1;
  for (const segment of graphemesOf(text)) {
    width += widthOf(segment);
    if (width > columns) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Leaves out the middle of what is longer than so many characters: what failed stands in front, why at the end. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = text.slice(0, Math.floor(most * 0.4));
  const tail = text.slice(head.length - most);
  // At a blank where one is near.
  const words = [head.replace(/(?<=.{20} )\S{0,60}$/s, ''), tail.replace(/^\S{0,60}(?= )/, '')];
  return words.map((part) => part.trim().toWellFormed()).join(' … ');
}
