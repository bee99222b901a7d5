import { PassThrough, Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { openBackend } from '../../src/ai/backends.ts';
import { chooseBackends } from '../../src/ai/choose-backends.ts';
import { analyzers } from '../../src/analyzers/index.ts';
import { converse } from '../../src/cli/interactive.ts';
import { defaults } from '../../src/config.ts';
import { diagnose } from '../../src/diagnose.ts';
import { parseFixture } from '../support/fixtures.ts';
import { testIo } from '../support/io.ts';
import { type ChatRequest, type Reply, startOpenAi } from '../support/openai-server.ts';

/** Two broken Deployments. */
const { snapshot } = parseFixture(
  ['web', 'api']
    .map(
      (name) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}-7d9c5b8f6-x2x2x, namespace: shop, labels: { app: ${name}, pod-template-hash: 7d9c5b8f6 }, ownerReferences: [{ apiVersion: apps/v1, kind: ReplicaSet, name: ${name}-7d9c5b8f6, uid: u-${name}, controller: true }] }
spec: { nodeName: node-a.corp.example.com, containers: [{ name: main, image: "registry.corp.example.com/shop/${name}:1.2" }] }
status:
  phase: Pending
  containerStatuses: [{ name: main, image: "", state: { waiting: { reason: ErrImagePull, message: 'failed to pull and unpack image "registry.corp.example.com/shop/${name}:1.2": not found' } } }]
`,
    )
    .join('---'),
);
const report = diagnose(snapshot, { analyzers: analyzers.filter(({ id }) => id === 'pod-image-pull') });

interface Talk {
  readonly code?: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly chats: readonly ChatRequest[];
  readonly sent: string;
}

async function talk(
  stdin: string | readonly string[],
  reply: (request: ChatRequest, attempt: number) => Reply = () => 'Fine.',
): Promise<Talk> {
  await using server = await startOpenAi({ reply });
  const [settings] = chooseBackends({ baseUrl: server.baseUrl, model: 'model-a' }, defaults, {});
  if (settings === undefined) throw new Error('no backend');
  const test = testIo({ stdin: Readable.from(typeof stdin === 'string' ? [stdin] : stdin) });
  const backend = await openBackend(settings, { env: {}, signal: test.io.signal });
  await converse(report, snapshot, { backend }, test.io);
  const sent = server.received.map(({ body }) => body).join('\n');
  return { stdout: test.stdout(), stderr: test.stderr(), chats: server.chats, sent };
}

test('the report has two problems', () => {
  expect(report.problems.map(({ root }) => root.subject.name)).toEqual(['api-7d9c5b8f6-x2x2x', 'web-7d9c5b8f6-x2x2x']);
});

describe('how it ends', () => {
  test.each([
    ['at the end of stdin', 'Why?', 1],
    ['at /exit', 'Why?\n/exit\nNever asked.\n', 1],
    ['at /quit', '/quit\nNever asked.\n', 0],
    ['not at a sentence with exit in it', 'What is exit code 137? exit\nexit\n', 2],
    ['not at an empty line', '\n\nWhy?\r\n\n', 1],
  ])('%s', async (_, stdin, calls) => {
    expect((await talk(stdin)).chats.length).toBe(calls);
  });

  test('when it is interrupted', async () => {
    await using server = await startOpenAi({ reply: () => ({ hang: true }) });
    const [settings] = chooseBackends({ baseUrl: server.baseUrl, model: 'model-a' }, defaults, {});
    if (settings === undefined) throw new Error('no backend');
    const controller = new AbortController();
    const stdin = new PassThrough();
    const { io, stdout } = testIo({ stdin, signal: controller.signal });
    const backend = await openBackend(settings, { env: {}, signal: controller.signal });
    const conversing = converse(report, snapshot, { backend }, io);
    stdin.write('Why?\n');
    await expect.poll(() => server.chats.length, { timeout: 10_000 }).toBe(1);
    controller.abort();
    await conversing;
    expect(stdout()).toBe('');
  });

  test('at once where there is nothing to talk about', async () => {
    const { io, stderr } = testIo({ stdin: Readable.from(['Why?\n']) });
    const backend = { id: 'none', local: true, complete: () => Promise.reject(new Error('asked')) };
    await converse({ ...report, problems: [] }, snapshot, { backend }, io);
    expect(stderr()).toBe('There is no problem to talk about.\n');
  });
});

describe('what is sent', () => {
  test('names are pseudonyms, in questions too, and the same ones throughout', async () => {
    const { sent, chats } = await talk(
      'Why does web-7d9c5b8f6-x2x2x in shop wait?\nAnd what of the registry registry.corp.example.com?\n',
    );
    expect(sent).not.toMatch(/corp\.example|shop|7d9c5b8f6|x2x2x/);
    const asked = chats.map(({ messages }) => messages.at(-1)?.content.split('\n').at(-1) ?? '');
    const pod = /Why does (pod-\d+) in ((?:namespace|app)-\d+) wait\?/.exec(asked[0] ?? '');
    expect(pod).not.toBeNull();
    expect(asked[1]).toMatch(/And what of the registry (private-registry|host)-\d+\?/);
    expect(chats[0]?.messages[1]?.content).toContain(pod?.[1]);
  });

  test('the history goes along, and each problem is shown once', async () => {
    const { chats } = await talk(
      'First?\nSecond?\nWhat about problem 2?\nThird?\n',
      (_, attempt) => `Answer ${attempt}.`,
    );
    expect(chats.map(({ messages }) => messages.map(({ role }) => role[0]).join(''))).toEqual([
      'su',
      'suau',
      'suauau',
      'suauauau',
    ]);
    const last = chats[3]?.messages.map(({ content }) => content) ?? [];
    expect(last.slice(2)).toEqual([
      'Answer 1.',
      'Second?',
      'Answer 2.',
      expect.stringMatching(/What about problem 2\?$/),
      'Answer 3.',
      'Third?',
    ]);
    expect(last.filter((content) => content.includes('\nProblem 1\n')).length).toBe(1);
    expect(last.filter((content) => content.includes('<data>\nProblem 2\n')).length).toBe(1);
    expect(last[1]).toContain('All problems:\n1. image.');
  });

  test('a long talk forgets its beginning, and shows the problem again', async () => {
    const { chats } = await talk('One?\nTwo?\nThree?\n', () => 'word '.repeat(7000));
    expect(chats.map(({ messages }) => messages.length)).toEqual([2, 2, 2]);
    expect(chats[2]?.messages[1]?.content).toContain('All problems:');
  });

  test('an unanswered question is not remembered', async () => {
    const error = { status: 400, body: { error: { message: 'no' } } };
    const { chats, stderr } = await talk('One?\nTwo?\n', (_, attempt) => (attempt === 1 ? error : 'Yes.'));
    expect(chats[1]?.messages.length).toBe(2);
    expect(stderr).toMatch(/openai at http:\S+ did not accept the request: it answered with 400: no/);
  });
});

describe('what is shown', () => {
  test('real names, as lines arrive', async () => {
    const { stdout } = await talk('Why?', ({ messages }) => {
      const pod = /pod-\d+/.exec(messages[1]?.content ?? '')?.[0];
      return `Pod ${pod} waits [1.e1].\nSo it is [1.e99].\n\n\`\`\`sh\nkubectl describe pod ${pod}\n\`\`\``;
    });
    expect(stdout).toBe(
      'Pod api-7d9c5b8f6-x2x2x waits [1.e1].\nSo it is [no such evidence].\n\n```sh\nkubectl describe pod api-7d9c5b8f6-x2x2x -n shop\n```\n\n',
    );
  });

  test.each([
    ['a deletion in a block', '```sh\nkubectl delete pod pod-1\n```', '(a command was left out'],
    ['a deletion in a sentence', 'Run `kubectl delete ns --all` now.', '(a command was left out)'],
    ['a Secret', '```bash\nkubectl get secret app -o yaml\n```', '(a command was left out'],
    [
      'another program in a shell block',
      '```sh\nrm -rf /\n```',
      '(a command was left out: it is not a kubectl command)',
    ],
    ['a plain line', '$ kubectl exec pod-1 -- env', '(a command was left out'],
    ['a name that was never sent', 'Look at pod-77.', '(left out: it names an object that the report does not know)'],
    ['an escape sequence', 'a\u001b[31mb\u0007', 'ab\n'],
  ])('not %s', async (_, said, shown) => {
    const { stdout } = await talk('Why?', () => said);
    expect(stdout).toContain(shown);
    expect(stdout).not.toMatch(/delete pod|--all|secret app|rm -rf|-- env|pod-77|\u001b/);
  });

  test('an empty answer is said to be one', async () => {
    expect((await talk('Why?', () => '')).stderr).toContain('The model gave no answer.\n');
  });
});

describe('commands', () => {
  const run = async (stdin: string) => (await talk(stdin)).stdout;

  test('/problems and /problem', async () => {
    const out = await run('/problems\n/problem 2\n/problems\n/problem 9\n/problem x\n');
    expect(out).toMatch(/^> 1\. \w+ image\.\S+: .*api.*\n {2}2\. .*web.*\n2\. .*web.*\n {2}1\. .*\n> 2\. /);
    expect(out).toContain('There is no problem "9"; they are counted from 1 to 2.\n');
    expect(out).toContain('There is no problem "x"; they are counted from 1 to 2.\n');
  });

  test('/evidence of the problem at hand, with its real names', async () => {
    const out = await run('/evidence e1\n/problem 2\n/evidence\n/evidence 1.e1\n/evidence zz\n');
    expect(out).toContain('[e1] Pod shop/api-7d9c5b8f6-x2x2x, container main, status.containerStatuses');
    expect(out).toContain(
      '    ErrImagePull: failed to pull and unpack image "registry.corp.example.com/shop/web:1.2": not found\n',
    );
    expect(out).toMatch(/Problem 2 has no evidence "zz"; it has e1\./);
  });

  test('/evidence asks nobody; a question about a problem makes it the one at hand', async () => {
    const { chats, stdout } = await talk('/evidence\nWhat is wrong with web-7d9c5b8f6-x2x2x?\n/problems\n');
    expect(chats.length).toBe(1);
    expect(stdout).toContain('> 2.');
  });

  test('others are named', async () => {
    expect(await run('/evidance\n/nope\n/help\n')).toMatch(
      /^There is no command \/evidance\. Did you mean \/evidence\?\nThere is no command \/nope\. \/help lists them\.\n\/problems +list/,
    );
  });
});

test('the prompt is for people', async () => {
  const stdin = Object.assign(Readable.from(['/help\n']), { isTTY: true });
  const { io, stderr } = testIo({ stdin });
  const backend = { id: 'none', local: true, complete: () => Promise.reject(new Error('asked')) };
  await converse(report, snapshot, { backend }, io);
  expect(stderr()).toMatch(/> > $/);
  expect((await talk('/help\n')).stderr).not.toContain('>');
});
