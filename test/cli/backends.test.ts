import { chmodSync, existsSync, mkdtempSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import {
  type AddBackendOptions,
  addBackend,
  defaultBackend,
  listBackends,
  removeBackend,
  testBackends,
} from '../../src/cli/backends.ts';
import type { Io } from '../../src/cli/io.ts';
import { PodlensError } from '../../src/errors.ts';
import { closedUrl } from '../support/http-server.ts';
import { testIo } from '../support/io.ts';
import { startOllama } from '../support/ollama-server.ts';
import { startOpenAi } from '../support/openai-server.ts';

const KEY = 'sk-canary-0123456789';

/** A home with nothing in it, or with this config. */
function home(config?: string) {
  const cwd = mkdtempSync(join(tmpdir(), 'podlens-backends-'));
  const file = join(cwd, 'config.yaml');
  if (config !== undefined) writeFileSync(file, config, { mode: 0o600 });
  const run = async (work: (io: Io) => Promise<number>, env: Record<string, string> = {}, stdin = '') => {
    const { io, stdout, stderr } = testIo({
      stdin: Readable.from([stdin]),
      env: { HOME: cwd, PODLENS_CONFIG: file, ...env },
      cwd,
    });
    const code = await work(io).catch((error: unknown) => {
      if (!(error instanceof PodlensError)) throw error;
      return `${error.code}: ${error.message} ${error.hint ?? ''}`.trim();
    });
    return { code, stdout: stdout(), stderr: stderr().replaceAll(cwd, '') };
  };
  return { file, run, text: () => readFileSync(file, 'utf8') };
}

const add = (name: string, options: AddBackendOptions) => (io: Io) => addBackend(name, options, io);

describe('add', () => {
  test('the first is written to a file of its own, for its owner only, and is the default', async () => {
    const { run, text, file } = home();
    const result = await run(add('ollama', { model: 'llama3.2' }));
    expect(result).toEqual({
      code: 0,
      stdout: '',
      stderr: 'Added ollama to /config.yaml. It is the default. Try it: podlens backends test ollama\n',
    });
    expect(text()).toBe('backends:\n  - name: ollama\n    provider: ollama\n    model: llama3.2\ndefault: ollama\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('another keeps what is there, comments and all', async () => {
    const before = '# ours\nbackends: # all of them\n  - { name: a, provider: ollama } # the old one\ndefault: a\n';
    const { run, text, file } = home(before);
    chmodSync(file, 0o644);
    await run(add('b', { baseUrl: 'http://gpu:8000/v1', header: ['X-Team: sre'] }));
    expect(text()).toMatch(/^# ours\nbackends:\s+# all of them\n/);
    expect(text()).toContain('{ name: a, provider: ollama } # the old one');
    expect(text()).toContain(
      '- name: b\n    provider: openai\n    baseUrl: http://gpu:8000/v1\n    headers:\n      X-Team: sre\n',
    );
    expect(text()).toContain('default: a\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('a key comes over stdin and is not shown again', async () => {
    const { run, text } = home();
    const added = await run(add('groq', { model: 'm', keyStdin: true }), {}, `${KEY}\n`);
    expect(text()).toContain(`key: ${KEY}\n`);
    const listed = await run((io) => listBackends({}, io));
    const asJson = await run((io) => listBackends({ output: 'json' }, io));
    expect(JSON.stringify([added, listed, asJson])).not.toContain('canary');
    expect(listed.stdout).toContain('in the config');
  });

  test('a file behind a link stays where it is', async () => {
    const { run, file } = home();
    const target = `${file}.real`;
    writeFileSync(target, 'language: de\n');
    symlinkSync(target, file);
    await run(add('ollama', {}));
    expect(readFileSync(target, 'utf8')).toContain('language: de\nbackends:\n  - name: ollama\n');
  });

  test.each<[string, string, AddBackendOptions, string]>([
    [
      'a name that is taken',
      'a',
      {},
      'backend-exists: There is a backend named "a" already. Remove it first: podlens backends remove a',
    ],
    [
      'no provider',
      'corp',
      {},
      'provider-missing: Which provider is "corp"? Give --provider (openai, azure, ollama, groq, mistral, deepseek, openrouter, lmstudio, llamacpp, localai, vllm), or --base-url for any endpoint that speaks the OpenAI API.',
    ],
    [
      'a misspelt provider',
      'corp',
      { provider: 'olama' },
      'provider-unknown: The backend "corp" has an unknown provider "olama". Did you mean "ollama"?',
    ],
    [
      'no key',
      'groq',
      {},
      'backend-key-missing: The backend "groq" needs a key. Set GROQ_API_KEY, or give it a keyCommand in the config.',
    ],
    [
      'no URL',
      'corp',
      { baseUrl: 'gpu' },
      'backend-url-invalid: baseUrl in the config is not a URL that begins with http:// or https://.',
    ],
    [
      'an empty key',
      'groq',
      { keyStdin: true },
      'key-invalid: What came over standard input is no key: it is empty or has spaces in it.',
    ],
    [
      'two keys',
      'groq',
      { keyStdin: true, keyCommand: 'x' },
      'key-conflict: --key-stdin and --key-command exclude each other.',
    ],
    ['a header', 'lab', { baseUrl: 'http://x', header: [KEY] }, 'header-malformed: A header is written "Name: value".'],
  ])('%s leaves the file as it was', async (_, name, options, expected) => {
    const before = 'backends: [{ name: a, provider: ollama }]\n';
    const { run, text } = home(before);
    expect((await run(add(name, options))).code).toBe(expected);
    expect(text()).toBe(before);
  });

  test('a name that the file cannot have leaves no file', async () => {
    const { run, file } = home();
    const { code } = await run(add('a b', { provider: 'ollama' }));
    expect(code).toContain('backends[0].name: expected a name of letters, digits, ".", "_" and "-"');
    expect(existsSync(file)).toBe(false);
  });
});

test('list says what there is and what cannot work', async () => {
  const { run } = home(`
default: corp
backends:
  - { name: corp, provider: openai, model: big, baseUrl: "https://me:${KEY}@llm.corp/v1?key=${KEY}", keyCommand: pass show corp }
  - { name: lab, provider: vllm }
  - { name: bad, provider: groq }
`);
  const { stdout } = await run((io) => listBackends({}, io), {
    OLLAMA_HOST: 'gpu',
    OPENAI_API_KEY: KEY,
    OPENAI_MODEL: 'gpt',
  });
  expect(stdout).toBe(
    [
      'NAME             PROVIDER   MODEL   URL                         KEY              FROM',
      'corp (default)   openai     big     https://llm.corp/v1         from a command   config',
      'lab              vllm       -       http://127.0.0.1:8000/v1    none             config',
      'bad              groq       -       -                           -                The backend "bad" needs a key.',
      'openai           openai     gpt     https://api.openai.com/v1   OPENAI_API_KEY   environment',
      'ollama           ollama     -       http://gpu:11434            none             environment',
      '',
    ].join('\n'),
  );
});

test('list of nothing says how to begin', async () => {
  const { code, stdout, stderr } = await home().run((io) => listBackends({}, io));
  expect([code, stdout, stderr]).toEqual([
    0,
    '',
    'No backend is set up. Add one: podlens backends add ollama --model llama3.2\n',
  ]);
});

describe('remove and default', () => {
  const config =
    '# ours\nbackends:\n  - { name: a, provider: ollama }\n  - { name: b, provider: vllm } # fast\ndefault: a\n';

  test('remove takes one away, and the default with it', async () => {
    const { run, text } = home(config);
    expect((await run((io) => removeBackend('a', {}, io))).stderr).toBe(
      'Removed a from /config.yaml. There is no default now.\n',
    );
    expect(text()).toBe('# ours\nbackends:\n  - { name: b, provider: vllm } # fast\n');
    expect((await run((io) => removeBackend('b', {}, io))).code).toBe(0);
    expect(text()).not.toContain('backends');
    expect((await run((io) => listBackends({}, io))).stdout).toBe('');
  });

  test('default says it and sets it', async () => {
    const { run, text } = home(config);
    expect((await run((io) => defaultBackend(undefined, {}, io))).stdout).toBe('a\n');
    expect((await run((io) => defaultBackend('b', {}, io))).stderr).toBe('b is the default now, in /config.yaml.\n');
    expect(text()).toContain('default: b\n');
    expect((await run((io) => defaultBackend('ollama', {}, io))).code).toBe(0);
  });

  test.each([
    [
      'a name that is near',
      'bb1',
      'backend-unknown: There is no backend named "bb1" in the config file. There are a, b.',
    ],
    ['no such name', 'zzz', 'backend-unknown: There is no backend named "zzz" in the config file. There are a, b.'],
  ])('%s', async (_, name, expected) => {
    const { run } = home(config);
    expect((await run((io) => removeBackend(name, {}, io))).code).toBe(expected);
    expect((await run((io) => defaultBackend(name, {}, io))).code).toBe(expected);
  });

  test('no default', async () => {
    expect((await home().run((io) => defaultBackend(undefined, {}, io))).code).toBe(
      'backend-missing: There is no default backend. Set it: podlens backends default NAME',
    );
  });
});

describe('test', () => {
  const times = (text: string) => text.replace(/\d+\.\d\d s/g, 'T').replace(/http:\/\/127\.0\.0\.1:\d+/g, 'URL');

  test.each([
    [['json_schema', 'json_object'], '{"ready":true}', 'works (the endpoint holds the answer to a schema)'],
    [['json_object'], '{"ready":true}', 'only JSON mode; the schema goes into the prompt'],
    [[], 'Sure: {"ready": true}', 'none; the answer is read from plain text'],
    [[], 'I am ready.', 'the answer was not what was asked for (none; the answer is read from plain text)'],
  ])('with the formats %j and the answer %j', async (formats, answer, expected) => {
    await using server = await startOpenAi({ reply: () => answer, formats, models: ['m', 'n'] });
    const { run } = home(`backends: [{ name: lab, provider: openai, model: m, baseUrl: "${server.baseUrl}" }]`);
    const { code, stdout } = await run((io) => testBackends([], {}, io));
    expect([code, times(stdout)]).toEqual([
      0,
      `lab: URL/v1 answers (T, 2 models)\n  model m answered in T, 100 tokens in, 20 out\n  structured output: ${expected}\n  on this machine\n`,
    ]);
  });

  test('several; what fails is said and the rest is tested', async () => {
    await using server = await startOllama({ reply: () => '{"ready":true}' });
    const { run } = home(`
backends:
  - { name: down, provider: openai, model: m, maxRetries: 0, baseUrl: "${await closedUrl()}/v1" }
  - { name: lab, provider: ollama, baseUrl: "${server.url}" }
`);
    const { code, stdout } = await run((io) => testBackends(['down', 'lab'], {}, io));
    expect(code).toBe(2);
    expect(times(stdout).split('\n').slice(0, 3)).toEqual([
      'down: down at URL/v1 cannot be reached: the connection was refused. Is its server running?',
      'lab: URL answers (T, 1 models)',
      '  model llama3.2:3b answered in T, 90 tokens in, 15 out',
    ]);
  });

  test('a refused key is not shown', async () => {
    await using server = await startOpenAi({ reply: () => '', key: 'another' });
    const { run } = home(
      `backends: [{ name: lab, provider: openai, model: m, baseUrl: "${server.baseUrl}", key: ${KEY} }]`,
    );
    const { code, stdout } = await run((io) => testBackends([], {}, io));
    expect(code).toBe(2);
    expect(times(stdout)).toBe(
      'lab: lab at URL/v1 refused the key with 401: Incorrect API key provided: [key] You can find your API key at … Check the key and what it is allowed to use.\n',
    );
  });
});

test('a config that others can read is warned about', async () => {
  const { run, file } = home(`backends: [{ name: lab, provider: openai, key: ${KEY} }]\n`);
  chmodSync(file, 0o644);
  const { stderr } = await run((io) => listBackends({}, io));
  expect(stderr).toBe(
    'warning: The config file /config.yaml holds a key and others can read it. Keep it to yourself with: chmod 600 /config.yaml\n',
  );
});
