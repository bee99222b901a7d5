import { describe, expect, test } from 'vitest';
import { openBackend } from '../../src/ai/backends.ts';
import { chooseBackends } from '../../src/ai/choose-backends.ts';
import { ollamaUrl } from '../../src/ai/ollama-url.ts';
import { type BackendConfig, defaults } from '../../src/config.ts';
import { prompt, testBackend } from '../contract/backend.ts';
import { closedUrl } from '../support/http-server.ts';
import { type OllamaReply, startOllama } from '../support/ollama-server.ts';

const signal = new AbortController().signal;

function open(entry: Partial<BackendConfig>, env: Record<string, string> = {}) {
  const backend = { name: 'lab', provider: 'ollama', model: 'llama3.2:3b', timeoutSeconds: 0.3, ...entry };
  const [settings] = chooseBackends({ backend: ['lab'] }, { ...defaults, backends: [backend] }, env);
  if (settings === undefined) throw new Error('no backend');
  return openBackend(settings, { env, signal });
}

const failure = (call: Promise<unknown>): Promise<{ code: string; message: string; hint?: string }> =>
  call.then(
    () => ({ code: 'none', message: 'no error' }),
    (error: { code: string; message: string; hint?: string }) => error,
  );

testBackend('ollama', async (behaviour, use) => {
  if (behaviour === 'down') return use(await open({ baseUrl: await closedUrl() }));
  const replies: Record<string, OllamaReply> = {
    fail: { status: 500, body: { error: 'llama runner process has terminated' } },
    hang: { hang: true },
    cut: { cut: '{"cau' },
  };
  const reply = typeof behaviour === 'object' ? behaviour.text : (replies[behaviour] ?? '');
  await using server = await startOllama({ reply: () => reply });
  await use(await open({ baseUrl: server.url }));
});

test('asks with the schema, a context that the prompt fits in, and no thinking', async () => {
  await using server = await startOllama({ reply: () => '{}' });
  const backend = await open({ baseUrl: server.url, keepAlive: '-1' });
  await backend.complete(prompt, { signal });
  expect(server.chats[0]).toEqual({
    model: 'llama3.2:3b',
    messages: [
      { role: 'system', content: prompt.system },
      { role: 'user', content: 'Hello.' },
      { role: 'assistant', content: 'Good day.' },
      { role: 'user', content: 'Why does it wait?' },
    ],
    format: prompt.schema,
    stream: true,
    think: false,
    keep_alive: -1,
    options: { temperature: 0, num_ctx: 8192, num_predict: 4096 },
  });
});

test.each([
  ['short', 10, {}, 8192],
  ['4,000 tokens of English', 12_000, {}, 8192],
  ['a long conversation', 30_000, {}, 16_384],
  ['what the config says', 30_000, { contextLength: 5000 }, 5000],
])('context for %s', async (_, length, entry, expected) => {
  await using server = await startOllama({ reply: () => '{}' });
  const backend = await open({ baseUrl: server.url, ...entry });
  await backend.complete({ system: '', user: 'x'.repeat(length) }, { signal });
  expect(server.chats[0]?.options.num_ctx).toBe(expected);
});

describe('failures say what and where', () => {
  const answer = async (reply: OllamaReply, entry: Partial<BackendConfig> = {}) => {
    await using server = await startOllama({ reply: () => reply, models: ['llama3.2:3b', 'qwen2.5:7b'] });
    const backend = await open({ baseUrl: server.url, ...entry });
    const { code, message, hint } = await failure(backend.complete(prompt, { signal }));
    return `${code}: ${message.replace(server.url, 'URL')}${hint === undefined ? '' : ` ${hint}`}`;
  };

  test.each<[string, OllamaReply, string]>([
    [
      'an error in the stream',
      { lines: ['{"message":{"content":"a"}}', '{"error":"out of memory"}'] },
      'backend-failed: lab at URL failed with 500: out of memory',
    ],
    ['no JSON', { lines: ['<html>'] }, 'backend-failed: lab at URL answered with something that is not JSON.'],
    [
      'no end',
      { lines: ['{"message":{"content":"a"}}'] },
      'backend-failed: lab at URL closed the connection before its answer ended.',
    ],
    [
      'too many tokens',
      { lines: ['{"message":{"content":"a"},"done":true,"done_reason":"length"}'] },
      'backend-cut-short: lab at URL ended its answer early: it reached the limit of 4096 tokens.',
    ],
  ])('%s', async (_, reply, expected) => {
    expect(await answer(reply)).toBe(expected);
  });

  test('a model that is not installed', async () => {
    expect(await answer('', { model: 'lama3.2:3b' })).toBe(
      'backend-model-unknown: lab at URL offers no model named "lama3.2:3b". Did you mean "llama3.2:3b"? It offers llama3.2:3b, qwen2.5:7b. Install it with: ollama pull lama3.2:3b',
    );
  });

  test('a server that is busy is asked again', async () => {
    const busy = { status: 503, body: { error: 'server busy' }, headers: { 'retry-after': '0.01' } };
    await using server = await startOllama({ reply: (_, attempt) => (attempt < 3 ? busy : 'ok') });
    const backend = await open({ baseUrl: server.url });
    expect((await backend.complete({ system: 's', user: 'u' }, { signal })).text).toBe('ok');
  });

  test('and reported when that was not enough', async () => {
    const busy = { status: 503, body: { error: 'server busy' }, headers: { 'retry-after': '0.01' } };
    expect(await answer(busy, { maxRetries: 1 })).toBe('backend-failed: lab at URL failed with 503: server busy');
  });

  test('where nothing answers, how to start it', async () => {
    const backend = await open({ baseUrl: await closedUrl() });
    expect(await failure(backend.complete(prompt, { signal }))).toMatchObject({
      code: 'backend-unreachable',
      message: expect.stringContaining('cannot be reached: the connection was refused.'),
      hint: 'Start it with: ollama serve',
    });
  });
});

test.each([
  [['only:latest'], 'ollama:only:latest'],
  [['b:1', 'a:1'], 'backend-model-missing: Name it with --model. It offers a:1, b:1.'],
  [[], 'backend-model-missing: Name it with --model. It offers no models.'],
])('without a model and with %j installed', async (models, expected) => {
  await using server = await startOllama({ reply: () => 'ok', models });
  const found = await open({ model: undefined }, { OLLAMA_HOST: server.url }).then(
    ({ id }) => id.replace(/@.*/, ''),
    (error: { code: string; hint: string }) => `${error.code}: ${error.hint}`,
  );
  expect(found).toBe(expected);
});

test.each([
  ['', 'http://127.0.0.1:11434'],
  ['gpu-box', 'http://gpu-box:11434'],
  ['gpu-box:9000', 'http://gpu-box:9000'],
  ['gpu-box:80', 'http://gpu-box'],
  [' "10.0.0.7" ', 'http://10.0.0.7:11434'],
  ['0.0.0.0', 'http://127.0.0.1:11434'],
  ['0.0.0.0:9000', 'http://127.0.0.1:9000'],
  [':9000', 'http://127.0.0.1:9000'],
  ['::1', 'http://[::1]:11434'],
  ['[::1]:9000', 'http://[::1]:9000'],
  ['http://gpu-box:9000/', 'http://gpu-box:9000'],
  ['https://llm.example.com', 'https://llm.example.com'],
  ['https://llm.example.com/ollama/', 'https://llm.example.com/ollama'],
  ['http://gpu-box:11434/v1', 'http://gpu-box:11434'],
])('OLLAMA_HOST=%j is %s', (host, url) => {
  expect(ollamaUrl(host)).toBe(url);
});
