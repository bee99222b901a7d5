/** Milliseconds since the epoch; undefined for what is absent or no time at all. */
export function ms(time: string | undefined): number | undefined {
  if (time === undefined) return undefined;
  const value = Date.parse(time);
  return Number.isNaN(value) ? undefined : value;
}

/** Seconds from `from` to `to`; negative where `to` is earlier; undefined where either is unknown. */
export function secondsBetween(from: string | undefined, to: string | undefined): number | undefined {
  const start = ms(from);
  const end = ms(to);
  return start === undefined || end === undefined ? undefined : (end - start) / 1000;
}

/** A duration as a person says it: "45 s", "12 min", "3 h", "2 d". */
export function humanSeconds(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s} s`;
  if (s < 2 * 3600) return `${Math.round(s / 60)} min`;
  if (s < 48 * 3600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

/** The later of two times, either of which may be unknown. */
export function later(a: string | undefined, b: string | undefined): string | undefined {
  const first = ms(a);
  const second = ms(b);
  if (first === undefined) return second === undefined ? undefined : b;
  if (second === undefined) return a;
  return second > first ? b : a;
}

/** Whether the first time is known to be before the second. */
export const isBefore = (a: string | undefined, b: string | undefined): boolean => (secondsBetween(a, b) ?? 0) > 0;
