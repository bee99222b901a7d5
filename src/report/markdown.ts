import type { Explained, Explanation } from '../ai/explained.ts';
import type { Finding, Problem, Step } from '../finding.ts';
import type { Reporter } from './reporter.ts';
import { sanitize, sanitizeLine } from './sanitize.ts';
import {
  ago,
  gapSentence,
  kubectlName,
  lookedAt,
  namedBeside,
  plural,
  podsOf,
  shortRef,
  summarize,
  symptomsOf,
} from './words.ts';

/** For tickets and chats. */
export const markdown: Reporter = (report) => {
  const wrong = report.problems.filter(({ root }) => root.severity !== 'info');
  const infos = report.problems.filter(({ root }) => root.severity === 'info');
  const blocks = [
    `# ${marked(summarize(report))}`,
    `Taken at ${report.takenAt}. ${marked(lookedAt(report))}`,
    ...wrong.map((problem, index) => problemBlock(problem, index + 1, report)),
    list(
      'Good to know',
      infos.map(({ root, owner }) => `${code(kubectlName(owner ?? root.subject))}: ${marked(root.message)}`),
    ),
    list(
      'What podlens could not look at',
      report.gaps.map((gap) => marked(gapSentence(gap))),
    ),
    list('Notes', (report.explain?.notes ?? []).map(marked)),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
};

function problemBlock(problem: Problem, number: number, report: Explained): string {
  const { root, owner, affects } = problem;
  const { because, beside } = symptomsOf(problem);
  const pods = podsOf(problem).length;
  return [
    `## ${number}. ${root.severity}: ${code(root.code)} ${code(kubectlName(owner ?? root.subject))}${pods > 1 ? ` (${plural(pods, 'pod')})` : ''}`,
    marked(root.message),
    root.confidence === 'certain'
      ? ''
      : `*${root.confidence}, not certain*${root.check === undefined ? '' : `: ${marked(root.check.text)}`}`,
    list('Evidence', evidenceOf(root, report), 3),
    list(
      'Changed before',
      (problem.changes ?? []).map(({ at, text }) => `${ago(at, report)}: ${marked(text)}`),
      3,
    ),
    list(
      'What happened',
      (problem.timeline ?? []).map(({ at, text }) => `${at} ${marked(text)}`),
      3,
    ),
    steps('Next steps', root.remedy),
    list(
      'Also affected',
      affects.map((ref) => code(namedBeside(ref, root.subject))),
      3,
    ),
    list('Because of it', because.map(symptomLine), 3),
    list('Also wrong there', beside.map(symptomLine), 3),
    ...(report.explanations?.[problem.id] ?? []).map(explanationBlock),
  ]
    .filter((block) => block !== '')
    .join('\n\n');
}

const symptomLine = ({ code: id, message }: Finding): string => `${code(id)}: ${marked(message)}`;

const evidenceOf = ({ evidence }: Finding, report: Explained): string[] =>
  evidence.map(
    ({ from, where, text, at }) =>
      `${code(shortRef(from))} ${marked(where)}${at === undefined ? '' : ` (${ago(at, report)})`}: ${code(text)}`,
  );

function explanationBlock({ backend, cause, steps: advice, note }: Explanation): string {
  return [
    `### Explained by ${marked(backend)}`,
    marked(cause),
    steps('', advice),
    note === undefined ? '' : marked(note),
  ]
    .filter((block) => block !== '')
    .join('\n\n');
}

function list(title: string, items: readonly string[], level = 2): string {
  if (items.length === 0) return '';
  return `${'#'.repeat(level)} ${title}\n\n${items.map((item) => `- ${item}`).join('\n')}`;
}

function steps(title: string, items: readonly Step[]): string {
  if (items.length === 0) return '';
  const lines = items.map(({ text, command, safety }, index) => {
    const mark = safety === 'inspect' ? '' : `**${safety === 'change' ? 'changes' : 'destructive'}** `;
    const block = command === undefined ? '' : `\n\n   ${fence(command).replaceAll('\n', '\n   ')}`;
    return `${index + 1}. ${mark}${marked(text)}${block}`;
  });
  return `${title === '' ? '' : `### ${title}\n\n`}${lines.join('\n')}`;
}

/** What Markdown or HTML would take for markup is written as text. */
const marked = (text: string): string => sanitizeLine(text).replace(/[\\`*_[\]<>#|~]/g, (mark) => `\\${mark}`);

/** A code span whose fence is longer than any run of backticks in it. */
function code(text: string): string {
  const line = sanitizeLine(text);
  const ticks = '`'.repeat(longestRun(line) + 1);
  return ticks.length > 1 ? `${ticks} ${line} ${ticks}` : `\`${line}\``;
}

function fence(text: string): string {
  const ticks = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return `${ticks}sh\n${sanitize(text)}\n${ticks}`;
}

const longestRun = (text: string): number => Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
