import { clean } from './clean.ts';
import { checkCommand, type Nameable } from './commands.ts';
import { cleanProse } from './prose.ts';
import type { Redaction } from './redact.ts';

export interface ReaderOptions {
  readonly redaction: Redaction;
  readonly nameable: Nameable;
  /** What may be cited, as "2.e1". */
  readonly ids: ReadonlySet<string>;
}

export interface Reader {
  /** The next piece of an answer. */
  readonly push: (piece: string) => void;
  /** There is no more. */
  readonly end: () => void;
}

/**
 * Reads an answer in free text as it arrives and passes on each line once it is whole: with real names, without commands
 * that would not pass, without control characters.
 */
export function createReader(options: ReaderOptions, onLine: (line: string) => void): Reader {
  let rest = '';
  let block: string | undefined;
  const line = (text: string) => {
    const fence = /^\s*(?:```+|~~~+)\s*(\w*)/.exec(text);
    if (fence !== null) block = block === undefined ? (fence[1] ?? '').toLowerCase() : undefined;
    onLine(fence !== null ? clean(text) : checked(text, block, options));
  };
  return {
    push(piece) {
      const lines = (rest + piece).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(line);
    },
    end() {
      if (rest.trim() !== '') line(rest);
      rest = '';
    },
  };
}

const shells = new Set(['sh', 'bash', 'zsh', 'shell', 'console', 'terminal', 'powershell', 'cmd']);

function checked(text: string, block: string | undefined, { redaction, nameable, ids }: ReaderOptions): string {
  if (redaction.invents(text)) return '(left out: it names an object that the report does not know)';
  const line = clean(redaction.reveal(text)).replace(/\n/g, ' ');
  const command = /^\s*(?:[-*]\s+|\d+[.)]\s+)?(?:\$\s+)?(kubectl\s.*)$/.exec(line)?.[1];
  const inShell = block !== undefined && shells.has(block) && line.trim() !== '' && !/^\s*#/.test(line);
  if (command !== undefined || inShell) {
    const verdict = checkCommand(command ?? line, nameable);
    return 'rejected' in verdict ? `(a command was left out: ${verdict.rejected})` : verdict.command;
  }
  return cleanProse(line, nameable).text.replace(/\[(\d+\.[a-z]\d+(?:\.e\d+)?)\]/g, (whole, id: string) =>
    ids.has(id) ? whole : '[no such evidence]',
  );
}
