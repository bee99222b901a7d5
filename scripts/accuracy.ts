// Prints how many recorded faults podlens names rightly, by family of cause: `npm run accuracy`.
import { readFileSync } from 'node:fs';
import { analyzers } from '../src/analyzers/index.ts';
import { diagnose } from '../src/diagnose.ts';
import { fixtureFiles } from '../test/support/fixture-files.ts';
import { parseFixture } from '../test/support/fixtures.ts';
import { familyOf, faultsOf, recordings, reportOf } from '../test/support/recordings.ts';

interface Score {
  right: number;
  of: number;
}

const columns = ['recordings', 'events gone', 'cases'] as const;
type Column = (typeof columns)[number];

const table = new Map<string, Record<Column, Score>>();
const wrong: string[] = [];

function count(family: string, column: Column, right: boolean): void {
  let row = table.get(family);
  if (row === undefined) {
    row = { recordings: { right: 0, of: 0 }, 'events gone': { right: 0, of: 0 }, cases: { right: 0, of: 0 } };
    table.set(family, row);
  }
  row[column].of += 1;
  if (right) row[column].right += 1;
}

for (const recording of recordings) {
  for (const events of ['with events', 'without events'] as const) {
    const faults = faultsOf(recording, await reportOf(recording, events));
    count(familyOf(recording), events === 'with events' ? 'recordings' : 'events gone', faults.length === 0);
    if (faults.length > 0) wrong.push(`${recording.id} (${events}): ${faults.join(' | ')}`);
  }
}

// Every analyzer's cases, judged by all analyzers together: each expected cause is found, as a root or under one.
for (const { id } of analyzers) {
  for (const file of fixtureFiles(id)) {
    const { expect, snapshot } = parseFixture(readFileSync(file, 'utf8'));
    const wanted = expect.map((line) => line.split(' ')[0] ?? '');
    if (wanted.length === 0) continue;
    const { problems } = diagnose(snapshot, { analyzers });
    const found = new Set(problems.flatMap(({ root, symptoms }) => [root.code, ...symptoms.map(({ code }) => code)]));
    const right = wanted.every((code) => found.has(code));
    count(wanted[0]?.split('.')[0] ?? '', 'cases', right);
    if (!right)
      wrong.push(`${file.split('/').slice(-2).join('/')}: wanted ${wanted.join(', ')}; got ${[...found].join(', ')}`);
  }
}

const cell = ({ right, of }: Score): string => (of === 0 ? '–' : `${right} of ${of}`);
const line = (name: string, row: Record<Column, Score>): string =>
  `| ${name.padEnd(9)} | ${columns.map((column) => cell(row[column]).padStart(11)).join(' | ')} |`;

const total: Record<Column, Score> = {
  recordings: { right: 0, of: 0 },
  'events gone': { right: 0, of: 0 },
  cases: { right: 0, of: 0 },
};
for (const row of table.values()) {
  for (const column of columns) {
    total[column].right += row[column].right;
    total[column].of += row[column].of;
  }
}

console.log(`| family    | ${columns.map((column) => column.padStart(11)).join(' | ')} |`);
console.log(`|-----------|${columns.map(() => '------------:').join('|')}|`);
for (const [family, row] of [...table].sort(([a], [b]) => (a < b ? -1 : 1))) console.log(line(family, row));
console.log(line('all', total));
if (process.argv.includes('--wrong')) for (const text of wrong) console.log(`wrong: ${text}`);
