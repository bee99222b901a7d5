import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { brokenPods, explanationOf } from '../support/explanations.ts';
import { closedUrl } from '../support/http-server.ts';
import { testIo } from '../support/io.ts';
import { type ChatRequest, startOpenAi } from '../support/openai-server.ts';
import { createHome } from '../support/podlens.ts';

const cluster = brokenPods('web', 3) + brokenPods('api', 1, 'x509: certificate signed by unknown authority');

function terminal(baseUrl: string, more: readonly string[] = [], pods = cluster, signal?: AbortSignal) {
  const home = createHome();
  home.write('cluster.yaml', pods);
  const env = { HOME: home.path, TERM: 'xterm', NO_COLOR: '1' };
  const test = testIo({ env, cwd: home.path, terminal: true, ...(signal === undefined ? {} : { signal }) });
  const argv = ['analyze', '-f', 'cluster.yaml', '--explain', '--model', 'm', '--base-url', baseUrl, ...more];
  return { ...test, home, argv, running: main(argv, test.io) };
}

const userOf = ({ messages }: ChatRequest): string => messages[1]?.content ?? '';
const isWeb = (request: ChatRequest): boolean => userOf(request).includes('image.not-found');

describe('on a terminal', () => {
  test('the findings stand there before any model has answered', async () => {
    let answer = () => {};
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await using server = await startOpenAi({
      reply: async (request) => {
        await asked;
        return explanationOf(userOf(request));
      },
    });
    const { running, stdout } = terminal(server.baseUrl);
    await expect.poll(() => server.chats.length, { timeout: 10_000 }).toBe(2);
    expect(stdout()).toContain('image.not-found');
    expect(stdout()).not.toContain('It cannot start.');
    answer();
    expect(await running).toBe(0);
    expect(stdout().match(/It cannot start\./g)?.length).toBe(2);
  });

  test('explanations stand in the order of the report, whichever comes first', async () => {
    const order: string[] = [];
    await using server = await startOpenAi({
      reply: async (request) => {
        await sleep(isWeb(request) ? 5 : 60);
        order.push(isWeb(request) ? 'web' : 'api');
        return explanationOf(userOf(request), { cause: isWeb(request) ? 'Web says.' : 'Api says.' });
      },
    });
    const { running, stdout } = terminal(server.baseUrl);
    await running;
    expect(order).toEqual(['web', 'api']);
    const numbers = [...stdout().matchAll(/^(\d)\. \S+ image\.\S+ · (\S+)/gm)].map(
      ([, number, name]) => `${number} ${name}`,
    );
    expect(numbers.length).toBe(4);
    expect(numbers.slice(2)).toEqual(numbers.slice(0, 2));
    expect(stdout().indexOf('Api says.') < stdout().indexOf('Web says.')).toBe(numbers[0]?.includes('api'));
  });

  test('a bar on stderr counts them', async () => {
    await using server = await startOpenAi({ reply: (request) => explanationOf(userOf(request)) });
    const { running, stderr, stdout } = terminal(server.baseUrl);
    await running;
    expect(stderr()).toContain('Explaining [');
    expect(stderr()).toMatch(/0 of 2/);
    expect(stdout()).not.toContain('Explaining [');
  });

  test('a model that is down is said once, under the whole report', async () => {
    const { running, stdout, stderr } = terminal(`${await closedUrl()}/v1`, ['--fail-on', 'critical']);
    expect(await running).toBe(1);
    expect(stdout()).toContain('image.not-found');
    expect((stdout() + stderr()).match(/cannot be reached/g)?.length).toBe(1);
  });
});

describe('one problem explained by one model on a terminal', () => {
  const one = brokenPods('web');
  const claim = (text: string, cites: readonly string[] = ['e1']) => JSON.stringify({ text, cites });
  const times = (text: string, part: string | RegExp) => text.split(part).length - 1;

  test('each checked claim stands there while the answer is still being written', async () => {
    const gate = Promise.withResolvers<void>();
    async function* parts() {
      yield `{"cause":[${claim('A lie.', ['e99'])},${claim('A bell\u0007 for pod-1.')}`;
      yield `,${claim('The tag is gone.').slice(0, 12)}`;
      await gate.promise;
      yield `${claim('The tag is gone.').slice(12)}],"steps":[${claim('Look again.')}],"confidence":"likely"}`;
    }
    await using server = await startOpenAi({ reply: () => ({ parts: parts() }) });
    const { running, stdout, stderr } = terminal(server.baseUrl, [], one);
    await expect.poll(stdout, { timeout: 10_000 }).toContain('A bell for web-7d9c5b8f6-x2x20.');
    expect(stdout()).toMatch(
      /\n1\. \S+ image\.not-found · [^\n]*\n\n {3}Explained by [^\n]*\n {3}A bell for [^\n]*\n$/,
    );
    expect(stdout()).not.toContain('The tag');
    gate.resolve();
    expect(await running).toBe(0);
    expect(stdout()).toMatch(
      /A bell for \S+\n {3}The tag is gone\.\n {3}1\. [^\n]*Look again\.\n {3}\(\d+\.\d s, \d+ tokens, 1 unsupported claim dropped\)\n$/,
    );
    expect(times(stdout(), 'A bell')).toBe(1);
    expect(times(stdout(), 'Explained by')).toBe(1);
    expect(stdout() + stderr()).not.toMatch(/A lie|\u0007/);
  });

  test('an answer that cannot be read in the end is followed by one in full', async () => {
    await using server = await startOpenAi({
      reply: (request, attempt) =>
        attempt === 1
          ? `{"cause":[${claim('Half said.')}, oh no`
          : explanationOf(userOf(request), { cause: 'Well said.' }),
    });
    const { running, stdout } = terminal(server.baseUrl, [], one);
    expect(await running).toBe(0);
    expect(server.chats.map(({ stream }) => stream ?? false)).toEqual([true, false]);
    const said = stdout().slice(stdout().indexOf('Half said.'));
    expect(said).toMatch(
      /^Half said\.\n {3}The answer did not come to a proper end[\s\S]*Explained by[\s\S]*Well said\.\n/,
    );
    expect(said).toContain('Look at it.');
  });

  test('a connection that goes away says why under what was said', async () => {
    await using server = await startOpenAi({ reply: () => ({ cut: `{"cause":[${claim('Half said.')},` }) });
    const { running, stdout } = terminal(server.baseUrl, [], one);
    expect(await running).toBe(0);
    expect(stdout().slice(stdout().indexOf('Half said.'))).toMatch(
      /takes its place\.\n[\s\S]*Explained by[\s\S]*closed the connection/,
    );
  });

  test('Ctrl-C in the middle of it is said', async () => {
    async function* parts() {
      yield `{"cause":[${claim('Half said.')},`;
      await new Promise<never>(() => {});
    }
    await using server = await startOpenAi({ reply: () => ({ parts: parts() }) });
    const stop = new AbortController();
    const { running, stdout } = terminal(server.baseUrl, [], one, stop.signal);
    await expect.poll(stdout, { timeout: 10_000 }).toContain('Half said.');
    stop.abort();
    await running;
    expect(stdout()).toMatch(/ {3}Half said\.\n {3}The answer broke off here\.\n$/);
  });

  test('an endpoint that does not stream is asked without', async () => {
    await using server = await startOpenAi({ refuses: ['stream'], reply: (request) => explanationOf(userOf(request)) });
    const { running, stdout } = terminal(server.baseUrl, [], one);
    expect(await running).toBe(0);
    expect(times(stdout(), 'It cannot start.')).toBe(1);
    expect(stdout()).toContain('Look at it.');
    expect(server.chats.map(({ stream, response_format }) => [stream ?? false, response_format?.type])).toEqual([
      [true, 'json_schema'],
      [false, 'json_schema'],
    ]);
  });

  test('an endpoint that answers in one piece all the same is understood', async () => {
    await using server = await startOpenAi({
      reply: (request) => ({
        raw: JSON.stringify({
          choices: [{ message: { content: explanationOf(userOf(request)) }, finish_reason: 'stop' }],
        }),
      }),
    });
    const { running, stdout } = terminal(server.baseUrl, [], one);
    expect(await running).toBe(0);
    expect(times(stdout(), 'It cannot start.')).toBe(1);
    expect(server.chats.length).toBe(1);
  });

  test('a stream under the type of JSON is understood', async () => {
    await using server = await startOpenAi({
      reply: (request) => {
        const choices = [{ delta: { content: explanationOf(userOf(request)) }, finish_reason: 'stop' }];
        return { raw: `data: ${JSON.stringify({ choices })}\n\ndata: [DONE]\n\n` };
      },
    });
    const { running, stdout } = terminal(server.baseUrl, [], one);
    expect(await running).toBe(0);
    expect(times(stdout(), 'It cannot start.')).toBe(1);
    expect(server.chats.length).toBe(1);
  });

  test('from the cache it comes in one piece', async () => {
    await using server = await startOpenAi({ reply: (request) => explanationOf(userOf(request)) });
    const { running, home, argv } = terminal(server.baseUrl, [], one);
    await running;
    const again = testIo({ env: { HOME: home.path, TERM: 'xterm', NO_COLOR: '1' }, cwd: home.path, terminal: true });
    expect(await main(argv, again.io)).toBe(0);
    expect(again.stdout()).toMatch(/Explained by [^\n]*\(from the cache\)\n {3}It cannot start\.\n/);
    expect(server.chats.length).toBe(1);
  });

  test.each([
    ['several problems', [], cluster],
    ['another format', ['-o', 'markdown'], one],
  ])('nothing is streamed with %s', async (_, more, pods) => {
    await using server = await startOpenAi({ reply: (request) => explanationOf(userOf(request)) });
    const { running, stdout } = terminal(server.baseUrl, more, pods);
    expect(await running).toBe(0);
    expect(stdout()).toContain('It cannot start.');
    expect(server.chats.every(({ stream }) => !stream)).toBe(true);
  });
});

describe('in a file', () => {
  test('each explanation stands with its problem, and a note at the end', async () => {
    await using server = await startOpenAi({ reply: (request) => explanationOf(userOf(request)) });
    const home = createHome();
    home.write('cluster.yaml', cluster);
    const argv = ['analyze', '-f', 'cluster.yaml', '--explain', '--model', 'm', '--base-url', server.baseUrl];
    const { code, stdout, stderr } = await home.run(argv);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.match(/^(1\.|2\.| {3}Explained by)/gm)).toEqual(['1.', '   Explained by', '2.', '   Explained by']);
    const limited = await home.run([...argv, '--no-cache', '--max-calls', '1']);
    expect(limited.stdout).toContain('The budget of 1 call is used up');
    expect(limited.stderr).toBe('');
  });
});
