const TELLING =
  /error|fatal|panic|exception|fail|denied|refused|not found|no such|killed|timed? ?out|cannot|unable|invalid|missing/i;

/** Cuts a text down to about `length`: of several lines the telling and the last stay, of one its two ends. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  const lines = text.split('\n');
  if (lines.length < 3) return `${text.slice(0, Math.floor(length * 0.6))} … ${text.slice(-Math.floor(length * 0.4))}`;
  const ranked = lines
    .map((line, index) => ({ line: shorten(line, 300), index, rank: (TELLING.test(line) ? 1000 : 0) + index }))
    .sort((a, b) => b.rank - a.rank);
  let left = length;
  const kept = ranked.filter(({ line }) => {
    if (line.length + 1 > left) return false;
    left -= line.length + 1;
    return true;
  });
  return `(${lines.length - kept.length} lines cut)\n${kept
    .sort((a, b) => a.index - b.index)
    .map(({ line }) => line)
    .join('\n')}`;
}
