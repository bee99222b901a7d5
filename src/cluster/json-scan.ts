const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

const isOpening = (byte: number): boolean => byte === 0x7b || byte === 0x5b;
const isClosing = (byte: number): boolean => byte === 0x7d || byte === 0x5d;

export const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Follows the nesting of JSON through bytes that come in pieces. It does not check that they are JSON. */
export interface Scan {
  /** How many objects and lists are open. */
  depth: number;
  inString: boolean;
  escaped: boolean;
  /** Where the last string began, and where it ended. */
  stringFrom: number;
  stringTo: number;
  /** Whether the last string was the name of a field, and its value is still to come. */
  named: boolean;
}

export const newScan = (): Scan => ({
  depth: 0,
  inString: false,
  escaped: false,
  stringFrom: 0,
  stringTo: 0,
  named: false,
});

/** The position after the value that began where the scan did; undefined where it goes on past `to`. */
export function endOfValue(scan: Scan, bytes: Buffer, from: number, to: number): number | undefined {
  let { depth, inString, escaped } = scan;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    if (inString) {
      if (escaped) escaped = false;
      else if (byte === BACKSLASH) escaped = true;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) {
      inString = true;
    } else if (isOpening(byte)) {
      depth++;
    } else if (isClosing(byte) && --depth === 0) {
      return at + 1;
    }
  }
  Object.assign(scan, { depth, inString, escaped });
  return undefined;
}

/** Like `endOfValue`, but stops after the bracket of a list that is the outermost object's field `name`. */
export function endOfValueOrList(
  scan: Scan,
  name: string,
  bytes: Buffer,
  from: number,
  to: number,
): { readonly at: number; readonly list: boolean } | undefined {
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    if (scan.inString) {
      if (scan.escaped) scan.escaped = false;
      else if (byte === BACKSLASH) scan.escaped = true;
      else if (byte === QUOTE) {
        scan.inString = false;
        scan.stringTo = at;
      }
    } else if (byte === QUOTE) {
      scan.inString = true;
      scan.named = false;
      scan.stringFrom = at + 1;
    } else if (byte === COLON) {
      scan.named = scan.depth === 1;
    } else if (isOpening(byte)) {
      scan.depth++;
      const named = scan.named && bytes.toString('latin1', scan.stringFrom, scan.stringTo) === name;
      scan.named = false;
      if (named && byte === 0x5b) return { at: at + 1, list: true };
    } else if (isClosing(byte)) {
      scan.depth--;
      if (scan.depth === 0) return { at: at + 1, list: false };
    } else if (!isSpace(byte)) {
      scan.named = false;
    }
  }
  return undefined;
}
