import { expect, test } from 'vitest';
import { explain, renderPrompts } from '../../src/ai/explain.ts';
import { cluster, places, problemOf, quotes, report } from './support/canary.ts';
import { answer, model } from './support/models.ts';
import { reportOf } from './support/problems.ts';

const body = (prompts: readonly object[]): string => prompts.map((prompt) => JSON.stringify(prompt)).join('\n');
const say = answer({
  cause: [{ text: 'Container-1 of deployment-1 or app-1 cannot start.', cites: ['e1'] }],
  steps: [{ text: 'See pod-1.', command: 'kubectl describe pod pod-1 -n namespace-1', cites: ['e1'] }],
});

test('the cluster of this test is found broken by the rules themselves', () => {
  expect(report.problems[0]?.root.code).toMatch(/^image\./);
});

test('no name and no secret is in any request', async () => {
  const backend = model(() => 'no JSON, so that the repair is sent too');
  await explain(report, cluster, { backends: [backend], signal: new AbortController().signal });
  expect(backend.asked.length).toBeGreaterThan(places.length);
  const sent = body(backend.asked);
  expect(sent.match(/.{0,60}zq.{0,40}/gi) ?? []).toEqual([]);
  expect(sent.match(/.{0,60}hush.{0,40}/gi) ?? []).toEqual([]);
  expect(sent).not.toMatch(
    /203\.0\.113\.77|198\.51\.100\.23|10\.20\.30\.40|fd00:20|123456789012|aHVzaC1zZWNyZXQ|enE6aHVzaDEyMw|correct horse|with spaces|annotation of words/,
  );
});

test('nor in what --print-prompt prints', () => {
  const printed = renderPrompts(report, cluster, {})
    .map(({ text }) => text)
    .join('\n');
  expect(printed.match(/.{0,60}(?:zq|hush).{0,40}/gi) ?? []).toEqual([]);
});

test('with names in clear the secrets are cut out all the same', async () => {
  const backend = model(() => say);
  await explain(report, cluster, { backends: [backend], signal: new AbortController().signal, anonymize: false });
  const sent = body(backend.asked);
  expect(sent).toContain('zqcheckout');
  expect(sent.match(/.{0,60}hush.{0,40}/gi) ?? []).toEqual([]);
});

test('the answer shows the real names', async () => {
  const { explanations } = await explain(reportOf(problemOf('one', quotes(places.slice(0, 1)))), cluster, {
    backends: [model(() => say.replaceAll('deployment-1 or app-1', 'app-1'))],
    signal: new AbortController().signal,
  });
  expect(explanations?.['one']?.[0]).toMatchObject({
    cause: 'zqmain of zqcheckout cannot start.',
    steps: [
      {
        text: 'See zqcheckout-7f9c8b6d5-x2lqp.',
        command: 'kubectl describe pod zqcheckout-7f9c8b6d5-x2lqp -n zqpayments',
      },
    ],
  });
});
