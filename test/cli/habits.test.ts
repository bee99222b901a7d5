import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { apiServer } from '../support/api-server.ts';
import { simpleKubeconfig } from '../support/kubeconfig.ts';
import { createHome } from '../support/podlens.ts';

const DEMO = join(import.meta.dirname, '../../fixtures/scenarios/demo');
const home = createHome();

describe("kubectl's habits are understood", () => {
  const plain = home.run(['analyze', '-f', DEMO, '-n', 'storefront', '-o', 'json']);
  test.each<[string, readonly string[]]>([
    ['-n=NAMESPACE', ['analyze', '-f', DEMO, '-n=storefront', '-o=json']],
    ['flags before the command', ['-n', 'storefront', '-o=json', 'analyze', '-f', DEMO]],
    ['long flags before the command', ['--namespace=storefront', '--output', 'json', 'analyse', '-f', DEMO]],
  ])('%s', async (_, argv) => {
    expect(await home.run(argv)).toEqual(await plain);
    expect((await plain).code).toBe(0);
  });

  test('a namespace that is called like a command stays a namespace', async () => {
    const { stderr } = await home.run(['-n', 'snapshot', 'analyze', '-f', DEMO]);
    expect(stderr).toContain('There is no namespace "snapshot".');
  });

  test('version', async () => {
    expect(await home.run(['version'])).toEqual(await home.run(['--version']));
  });

  test.each([
    ['flags alone', ['-n', 'shop'], "Unknown option '-n'. Did you mean podlens analyze -n? See podlens --help."],
    [
      'a target alone',
      ['pod/web'],
      "Unknown command 'pod/web'. Did you mean podlens analyze pod/web? See podlens --help.",
    ],
    ['a verb of kubectl', ['get', 'pods'], "Unknown command 'get'. See podlens --help."],
  ])('%s', async (_, argv, line) => {
    expect(await home.run(argv)).toEqual({ code: 2, stdout: '', stderr: `error: ${line}\n` });
  });
});

describe('what narrows the report is said with what was found', () => {
  test.each([
    [['--filter', 'image', '-n', 'orders'], /^No problems found for the filter image\. Looked at /],
    [['--filter', 'service,Node'], /^\d+ problems? for the filters Service, Node\b/],
    [['-l', 'app=nosuch'], /^No problems found for the labels app=nosuch in what could be read\./],
  ])('%j', async (words, first) => {
    const { stdout } = await home.run(['analyze', '-f', DEMO, ...words]);
    expect(stdout).toMatch(first);
  });

  test('kinds that only tell of others are no filter', async () => {
    const { code, stderr } = await home.run(['analyze', '-f', DEMO, '--filter', 'events']);
    expect(code).toBe(2);
    expect(stderr).toContain('There is no kind, analyzer or cause "events" to filter by.');
  });
});

describe('labels that nothing carries are a gap, not health', () => {
  test.each([
    [[], 'kubectl get pods -A --show-labels'],
    [['-n', 'orders'], 'kubectl get pods -n orders --show-labels'],
  ])('%j', async (words, command) => {
    const ran = await home.run(['analyze', '-f', DEMO, '-l', 'app=nosuch', '-o', 'json', ...words]);
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    const { problems, gaps } = JSON.parse(ran.stdout);
    expect([problems, gaps[0]]).toEqual([
      [],
      {
        what: 'objects with the labels app=nosuch',
        reason: 'nothing that was read has these labels',
        hint: `Which labels pods have is shown by: ${command}`,
      },
    ]);
  });

  test('labels of a healthy pod are enough', async () => {
    const healthy = { ...pod('shop'), metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' } } };
    const options = { stdin: JSON.stringify(healthy) };
    const ran = await home.run(['analyze', '-f', '-', '-l', 'app=web', '-o', 'json'], options);
    expect(ran.code).toBe(0);
    expect(ran.stdout).not.toContain('these labels');
  });
});

test('a namespace that the person may not read is a gap, and not said to be missing', async () => {
  const may = ({ namespace, resource }: { namespace?: string | undefined; resource?: string | undefined }) =>
    namespace === 'shop' && resource === 'pods';
  const server = await apiServer({ objects: [pod('shop'), pod('secret')], users: { t: { name: 'jane', may } } });
  onTestFinished(() => server.close());
  const kubeconfig = simpleKubeconfig({ server: server.url }, { token: 't' });
  const { code, stdout, stderr } = await home.run(['analyze', '--kubeconfig', kubeconfig, '-n', 'shop,secret']);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('No problems found in what could be read.');
  expect(stdout).toContain('Pod in namespace secret: forbidden: user "jane" lacks the right');
  expect(stdout).not.toContain('no namespace');
});

const pod = (namespace: string) => ({ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'web', namespace } });

describe('the first line counts no more than was asked about', () => {
  const firstLine = async (...words: string[]) =>
    (await home.run(['analyze', '-f', DEMO, ...words])).stdout.split('\n')[0];
  test.each([
    [['pod/cart-f48r4rj6t-qccq7'], '1 problem, critical, affects 2 pods.'],
    [['svc/gift-cards'], '1 problem.'],
  ])('%j', async (words, line) => {
    expect(await firstLine(...words)).toBe(line);
  });
});
