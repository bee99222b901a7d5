import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Report } from '../../src/finding.ts';
import { type ApiServerOptions, apiServer, type User } from '../support/api-server.ts';
import type { Place } from '../support/api-server-paths.ts';
import { simpleKubeconfig } from '../support/kubeconfig.ts';
import { crashingPod, healthyPod, object } from '../support/objects.ts';
import { createHome } from '../support/podlens.ts';
import { recordedCluster } from '../support/recorded-cluster.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures');
const home = createHome();

/** podlens on a cluster of this server; the token is "t". */
async function on(options: ApiServerOptions, { token = 't', namespace = 'shop' } = {}) {
  const server = await apiServer(options);
  onTestFinished(() => server.close());
  const kubeconfig = simpleKubeconfig({ server: server.url }, { token }, { namespace });
  return {
    server,
    async run(argv: readonly string[], run: Parameters<typeof home.run>[1] = {}) {
      const ran = await home.run(argv, { ...run, env: { KUBECONFIG: kubeconfig } });
      return { ...ran, stderr: ran.stderr.replaceAll(server.url, 'URL').replaceAll(kubeconfig, 'KUBECONFIG') };
    },
  };
}

const user = (may: (place: Place) => boolean): Record<string, User> => ({ t: { name: 'jane', may } });

const codesOf = ({ stdout }: { readonly stdout: string }) =>
  (JSON.parse(stdout) as Report).problems.map(({ root }) => root.code);

test('a recorded cluster gives the report that its recording gives', async () => {
  const folder = join(FIXTURES, 'recordings/oom');
  const recorded: Report = JSON.parse((await home.run(['analyze', '-f', folder, '-o', 'json'])).stdout);
  const { run } = await on({ ...recordedCluster(folder), now: recorded.takenAt });
  const { code, stdout, stderr } = await run(['analyze', '-o', 'json', '--fail-on', 'critical']);
  expect([code, stderr]).toEqual([1, '']);
  expect(codesOf({ stdout })).toEqual(recorded.problems.map(({ root }) => root.code));
  expect(codesOf({ stdout })).toContain('oom.container-limit');
});

test('nothing but get and list is asked for, and no Secret whole', async () => {
  const { server, run } = await on(recordedCluster(join(FIXTURES, 'scenarios/demo')));
  await run(['analyze']);
  expect(new Set(server.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
  expect(server.requests.filter(({ query }) => query.has('watch'))).toEqual([]);
  for (const { path, headers } of server.requests.filter(({ path }) => path.endsWith('/secrets'))) {
    expect([path, headers.accept]).toEqual([path, expect.stringMatching(/as=(Table|PartialObjectMetadata)/)]);
  }
});

describe('where pods may be read and nothing else', () => {
  const demo = recordedCluster(join(FIXTURES, 'scenarios/demo'));
  const demoAt = { ...demo, now: '2026-10-14T09:30:00Z' };
  const podsOnly = { ...demoAt, users: user(({ resource }) => resource === 'pods') };

  test('what is wrong with pods is all there, and the gaps name what is missing', async () => {
    const [free, narrow] = [await on({ ...demoAt, users: user(() => true) }), await on(podsOnly)];
    const [whole, some] = [await free.run(['analyze', '-o', 'json']), await narrow.run(['analyze', '-o', 'json'])];
    expect([some.code, some.stderr]).toEqual([0, '']);
    const report: Report = JSON.parse(some.stdout);
    const podsOf = ({ problems }: Report) =>
      new Set(
        problems
          .filter(({ root }) => root.severity === 'critical')
          .flatMap(({ root, affects }) => [root.subject, ...affects])
          .filter(({ kind }) => kind === 'Pod')
          .map(({ namespace, name }) => `${namespace}/${name}`),
      );
    expect([...podsOf(report)].sort()).toEqual([...podsOf(JSON.parse(whole.stdout))].sort());
    const gaps = report.gaps.map(({ what, reason }) => `${what}: ${reason}`).join('\n');
    for (const kind of [
      'Node',
      'Event',
      'Deployment',
      'Service',
      'Secret',
      'PersistentVolumeClaim',
      'ReplicaSet',
      'Job',
    ]) {
      expect(gaps).toContain(kind);
    }
    expect(gaps).toContain('jane');
  });

  test('--fail-on tells that from a healthy cluster', async () => {
    const healthy = { objects: [healthyPod('shop', 'web')] };
    const [free, narrow] = [await on(healthy), await on({ ...healthy, users: podsOnly.users })];
    expect((await free.run(['analyze', '--fail-on', 'warning'])).code).toBe(0);
    const { code, stdout } = await narrow.run(['analyze', '--fail-on', 'warning']);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^No problems found in what could be read\. /);
    expect(stdout).toContain('What podlens could not look at');
  });
});

test('where the cluster may not be listed, the namespace of the context is, and a gap says so', async () => {
  const objects = [crashingPod('shop', 'web'), crashingPod('other', 'web'), object('Namespace', undefined, 'shop')];
  const { run } = await on({ objects, users: user(({ namespace }) => namespace === 'shop') });
  const { code, stdout } = await run(['analyze', '-o', 'json']);
  expect(code).toBe(0);
  const { problems, gaps }: Report = JSON.parse(stdout);
  expect(problems.map(({ root }) => `${root.subject.namespace}/${root.subject.name}`)).toEqual(['shop/web']);
  expect(gaps.map(({ what, reason }) => `${what}: ${reason}`).join('\n')).toMatch(/namespace.*shop/i);
});

test('a namespace that is not there', async () => {
  const objects = [healthyPod('shop', 'web'), object('Namespace', undefined, 'shop')];
  const { run } = await on({ objects });
  const { code, stdout, stderr } = await run(['analyze', '-n', 'shpo']);
  const line = 'error: No namespace named "shpo" in the cluster URL. Did you mean "shop"?\n';
  expect([code, stdout, stderr]).toEqual([2, '', line]);
});

test('a token that is not valid', async () => {
  const { run } = await on({ objects: [], users: user(() => true) }, { token: 'wrong' });
  const { code, stdout, stderr } = await run(['analyze']);
  expect([code, stdout, stderr.split('\n').length]).toEqual([2, '', 2]);
  expect(stderr).toMatch(/^error: /);
  expect(stderr).not.toContain('wrong');
});

test('Ctrl-C while a request hangs ends it, and nothing is printed', async () => {
  const stop = new AbortController();
  const { run } = await on({
    objects: [healthyPod('shop', 'web')],
    fault() {
      setImmediate(() => stop.abort());
      return { hangAfter: 0 };
    },
  });
  expect(await run(['analyze'], { signal: stop.signal })).toEqual({ code: 130, stdout: '', stderr: '' });
});

test('a snapshot of a live cluster gives the same report, and is for its owner alone', async () => {
  const demo = recordedCluster(join(FIXTURES, 'scenarios/demo'));
  const { run } = await on({ ...demo, now: '2026-10-14T09:30:00Z' });
  const direct = await run(['analyze', '-o', 'json', '--filter', 'Pod']);
  const { code, stderr } = await run(['snapshot', '-o', 'cluster.json']);
  expect([code, stderr]).toEqual([
    0,
    expect.stringMatching(/^Saved 42 pods and what belongs to them to cluster\.json \(\d+ bytes\)\.\n$/),
  ]);
  const file = join(home.path, 'cluster.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const replayed = await home.run(['analyze', '-f', 'cluster.json', '-o', 'json', '--filter', 'Pod']);
  expect({ ...JSON.parse(replayed.stdout), takenAt: '' }).toEqual({ ...JSON.parse(direct.stdout), takenAt: '' });
  expect(readFileSync(file, 'utf8')).toMatch(/^\{"apiVersion":"v1","kind":"List"/);
});
