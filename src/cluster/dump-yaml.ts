import { StringDecoder } from 'node:string_decoder';
import { CORE_SCHEMA, load, YAMLException } from 'js-yaml';
import { type DumpHandler, type DumpReader, MAX_OBJECT_BYTES, tooLarge } from './dump-handler.ts';
import { logSections } from './dump-logs.ts';

/**
 * Reads YAML documents one after another. A List is taken apart at the `- ` lines of its items while it arrives, so that
 * its size does not matter. Where an object is broken the next is read.
 */
export function yamlReader(on: DumpHandler): DumpReader {
  const decoder = new StringDecoder('utf8');
  const sections = logSections(on.log);
  let rest = '';
  let line = 0;
  /** The document without its items. */
  let body = block(1);
  let item: Block | undefined;
  /** Where the items' dashes stand; "unknown" until the first of them. */
  let dash: number | 'unknown' | 'no items' = 'no items';
  let isList = false;

  const parse = ({ lines, line: first }: Block): unknown => {
    try {
      return load(lines.join('\n'), { schema: CORE_SCHEMA });
    } catch (error) {
      on.flaw(flawOf(error, first));
      return undefined;
    }
  };
  const endItem = () => {
    if (item === undefined) return;
    const [value] = asArray(parse(item));
    if (value !== undefined) on.item(value);
    item = undefined;
  };
  const endDocument = () => {
    const value = body.lines.some((text) => !/^\s*(#|$)/.test(text)) ? parse(body) : undefined;
    if (isList && isCutOff(value)) {
      on.flaw({ why: 'the list breaks off', line });
      item = undefined;
    }
    endItem();
    if (value !== undefined && value !== null) on.document(value);
    body = block(line + 1);
    dash = 'no items';
    isList = false;
  };
  const take = (raw: string) => {
    const text = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    line++;
    if (sections.take(text)) return;
    if (/^(---|\.\.\.)(\s|$)/.test(text)) {
      endDocument();
      const after = text.slice(3).trim();
      if (after !== '') body = { ...block(line), lines: [after] };
      return;
    }
    if (text.startsWith('%') && body.lines.length === 0) return;
    if (dash !== 'no items' && takeItemLine(text)) return;
    if (!isList && /^items:\s*(#.*)?$/.test(text)) {
      isList = true;
      dash = 'unknown';
      on.list(headOf(body));
      return;
    }
    add(body, text, line);
  };
  /** Whether the line belongs to the items. */
  const takeItemLine = (text: string): boolean => {
    const indent = /^ *(?=-(\s|$))/.exec(text)?.[0].length;
    if (indent !== undefined && (dash === 'unknown' || indent === dash)) {
      endItem();
      dash = indent;
      item = block(line);
      add(item, text, line);
      return true;
    }
    if (/^[^\s#]/.test(text)) {
      endItem();
      dash = 'no items';
      return false;
    }
    if (item !== undefined) add(item, text, line);
    return true;
  };

  return {
    push(chunk) {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_OBJECT_BYTES) throw tooLarge(line + 1);
      for (const text of lines) take(text);
    },
    end() {
      rest += decoder.end();
      if (rest !== '') take(rest);
      sections.end();
      endDocument();
    },
  };
}

/** Lines that are parsed together. */
interface Block {
  readonly lines: string[];
  /** Where the first of them stands in the file. */
  readonly line: number;
  size: number;
}

const block = (line: number): Block => ({ lines: [], line, size: 0 });

function add(to: Block, text: string, line: number): void {
  to.lines.push(text);
  to.size += text.length + 1;
  if (to.size > MAX_OBJECT_BYTES) throw tooLarge(line);
}

/** kubectl sorts the keys of a List: what has an apiVersion and no kind was not written to its end. */
const isCutOff = (list: unknown): boolean =>
  typeof list === 'object' && list !== null && 'apiVersion' in list && !('kind' in list);

const asArray = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** What a List says of itself before its items: kubectl sorts the keys, so that is the apiVersion alone. */
function headOf({ lines }: Block): unknown {
  try {
    return load(lines.join('\n'), { schema: CORE_SCHEMA });
  } catch {
    return undefined;
  }
}

function flawOf(error: unknown, line: number): { why: string; line: number } {
  if (!(error instanceof YAMLException)) return { why: 'this is not valid YAML', line };
  return { why: `this is not valid YAML: ${error.reason}`, line: line + (error.mark?.line ?? 0) };
}
