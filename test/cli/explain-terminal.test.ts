import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { brokenPods, explanationOf } from '../support/explanations.ts';
import { closedUrl } from '../support/http-server.ts';
import { testIo } from '../support/io.ts';
import { type ChatRequest, startOpenAi } from '../support/openai-server.ts';
import { createHome } from '../support/podlens.ts';

const cluster = brokenPods('web', 3) + brokenPods('api', 1, 'x509: certificate signed by unknown authority');

function terminal(baseUrl: string, more: readonly string[] = []) {
  const home = createHome();
  home.write('cluster.yaml', cluster);
  const test = testIo({ env: { HOME: home.path, TERM: 'xterm', NO_COLOR: '1' }, cwd: home.path, terminal: true });
  const argv = ['analyze', '-f', 'cluster.yaml', '--explain', '--model', 'm', '--base-url', baseUrl, ...more];
  return { ...test, running: main(argv, test.io) };
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
    await expect.poll(() => server.chats.length).toBe(2);
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
