import { type CheckOptions, type Claim, checkClaim, MOST_CLAIMS, readClaim } from './answer.ts';

/** What may stand before the answer; anything else may be thoughts or an example, and is left to the whole answer. */
const LEAD = /^\s*(?:```\w*\s*)?$/;

// Longer than any lead or claim that could be shown.
const LONGEST = 20_000;

/**
 * Reads an answer as it arrives, in pieces of any size, and passes on what it says of the cause claim by claim, each as
 * soon as it is whole and if it passes the same check as in the whole answer.
 */
export function pieceReader(check: CheckOptions, onPiece: (text: string) => void): (delta: string) => void {
  let claims = 0;
  return claimReader((claim) => {
    if (++claims > MOST_CLAIMS) return;
    const { text } = checkClaim(claim, check);
    if (text !== undefined) onPiece(text);
  });
}

/** Finds the entries of the list "cause" in an object that is still being written. It gives up at what is no such object. */
export function claimReader(onClaim: (claim: Claim) => void): (delta: string) => void {
  let read: Read = leadIn(() => {
    read = causeList(() => {
      read = entries(onClaim);
    });
  });
  let reading = true;
  return (delta) => {
    for (let at = 0; reading && at < delta.length; at++) reading = read(delta.charAt(at));
  };
}

/** Each of these takes one character and says whether to go on. */
type Read = (character: string) => boolean;

function leadIn(onObject: () => void): Read {
  let lead = '';
  return (character) => {
    if (character === '{') onObject();
    else lead += character;
    return character === '{' ? LEAD.test(lead) : lead.length < LONGEST;
  };
}

/** Up to the bracket that opens the value of "cause"; other keys are passed over with all that is in them. */
function causeList(onList: () => void): Read {
  const scan = createScan();
  let before = '';
  let key: string | undefined;
  return (character) => {
    const { depth, inString } = scan(character);
    if (depth === 1 && character === '[' && !inString && key === '"cause"') onList();
    if (depth !== 0) return depth > 0;
    if (!inString && character === ',') {
      before = '';
      key = undefined;
    } else if (!inString && character === ':') key = before.trim();
    else if (key === undefined) before += character;
    return before.length < LONGEST;
  };
}

function entries(onClaim: (claim: Claim) => void): Read {
  const scan = createScan();
  let entry = '';
  return (character) => {
    const { depth, inString } = scan(character);
    if (depth < 0) return false;
    if (entry === '' && /[\s,]/.test(character)) return true;
    if (entry === '' && !/["{]/.test(character)) return false;
    entry += character;
    if (depth > 0 || inString) return entry.length < LONGEST;
    const claim = readClaim(parse(entry));
    entry = '';
    if (claim !== undefined) onClaim(claim);
    return claim !== undefined;
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Follows brackets and strings: where the text stands after each character. */
function createScan(): Scan {
  let depth = 0;
  let inString = false;
  let escaped = false;
  return (character) => {
    if (escaped) escaped = false;
    else if (inString && character === '\\') escaped = true;
    else if (character === '"') inString = !inString;
    else if (!inString && /[{[]/.test(character)) depth++;
    else if (!inString && /[}\]]/.test(character)) depth--;
    return { depth, inString };
  };
}

type Scan = (character: string) => { readonly depth: number; readonly inString: boolean };
