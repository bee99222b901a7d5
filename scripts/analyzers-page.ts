import type { AnyAnalyzer } from '../src/analyzer.ts';

/** What every analyzer looks at, needs and reports, as Markdown. */
export function analyzersPage(analyzers: readonly AnyAnalyzer[]): string {
  const codes = new Set(analyzers.flatMap(({ rules }) => Object.keys(rules)));
  return `# Analyzers

${analyzers.length} analyzers, ${codes.size} causes. This page is made from the analyzers' own rules by \`npm run docs\`; \`podlens codes\`
prints the same causes on the command line. Each analyzer is a file in this folder, with its cases in
\`fixtures/analyzers/<id>\`; CONTRIBUTING.md says how to add one.

The severity is the rule's; a finding may be milder where its objects say so. The source is the component whose words or
fields the rule reads.

| Analyzer | Kind | Question | Causes |
| --- | --- | --- | ---: |
${analyzers.map(({ id, kind, title, rules }) => `| [${id}](#${id}) | ${kind} | ${cell(title)} | ${Object.keys(rules).length} |`).join('\n')}

${analyzers.map(section).join('\n\n')}
`;
}

const section = ({ id, title, kind, needs, rules }: AnyAnalyzer): string => `## ${id}

${title}. Reads ${[kind, ...needs.filter((need) => need !== kind)].join(', ')}.

| Code | Severity | Cause | Source |
| --- | --- | --- | --- |
${Object.entries(rules)
  .map(([code, { severity, summary, source }]) => `| \`${code}\` | ${severity} | ${cell(summary)} | ${cell(source)} |`)
  .join('\n')}`;

const cell = (text: string): string => text.replace(/[|<>*_[\]]/g, (mark) => `\\${mark}`);
