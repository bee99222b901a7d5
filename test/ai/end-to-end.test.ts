import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/ai/backend.ts';
import { openBackend } from '../../src/ai/backends.ts';
import { chooseBackends } from '../../src/ai/choose-backends.ts';
import { type ExplainOptions, explain, renderPrompts } from '../../src/ai/explain.ts';
import { namesOf } from '../../src/ai/names.ts';
import { analyzers } from '../../src/analyzers/index.ts';
import { createFileCache } from '../../src/cache/file.ts';
import { readDump } from '../../src/cluster/files.ts';
import { type BackendConfig, defaults } from '../../src/config.ts';
import { diagnose } from '../../src/diagnose.ts';
import { closedUrl } from '../support/http-server.ts';
import { startOllama } from '../support/ollama-server.ts';
import { startOpenAi } from '../support/openai-server.ts';
import { RECORDINGS } from '../support/recordings.ts';
import * as canary from './support/canary.ts';
import { answer } from './support/models.ts';

const signal = new AbortController().signal;
const base = mkdtempSync(join(tmpdir(), 'podlens-explain-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const { snapshot } = await readDump([RECORDINGS]);
const report = diagnose(snapshot, { analyzers });
const run = (backend: Backend, options: Partial<ExplainOptions> = {}) =>
  explain(report, snapshot, { backends: [backend], signal, clock: () => 0, ...options });

async function open(provider: string, baseUrl: string, entry: Partial<BackendConfig> = {}): Promise<Backend> {
  const backend = { name: 'lab', provider, model: 'model-a', baseUrl, timeoutSeconds: 5, maxRetries: 0, ...entry };
  const [settings] = chooseBackends({ backend: ['lab'] }, { ...defaults, backends: [backend] }, {});
  if (settings === undefined) throw new Error('no backend');
  return openBackend(settings, { env: {}, signal });
}

const say = answer({ cause: [{ text: 'It cannot start.', cites: ['e1'] }], steps: [] });

describe('recorded clusters', () => {
  test('cost one call for each distinct cause, and none the second time', async () => {
    await using server = await startOpenAi({ reply: () => say });
    const backend = await open('openai', server.baseUrl);
    const folder = join(base, 'kept');
    const cache = createFileCache({ folder });
    const distinct = renderPrompts(report, snapshot, {}).length;
    expect(distinct).toBeGreaterThan(20);

    const first = await run(backend, { cache });
    expect(server.chats).toHaveLength(distinct);
    expect(first.explain?.stats).toMatchObject({ calls: distinct, cacheHits: 0, tokens: { input: 100 * distinct } });
    expect(Object.keys(first.explanations ?? {})).toEqual(
      report.problems.filter(({ root }) => root.severity !== 'info').map(({ id }) => id),
    );

    const second = await run(backend, { cache });
    expect(server.chats).toHaveLength(distinct);
    expect(second.explain?.stats).toMatchObject({ calls: 0, cacheHits: distinct });
    const causes = (explained: typeof first) => Object.values(explained.explanations ?? {}).map((all) => all[0]?.cause);
    expect(causes(second)).toEqual(causes(first));
    expect(readdirSync(folder)).toHaveLength(distinct);
  });

  test('cost every call again without a cache, and leave no file', async () => {
    await using server = await startOpenAi({ reply: () => say });
    const backend = await open('openai', server.baseUrl);
    const before = readdirSync(base, { recursive: true });
    await run(backend);
    await run(backend);
    expect(server.chats).toHaveLength(2 * renderPrompts(report, snapshot, {}).length);
    expect(readdirSync(base, { recursive: true })).toEqual(before);
  });

  test('are reported in full when the backend is down, which is said once', async () => {
    const url = await closedUrl();
    const explained = await run(await open('openai', `${url}/v1`));
    const { explanations, explain: about, ...rest } = explained;
    expect(rest).toEqual(report);
    expect(explanations).toEqual({});
    expect(about?.notes).toHaveLength(1);
    expect(about?.notes[0]).toContain('cannot be reached: the connection was refused.');
  });

  test.each([
    ['a wrong key', { key: 'other' }, /refused the key/],
    ['an unknown model', { models: ['model-b'] }, /offers no model named "model-a"/],
  ])('%s is said once', async (_, options, words) => {
    await using server = await startOpenAi({ reply: () => say, ...options });
    const { explain: about } = await run(await open('openai', server.baseUrl), { concurrency: 1 });
    expect(about?.notes).toHaveLength(1);
    expect(about?.notes[0]).toMatch(words);
    expect(about?.stats.calls).toBe(1);
  });

  test('keep what could be explained when some answers fail', async () => {
    await using server = await startOpenAi({
      reply: (_, attempt) =>
        attempt === 2 ? { status: 500, body: { error: { message: 'boom' } } } : attempt === 4 ? { cut: '{"cau' } : say,
    });
    const { explanations, explain: about } = await run(await open('openai', server.baseUrl), { concurrency: 1 });
    const notes = Object.values(explanations ?? {}).flatMap((all) => all.flatMap(({ note }) => note ?? []));
    expect(notes).toHaveLength(2);
    expect(about).toMatchObject({ notes: [], stats: { failed: 2 } });
  });
});

test('no name of a recorded cluster is in a prompt', () => {
  const prompts = renderPrompts(report, snapshot, {}).map(({ text }) => text.split(/<.?data>/).at(-2) ?? '');
  const words = new Set(prompts.flatMap((text) => text.match(/[A-Za-z0-9][\w.-]*[A-Za-z0-9]/g) ?? []));
  const { kinds } = namesOf(report, snapshot);
  expect(kinds.size).toBeGreaterThan(150);
  expect([...kinds.keys()].filter((name) => words.has(name))).toEqual([]);
});

describe('what goes over the wire', () => {
  const leaks = (bodies: readonly string[]) =>
    bodies.flatMap((body) => body.match(/.{0,40}(?:zq|hush).{0,40}/gi) ?? []);

  test('to an OpenAI API has no name and no secret', async () => {
    await using server = await startOpenAi({ reply: () => say });
    const { explanations } = await explain(canary.report, canary.cluster, {
      backends: [await open('openai', server.baseUrl)],
      signal,
    });
    expect(server.received.length).toBeGreaterThan(canary.places.length);
    expect(leaks(server.received.map(({ body, path }) => path + body))).toEqual([]);
    expect(Object.keys(explanations ?? {})).toHaveLength(canary.report.problems.length);
  });

  test('to Ollama neither, and the answer has the real names', async () => {
    const named = answer({
      cause: [{ text: 'Pod-1 cannot start.', cites: ['e1'] }],
      steps: [{ text: 'Look.', command: 'kubectl describe pod pod-1 -n namespace-1', cites: ['e1'] }],
    });
    await using server = await startOllama({ models: ['model-a:latest'], reply: () => named });
    const { explanations } = await explain(canary.report, canary.cluster, {
      backends: [await open('ollama', server.url)],
      signal,
    });
    expect(leaks(server.received.map(({ body, path }) => path + body))).toEqual([]);
    expect(explanations?.['all']?.[0]).toMatchObject({
      cause: 'zqcheckout-7f9c8b6d5-x2lqp cannot start.',
      steps: [{ command: 'kubectl describe pod zqcheckout-7f9c8b6d5-x2lqp -n zqpayments' }],
    });
  });

  test('is not what is kept in files', async () => {
    await using server = await startOpenAi({ reply: () => say });
    const folder = join(base, 'canary');
    await explain(canary.report, canary.cluster, {
      backends: [await open('openai', server.baseUrl)],
      cache: createFileCache({ folder }),
      signal,
      anonymize: false,
    });
    expect(leaks(readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8')))).toEqual([]);
  });
});

test('two backends stand side by side', async () => {
  await using one = await startOpenAi({ reply: () => say });
  await using two = await startOllama({ models: ['model-a:latest'], reply: () => say });
  const backends = [await open('openai', one.baseUrl), await open('ollama', two.url)];
  const { explanations, explain: about } = await explain(report, snapshot, { backends, signal, clock: () => 0 });
  const ids = backends.map(({ id }) => id);
  for (const each of Object.values(explanations ?? {})) expect(each.map(({ backend }) => backend)).toEqual(ids);
  expect(Object.keys(about?.backends ?? {})).toEqual(ids);
});
