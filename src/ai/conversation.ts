import type { Problem, Report } from '../finding.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Backend, Message, Tokens } from './backend.ts';
import { nameableOf } from './commands.ts';
import { languageName } from './language.ts';
import { namesOf } from './names.ts';
import { buildPrompt, citable, estimateTokens } from './prompt.ts';
import { createRedaction } from './redact.ts';
import { createReader } from './speech.ts';
import { conversation, excerpt } from './templates/conversation.ts';
import { fill } from './templates/texts.ts';

export interface ConversationOptions {
  readonly backend: Backend;
  readonly language?: string | undefined;
  readonly anonymize?: boolean | undefined;
}

interface AskOptions {
  readonly signal: AbortSignal;
  /** Given each line of the answer as soon as it is whole and checked. */
  readonly onLine: (line: string) => void;
}

interface Reply {
  readonly tokens?: Tokens;
}

/** Questions and answers about one report, with one set of pseudonyms from the first to the last. */
export interface Conversation {
  /** Fails with the PodlensError of the backend; the question is then forgotten. */
  ask(question: string, options: AskOptions): Promise<Reply>;
  /** The problem that questions are about, counted from 1, where they name none. */
  focus: number;
}

/** Earlier turns are dropped, oldest first, beyond about so many tokens. */
const HISTORY = 8000;
const MOST_PROBLEMS = 40;
/** How many problems one question may bring along in full. */
const MOST_SHOWN = 3;

interface Turn {
  readonly messages: readonly [Message, Message];
  /** Which problems the model was shown in it. */
  readonly shown: readonly number[];
}

export function createConversation(
  report: Report,
  snapshot: Snapshot | undefined,
  { backend, language: asked, anonymize = true }: ConversationOptions,
): Conversation {
  const { problems } = report;
  const language = languageName(asked);
  const redaction = createRedaction(namesOf(report, snapshot), { anonymize });
  const texts = { system: '', user: excerpt, repair: '' };
  const excerptOf = (number: number): string => {
    const problem = problems[number - 1];
    if (problem === undefined) return '';
    return `Problem ${number}\n${buildPrompt(problem, { snapshot, redaction, texts, language }).prompt.user}`;
  };
  const overview = overviewOf(problems, redaction.hide);
  const reading = {
    redaction,
    nameable: nameableOf(...problems),
    ids: new Set(
      problems.flatMap((problem, index) => [...citable(problem, snapshot).keys()].map((id) => `${index + 1}.${id}`)),
    ),
  };
  let turns: readonly Turn[] = [];
  const conversing: Conversation = {
    focus: 1,
    async ask(question, { signal, onLine }) {
      const wanted = problemsIn(question, problems, conversing.focus);
      conversing.focus = wanted[0] ?? conversing.focus;
      turns = recent(turns);
      const known = new Set(turns.flatMap(({ shown }) => shown));
      const fresh = wanted.filter((number) => !known.has(number));
      const parts = [...(turns.length === 0 ? [overview] : []), ...fresh.map(excerptOf)];
      const data = parts.length === 0 ? '' : `<data>\n${parts.join('\n\n')}\n</data>\n\n`;
      const user = `${data}${redaction.hide(question)}`;
      const reader = createReader(reading, onLine);
      const prompt = {
        system: fill(conversation, { language }),
        user,
        history: turns.flatMap(({ messages }) => messages),
      };
      const { text, tokens } = await backend.complete(prompt, { signal, onText: reader.push });
      reader.end();
      const messages = [
        { role: 'user', content: user } as const,
        { role: 'assistant', content: text } as const,
      ] as const;
      turns = [...turns, { messages, shown: fresh }];
      return tokens === undefined ? {} : { tokens };
    },
  };
  return conversing;
}

/** One line a problem: what the model knows of those it was not shown in full. */
function overviewOf(problems: readonly Problem[], hide: (text: string) => string): string {
  const lines = problems
    .slice(0, MOST_PROBLEMS)
    .map(({ root }, index) => `${index + 1}. ${root.code} (${root.severity}): ${JSON.stringify(hide(root.message))}`);
  const more = problems.length - lines.length;
  return ['All problems:', ...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

/** The problems that a question names, by number or by an object of theirs; the one in focus where it names none. */
function problemsIn(question: string, problems: readonly Problem[], focus: number): number[] {
  const numbers = [...question.matchAll(/(?:\bproblem|#)\s*(\d+)/gi)].map((match) => Number(match[1]));
  const words = new Set(question.match(/[\w.-]*\w/g));
  const named = problems.flatMap(({ root, owner }, index) =>
    words.has(root.subject.name) || (owner !== undefined && words.has(owner.name)) ? [index + 1] : [],
  );
  const wanted = [...new Set([...numbers, ...named])].filter((number) => number >= 1 && number <= problems.length);
  return wanted.length > 0 ? wanted.slice(0, MOST_SHOWN) : problems.length === 0 ? [] : [focus];
}

function recent(turns: readonly Turn[]): readonly Turn[] {
  let room = HISTORY;
  let first = turns.length;
  for (; first > 0; first--) {
    const turn = turns[first - 1];
    room -= estimateTokens(turn?.messages.map(({ content }) => content).join('\n') ?? '');
    if (room < 0) break;
  }
  return turns.slice(first);
}
