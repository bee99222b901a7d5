import { analyzers } from '../analyzers/index.ts';
import type { Problem } from '../finding.ts';
import type { Reporter } from './reporter.ts';
import { sanitize } from './sanitize.ts';
import { kubectlName } from './words.ts';

/** JUnit XML: a test suite per analyzer; a problem is a failed test, an analyzer without one a passed test. */
export const junit: Reporter = (report) => {
  const wrong = report.problems.filter(({ root }) => root.severity !== 'info');
  const suites = analyzers.map(({ id, title, rules }) => ({
    id,
    title,
    problems: wrong.filter(({ root }) => ownerOfCode(root.code) === id && Object.hasOwn(rules, root.code)),
  }));
  const known = new Set(suites.flatMap(({ problems }) => problems));
  const others = wrong.filter((problem) => !known.has(problem));
  if (others.length > 0) suites.push({ id: 'plugins', title: 'Analyzers of plugins', problems: others });
  const tests = suites.reduce((sum, { problems }) => sum + Math.max(1, problems.length), 0);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="podlens" tests="${tests + report.gaps.length}" failures="${wrong.length}" skipped="${report.gaps.length}" timestamp="${xml(report.takenAt)}">`,
    ...suites.flatMap(suiteLines),
    ...gapLines(report.gaps),
    '</testsuites>',
    '',
  ].join('\n');
};

/** Two analyzers may know the same code; its problems stand under the first. */
const ownerOfCode = (code: string): string | undefined => analyzers.find(({ rules }) => Object.hasOwn(rules, code))?.id;

interface Suite {
  readonly id: string;
  readonly title: string;
  readonly problems: readonly Problem[];
}

function suiteLines({ id, title, problems }: Suite): string[] {
  const open = `  <testsuite name="${xml(id)}" tests="${Math.max(1, problems.length)}" failures="${problems.length}">`;
  if (problems.length === 0)
    return [open, `    <testcase classname="${xml(id)}" name="${xml(title)}"/>`, '  </testsuite>'];
  return [open, ...problems.flatMap((problem) => caseLines(id, problem)), '  </testsuite>'];
}

function caseLines(suite: string, { id, root, owner }: Problem): string[] {
  const body = [
    root.message,
    ...root.evidence.map(({ where, text }) => `${where}: ${text}`),
    ...root.remedy.map(({ text, command }) => `${text}${command === undefined ? '' : `\n  ${command}`}`),
  ].join('\n');
  return [
    `    <testcase classname="${xml(suite)}" name="${xml(`${root.code} ${kubectlName(owner ?? root.subject)}`)}" id="${xml(id)}">`,
    `      <failure type="${xml(root.code)}" message="${xml(root.message)}">${xml(body)}</failure>`,
    '    </testcase>',
  ];
}

function gapLines(gaps: readonly { readonly what: string; readonly reason: string }[]): string[] {
  if (gaps.length === 0) return [];
  return [
    `  <testsuite name="gaps" tests="${gaps.length}" failures="0" skipped="${gaps.length}">`,
    ...gaps.map(
      ({ what, reason }) =>
        `    <testcase classname="gaps" name="${xml(what)}"><skipped message="${xml(reason)}"/></testcase>`,
    ),
    '  </testsuite>',
  ];
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\n': '&#10;',
};

const xml = (text: string): string => sanitize(text).replace(/[&<>"'\n]/g, (mark) => entities[mark] ?? mark);
