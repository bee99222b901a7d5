/**
 * The candidates that `name` may have meant, nearest first: one or two slips of the keyboard away, or one containing
 * the other. At most three.
 */
export function didYouMean(name: string, candidates: Iterable<string>): string[] {
  const allowed = name.length <= 3 ? 1 : name.length <= 8 ? 2 : 3;
  const near: { readonly candidate: string; readonly slips: number }[] = [];
  for (const candidate of candidates) {
    if (candidate === name) continue;
    const slips = distance(name.toLowerCase(), candidate.toLowerCase(), allowed);
    const contains = name.length > 3 && candidate.length > 3 && (candidate.includes(name) || name.includes(candidate));
    if (slips <= allowed) near.push({ candidate, slips });
    else if (contains) near.push({ candidate, slips: allowed + 1 });
  }
  near.sort((a, b) => a.slips - b.slips || (a.candidate < b.candidate ? -1 : 1));
  return near.slice(0, 3).map(({ candidate }) => candidate);
}

/** Insertions, deletions, replacements and swaps of neighbours from `a` to `b`; more than `limit` is not counted on. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
