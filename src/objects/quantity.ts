/** Resource quantities (k8s.io/apimachinery/pkg/api/resource): "500m", "1.5Gi", "2e3", "100k". */

const SUFFIX: ReadonlyMap<string, number> = new Map([
  ['n', 1e-9],
  ['u', 1e-6],
  ['m', 1e-3],
  ['', 1],
  ['k', 1e3],
  ['M', 1e6],
  ['G', 1e9],
  ['T', 1e12],
  ['P', 1e15],
  ['E', 1e18],
  ['Ki', 2 ** 10],
  ['Mi', 2 ** 20],
  ['Gi', 2 ** 30],
  ['Ti', 2 ** 40],
  ['Pi', 2 ** 50],
  ['Ei', 2 ** 60],
]);

/** The number of base units (cores, bytes, pieces) that a quantity stands for; undefined where it is no quantity. */
export const parseQuantity = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : (parsePlain(text) ?? parseAny(text));

// So many digits are exact.
const DIGITS = 15;

/** "500m", "64Gi": digits and a suffix, as almost all are written. */
function parsePlain(text: string): number | undefined {
  let digits = 0;
  let at = 0;
  for (; at < text.length; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) break;
    digits = digits * 10 + digit;
  }
  const factor = SUFFIX.get(text.slice(at));
  return at === 0 || at > DIGITS || factor === undefined ? undefined : digits * factor;
}

const ZERO = 48;

function parseAny(text: string): number | undefined {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text);
  if (match === null) return undefined;
  const [, digits = '', exponent, suffix = ''] = match;
  return exponent === undefined ? Number(digits) * (SUFFIX.get(suffix) ?? 1) : Number(`${digits}${exponent}`);
}

/**
 * An amount as the scheduler counts it: thousandths of a core for cpu, whole units for everything else, rounded up.
 * Zero where the quantity is absent or malformed.
 */
export function amountOf(resource: string, quantity = ''): number {
  const units = parseQuantity(quantity) ?? 0;
  const amount = resource === 'cpu' ? units * 1000 : units;
  // Binary fractions: 9m are 9 thousandths of a core, not 9.000000000000002.
  return Number.isInteger(amount) ? amount : Math.ceil(Number(amount.toFixed(6)));
}

/** An amount as a person writes it: "500m" or "2" cores, "1.5Gi" of memory, "4" of anything else. */
export function humanAmount(resource: string, amount: number): string {
  if (resource === 'cpu') return amount % 1000 === 0 ? String(amount / 1000) : `${amount}m`;
  if (!isBytes(resource)) return String(amount);
  return humanBytes(amount);
}

const isBytes = (resource: string): boolean =>
  resource === 'memory' ||
  resource === 'ephemeral-storage' ||
  resource === 'storage' ||
  resource.startsWith('hugepages-');

/** Bytes in binary units, with at most one decimal: "1.5Gi". */
function humanBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi']) {
    if (Math.abs(value) < 1024 || unit === 'Pi') return `${Number(value.toFixed(1))}${unit}`;
    value /= 1024;
  }
  return String(bytes);
}
