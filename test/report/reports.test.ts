import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { loadReporter } from '../../src/report/index.ts';
import { type Format, formats } from '../../src/report/reporter.ts';
import { createStyle } from '../../src/report/style.ts';
import { hostile, report } from './hostile.ts';

const GOLDEN = join(import.meta.dirname, 'golden');

async function print(format: Format, { columns = 100, color = false } = {}): Promise<string> {
  return (await loadReporter(format))(report, createStyle({ columns, color }));
}

// `npx vitest run test/report -u` writes them anew; their difference is what to review.
describe('golden files', () => {
  test.each<[string, Format, { columns?: number; color?: boolean }]>([
    ['text-60.txt', 'text', { columns: 60 }],
    ['text-100.txt', 'text', { columns: 100 }],
    ['text-60-colour.txt', 'text', { columns: 60, color: true }],
    ['text-100-colour.txt', 'text', { columns: 100, color: true }],
    ['report.md', 'markdown', {}],
    ['report.yaml', 'yaml', {}],
    ['k8sgpt.json', 'k8sgpt', {}],
  ])('%s', async (file, format, style) => {
    await expect(await print(format, style)).toMatchFileSnapshot(join(GOLDEN, file));
  });

  // What these two tell of rules and of analyzers that found nothing is the analyzers' affair.
  test('sarif', async () => {
    const { runs, ...rest } = JSON.parse(await print('sarif'));
    const [{ tool: _, ...run }] = runs;
    await expect(`${JSON.stringify({ ...rest, runs: [run] }, null, 2)}\n`).toMatchFileSnapshot(
      join(GOLDEN, 'sarif.json'),
    );
  });

  test('junit', async () => {
    const xml = await print('junit');
    const passed = /^ {2}<testsuite [^>]*failures="0">\n.*\n {2}<\/testsuite>\n/gm;
    const found = xml.replace(passed, '').replace(/ tests="\d+" failures/, ' tests="…" failures');
    await expect(found).toMatchFileSnapshot(join(GOLDEN, 'junit.xml'));
  });
});

/** Controls but for line feeds, bidirectional and invisible characters, separators, halves of surrogate pairs. */
const dangerous =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\u{e0000}-\u{e0fff}]|\p{Surrogate}/u;

describe('nothing of what a cluster says steers a terminal or hides', () => {
  test('the hostile strings are', () => {
    const { fence: _, markup: _markup, ...controls } = hostile;
    for (const [name, text] of Object.entries(controls)) expect([name, dangerous.test(text)]).toEqual([name, true]);
  });

  test.each(formats)('%s', async (format) => {
    expect(dangerous.exec(await print(format))).toBeNull();
  });

  test('text in colours has no sequence but those of colours', async () => {
    const text = await print('text', { color: true });
    expect(dangerous.exec(text.replace(/\u001b\[\d+m/g, ''))).toBeNull();
    expect(text).not.toContain('\u001b[31mred');
  });

  test('Markdown takes none of it for markup', async () => {
    const markdown = await print('markdown');
    const outsideOfCode = markdown.replace(/(`+)(?!`).*?[^`]\1(?!`)/g, '');
    expect(outsideOfCode).not.toMatch(/(?<!\\)(<script|\[x\])/);
    expect(markdown).not.toMatch(/^# Not a heading/m);
    expect(markdown.match(/^ *```/gm)?.length).toBe(2 * (markdown.match(/^ *```sh$/gm)?.length ?? 0));
  });

  test('JUnit is well-formed', async () => {
    const xml = await print('junit');
    expect(xml.replace(/<\?xml[^>]*\?>|<\/?[a-z]+(?: [a-z]+="[^"<>]*")*\/?>/g, '')).not.toMatch(/[<>]/);
    expect(xml).not.toMatch(/&(?!(amp|lt|gt|quot|apos|#10);)/);
    const tags = [...xml.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)].filter(([, , , alone]) => alone === '');
    const open: string[] = [];
    for (const [, end, name = ''] of tags) {
      if (end === '') open.push(name);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });
});

describe('what programs read is the same data', () => {
  test('JSON', async () => {
    expect(JSON.parse(await print('json'))).toEqual(report);
  });

  test('YAML', async () => {
    expect(load(await print('yaml'))).toEqual(report);
  });

  test('SARIF', async () => {
    const { runs } = JSON.parse(await print('sarif'));
    const messages = runs[0].results.map(({ message }: { message: { text: string } }) => message.text);
    expect(messages).toEqual(report.problems.map(({ root }) => root.message));
  });

  test('k8sgpt', async () => {
    const { problems, results, status } = JSON.parse(await print('k8sgpt'));
    expect([status, problems, results.length]).toEqual(['ProblemDetected', 3, 3]);
  });

  test('keys are in one order, whoever built the report', async () => {
    const reversed = JSON.parse(JSON.stringify(report), (_, value) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).reverse())
        : value,
    );
    const json = await loadReporter('json');
    const style = createStyle({ columns: 100, color: false });
    expect(json(reversed, style)).toBe(json(report, style));
  });
});

describe('where nothing is wrong', () => {
  const style = createStyle({ columns: 100, color: false });
  const healthy = { ...report, scope: {}, problems: [], gaps: [], explanations: {} };

  test('the report says what was looked at', async () => {
    const text = await loadReporter('text');
    expect(text(healthy, style)).toBe(
      'No problems found. Looked at 12 pods, 3 deployments, 40 events in 1 namespace with 22 analyzers.\n',
    );
  });

  test('and what was not', async () => {
    const text = await loadReporter('text');
    expect(text({ ...healthy, gaps: [{ what: 'Node', reason: 'jane may not list nodes' }] }, style)).toBe(
      `No problems found in what could be read. Looked at 12 pods, 3 deployments, 40 events in 1 namespace
with 22 analyzers.

What podlens could not look at
 · Node: jane may not list nodes.
`,
    );
  });

  test.each(formats)('%s says it too', async (format) => {
    const reporter = await loadReporter(format);
    const gaps = [{ what: 'Node', reason: 'jane may not list nodes' }];
    expect(reporter({ ...healthy, gaps }, style)).toContain('jane may not list nodes');
    expect(reporter(healthy, style)).not.toContain('jane');
  });
});
