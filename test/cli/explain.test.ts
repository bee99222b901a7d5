import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Explained } from '../../src/ai/explained.ts';
import { brokenPods, explanationOf } from '../support/explanations.ts';
import { closedUrl } from '../support/http-server.ts';
import { type OllamaRequest, startOllama } from '../support/ollama-server.ts';
import { type ChatRequest, type OpenAiServerOptions, type Reply, startOpenAi } from '../support/openai-server.ts';
import { createHome, type Home, type Ran } from '../support/podlens.ts';

const KEY = 'sk-canary-0123456789abcdef';
const FILE = 'cluster.yaml';

/** Three problems with two distinct causes, once names are taken away. */
const cluster =
  brokenPods('web', 3) + brokenPods('api') + brokenPods('db', 1, 'x509: certificate signed by unknown authority');

const userOf = ({ messages }: ChatRequest | OllamaRequest): string => messages.at(-1)?.content ?? '';
const explains = (request: ChatRequest): Reply => explanationOf(userOf(request));

function homeWith(text = cluster): Home {
  const home = createHome();
  home.write(FILE, text);
  return home;
}

const parsed = ({ stdout }: Ran): Explained => JSON.parse(stdout);

const json = ['analyze', '-f', FILE, '-o', 'json', '--fail-on', 'warning'];

/** One run against a server that answers so. */
async function against(
  options: Partial<OpenAiServerOptions>,
  { argv = [], home = homeWith(), env = {} }: { argv?: readonly string[]; home?: Home; env?: NodeJS.ProcessEnv } = {},
) {
  await using server = await startOpenAi({ reply: explains, ...options });
  const flags = argv.includes('--model') ? [] : ['--model', 'model-a'];
  const ran = await home.run([...json, '--explain', ...flags, '--base-url', server.baseUrl, ...argv], { env });
  const stderr = ran.stderr.replaceAll(server.baseUrl, 'URL');
  return {
    ...ran,
    stderr,
    stdout: ran.stdout.replaceAll(server.baseUrl, 'URL'),
    chats: server.chats,
    received: server.received,
  };
}

const plain = await homeWith().run(json);

test('without --explain nobody is asked', () => {
  expect([plain.code, plain.stderr]).toEqual([1, '']);
  expect(parsed(plain).problems.length).toBe(3);
  expect(parsed(plain)).not.toHaveProperty('explanations');
});

describe('with an OpenAI endpoint', () => {
  test('every problem is explained; the report is otherwise the same', async () => {
    const ran = await against({});
    const { explanations = {}, explain, ...report } = parsed(ran);
    expect(report).toEqual(parsed(plain));
    expect([ran.code, ran.stderr]).toEqual([1, '']);
    for (const { id } of report.problems) {
      expect(explanations[id]).toEqual([
        expect.objectContaining({
          cause: 'It cannot start.',
          steps: [{ text: 'Look at it.', safety: 'change' }],
          backend: 'openai:model-a@URL',
          unsupported: 0,
        }),
      ]);
    }
    expect(explain?.notes).toEqual([]);
  });

  test('one call for each distinct cause; the next run makes none, --no-cache makes them all again', async () => {
    const home = homeWith();
    const first = await against({}, { home, argv: ['--stats'] });
    expect(first.chats.length).toBe(2);
    expect(first.stderr).toMatch(/^openai:model-a@URL: 2 calls, 0 from the cache, 1 shared, 200 tokens in, 40 out, /m);
    expect(home.cached().length).toBe(2);

    // The port is part of the key: the same server again.
    await using server = await startOpenAi({ reply: explains });
    const argv = [...json, '--explain', '--model', 'model-a', '--base-url', server.baseUrl, '--stats'];
    await home.run(argv);
    expect(server.chats.length).toBe(2);
    const again = await home.run(argv);
    expect(server.chats.length).toBe(2);
    expect(again.stderr).toMatch(/: 0 calls, 2 from the cache, 1 shared, 0 tokens in, 0 out, 0\.0 s/);
    const texts = (ran: Ran) => Object.values(parsed(ran).explanations ?? {}).map(([one]) => one?.cause);
    expect(texts(again)).toEqual(texts(first));

    const kept = home.cached();
    await home.run([...argv, '--no-cache']);
    expect(server.chats.length).toBe(4);
    expect(home.cached()).toEqual(kept);
  });

  test('--no-cache leaves no file', async () => {
    const home = homeWith();
    await against({}, { home, argv: ['--no-cache'] });
    expect(home.cached()).toEqual([]);
  });

  test('other replicas, times and counts are the same fault', async () => {
    await using server = await startOpenAi({ reply: explains });
    const home = homeWith(brokenPods('web', 2));
    const argv = [...json, '--explain', '--model', 'model-a', '--base-url', server.baseUrl];
    await home.run(argv);
    home.write(FILE, brokenPods('web', 5).replaceAll('x2x2', 'k9k9').replaceAll('7d9c5b8f6', '5b8f67d9c'));
    await home.run(argv);
    expect(server.chats.length).toBe(1);
  });

  test('--language asks for it', async () => {
    const { chats } = await against({}, { argv: ['--language', 'pt-BR'] });
    expect(chats[0]?.messages.map(({ content }) => content).join()).toContain('Brazilian Portuguese');
  });

  test.each([
    ['--max-calls', '1', 1],
    ['--max-tokens-total', '1', 0],
  ])('%s %s is kept', async (flag, value, calls) => {
    const ran = await against({}, { argv: [flag, value] });
    expect(ran.chats.length).toBe(calls);
    expect(ran.stderr).toMatch(/^The budget of .* is used up/);
    expect(ran.code).toBe(1);
  });

  test('an answer that cannot be read is asked for once more', async () => {
    const { chats, ...ran } = await against(
      {
        reply: (request, attempt) =>
          attempt % 2 === 1 ? 'Well, the image is missing.' : explanationOf(request.messages[1]?.content ?? ''),
      },
      { home: homeWith(brokenPods('web')) },
    );
    expect(chats.map(({ messages }) => messages.length)).toEqual([2, 4]);
    expect(Object.values(parsed(ran).explanations ?? {})[0]?.[0]?.cause).toBe('It cannot start.');
  });
});

describe('whatever the model does, the report stands', () => {
  const limited = { status: 429, body: { error: { message: 'slow down' } }, headers: { 'retry-after': '0.01' } };
  const config =
    'backends: [{ name: lab, provider: openai, model: model-a, timeoutSeconds: 0.3, maxRetries: 1, baseUrl: BASE }]';

  const run = async (options: Partial<OpenAiServerOptions>) => {
    await using server = await startOpenAi({ reply: explains, ...options });
    const home = homeWith();
    home.write('config.yaml', config.replace('BASE', server.baseUrl));
    const ran = await home.run([...json, '--explain', '--config', 'config.yaml']);
    return { ...ran, stderr: ran.stderr.replaceAll(server.baseUrl, 'URL'), calls: server.chats.length };
  };

  test.each<[string, Partial<OpenAiServerOptions>, string]>([
    ['401', { key: KEY }, 'lab at URL refused the key with 401'],
    ['an unknown model', { models: ['model-b'] }, 'lab at URL offers no model named "model-a"'],
    ['429 for good', { reply: () => limited }, 'lab at URL limits the rate of calls with 429: slow down'],
    [
      '500',
      { reply: () => ({ status: 500, body: { error: { message: 'boom' } } }) },
      'lab at URL failed with 500: boom',
    ],
    ['no answer', { reply: () => ({ hang: true }) }, 'lab at URL did not answer within 0.3 s'],
    ['a connection that breaks', { reply: () => ({ cut: '{"cause":[' }) }, 'lab at URL closed the connection'],
    ['no JSON', { reply: () => ({ raw: '{"choices":' }) }, 'lab at URL answered with something that is not JSON'],
  ])('%s: said once, the exit code is that of the findings', async (_, options, said) => {
    const { code, stderr, stdout } = await run(options);
    const { explanations: _explanations, explain: _explain, ...report } = parsed({ code, stderr, stdout });
    expect(report).toEqual(parsed(plain));
    expect(code).toBe(plain.code);
    expect(stderr.split(said).length - 1).toBe(1);
    expect(stderr.trimEnd().split('\n').length).toBe(1);
  });

  test.each<[string, Reply]>([
    ['prose', 'The image is missing, I think.'],
    ['nothing', ''],
    ['a refusal', 'I cannot help with that.'],
    ['JSON of another shape', '{"answer": 42}'],
    ['a claim that cites nothing', '{"cause":[{"text":"Aliens.","cites":[]}],"steps":[],"confidence":"certain"}'],
    [
      'a claim that cites what is not there',
      '{"cause":[{"text":"Aliens.","cites":["e99"]}],"steps":[],"confidence":"certain"}',
    ],
  ])('%s changes nothing', async (_, reply) => {
    const { code, stdout, stderr } = await run({ reply: () => reply });
    const { explanations = {}, explain: _explain, ...report } = parsed({ code, stderr, stdout });
    expect(report).toEqual(parsed(plain));
    expect(
      Object.values(explanations)
        .flat()
        .map(({ cause }) => cause)
        .join(''),
    ).toBe('');
    expect(stdout).not.toContain('Aliens');
  });

  test('429 with Retry-After, then an answer: nobody notices', async () => {
    const ran = await run({ reply: (request, attempt) => (attempt === 1 ? limited : explains(request)) });
    expect([ran.code, ran.stderr, ran.calls]).toEqual([1, '', 3]);
  });

  test.each([
    ['with a model', ['--model', 'model-a']],
    ['without one', []],
  ])('nothing listens (%s)', async (_, flags) => {
    const url = await closedUrl();
    const ran = await homeWith().run([...json, '--explain', '--base-url', `${url}/v1`, ...flags]);
    const { explanations: _explanations, explain: _explain, ...report } = parsed(ran);
    expect(report).toEqual(parsed(plain));
    expect(ran.code).toBe(1);
    expect(ran.stderr.match(/cannot be reached/g)?.length).toBe(1);
    expect(ran.stderr).toContain(`openai at ${url}/v1 cannot be reached: the connection was refused.`);
  });

  test.each([
    ['an endpoint that is silent', { hang: true } as const],
    ['one that asks to wait', { ...limited, headers: { 'retry-after': '50' } }],
  ])('Ctrl-C ends the waiting for %s, and the findings are printed', async (_, reply) => {
    await using server = await startOpenAi({ reply: () => reply });
    const controller = new AbortController();
    const argv = [...json, '--explain', '--model', 'model-a', '--base-url', server.baseUrl];
    const running = homeWith().run(argv, { signal: controller.signal });
    await expect.poll(() => server.chats.length, { timeout: 10_000 }).toBeGreaterThan(0);
    controller.abort();
    const ran = await running;
    expect([ran.code, parsed(ran).problems]).toEqual([130, parsed(plain).problems]);
  });
});

describe('with Ollama', () => {
  test('OLLAMA_HOST is all it needs', async () => {
    await using server = await startOllama({ reply: (request) => explanationOf(userOf(request)) });
    const ran = await homeWith().run([...json, '--explain', '--stats'], {
      env: { OLLAMA_HOST: server.url.slice('http://'.length) },
    });
    expect(ran.code).toBe(1);
    expect(server.chats.length).toBe(2);
    expect(server.chats[0]?.format).toMatchObject({ type: 'object' });
    expect(ran.stderr).toContain(`ollama:llama3.2:3b@${server.url}: 2 calls`);
    expect(
      Object.values(parsed(ran).explanations ?? {})
        .flat()
        .map(({ cause }) => cause),
    ).toEqual(Array(3).fill('It cannot start.'));
  });
});

describe('what cannot work is said before the cluster is read', () => {
  test.each<[string, readonly string[], string]>([
    ['no backend', [], 'error: No backend is set up to explain with.'],
    ['an unknown backend', ['--backend', 'olama'], 'error: There is no backend named "olama". Did you mean "ollama"?'],
    ['no key', ['--backend', 'groq'], 'error: The backend "groq" needs a key.'],
    ['a bad URL', ['--base-url', 'nope'], 'error: --base-url is not a URL that begins with http:// or https://.'],
    ['a missing config', ['--config', 'no.yaml'], 'error: There is no config file at '],
    [
      'two for a talk',
      ['--interactive', '--backend', 'ollama:a,ollama:b', '-o', 'text'],
      'error: --interactive talks to one backend.',
    ],
    [
      'JSON for a talk',
      ['--interactive', '--backend', 'ollama:a'],
      'error: --interactive goes with -o text, not with -o json.',
    ],
  ])('%s', async (_, argv, said) => {
    const ran = await createHome().run(['analyze', '-f', 'not-there', '-o', 'json', '--explain', ...argv]);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toContain(said);
    expect(ran.stderr.trimEnd().split('\n').length).toBe(1);
  });

  test('everything that is wrong with the config, a line each', async () => {
    const home = homeWith();
    const file = home.write('bad.yaml', 'cahce: 1\nanalyze: { output: txt }\n');
    const ran = await home.run([...json, '--config', 'bad.yaml']);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toBe(
      `error: The config file ${file} is not valid:\n  analyze.output: expected one of text, json, yaml, markdown, sarif, junit, k8sgpt\n  cahce: there is no such setting; did you mean "cache"?\n`,
    );
  });

  test('which model, where there are several', async () => {
    await using server = await startOpenAi({ reply: explains, models: ['a', 'b'] });
    const ran = await homeWith().run([...json, '--explain', '--base-url', server.baseUrl]);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toBe(
      `error: Which model of openai at ${server.baseUrl} is to be used? Name it with --model. It offers a, b.\n`,
    );
  });
});

describe('a key is never shown', () => {
  test.each<[string, Partial<OpenAiServerOptions>]>([
    ['in an answer', {}],
    ['in an error that echoes it', { reply: () => ({ status: 401, body: { error: { message: `bad key ${KEY}` } } }) }],
    [
      'in one that fails for another reason',
      { reply: () => ({ status: 500, body: `Authorization: Bearer ${KEY} failed` }) },
    ],
  ])(
    '%s',
    async (_, options) => {
      const ran = await against(options, { env: { OPENAI_API_KEY: KEY }, argv: ['--stats'] });
      expect(ran.received[0]?.headers['authorization']).toBe(`Bearer ${KEY}`);
      expect(ran.stdout + ran.stderr).not.toContain('canary');
    },
    30_000,
  );
});

describe('two backends', () => {
  test('are asked both, side by side, with what each took', async () => {
    await using one = await startOpenAi({
      reply: (request) => explanationOf(userOf(request), { cause: 'One says so.' }),
    });
    await using two = await startOllama({
      reply: () =>
        '{"cause":[{"text":"Two says so.","cites":["e1"]},{"text":"And more.","cites":[]}],"steps":[],"confidence":"certain"}',
    });
    const home = homeWith();
    home.write(
      'config.yaml',
      `backends:\n  - { name: one, provider: openai, model: m, baseUrl: "${one.baseUrl}" }\n  - { name: two, provider: ollama, baseUrl: "${two.url}" }\n`,
    );
    const ran = await home.run([...json, '--explain', '--stats', '--config', 'config.yaml', '--backend', 'one,two']);
    const { explanations = {}, explain } = parsed(ran);
    for (const pair of Object.values(explanations)) {
      expect(pair.map(({ backend, cause, unsupported }) => [backend, cause, unsupported])).toEqual([
        [`openai:m@${one.baseUrl}`, 'One says so.', 0],
        [`ollama:llama3.2:3b@${two.url}`, 'Two says so.', 1],
      ]);
    }
    const { [`openai:m@${one.baseUrl}`]: first, [`ollama:llama3.2:3b@${two.url}`]: second } = explain?.backends ?? {};
    expect(first).toMatchObject({ calls: 2, tokens: { input: 200, output: 40 }, unsupported: 0 });
    expect(second).toMatchObject({ calls: 2, tokens: { input: 180, output: 30 }, unsupported: 3 });
    expect(ran.stderr).toMatch(
      /^openai:m@.*\nollama:llama3\.2:3b@.*3 claims and 0 commands left out\nall models: 4 calls,.*\n/,
    );
  });

  test('one that is down takes nothing from the other', async () => {
    await using one = await startOpenAi({ reply: explains });
    const home = homeWith();
    home.write(
      'config.yaml',
      `backends:\n  - { name: one, provider: openai, model: m, baseUrl: "${one.baseUrl}" }\n  - { name: two, provider: ollama, model: m, baseUrl: "${await closedUrl()}" }\n`,
    );
    const ran = await home.run([...json, '--explain', '--config', 'config.yaml', '--backend', 'two,one']);
    const causes = Object.values(parsed(ran).explanations ?? {})
      .flat()
      .map(({ cause }) => cause)
      .filter((cause) => cause !== '');
    expect(causes).toEqual(Array(3).fill('It cannot start.'));
    expect(ran.stderr.match(/cannot be reached/g)?.length).toBe(1);
    expect(ran.code).toBe(1);
  });
});

test('a backend that was added is the one that is asked', async () => {
  await using server = await startOpenAi({ reply: explains, key: KEY });
  const home = homeWith();
  const add = ['backends', 'add', 'lab', '--base-url', server.baseUrl, '--model', 'model-a', '--key-stdin'];
  const added = await home.run(add, { stdin: `${KEY}\n` });
  const listed = await home.run(['backends']);
  const tested = await home.run(['backends', 'test']);
  const explained = await home.run([...json, '--explain']);
  expect([added, listed, tested, explained].map(({ code }) => code)).toEqual([0, 0, 0, 1]);
  expect(listed.stdout).toContain(`lab (default)   openai     model-a   ${server.baseUrl}`);
  expect(Object.keys(parsed(explained).explanations ?? {}).length).toBe(3);
  expect(JSON.stringify([added, listed, tested, explained])).not.toContain('canary');
});

describe('--print-prompt', () => {
  test('prints what would be sent, once for each cause, and asks nobody', async () => {
    const { received, chats, stdout, code } = await against({}, { argv: ['--print-prompt'] });
    expect([received.length, chats.length, code]).toEqual([0, 0, 1]);
    expect(stdout.match(/<data>\n/g)?.length).toBe(2);
    expect(stdout).not.toMatch(/corp\.example|web-7d9c|shop/);
  });

  test('is what is sent', async () => {
    const home = homeWith(brokenPods('web'));
    const printed = await against({}, { home, argv: ['--print-prompt'] });
    const sent = await against({}, { home });
    const [system, user] = sent.chats[0]?.messages ?? [];
    expect(printed.stdout).toBe(`${system?.content}\n\n${user?.content}\n`);
  });

  test('says on stderr what the pseudonyms stand for, and that it prints nothing but text', async () => {
    const ran = await homeWith(brokenPods('web')).run([...json, '--print-prompt']);
    expect(ran.stderr).toMatch(/^--print-prompt prints text; -o json is not used\.\nNames in the prompt:\n/);
    expect(ran.stderr).toContain('  app-1: shop\n');
    expect(ran.stderr).toContain('  pod-1: web-7d9c5b8f6-x2x20\n');
    const both = await homeWith().run(['analyze', '-f', FILE, '--print-prompt']);
    expect(both.stderr.match(/^[A-Z-].*/gm)).toEqual(['Names in prompt 1:', 'Names in prompt 2:']);
    const clear = await homeWith().run(['analyze', '-f', FILE, '--print-prompt', '--no-anonymize']);
    expect(clear.stderr).toBe('');
  });

  test('needs no backend, and prints real names with --no-anonymize', async () => {
    const ran = await homeWith().run([...json, '--print-prompt', '--no-anonymize']);
    expect(ran.stdout).toContain('registry.corp.example.com/shop/web:1.2');
  });

  test('takes templates from the config', async () => {
    const home = homeWith(brokenPods('web'));
    home.write('system.md', 'You are terse. Answer in {{language}}.');
    home.write('user.md', 'WHAT: {{problem}}\nWHY: {{evidence}}');
    home.write('config.yaml', 'prompts: { system: system.md, user: ./user.md }\nlanguage: de\n');
    const { stdout } = await home.run([...json, '--print-prompt', '--config', 'config.yaml']);
    expect(stdout).toMatch(/^You are terse\. Answer in German\.\n\nWHAT: Cause: image\./);
  });
});

describe('the recorded clusters', () => {
  const recordings = join(import.meta.dirname, '../../fixtures/recordings');

  test('as many calls as distinct causes; the second run makes none; --no-cache makes them all again', async () => {
    await using server = await startOpenAi({ reply: explains });
    const flags = ['--explain', '--stats', '--model', 'model-a', '--base-url', server.baseUrl];
    const argv = ['analyze', '-f', recordings, '-o', 'json', ...flags];
    const prompts = await createHome().run([...argv, '--print-prompt']);
    const causes = prompts.stdout.match(/^<data>$/gm)?.length ?? 0;
    expect(causes).toBeGreaterThan(20);
    const [home, fresh] = [createHome(), createHome()];
    const calls: number[] = [];
    for (const [at, more] of [
      [home, []],
      [home, []],
      [home, ['--no-cache']],
      [fresh, ['--no-cache']],
    ] as const) {
      const before = server.chats.length;
      const { stderr } = await at.run([...argv, ...more]);
      calls.push(server.chats.length - before);
      expect(stderr).toContain(`openai:model-a@${server.baseUrl}: ${calls.at(-1)} calls`);
    }
    expect(calls).toEqual([causes, 0, causes, causes]);
    expect([home.cached().length, fresh.cached()]).toEqual([causes, []]);
  });
});

describe('--no-anonymize', () => {
  test('sends names as they are, and says so unless the model is on this machine', async () => {
    const { chats, stderr } = await against({}, { argv: ['--no-anonymize'] });
    expect(userOf(chats[0] ?? { model: '', messages: [] })).toContain('registry.corp.example.com/shop/');
    expect(stderr).toBe('');
    const remote = await homeWith().run([
      ...json,
      '--explain',
      '--no-anonymize',
      '--model',
      'm',
      '--base-url',
      'http://llm.invalid/v1',
    ]);
    expect(remote.stderr).toContain(
      'warning: Names, images and addresses are sent as they are to openai:m@http://llm.invalid/v1.',
    );
  });

  test('the config may say so; a flag comes before it', async () => {
    const home = homeWith();
    home.write('config.yaml', 'anonymize: false\n');
    const clear = await home.run([...json, '--print-prompt', '--config', 'config.yaml']);
    const hidden = await home.run([...json, '--print-prompt', '--config', 'config.yaml', '--anonymize']);
    expect([clear.stdout, hidden.stdout].map((text) => text.includes('corp.example'))).toEqual([true, false]);
  });
});
