// The API server writes metav1.Time to the second and metav1.MicroTime to the microsecond, both in UTC.
const SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const MICROSECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

/** A time from JSON or YAML as the API server writes it; text that is no time stays as it is. */
export function canonicalTime(raw: unknown): string | undefined {
  if (typeof raw === 'string' && SECONDS.test(raw)) return raw;
  const ms = millisecondsOf(raw);
  if (ms === undefined) return typeof raw === 'string' ? raw : undefined;
  return formatTime(Math.floor(ms / 1000));
}

export function canonicalMicroTime(raw: unknown): string | undefined {
  if (typeof raw === 'string' && MICROSECONDS.test(raw)) return raw;
  const ms = millisecondsOf(raw);
  if (ms === undefined) return typeof raw === 'string' ? raw : undefined;
  const fraction = typeof raw === 'string' ? /\.(\d+)/.exec(raw)?.[1] : undefined;
  const micros =
    fraction === undefined ? (((ms % 1000) + 1000) % 1000) * 1000 : Number(fraction.padEnd(6, '0').slice(0, 6));
  return formatMicroTime(Math.floor(ms / 1000), micros);
}

function millisecondsOf(raw: unknown): number | undefined {
  const ms = raw instanceof Date ? raw.getTime() : typeof raw === 'string' ? Date.parse(raw) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

const SLOTS = 1024;
const seconds = new Float64Array(SLOTS).fill(Number.NaN);
const texts: string[] = new Array(SLOTS).fill('');

/** Seconds since the epoch as "2026-11-21T02:00:00Z". Many objects share a second, so recent ones are remembered. */
export function formatTime(unixSeconds: number): string {
  const slot = unixSeconds & (SLOTS - 1);
  if (seconds[slot] === unixSeconds) return texts[slot] ?? '';
  const text = `${new Date(unixSeconds * 1000).toISOString().slice(0, 19)}Z`;
  seconds[slot] = unixSeconds;
  texts[slot] = text;
  return text;
}

export const formatMicroTime = (unixSeconds: number, micros: number): string =>
  `${formatTime(unixSeconds).slice(0, 19)}.${String(micros).padStart(6, '0')}Z`;
