import { describe, expect, test } from 'vitest';
import { openBackend, openEndpoint } from '../../src/ai/backends.ts';
import { chooseBackends } from '../../src/ai/choose-backends.ts';
import { type BackendConfig, defaults } from '../../src/config.ts';
import { prompt, testBackend } from '../contract/backend.ts';
import { closedUrl } from '../support/http-server.ts';
import { type OpenAiServerOptions, type Reply, startOpenAi } from '../support/openai-server.ts';

const KEY = 'sk-canary-0123456789abcdef';
const signal = new AbortController().signal;

/** As a config file would set it up. */
function settings(entry: Partial<BackendConfig>, env: Record<string, string> = {}) {
  const backend = { name: 'lab', provider: 'openai', model: 'model-a', timeoutSeconds: 0.3, maxRetries: 0, ...entry };
  const [found] = chooseBackends({ backend: ['lab'] }, { ...defaults, backends: [backend] }, env);
  if (found === undefined) throw new Error('no backend');
  return found;
}

const open = (entry: Partial<BackendConfig>, env: Record<string, string> = {}) =>
  openBackend(settings(entry, env), { env, signal });

async function failure(call: Promise<unknown>): Promise<{ code: string; message: string; hint?: string }> {
  const error = await call.then(
    () => 'no error',
    (error: unknown) => error,
  );
  return error as { code: string; message: string; hint?: string };
}

testBackend('openai', async (behaviour, use) => {
  if (behaviour === 'down') return use(await open({ baseUrl: `${await closedUrl()}/v1` }));
  const replies = {
    fail: { status: 500, body: { error: { message: 'boom' } } },
    hang: { hang: true },
    cut: { cut: '{"cau' },
  };
  const reply: Reply = typeof behaviour === 'object' ? behaviour.text : (replies[behaviour] as Reply);
  await using server = await startOpenAi({ reply: () => reply });
  await use(await open({ baseUrl: server.baseUrl }));
});

describe('asking for JSON', () => {
  const ask = async (options: Partial<OpenAiServerOptions>, entry: Partial<BackendConfig> = {}) => {
    await using server = await startOpenAi({ reply: () => '{"cause":"x"}', ...options });
    const backend = await open({ baseUrl: server.baseUrl, ...entry });
    await backend.complete(prompt, { signal });
    await backend.complete(prompt, { signal });
    await backend.complete({ system: 's', user: 'u' }, { signal });
    return server.chats;
  };
  const formatsOf = (chats: Awaited<ReturnType<typeof ask>>) =>
    chats.map((chat) => chat.response_format?.type ?? 'text');

  test('sends the schema, the history and the texts as they are', async () => {
    const [chat] = await ask({});
    expect(chat).toEqual({
      model: 'model-a',
      messages: [
        { role: 'system', content: prompt.system },
        { role: 'user', content: 'Hello.' },
        { role: 'assistant', content: 'Good day.' },
        { role: 'user', content: 'Why does it wait?' },
      ],
      response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: prompt.schema } },
    });
  });

  test.each([
    [
      ['json_schema', 'json_object'],
      ['json_schema', 'json_schema', 'text'],
    ],
    [['json_object'], ['json_schema', 'json_object', 'json_object', 'text']],
    [[], ['json_schema', 'json_object', 'text', 'text', 'text']],
  ])('an endpoint that takes %j is asked with %j: a refusal is met once', async (formats, expected) => {
    const chats = await ask({ formats });
    expect(formatsOf(chats)).toEqual(expected);
  });

  test('where the endpoint takes no schema, the prompt carries it', async () => {
    const chats = await ask({ formats: ['json_object'] });
    expect(chats[1]?.messages[0]?.content).toContain(JSON.stringify(prompt.schema));
    expect(chats[3]?.messages[0]?.content).toBe('s');
  });

  test('a parameter that a model refuses is left out from then on', async () => {
    const chats = await ask({ refuses: ['temperature'] }, { temperature: 0.2 });
    expect(chats.map((chat) => chat.temperature)).toEqual([0.2, undefined, undefined, undefined]);
    expect(formatsOf(chats)).toEqual(['json_schema', 'json_schema', 'json_schema', 'text']);
  });

  test('stream_options too', async () => {
    await using server = await startOpenAi({ reply: () => 'ok', refuses: ['stream_options'] });
    const backend = await open({ baseUrl: server.baseUrl });
    const completion = await backend.complete({ system: 's', user: 'u' }, { signal, onText: () => {} });
    expect(completion).toEqual({ text: 'ok' });
    expect(server.chats.length).toBe(2);
  });

  test('a prompt that is too long is refused once, not in every format', async () => {
    const body = { error: { message: 'maximum context length is 4096', code: 'context_length_exceeded' } };
    await using server = await startOpenAi({ reply: () => ({ status: 400, body }) });
    const backend = await open({ baseUrl: server.baseUrl });
    expect(await failure(backend.complete(prompt, { signal }))).toMatchObject({ code: 'backend-refused' });
    expect(server.chats.length).toBe(1);
  });

  test('an answer that met the limit of tokens is no answer', async () => {
    await using server = await startOpenAi({ reply: () => ({ text: '{"cause":"x', finish: 'length' }) });
    const backend = await open({ baseUrl: server.baseUrl });
    for (const onText of [undefined, () => {}]) {
      const call = backend.complete(prompt, { signal, ...(onText === undefined ? {} : { onText }) });
      expect((await failure(call)).message).toContain("reached the model's limit of output tokens");
    }
  });

  test('a refusal is the text where a text was asked for', async () => {
    const message = { role: 'assistant', content: null, refusal: 'I cannot help with that.' };
    const body = { choices: [{ index: 0, message, finish_reason: 'stop' }] };
    await using server = await startOpenAi({ reply: () => ({ status: 200, body }) });
    const backend = await open({ baseUrl: server.baseUrl });
    const answer = await backend.complete({ system: 's', user: 'u' }, { signal });
    expect(answer).toEqual({ text: 'I cannot help with that.' });
  });
});

describe('retries', () => {
  test('429 is asked again after Retry-After, as often as configured', async () => {
    const limited = { status: 429, body: { error: { message: 'slow down' } }, headers: { 'retry-after': '0.01' } };
    await using server = await startOpenAi({ reply: (_, attempt) => (attempt < 3 ? limited : 'ok') });
    const backend = await open({ baseUrl: server.baseUrl, maxRetries: 2 });
    expect((await backend.complete({ system: 's', user: 'u' }, { signal })).text).toBe('ok');
    expect(server.chats.length).toBe(3);
  });

  test('and reported when that was not enough', async () => {
    const limited = { status: 429, body: { error: { message: 'slow down' } }, headers: { 'retry-after': '0.01' } };
    await using server = await startOpenAi({ reply: () => limited });
    const backend = await open({ baseUrl: server.baseUrl, maxRetries: 1 });
    const error = await failure(backend.complete(prompt, { signal }));
    expect(error).toMatchObject({ code: 'backend-rate-limited' });
    expect(error.message).toBe(`lab at ${server.baseUrl} limits the rate of calls with 429: slow down`);
    expect(server.chats.length).toBe(2);
  });

  test('who did not answer in time is not waited for again', async () => {
    await using server = await startOpenAi({ reply: () => ({ hang: true }) });
    const backend = await open({ baseUrl: server.baseUrl, maxRetries: 2 });
    const error = await failure(backend.complete(prompt, { signal }));
    expect(error).toMatchObject({
      code: 'backend-timeout',
      message: `lab at ${server.baseUrl} did not answer within 0.3 s.`,
    });
    expect(server.chats.length).toBe(1);
  });
});

describe('failures say what and where', () => {
  const answer = async (
    reply: Reply,
    options: Partial<OpenAiServerOptions> = {},
    entry: Partial<BackendConfig> = {},
  ) => {
    await using server = await startOpenAi({ reply: () => reply, ...options });
    const backend = await open({ baseUrl: server.baseUrl, ...entry });
    const error = await failure(backend.complete(prompt, { signal }));
    return `${error.code}: ${error.message.replace(server.baseUrl, 'URL')}${error.hint === undefined ? '' : ` ${error.hint}`}`;
  };

  test.each<[string, Reply, string]>([
    [
      'no credit',
      { status: 429, body: { error: { message: 'exceeded quota', code: 'insufficient_quota' } } },
      'backend-quota: lab at URL has no credit left for this account: it answered with 429: exceeded quota',
    ],
    ['500', { status: 500, body: { error: { message: 'boom' } } }, 'backend-failed: lab at URL failed with 500: boom'],
    [
      '{"message"}',
      { status: 500, body: { object: 'error', message: 'engine died' } },
      'backend-failed: lab at URL failed with 500: engine died',
    ],
    [
      '{"detail"}',
      { status: 403, body: { detail: 'not you' } },
      'backend-unauthorized: lab at URL refused the key with 403: not you No key was sent.',
    ],
    [
      'a page',
      { status: 502, body: '<html><body>Bad gateway</body></html>' },
      'backend-failed: lab at URL failed with 502',
    ],
    ['not JSON', { raw: '{"choices": [' }, 'backend-failed: lab at URL answered with something that is not JSON.'],
    [
      'a page for 200',
      { raw: '<html>', type: 'text/html' },
      'backend-failed: lab at URL answered with something that is no chat completion.',
    ],
    [
      'JSON of another kind',
      { status: 200, body: { ok: true } },
      'backend-failed: lab at URL answered with something that is no chat completion.',
    ],
  ])('%s', async (_, reply, expected) => {
    expect(await answer(reply)).toContain(expected);
  });

  test.each<[string, Reply, string]>([
    [
      'a refusal',
      {
        status: 200,
        body: { choices: [{ message: { content: null, refusal: "I can't help." }, finish_reason: 'stop' }] },
      },
      "backend-refused: lab at URL declined to answer: I can't help.",
    ],
    [
      'a filter',
      { text: '{"cau', finish: 'content_filter' },
      'backend-refused: lab at URL declined to answer: its content filter stopped the answer.',
    ],
    [
      'a limit',
      { text: '{"cau', finish: 'length' },
      "backend-cut-short: lab at URL ended its answer early: it reached the model's limit of output tokens.",
    ],
  ])('%s', async (_, reply, expected) => {
    expect(await answer(reply)).toBe(expected);
  });

  test('an unknown model lists what there is, the near name first', async () => {
    const models = ['model-a', 'model-b', 'other'];
    expect(await answer('', { models }, { model: 'modle-b' })).toBe(
      'backend-model-unknown: lab at URL offers no model named "modle-b". Did you mean "model-b"? It offers model-a, model-b, other.',
    );
  });

  test('a wrong base URL is not blamed on the model', async () => {
    await using server = await startOpenAi({ reply: () => '' });
    const backend = await open({ baseUrl: `${server.url}/api` });
    expect(await failure(backend.complete(prompt, { signal }))).toMatchObject({
      code: 'backend-not-found',
      hint: 'A base URL usually ends in /v1.',
    });
  });

  test.each([
    ['its own key', `Incorrect API key provided: ${KEY}.`],
    ['part of it', `Incorrect API key provided: ${KEY.slice(0, 12)}…`],
    ['a starred form', 'Incorrect API key provided: sk-ca*****cdef.'],
    ['a header', `bad header Authorization: Bearer ${KEY}`],
  ])('a server that echoes %s does not make podlens print it', async (_, message) => {
    const text = await answer({ status: 401, body: { error: { message } } }, {}, { key: KEY });
    expect(text).toContain('[key]');
    expect(text).not.toMatch(/sk-ca/);
    expect(text).toContain('Check the key and what it is allowed to use.');
  });

  test('control characters of a server do not reach the terminal', async () => {
    expect(await answer({ status: 500, body: { error: { message: 'a\u001b[31mb\nc' } } })).toMatch(
      /failed with 500: ab c$/,
    );
  });
});

describe('endpoints', () => {
  test('without a key no Authorization is sent, with one it is', async () => {
    await using server = await startOpenAi({ reply: () => 'ok' });
    await (await open({ baseUrl: server.baseUrl })).complete(prompt, { signal });
    await (await open({ baseUrl: server.baseUrl, key: KEY })).complete(prompt, { signal });
    await (await open({ baseUrl: server.baseUrl }, { OPENAI_API_KEY: KEY, OPENAI_ORG_ID: 'org-1' })).complete(prompt, {
      signal,
    });
    expect(server.received.map(({ headers }) => [headers['authorization'], headers['openai-organization']])).toEqual([
      [undefined, undefined],
      [`Bearer ${KEY}`, undefined],
      [`Bearer ${KEY}`, 'org-1'],
    ]);
  });

  test('user and password of the URL become a header, and stay out of the id', async () => {
    await using server = await startOpenAi({ reply: () => 'ok' });
    const backend = await open({ baseUrl: server.baseUrl.replace('//', '//me:s3cret@') });
    await backend.complete(prompt, { signal });
    expect(server.received[0]?.headers['authorization']).toBe(`Basic ${Buffer.from('me:s3cret').toString('base64')}`);
    expect(backend.id).toBe(`openai:model-a@${server.baseUrl}`);
  });

  test('a "%" in the password of the URL that stands for itself is sent as it is', async () => {
    await using server = await startOpenAi({ reply: () => 'ok' });
    const backend = await open({ baseUrl: server.baseUrl.replace('//', '//me:50%off@') });
    await backend.complete(prompt, { signal });
    expect(server.received[0]?.headers['authorization']).toBe(`Basic ${Buffer.from('me:50%off').toString('base64')}`);
  });

  test('custom headers go with every request', async () => {
    await using server = await startOpenAi({ reply: () => 'ok' });
    const backend = await open({ baseUrl: server.baseUrl, headers: { 'X-Team': 'sre', Authorization: 'Token t' } });
    await backend.complete(prompt, { signal });
    expect(server.received[0]?.headers).toMatchObject({ 'x-team': 'sre', authorization: 'Token t' });
  });

  test.each([
    ['2024-10-21', '/openai/deployments/model-a/chat/completions?api-version=2024-10-21'],
    [undefined, '/openai/v1/chat/completions'],
  ])('Azure with the API version %s is asked at %s', async (apiVersion, path) => {
    await using server = await startOpenAi({ reply: () => 'ok', key: KEY });
    const backend = await open({ provider: 'azure', baseUrl: server.url, key: KEY, apiVersion });
    await backend.complete(prompt, { signal });
    expect(server.received[0]).toMatchObject({ path, headers: { 'api-key': KEY } });
    expect(server.received[0]?.headers['authorization']).toBeUndefined();
  });

  test('without a model: the only one is used, of several the person chooses', async () => {
    const started = async (models: string[]) => {
      await using server = await startOpenAi({ reply: () => 'ok', models });
      return await open({ baseUrl: server.baseUrl, model: undefined }).then(
        ({ id }) => id.replace(/@.*/, ''),
        (error: { code: string; hint: string }) => `${error.code}: ${error.hint}`,
      );
    };
    expect(await started(['only'])).toBe('openai:only');
    expect(await started(['b', 'a'])).toBe('backend-model-missing: Name it with --model. It offers a, b.');
    expect(await started([])).toBe('backend-model-missing: Name it with --model. It offers no models.');
  });

  test('the list of models fails like any call', async () => {
    await using server = await startOpenAi({ reply: () => '', key: KEY });
    const endpoint = await openEndpoint(settings({ baseUrl: server.baseUrl, key: 'another-key-entirely' }), {
      env: {},
      signal,
    });
    const error = await failure(endpoint.models(signal));
    expect(error.code).toBe('backend-unauthorized');
    expect(error.message).not.toContain('another-key');
  });
});
