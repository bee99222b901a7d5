import { type DumpHandler, type DumpReader, type Flaw, MAX_OBJECT_BYTES, tooLarge } from './dump-handler.ts';
import { logSections } from './dump-logs.ts';

const NEWLINE = 10;
const QUOTE = 34;
const OPEN_ARRAY = 91;
const BACKSLASH = 92;
const CLOSE_ARRAY = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
const ITEMS = Buffer.from('items');

/**
 * Reads JSON documents one after another, with what `kubectl cluster-info dump` writes between them. A List is taken
 * apart while it arrives, item by item, so that its size does not matter. Where an object is broken the next is read.
 */
export function jsonReader(on: DumpHandler): DumpReader {
  const parse = (text: string, line: number): unknown => {
    try {
      return JSON.parse(text);
    } catch (error) {
      on.flaw(flawOf(error, line));
      return undefined;
    }
  };
  const pieces = textPieces();
  const between = betweenDocuments(on);
  let head = '';
  let isList = false;
  let depth = 0;
  /** The depth inside the array of items; 0 outside of it. */
  let itemsDepth = 0;
  let line = 1;
  let startLine = 1;
  let documentLine = 1;
  let inString = false;
  let escaped = false;
  /** How many letters of "items" the string matches that was last read at the document's own level. */
  let matched = 0;
  let rootIsObject = false;

  const beginItems = (text: string) => {
    head = text;
    isList = true;
    itemsDepth = depth;
    on.list(rootIsObject ? headOf(text) : undefined);
  };
  const endDocument = (text: string) => {
    const value = parse(isList ? head + text : text, documentLine);
    if (value !== undefined) on.document(isList && !rootIsObject ? {} : value);
    isList = false;
    head = '';
  };

  return {
    push(chunk) {
      pieces.begin();
      for (let i = 0; i < chunk.length; i++) {
        const byte = chunk[i];
        if (inString) {
          if (depth === 1 && !escaped && byte !== QUOTE) matched = byte === ITEMS[matched] ? matched + 1 : -1;
          if (escaped) escaped = false;
          else if (byte === BACKSLASH) escaped = true;
          else if (byte === QUOTE) inString = false;
          else if (depth > 1) i = plainUntil(chunk, i);
          continue;
        }
        if (depth === 0 && (between.open || !(startsValue(byte) || isSpace(byte)))) {
          const end = between.take(chunk, i, line);
          if (end < chunk.length && chunk[end] === NEWLINE) line++;
          i = end;
          continue;
        }
        switch (byte) {
          case NEWLINE:
            line++;
            break;
          case QUOTE:
            inString = true;
            if (depth === 1) matched = 0;
            break;
          case OPEN_OBJECT:
          case OPEN_ARRAY:
            if (depth === 0) {
              rootIsObject = byte === OPEN_OBJECT;
              documentLine = startLine = line;
              pieces.open(i);
            }
            depth++;
            if (byte === OPEN_ARRAY && itemsDepth === 0) {
              if (depth === 1 || (depth === 2 && rootIsObject && matched === ITEMS.length))
                beginItems(pieces.close(chunk, i + 1));
            } else if (byte === OPEN_OBJECT && itemsDepth > 0 && depth === itemsDepth + 1) {
              startLine = line;
              pieces.open(i);
            }
            break;
          case CLOSE_OBJECT:
          case CLOSE_ARRAY:
            depth--;
            if (itemsDepth > 0 && depth === itemsDepth && byte === CLOSE_OBJECT) {
              const value = parse(pieces.close(chunk, i + 1), startLine);
              if (value !== undefined) on.item(value);
            } else if (itemsDepth > 0 && depth < itemsDepth) {
              itemsDepth = 0;
              pieces.open(i);
            }
            if (depth === 0) endDocument(pieces.close(chunk, i + 1));
        }
      }
      if (pieces.keep(chunk) > MAX_OBJECT_BYTES) throw tooLarge(startLine);
    },
    end() {
      between.end(line);
      if (depth > 0) on.flaw({ why: 'the text ends in the middle of an object', line });
    },
  };
}

/** The last of the bytes from `from` on that neither end a string nor escape what follows. */
function plainUntil(chunk: Buffer, from: number): number {
  const { length } = chunk;
  let at = from + 1;
  for (; at < length; at++) {
    const byte = chunk[at];
    if (byte === QUOTE || byte === BACKSLASH) break;
  }
  return at - 1;
}

const startsValue = (byte: number | undefined): boolean => byte === OPEN_OBJECT || byte === OPEN_ARRAY;
const isSpace = (byte: number | undefined): boolean => byte === NEWLINE || byte === 32 || byte === 9 || byte === 13;

/** The bytes of a value that may have begun in an earlier chunk. */
function textPieces() {
  let pieces: Buffer[] = [];
  let size = 0;
  let start = -1;
  return {
    /** A new chunk arrived: what is open goes on at its beginning. */
    begin() {
      if (start >= 0) start = 0;
    },
    open(index: number) {
      start = index;
    },
    /** Ends before `index` and gives the text. */
    close(chunk: Buffer, index: number): string {
      const last = chunk.subarray(Math.max(start, 0), index);
      const text = pieces.length === 0 ? last.toString() : Buffer.concat([...pieces, last]).toString();
      pieces = [];
      size = 0;
      start = -1;
      return text;
    },
    /** The chunk is over. Returns how many bytes are held. */
    keep(chunk: Buffer): number {
      if (start < 0) return 0;
      pieces.push(chunk.subarray(start));
      size += chunk.length - start;
      return size;
    },
  };
}

const MAX_LINE_BYTES = 64 << 10;

/** Lines between JSON documents: logs, the `---` of YAML, and what does not belong there. */
function betweenDocuments(on: DumpHandler) {
  const sections = logSections(on.log);
  let rest = '';
  let inLine = false;
  let complained = false;
  const take = (text: string, line: number) => {
    if (sections.take(text)) return;
    if (complained || /^\s*(---.*)?$/.test(text)) return;
    complained = true;
    on.flaw({ why: 'there is text between the objects', line });
  };
  return {
    /** Whether what comes belongs to a line or a log that has begun. */
    get open() {
      return inLine || sections.open;
    },
    /** Reads to the end of the line and returns where that is. */
    take(chunk: Buffer, from: number, line: number): number {
      const newline = chunk.indexOf(NEWLINE, from);
      const end = newline < 0 ? chunk.length : newline;
      if (rest.length < MAX_LINE_BYTES) rest += chunk.toString('utf8', from, end);
      inLine = newline < 0;
      if (inLine) return end;
      take(rest, line);
      rest = '';
      return end;
    },
    end(line: number) {
      if (inLine) take(rest, line);
      sections.end();
    },
  };
}

/** What a List says of itself before its items. */
function headOf(text: string): unknown {
  try {
    return JSON.parse(`${text}]}`);
  } catch {
    return undefined;
  }
}

/** Where JSON.parse stopped. Its message quotes the text, so no more than the place is used. */
function flawOf(error: unknown, line: number): Flaw {
  const at = /\(line (\d+) column \d+\)$/.exec(error instanceof Error ? error.message : '')?.[1];
  if (at === undefined) return { why: 'the object that starts here is not valid JSON', line };
  return { why: 'this is not valid JSON', line: line + Number(at) - 1 };
}
