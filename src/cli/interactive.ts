import { createInterface } from 'node:readline';
import type { Backend } from '../ai/backend.ts';
import { type Conversation, createConversation } from '../ai/conversation.ts';
import { citable } from '../ai/prompt.ts';
import { PodlensError } from '../errors.ts';
import type { Problem, Report } from '../finding.ts';
import { didYouMean } from '../objects/suggest.ts';
import { sanitize, sanitizeLine } from '../report/sanitize.ts';
import type { Snapshot } from '../snapshot.ts';
import { type Io, write } from './io.ts';

export interface InteractiveOptions {
  readonly backend: Backend;
  readonly language?: string | undefined;
  readonly anonymize?: boolean | undefined;
}

const commands = {
  '/problems': 'list the problems',
  '/problem': 'talk about this one: /problem 2',
  '/evidence': 'show what the problem rests on; /evidence e1 for one line of it',
  '/help': 'show this',
  '/exit': 'leave, as Ctrl-D does',
} as const;

/**
 * `--interactive`: answers questions about the report until stdin ends or somebody types /exit. Answers go to stdout; what
 * goes wrong with one of them is said on stderr, and the next question is read.
 */
export async function converse(
  report: Report,
  snapshot: Snapshot | undefined,
  options: InteractiveOptions,
  io: Io,
): Promise<void> {
  if (report.problems.length === 0) return write(io.stderr, 'There is no problem to talk about.\n');
  const conversation = createConversation(report, snapshot, options);
  const lines = createInterface({ input: io.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  // Asked for at once: lines that come before are lost.
  const queue = lines[Symbol.asyncIterator]();
  const close = () => lines.close();
  io.signal.addEventListener('abort', close, { once: true });
  try {
    await write(io.stderr, 'Ask about the report. /help says what else there is; Ctrl-D ends.\n');
    await prompt(io);
    for await (const text of queue) {
      const line = text.trim();
      if (io.signal.aborted || line === '/exit' || line === '/quit') break;
      if (line.startsWith('/')) await write(io.stdout, command(line, { report, snapshot }, conversation));
      else if (line !== '') await answer(line, conversation, io);
      await prompt(io);
    }
  } finally {
    io.signal.removeEventListener('abort', close);
    close();
  }
}

interface Subject {
  readonly report: Report;
  readonly snapshot: Snapshot | undefined;
}

/** For people only: with piped questions it would stand between the answers. */
const prompt = (io: Io): Promise<void> => (io.stdin.isTTY === true ? write(io.stderr, '> ') : Promise.resolve());

async function answer(question: string, conversation: Conversation, io: Io): Promise<void> {
  let written = Promise.resolve();
  let silent = true;
  const onLine = (line: string) => {
    silent &&= line.trim() === '';
    written = written.then(() => write(io.stdout, `${sanitize(line)}\n`));
  };
  try {
    await conversation.ask(question, { signal: io.signal, onLine });
    if (silent) await write(io.stderr, 'The model gave no answer.\n');
  } catch (error) {
    if (io.signal.aborted) return;
    if (!(error instanceof PodlensError)) throw error;
    await written;
    await write(io.stderr, `${sanitizeLine(`${error.message} ${error.hint ?? ''}`)}\n`);
  }
  await written;
  await write(io.stdout, '\n');
}

function command(line: string, { report, snapshot }: Subject, conversation: Conversation): string {
  const [name = '', ...args] = line.split(/\s+/);
  if (name === '/help') return help();
  if (name === '/problems') return listOf(report, conversation.focus);
  if (name === '/problem') return focusOn(args[0], report, conversation);
  if (name === '/evidence') return evidenceOf(args[0], { report, snapshot }, conversation.focus);
  const [near] = didYouMean(name, Object.keys(commands));
  return `There is no command ${sanitizeLine(name)}. ${near === undefined ? '/help lists them.' : `Did you mean ${near}?`}\n`;
}

const help = (): string =>
  `${Object.entries(commands)
    .map(([name, what]) => `${name.padEnd(10)} ${what}`)
    .join('\n')}\nEverything else is a question about the report.\n`;

const listOf = ({ problems }: Report, focus: number): string =>
  problems.map((problem, index) => `${index + 1 === focus ? '>' : ' '} ${index + 1}. ${lineOf(problem)}\n`).join('');

const lineOf = ({ root }: Problem): string => sanitizeLine(`${root.severity} ${root.code}: ${root.message}`);

function focusOn(word: string | undefined, report: Report, conversation: Conversation): string {
  const number = Number(word ?? conversation.focus);
  const problem = Number.isInteger(number) ? report.problems[number - 1] : undefined;
  if (problem === undefined) {
    return `There is no problem "${sanitizeLine(word ?? '')}"; they are counted from 1 to ${report.problems.length}.\n`;
  }
  conversation.focus = number;
  return `${number}. ${lineOf(problem)}\n`;
}

function evidenceOf(word: string | undefined, { report, snapshot }: Subject, focus: number): string {
  const [, number = String(focus), id] = /^(?:(\d+)\.)?([a-z]\d+(?:\.e\d+)?)?$/.exec(word ?? '') ?? [];
  const problem = report.problems[Number(number) - 1];
  const entries = problem === undefined ? [] : [...citable(problem, snapshot)];
  const wanted = word === undefined ? entries : entries.filter(([key]) => key === id);
  if (wanted.length === 0) {
    const known = entries.map(([key]) => key).join(', ');
    return `Problem ${number} has no evidence${word === undefined ? '' : ` "${sanitizeLine(word)}"; it has ${known}`}.\n`;
  }
  return wanted
    .map(([key, { from, where, at, text }]) => {
      const place = `${from.kind} ${from.namespace === undefined ? '' : `${from.namespace}/`}${from.name}`;
      const time = at === undefined ? '' : ` at ${at}`;
      const container = from.container === undefined ? '' : `, container ${from.container}`;
      const indented = sanitize(text).trimEnd().replaceAll('\n', '\n    ');
      return `${sanitizeLine(`[${key}] ${place}${container}, ${where}${time}:`)}\n    ${indented}\n`;
    })
    .join('');
}
