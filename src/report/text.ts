import type { Explained, Explanation } from '../ai/explained.ts';
import type { Evidence, Finding, Moment, Problem, Severity, Step } from '../finding.ts';
import { objectKey } from '../objects/refs.ts';
import type { Reporter } from './reporter.ts';
import { sanitize, sanitizeLine } from './sanitize.ts';
import type { Style } from './style.ts';
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
import { shorten, truncate, widthOf, wrap } from './wrap.ts';

/** For people: a summary, the problems worst first, what is only worth knowing, and what could not be seen. */
export const text: Reporter = (report, style) => {
  const wrong = report.problems.filter(({ root }) => root.severity !== 'info');
  const infos = report.problems.filter(({ root }) => root.severity === 'info');
  const blocks = [
    wrap(summarize(report), style.columns).map((line) => style.paint.bold(line)),
    overview(wrong, style),
    ...wrong.map((problem, index) => problemBlock(problem, index + 1, report, style)),
    infoBlock(infos, style),
    gapBlock(report, style),
    notesBlock(report, style),
    // Without a problem the first line says it already.
    wrong.length === 0 ? [] : wrap(lookedAt(report), style.columns).map((line) => style.paint.dim(line)),
  ];
  const lines = blocks.filter((block) => block.length > 0).map((block) => block.join('\n'));
  return `${lines.join('\n\n')}\n`;
};

const INDENT = '   ';
const MOST_PODS = 5;
const MOST_EVIDENCE = 5;
const MOST_LINES = 6;
const MOST_SYMPTOMS = 4;
const MOST_OVERVIEW = 30;

/** One line for each problem, where they do not fit on one screen together. */
function overview(wrong: readonly Problem[], { columns, paint }: Style): string[] {
  if (wrong.length < 4) return [];
  const shown = wrong.slice(0, MOST_OVERVIEW);
  const digits = String(shown.length).length;
  const codes = Math.max(...shown.map(({ root }) => root.code.length));
  const more = wrong.length - shown.length;
  return [
    ...shown.map((problem, index) => {
      const { root } = problem;
      const lead = `${String(index + 1).padStart(digits + 1)}. `;
      const who = truncate(`${nameOf(problem)}${podCount(problem)}`, Math.max(20, columns - lead.length - codes - 2));
      return `${lead}${paintSeverity(root.severity, paint)(root.code.padEnd(codes))}  ${who}`;
    }),
    ...(more > 0 ? [`${' '.repeat(digits + 3)}and ${more} more`] : []),
  ];
}

const nameOf = ({ root, owner }: Problem): string => kubectlName(owner ?? root.subject);

function podCount(problem: Problem): string {
  const pods = podsOf(problem).length;
  return pods > 1 || (pods === 1 && problem.root.subject.kind !== 'Pod') ? ` · ${plural(pods, 'pod')}` : '';
}

function problemBlock(problem: Problem, number: number, report: Explained, style: Style): string[] {
  const { root } = problem;
  const { because, beside } = symptomsOf(problem);
  return [
    ...headline(problem, number, style),
    ...indented(sanitizeLine(root.message), style),
    ...confidence(root, style),
    ...section('Evidence', evidenceLines(root, report, style), style),
    ...section(
      'Changed before',
      (problem.changes ?? []).flatMap((moment) => momentLines(moment, report, style)),
      style,
    ),
    ...section('What happened', timelineLines(problem, report, style), style),
    ...section(
      'Next steps',
      root.remedy.flatMap((step, index) => stepLines(step, index + 1, style)),
      style,
    ),
    ...section('Also affected', affected(problem, style), style),
    ...section('Because of it', symptomLines(because, style), style),
    ...section('Also wrong there', symptomLines(beside, style), style),
    ...(report.explanations?.[problem.id] ?? []).flatMap((explanation) => explanationLines(explanation, style)),
  ];
}

/** The line or two that stand above a problem. */
export function headline(problem: Problem, number: number, { columns, paint }: Style): string[] {
  const { root } = problem;
  const who = nameOf(problem);
  const many = podCount(problem);
  const label = `${root.severity.toUpperCase()} ${root.code}`;
  const plain = `${number}. ${label} · ${who}${many}`;
  const painted = `${paint.bold(`${number}.`)} ${paintSeverity(root.severity, paint)(label)} · ${paint.bold(who)}${many}`;
  if (widthOf(plain) <= columns) return [painted];
  return [
    `${paint.bold(`${number}.`)} ${paintSeverity(root.severity, paint)(label)}`,
    `${INDENT}${paint.bold(who)}${many}`,
  ];
}

const paintSeverity = (severity: Severity, paint: Style['paint']) =>
  severity === 'critical' ? paint.red.bold : severity === 'warning' ? paint.yellow.bold : paint.blue;

/** Wraps cluster text below an indent; `first` stands in front of the first line. */
export function indented(
  value: string,
  { columns }: Style,
  first = INDENT,
  rest = ' '.repeat(widthOf(first)),
): string[] {
  const lines = wrap(sanitize(value), columns - widthOf(rest));
  return lines.map((line, index) => `${index === 0 ? first : rest}${line}`);
}

/** Lines under a title, nothing where there are none. */
export function section(title: string, lines: readonly string[], { columns, paint }: Style): string[] {
  if (lines.length === 0) return [];
  return ['', ...wrap(title, columns - INDENT.length).map((line) => `${INDENT}${paint.underline(line)}`), ...lines];
}

function confidence({ confidence, check }: Finding, style: Style): string[] {
  if (confidence === 'certain') return [];
  const sure = confidence === 'likely' ? 'This is likely, not certain.' : 'This is possible, not more.';
  if (check === undefined) return indented(sure, style);
  return [
    ...indented(`${sure} To settle it: ${lowerFirst(check.text)}`, style),
    ...commandLine(check, `${INDENT}  `, style),
  ];
}

const lowerFirst = (sentence: string): string =>
  /^[A-Z][a-z]/.test(sentence) ? `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}` : sentence;

function evidenceLines({ subject, message, evidence }: Finding, report: Explained, style: Style): string[] {
  const shown = evidence.slice(0, MOST_EVIDENCE);
  const more = evidence.length - shown.length;
  return [
    ...shown.flatMap((item) => evidenceLine(item, { subject, message }, report, style)),
    ...(more > 0 ? [`${INDENT}· ${style.paint.dim(`and ${more} more (-o json shows all)`)}`] : []),
  ];
}

function evidenceLine(
  { from, where, text, at }: Evidence,
  { subject, message }: Pick<Finding, 'subject' | 'message'>,
  report: Explained,
  style: Style,
): string[] {
  const own = from.kind === subject.kind && from.name === subject.name;
  const age = at === undefined ? '' : `, ${ago(at, report)}`;
  const source = sanitizeLine(`${own ? '' : `${shortRef(from)} `}${where}${age}:`);
  const quoted = quotedLines(text, message);
  const [only = ''] = quoted;
  if (quoted.length === 1 && widthOf(source) + widthOf(only) + 6 <= style.columns) {
    return [`${INDENT}· ${style.paint.dim(source)} ${only}`];
  }
  return [
    ...wrap(source, style.columns - 5).map(
      (line, index) => `${INDENT}${index === 0 ? '· ' : '  '}${style.paint.dim(line)}`,
    ),
    ...quoted.flatMap((line) => indented(line, style, `${INDENT}  `)),
  ];
}

/** What an object said, shortened where it is long, and not said twice where the message quotes it in full. */
function quotedLines(text: string, message: string): string[] {
  const lines = sanitize(text)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => shorten(line, 400));
  const [only = ''] = lines;
  if (lines.length === 1 && only.length > 40 && sanitize(message).includes(only)) return ['as quoted above'];
  const more = lines.length - MOST_LINES;
  return more > 0 ? [...lines.slice(0, MOST_LINES), `… (${more} more lines, -o json shows all)`] : lines;
}

function momentLines({ at, text }: Moment, report: Explained, style: Style): string[] {
  return indented(`${ago(at, report)}: ${sanitizeLine(text)}`, style, `${INDENT}· `);
}

/** Nothing where it would only repeat that a container starts, ends and waits. */
function timelineLines({ timeline = [] }: Problem, report: Explained, style: Style): string[] {
  const moments = timeline.filter(({ text }) => !text.startsWith('BackOff: '));
  const telling = moments.filter(({ text }) => !/^(Pod \S+ was created|Container \S+ started)\.$/.test(text));
  if (telling.length < 2) return [];
  const day = report.takenAt.slice(0, 10);
  const stamp = (at: string) => (at.startsWith(day) ? at.slice(11, 19) : `${at.slice(5, 10)} ${at.slice(11, 19)}`);
  const width = Math.max(...moments.map(({ at }) => stamp(at).length));
  return moments.flatMap(({ at, text }) => {
    const what = sanitizeLine(text).replace(
      /since (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)/,
      (_, since) => `since ${stamp(since)}`,
    );
    return indented(what, style, `${INDENT}${stamp(at).padStart(width)}  `);
  });
}

const marks: Readonly<Record<Step['safety'], string>> = {
  inspect: '',
  change: '(changes) ',
  destructive: '(destructive) ',
};

/** A step with its number, and its command below it. */
export function stepLines(step: Step, number: number, style: Style): string[] {
  const lead = `${INDENT}${number}. `;
  const lines = indented(`${marks[step.safety]}${sanitizeLine(step.text)}`, style, lead);
  return [...lines, ...commandLine(step, ' '.repeat(lead.length), style)];
}

/** On a line of its own and never wrapped: ready to copy. */
const commandLine = ({ command, safety }: Step, indent: string, { paint }: Style): string[] =>
  command === undefined
    ? []
    : [
        `${indent}${(safety === 'inspect' ? paint.cyan : safety === 'change' ? paint.yellow : paint.red)(sanitizeLine(command))}`,
      ];

function affected({ root, owner, affects }: Problem, style: Style): string[] {
  // The headline names the workload already.
  const others = affects.filter((ref) => owner === undefined || objectKey(ref) !== objectKey(owner));
  if (others.length === 0) return [];
  const names = others.slice(0, MOST_PODS).map((ref) => namedBeside(ref, root.subject));
  const more = others.length > MOST_PODS ? ` and ${others.length - MOST_PODS} more` : '';
  return indented(`${names.join(', ')}${more}`, style);
}

function symptomLines(symptoms: readonly Finding[], style: Style): string[] {
  const real = symptoms.filter(({ severity }) => severity !== 'info');
  const shown = real.slice(0, MOST_SYMPTOMS);
  const more = real.length - shown.length;
  return [
    ...shown.flatMap(({ code, message }) => indented(`${code}: ${sanitizeLine(message)}`, style, `${INDENT}· `)),
    ...(more > 0 ? [`${INDENT}· and ${more} more`] : []),
  ];
}

/** What models said about one problem, for a terminal where the report stands already. */
export function explanationText(
  problem: Problem,
  number: number,
  explanations: readonly Explanation[],
  style: Style,
): string {
  const lines = explanations.flatMap((explanation) => explanationLines(explanation, style));
  return `\n${[...headline(problem, number, style), ...lines].join('\n')}\n`;
}

function explanationLines(explanation: Explanation, style: Style): string[] {
  const { backend, cached, cause, steps, note } = explanation;
  const took = tookOf(explanation).map((part) => `, ${part}`);
  const title = sanitizeLine(`Explained by ${backend}${cached ? ' (from the cache)' : ''}${took.join('')}`);
  return section(
    title,
    [
      ...(cause === '' ? [] : indented(cause, style)),
      ...steps.flatMap((step, index) => stepLines(step, index + 1, style)),
      ...(note === undefined ? [] : indented(note, style)),
    ],
    style,
  );
}

/** What an explanation took, and what of it was left out. */
export function tookOf({ cost, unsupported, rejected }: Explanation): string[] {
  const dropped = unsupported + rejected.length;
  return [
    ...(cost === undefined
      ? []
      : [`${(cost.milliseconds / 1000).toFixed(1)} s`, `${cost.tokens.input + cost.tokens.output} tokens`]),
    ...(dropped === 0 ? [] : [`${dropped} unsupported ${dropped === 1 ? 'claim' : 'claims'} dropped`]),
  ];
}

function infoBlock(infos: readonly Problem[], style: Style): string[] {
  if (infos.length === 0) return [];
  const shown = infos.slice(0, 10);
  const more = infos.length - shown.length;
  return [
    style.paint.bold('Good to know'),
    ...shown.flatMap((problem) =>
      indented(
        `${kubectlName(problem.owner ?? problem.root.subject)}: ${sanitizeLine(problem.root.message)}`,
        style,
        ' · ',
      ),
    ),
    ...(more > 0 ? [` · and ${more} more (-o json shows all)`] : []),
  ];
}

function gapBlock({ gaps }: Explained, style: Style): string[] {
  if (gaps.length === 0) return [];
  return [
    style.paint.bold('What podlens could not look at'),
    ...gaps.flatMap((gap) => indented(gapSentence(gap), style, ' · ')),
  ];
}

const notesBlock = ({ explain }: Explained, style: Style): string[] =>
  (explain?.notes ?? []).flatMap((note) => indented(sanitizeLine(note), style, ' · '));
