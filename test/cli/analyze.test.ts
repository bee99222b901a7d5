import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/finding.ts';
import { brokenPods } from '../support/explanations.ts';
import { createHome } from '../support/podlens.ts';

const SCENARIOS = join(import.meta.dirname, '../../fixtures/scenarios');
const DEMO = join(SCENARIOS, 'demo');
const home = createHome();

/** The report on the demo cluster, narrowed by these words. */
async function demo(...argv: string[]): Promise<Report> {
  const { code, stdout, stderr } = await home.run(['analyze', '-f', DEMO, '-o', 'json', ...argv]);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

const codesOf = ({ problems }: Report) => problems.map(({ root }) => root.code);

const orders = ['config.key-missing', 'crash.app-error', 'init.stuck', 'sched.cpu'];
const images = ['image.auth-or-missing', 'image.auth'];

describe('targets, namespaces and labels', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['a pod', ['pod/search-mb44lzztfj-l246r'], ['oom.container-limit']],
    ['another pod of the same problem', ['pod/search-mb44lzztfj-mzs2s'], ['oom.container-limit']],
    ['a workload, by its short name', ['deploy/search'], ['oom.container-limit']],
    ['TYPE NAME', ['deployments.apps', 'search'], ['oom.container-limit']],
    ['TYPE NAME NAME', ['svc', 'search', 'cart'], ['oom.container-limit', 'probe.liveness']],
    ['several targets', ['svc/search', 'deploy/cart'], ['oom.container-limit', 'probe.liveness']],
    ['a target without a problem', ['deploy/log-shipper', '-n', 'data', '--filter', 'crash'], []],
    ['a Secret that pods read', ['secret/payment-provider'], ['config.key-missing']],
    ['a claim', ['pvc', 'data-timescale-0'], ['storage.class-missing']],
    ['a namespace as a target', ['ns', 'orders'], orders],
    ['a namespace', ['-n', 'orders'], orders],
    [
      'namespaces, one by one',
      ['-n', 'orders', '-n', 'staging'],
      ['config.key-missing', 'crash.app-error', 'create.quota', 'init.stuck', 'sched.cpu'],
    ],
    [
      'namespaces as a list',
      ['-n', 'orders,staging'],
      ['config.key-missing', 'crash.app-error', 'create.quota', 'init.stuck', 'sched.cpu'],
    ],
    ['a label', ['-l', 'app.kubernetes.io/name=cart'], ['probe.liveness']],
    [
      'one of several labels',
      ['-l', 'app.kubernetes.io/name in (cart, search)'],
      ['oom.container-limit', 'probe.liveness'],
    ],
    ['a label and a namespace where it is not', ['-l', 'app.kubernetes.io/name=cart', '-n', 'orders'], []],
    ['a label that nothing has', ['-l', 'xyzzy'], []],
  ])('%s', async (_, argv, codes) => {
    expect(codesOf(await demo(...argv))).toEqual(codes);
  });

  test('no label lets all others through', async () => {
    const all = codesOf(await demo());
    const others = codesOf(await demo('-l', 'app.kubernetes.io/name!=cart'));
    expect(others).toEqual(all.filter((code) => code !== 'probe.liveness'));
  });

  test('the report says what was asked', async () => {
    const { scope } = await demo(
      'deploy/search',
      '-n',
      'storefront',
      '-l',
      'app.kubernetes.io/part-of',
      '--filter',
      'POD',
    );
    expect(scope).toEqual({
      namespaces: ['storefront'],
      selector: 'app.kubernetes.io/part-of',
      targets: ['deployment/search'],
      filters: ['Pod'],
    });
  });

  test('what a problem breaks outside of the namespace stays listed', async () => {
    const argv = ['analyze', '-f', join(SCENARIOS, 'node-down'), '-o', 'json'];
    const [whole, narrowed] = await Promise.all([home.run(argv), home.run([...argv, '-n', 'infra'])]);
    const [all, some] = [JSON.parse(whole.stdout), JSON.parse(narrowed.stdout)] as [Report, Report];
    expect(codesOf(some)).toEqual(['node.unreachable']);
    expect(some.problems).toEqual(all.problems);
    expect(new Set(some.problems[0]?.affects.map(({ namespace }) => namespace)).size).toBeGreaterThan(1);
  });
});

describe('--filter', () => {
  const pods = (report: Report) =>
    report.problems.filter(({ affects, root }) => [root.subject, ...affects].some(({ kind }) => kind === 'Pod'));

  test.each(['Pod', 'pod', 'POD', 'pods', 'po'])('%s shows what is wrong with pods, wherever it lies', async (word) => {
    const [whole, filtered] = [await demo(), await demo('--filter', word)];
    expect(filtered.scope).toEqual({ filters: ['Pod'] });
    expect(filtered.problems.map(({ id }) => id)).toEqual(expect.arrayContaining(pods(whole).map(({ id }) => id)));
    expect(codesOf(filtered)).toContain('storage.class-missing');
    expect(codesOf(filtered)).not.toContain('service.selector-mismatch');
  });

  test.each<[string, readonly string[]]>([
    ['Service', ['oom.container-limit', 'probe.liveness', 'probe.readiness', 'service.selector-mismatch']],
    ['service', ['oom.container-limit', 'probe.liveness', 'probe.readiness', 'service.selector-mismatch']],
    ['PersistentVolumeClaim', ['storage.class-missing']],
    ['pvc,Secret', ['config.key-missing', 'storage.class-missing']],
    ['Node', []],
    ['pod-image-pull', images],
    ['Pod-Image-Pull', images],
    ['image', images],
    ['image.auth', ['image.auth']],
    ['IMAGE.AUTH', ['image.auth']],
    ['image.auth,sched', ['image.auth', 'sched.cpu', 'sched.node-affinity']],
  ])('%s', async (words, codes) => {
    expect(codesOf(await demo('--filter', words))).toEqual(codes);
  });
});

describe('exit codes', () => {
  const healthy = ['analyze', '-f', 'healthy.yaml'];
  const broken = ['analyze', '-f', 'broken.yaml'];
  home.write('broken.yaml', brokenPods('web'));

  test.each<[string, readonly string[], number]>([
    ['problems without --fail-on', ['analyze', '-f', DEMO], 0],
    ['problems that are bad enough', ['analyze', '-f', DEMO, '--fail-on', 'critical'], 1],
    ['problems that are worse', ['analyze', '-f', DEMO, '--fail-on', 'info'], 1],
    [
      'only a warning, asked for worse, with gaps',
      ['analyze', '-f', DEMO, 'svc/gift-cards', '--fail-on', 'critical'],
      3,
    ],
    ['only a warning, asked for it', ['analyze', '-f', DEMO, 'svc/gift-cards', '--fail-on', 'warning'], 1],
    [
      'nothing, and nothing that could not be read',
      ['analyze', '-f', join(SCENARIOS, 'healthy'), '--filter', 'image', '--fail-on', 'warning'],
      0,
    ],
    ['a dump with pods alone', [...broken, '--fail-on', 'critical'], 1],
  ])('%s', async (_, argv, code) => {
    expect((await home.run(argv)).code).toBe(code);
  });

  test('nothing wrong in a dump with pods alone is no clean bill', async () => {
    home.write(
      'healthy.yaml',
      'apiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: shop }\nstatus: { phase: Running }\n',
    );
    const { code, stdout } = await home.run([...healthy, '--fail-on', 'critical']);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^No problems found in what could be read\. Looked at 1 pod in 1 namespace /);
    expect(stdout).toMatch(/What podlens could not look at\n · .*Deployment/s);
  });
});

describe('being interrupted', () => {
  test('before it begins', async () => {
    const ran = await home.run(['analyze', '-f', DEMO], { signal: AbortSignal.abort() });
    expect(ran).toEqual({ code: 130, stdout: '', stderr: '' });
  });

  test('while it reads: nothing is half printed', async () => {
    const stop = new AbortController();
    const running = home.run(['analyze', '-f', DEMO], { signal: stop.signal });
    setImmediate(() => stop.abort());
    expect(await running).toEqual({ code: 130, stdout: '', stderr: '' });
  });
});

describe('the width and the colours', () => {
  const widest = (text: string) =>
    Math.max(
      ...text
        .split('\n')
        .filter((line) => !/^ +(kubectl|docker) /.test(line))
        .map((line) => line.length),
    );

  test.each([60, 80, 120])('text is wrapped at %d columns', async (columns) => {
    const { stdout } = await home.run(['analyze', '-f', DEMO], { env: { COLUMNS: String(columns) } });
    expect(widest(stdout)).toBeLessThanOrEqual(columns);
    expect(widest(stdout)).toBeGreaterThan(columns - 10);
  });

  test.each<[string, readonly string[], NodeJS.ProcessEnv, boolean, boolean]>([
    ['a pipe', [], {}, false, false],
    ['a terminal', [], {}, true, true],
    ['NO_COLOR', [], { NO_COLOR: '1' }, true, false],
    ['an empty NO_COLOR', [], { NO_COLOR: '' }, true, true],
    ['--no-color', ['--no-color'], {}, true, false],
    ['a dumb terminal', [], { TERM: 'dumb' }, true, false],
    ['FORCE_COLOR', [], { FORCE_COLOR: '1' }, false, true],
    ['JSON', ['-o', 'json'], {}, true, false],
  ])('%s', async (_, argv, env, terminal, colours) => {
    const { stdout } = await home.run(['analyze', '-f', DEMO, ...argv], { env, terminal });
    expect(stdout.includes('\u001b[')).toBe(colours);
  });
});

test('--stats says on stderr what it took', async () => {
  const { stdout, stderr } = await home.run(['analyze', '-f', DEMO, '--stats']);
  expect(stderr).toMatch(/^Reading: \d+ requests or files, \d+ bytes, \d+ ms\. Diagnosis: \d+ ms\.\n$/);
  expect(stdout).not.toContain('Reading');
});

test('the time to judge by can be set', async () => {
  expect((await demo('--at', '2026-10-14T10:30:00+01:00')).takenAt).toBe('2026-10-14T09:30:00.000Z');
});

test('a reader who has seen enough ends it quietly', async () => {
  const { execFileSync } = await import('node:child_process');
  const script = 'set -o pipefail; "$@" 2>err | head -n 1; echo $?; cat err';
  const cli = join(import.meta.dirname, '../../src/cli.ts');
  const argv = ['-c', script, '-', process.execPath, cli, 'analyze', '-f', DEMO, '-o', 'json'];
  expect(execFileSync('bash', argv, { cwd: home.path, encoding: 'utf8' })).toBe('{\n0\n');
});
