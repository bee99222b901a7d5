import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openBackend } from '../../src/ai/backends.ts';
import { type BackendRequest, chooseBackends } from '../../src/ai/choose-backends.ts';
import { scrub } from '../../src/ai/failure.ts';
import { readKey } from '../../src/ai/key.ts';
import { type BackendConfig, defaults } from '../../src/config.ts';
import { PodlensError } from '../../src/errors.ts';

type Env = Record<string, string>;

const corp: BackendConfig = {
  name: 'corp',
  provider: 'openai',
  baseUrl: 'https://llm.corp/v1',
  model: 'big',
  key: 'k-corp',
};
const local: BackendConfig = { name: 'local', provider: 'ollama', model: 'llama3.2' };

/** "name provider model url key", or the error. */
function chosen(
  request: BackendRequest,
  env: Env,
  backends: readonly BackendConfig[] = [],
  byDefault?: string,
): string {
  try {
    return chooseBackends(request, { ...defaults, backends, default: byDefault }, env)
      .map(({ name, provider, model = '-', baseUrl, key }) => `${name} ${provider} ${model} ${baseUrl} ${key.from}`)
      .join('\n');
  } catch (error) {
    if (!(error instanceof PodlensError)) throw error;
    return `${error.code}: ${error.message} ${error.hint ?? ''}`.trim();
  }
}

const openai = 'https://api.openai.com/v1';
const ollama = 'http://127.0.0.1:11434';

describe('which backend is asked', () => {
  test.each<[string, BackendRequest, Env, string]>([
    ['OPENAI_API_KEY alone', {}, { OPENAI_API_KEY: 'k' }, `openai openai - ${openai} environment`],
    [
      'OPENAI_BASE_URL alone',
      {},
      { OPENAI_BASE_URL: 'http://127.0.0.1:8080/v1/' },
      'openai openai - http://127.0.0.1:8080/v1 nowhere',
    ],
    ['OLLAMA_HOST alone', {}, { OLLAMA_HOST: 'gpu' }, 'ollama ollama - http://gpu:11434 nowhere'],
    ['both: OpenAI', {}, { OLLAMA_HOST: 'gpu', OPENAI_API_KEY: 'k' }, `openai openai - ${openai} environment`],
    [
      'Azure',
      { model: 'gpt' },
      { AZURE_OPENAI_ENDPOINT: 'https://me.openai.azure.com/', AZURE_OPENAI_API_KEY: 'k' },
      'azure azure gpt https://me.openai.azure.com environment',
    ],
    [
      'a model from the environment',
      {},
      { OPENAI_API_KEY: 'k', OPENAI_MODEL: 'm' },
      `openai openai m ${openai} environment`,
    ],
    [
      'a flag before it',
      { model: 'f' },
      { OPENAI_API_KEY: 'k', OPENAI_MODEL: 'm' },
      `openai openai f ${openai} environment`,
    ],
    ['PODLENS_MODEL', {}, { OPENAI_API_KEY: 'k', PODLENS_MODEL: 'p' }, `openai openai p ${openai} environment`],
    ['a provider by name', { backend: ['ollama'] }, { OPENAI_API_KEY: 'k' }, `ollama ollama - ${ollama} nowhere`],
    ['with a model', { backend: ['ollama:llama3.2:3b'] }, {}, `ollama ollama llama3.2:3b ${ollama} nowhere`],
    ['PODLENS_BACKEND', {}, { OPENAI_API_KEY: 'k', PODLENS_BACKEND: 'ollama:a' }, `ollama ollama a ${ollama} nowhere`],
    ['--base-url', { baseUrl: 'http://gpu:8000/v1' }, {}, 'openai openai - http://gpu:8000/v1 nowhere'],
    [
      '--base-url for Ollama',
      { backend: ['ollama'], baseUrl: 'http://gpu:1' },
      { OLLAMA_HOST: 'x' },
      'ollama ollama - http://gpu:1 nowhere',
    ],
    [
      "OpenAI's key goes to no other provider",
      { backend: ['lmstudio'] },
      { OPENAI_API_KEY: 'k' },
      'lmstudio lmstudio - http://127.0.0.1:1234/v1 nowhere',
    ],
    [
      'two, compared',
      { backend: ['ollama:a', 'ollama:b', 'ollama:a'] },
      {},
      `ollama ollama a ${ollama} nowhere\nollama ollama b ${ollama} nowhere`,
    ],
    [
      'nothing set up',
      {},
      {},
      'backend-missing: No backend is set up to explain with. Use --backend ollama for a model on this machine, set OPENAI_API_KEY or OLLAMA_HOST, or name an endpoint with --base-url.',
    ],
    [
      'no key',
      { backend: ['groq'] },
      {},
      'backend-key-missing: The backend "groq" needs a key. Set GROQ_API_KEY, or give it a keyCommand in the config.',
    ],
    [
      'a misspelt name',
      { backend: ['olama'] },
      {},
      'backend-unknown: There is no backend named "olama". Did you mean "ollama"?',
    ],
    [
      'a name like an own property',
      { backend: ['constructor'] },
      {},
      expect.stringMatching(/^backend-unknown/) as unknown as string,
    ],
    [
      'not a URL',
      { baseUrl: 'llm:me:secret' },
      {},
      'backend-url-invalid: --base-url is not a URL that begins with http:// or https://.',
    ],
    [
      'not HTTP',
      { backend: ['ollama'] },
      { OLLAMA_HOST: 'ftp://x' },
      'backend-url-invalid: OLLAMA_HOST is not a URL that begins with http:// or https://.',
    ],
    [
      'Azure without endpoint',
      { backend: ['azure'] },
      {},
      'backend-url-missing: The backend "azure" needs the URL of its endpoint. Give it with --base-url or AZURE_OPENAI_ENDPOINT.',
    ],
    [
      'one URL for two',
      { backend: ['openai', 'ollama'], baseUrl: 'http://x' },
      {},
      'backend-conflict: --base-url goes with one backend, and there are several. Add them with: podlens backends add',
    ],
  ])('%s', (_, request, env, expected) => {
    expect(chosen(request, env)).toEqual(expected);
  });

  test.each<[string, BackendRequest, Env, readonly BackendConfig[], string | undefined, string]>([
    ['the default', {}, {}, [corp, local], 'local', `local ollama llama3.2 ${ollama} nowhere`],
    ['the only one', {}, {}, [corp], undefined, 'corp openai big https://llm.corp/v1 config'],
    [
      'not what lies in the environment',
      {},
      { OPENAI_API_KEY: 'k' },
      [local],
      undefined,
      `local ollama llama3.2 ${ollama} nowhere`,
    ],
    [
      'a flag before the default',
      { backend: ['corp'] },
      {},
      [corp, local],
      'local',
      'corp openai big https://llm.corp/v1 config',
    ],
    [
      'PODLENS_BACKEND before the default',
      {},
      { PODLENS_BACKEND: 'corp' },
      [corp, local],
      'local',
      'corp openai big https://llm.corp/v1 config',
    ],
    [
      'with another model',
      { backend: ['corp:small'] },
      {},
      [corp],
      undefined,
      'corp openai small https://llm.corp/v1 config',
    ],
    [
      'several, none the default',
      {},
      {},
      [corp, local],
      undefined,
      'backend-ambiguous: Several backends are set up and none is the default. Choose with --backend, or for good: podlens backends default corp. There are corp, local.',
    ],
    [
      'a default that is gone',
      {},
      {},
      [corp],
      'corq',
      'backend-unknown: There is no backend named "corq". Did you mean "corp"?',
    ],
    [
      'an unknown provider',
      {},
      {},
      [{ name: 'x', provider: 'opnai' }],
      undefined,
      'provider-unknown: The backend "x" has an unknown provider "opnai". Did you mean "openai"?',
    ],
  ])('of those in the config: %s', (_, request, env, backends, byDefault, expected) => {
    expect(chosen(request, env, backends, byDefault)).toBe(expected);
  });
});

describe('keys', () => {
  const signal = new AbortController().signal;
  const read = (command: string | readonly string[], env: Env = {}) =>
    readKey({ from: 'command', command }, { name: 'lab', env: { PATH: process.env['PATH'], ...env }, signal }).catch(
      (error: PodlensError) => `${error.code}: ${error.message}`,
    );

  test.each<[string, string | readonly string[], string]>([
    ['its first line is the key', ['printf', 'k-123\\nuser: me\\n'], 'k-123'],
    ['words in quotes stay together', `printf '%s-%s' "a" 'b'`, 'a-b'],
    ['a list is run as it is', ['echo', '$HOME;x'], '$HOME;x'],
    ['a pipe needs a shell', 'echo xyz | tr x k', 'kyz'],
    ['an environment variable too', 'echo $MY_KEY', 'from-env'],
    [
      'no such command',
      'podlens-no-such-command a',
      'key-command-failed: The keyCommand of the backend "lab" failed: there is no command "podlens-no-such-command".',
    ],
    [
      'a failure says why',
      ['sh', '-c', 'echo not in the store >&2; exit 3'],
      'key-command-failed: The keyCommand of the backend "lab" failed: not in the store.',
    ],
    [
      'a failure without words',
      ['sh', '-c', 'echo secret; exit 3'],
      'key-command-failed: The keyCommand of the backend "lab" failed: it ended with 3.',
    ],
    ['nothing', 'true', 'key-invalid: The key of the backend "lab" is empty or has characters that no key has.'],
    [
      'what no header can hold',
      ['printf', 'k 1é'],
      'key-invalid: The key of the backend "lab" is empty or has characters that no key has.',
    ],
  ])('%s', async (_, command, expected) => {
    expect(await read(command, { MY_KEY: 'from-env' })).toBe(expected);
  });

  test('a command is run once for all backends that share it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'podlens-key-'));
    const counting = { from: 'command', command: 'echo run >> count; echo k-1' } as const;
    const options = {
      name: 'lab',
      env: { PATH: process.env['PATH'] },
      signal,
      keys: new Map<string, Promise<string>>(),
    };
    const command = `cd ${folder}; ${counting.command}`;
    const keys = await Promise.all([1, 2].map(() => readKey({ ...counting, command }, options)));
    expect(keys).toEqual(['k-1', 'k-1']);
    expect(readFileSync(join(folder, 'count'), 'utf8')).toBe('run\n');
  });

  test.each([
    ['Invalid key sk-proj-abcdefgh', ['sk-proj-abcdefgh'], 'Invalid key [key]'],
    ['key "sk-proj-ab…"', ['sk-proj-abcdefgh'], 'key "[key]"'],
    ['key sk-p****efgh', [], 'key [key]'],
    ['short pw, not password', ['pw'], 'short [key], not password'],
    ['Authorization: bearer abc.def', [], 'Authorization: Bearer [key]'],
    ['nothing to hide', ['sk-proj-abcdefgh'], 'nothing to hide'],
  ])('scrub(%j)', (text, secrets, expected) => {
    expect(scrub(text, secrets)).toBe(expected);
  });
});

describe('what cannot be used is said before anything is sent', () => {
  const folder = mkdtempSync(join(tmpdir(), 'podlens-ca-'));
  const empty = join(folder, 'empty.pem');
  writeFileSync(empty, 'nothing');

  test.each<[string, Partial<BackendConfig>, string]>([
    [
      'a CA that is not there',
      { caFile: '/no/ca.pem' },
      'ca-unreadable: The caFile of the backend "corp", /no/ca.pem, cannot be read (ENOENT).',
    ],
    [
      'a CA that is none',
      { caFile: empty },
      `ca-unreadable: The caFile of the backend "corp", ${empty}, holds no certificate in PEM form.`,
    ],
    [
      'a header',
      { headers: { 'X-A': 'one\ntwo' } },
      'header-invalid: The backend "corp" has a header "X-A" that cannot be sent.',
    ],
  ])('%s', async (_, entry, expected) => {
    const config = { ...defaults, backends: [{ ...corp, ...entry }] };
    const [settings] = chooseBackends({}, config, {});
    if (settings === undefined) throw new Error('no backend');
    const opened = openBackend(settings, { env: {}, signal: new AbortController().signal });
    expect(await opened.catch((error: PodlensError) => `${error.code}: ${error.message}`)).toBe(expected);
  });
});
