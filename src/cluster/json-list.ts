import { endOfValue, endOfValueOrList, isSpace, newScan, type Scan } from './json-scan.ts';

/**
 * Splits the items off JSON lists without ever holding a list as a whole: responses of the API server, and what
 * `kubectl get -o json` printed, however large. Several documents may follow each other.
 *
 *   const splitter = splitJson({
 *     onHead: (head) => …,          // what stands in front of the items, such as the list's `kind`; optional
 *     onItem: (item) => …,          // one parsed element of the outermost `items`
 *     onDocument: (document) => …,  // at its end, a list with `items: []`, or any other document as it is
 *   });
 *   for await (const chunk of createReadStream(path)) splitter.push(chunk);
 *   splitter.end();
 *
 * Held at any time are one item, or a document without its items. Both `push` and `end` throw a SyntaxError for what is
 * no JSON; `end` does for what stops in the middle.
 */
export interface JsonHandlers {
  onHead?(head: Readonly<Record<string, unknown>>): void;
  onItem(item: unknown): void;
  onDocument(document: unknown): void;
}

export interface JsonSplitter {
  push(chunk: Buffer): void;
  end(): void;
}

const COMMA = 0x2c;
const CLOSE_LIST = 0x5d;

// How far to look for the text between two items before an item's end is found by following its brackets.
const FAR = 1 << 20;

export function splitJson({ onHead, onItem, onDocument }: JsonHandlers): JsonSplitter {
  const window = new Window();
  let mode: 'document' | 'items' = 'document';
  /** Of the document or item that is being read. */
  let scan: Scan | undefined;
  /** The document's text in front of its items. */
  let head = '';
  let isFirst = true;
  /** What lies between two items: from the bracket that closes one to the first name in the next. */
  let between: Buffer | undefined;

  /** One step forward; false where more bytes are needed. `last`: there are none. */
  const advance = (last: boolean): boolean => (mode === 'document' ? document() : item(last));

  function document(): boolean {
    if (scan === undefined) {
      if (head === '' && !window.startDocument()) return false;
      scan = newScan();
      scan.depth = head === '' ? 0 : 2; // the document and its items are open
      window.scanned = window.from;
    }
    const end = endOfValueOrList(scan, 'items', window.bytes, window.scanned, window.to);
    window.scanned = window.to;
    if (end === undefined) return false;
    const text = head + window.text(window.from, end.at);
    window.from = end.at;
    scan = undefined;
    if (end.list && head === '') startItems(text);
    else {
      head = '';
      onDocument(JSON.parse(text));
    }
    return true;
  }

  function startItems(text: string): void {
    onHead?.(JSON.parse(`${text}]}`) as Record<string, unknown>);
    head = text;
    mode = 'items';
    isFirst = true;
    between = undefined;
  }

  function item(last: boolean): boolean {
    const start = window.afterSeparators();
    if (start === undefined) return false;
    if (window.bytes[start] === CLOSE_LIST) {
      window.from = start;
      mode = 'document';
      return true;
    }
    if (scan !== undefined || isFirst) return byBrackets(start);
    if (between === undefined) {
      between = window.separatorBefore(start);
      return between === undefined && !last ? false : byBrackets(start);
    }
    return bySeparator(start, between, last);
  }

  /**
   * An item ends where the text between two items comes next. That is much faster than following its brackets, and where
   * the same text comes inside of an item, what is in front of it is no JSON.
   */
  function bySeparator(start: number, separator: Buffer, last: boolean): boolean {
    const found = window.find(separator, start);
    if (found === undefined) return !last && window.to - start < FAR ? false : byBrackets(start);
    const value = tryParse(window.text(start, found + 1));
    return value === undefined ? byBrackets(start) : emit(value, found + 1);
  }

  function byBrackets(start: number): boolean {
    if (scan === undefined) {
      scan = newScan();
      window.scanned = start;
    }
    const end = endOfValue(scan, window.bytes, window.scanned, window.to);
    window.scanned = window.to;
    return end === undefined ? false : emit(JSON.parse(window.text(start, end)), end);
  }

  function emit(value: unknown, end: number): boolean {
    scan = undefined;
    isFirst = false;
    window.from = end;
    window.searched = end;
    onItem(value);
    return true;
  }

  return {
    push(chunk) {
      window.append(chunk);
      while (advance(false));
    },
    end() {
      while (advance(true));
      if (mode === 'items' || scan !== undefined) {
        throw new SyntaxError('the text ends in the middle of a JSON document');
      }
    },
  };
}

/** Parses an item, without what the API server keeps in it for itself if that can be cut out easily. */
function tryParse(text: string): unknown {
  const from = text.indexOf(',"managedFields":[');
  const to = from < 0 ? -1 : text.indexOf(']},"', from);
  if (to >= 0) {
    const value = parseOrNothing(text.slice(0, from) + text.slice(to + 1));
    if (value !== undefined) return value;
  }
  return parseOrNothing(text);
}

function parseOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** White space, or part of a byte order mark. */
const isBlank = (byte: number | undefined): boolean => isSpace(byte) || byte === 0xef || byte === 0xbb || byte === 0xbf;

/** The bytes that have come and are still needed. */
class Window {
  bytes: Buffer = Buffer.allocUnsafe(1 << 18);
  /** What comes before it is done with. */
  from = 0;
  to = 0;
  /** Up to here brackets were followed. */
  scanned = 0;
  /** Up to here no separator begins. */
  searched = 0;

  append(chunk: Buffer): void {
    if (this.to + chunk.length > this.bytes.length) this.compact();
    if (this.to + chunk.length > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.to + chunk.length));
      this.bytes.copy(larger, 0, 0, this.to);
      this.bytes = larger;
    }
    chunk.copy(this.bytes, this.to);
    this.to += chunk.length;
  }

  private compact(): void {
    const { from } = this;
    this.bytes.copyWithin(0, from, this.to);
    this.to -= from;
    this.scanned = Math.max(0, this.scanned - from);
    this.searched = Math.max(0, this.searched - from);
    this.from = 0;
  }

  text(from: number, to: number): string {
    return this.bytes.toString('utf8', from, to);
  }

  /** Whether a document has begun. From then on it starts at 0, so that positions in it stay what they are. */
  startDocument(): boolean {
    while (this.from < this.to && isBlank(this.bytes[this.from])) this.from++;
    if (this.from === this.to) return false;
    const first = this.bytes[this.from];
    if (first !== 0x7b && first !== 0x5b) throw new SyntaxError('the text is no JSON document');
    this.compact();
    return true;
  }

  /** Where the next item or the end of the list is, unless that is still to come. */
  afterSeparators(): number | undefined {
    let at = this.from;
    while (at < this.to && (isSpace(this.bytes[at]) || this.bytes[at] === COMMA)) at++;
    return at < this.to ? at : undefined;
  }

  /** The text from the bracket that closed the last item to the colon after the first name of the one at `start`. */
  separatorBefore(start: number): Buffer | undefined {
    const colon = this.bytes.subarray(0, this.to).indexOf(':', start);
    if (colon < 0) return undefined;
    return Buffer.concat([Buffer.from('}'), this.bytes.subarray(this.from, colon + 1)]);
  }

  find(text: Buffer, start: number): number | undefined {
    const found = this.bytes.subarray(0, this.to).indexOf(text, Math.max(start, this.searched));
    this.searched = Math.max(start, this.to - text.length + 1);
    return found < 0 ? undefined : found;
  }
}
