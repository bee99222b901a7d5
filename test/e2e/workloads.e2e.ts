import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { loadAll } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Problem, Report } from '../../src/finding.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const image = process.env['PODLENS_E2E_IMAGE'] ?? 'busybox:1.37';
const hasCluster = (process.env['KUBECONFIG'] ?? '') !== '';
if (!hasCluster) {
  process.stderr.write(
    'Skipped: set KUBECONFIG to a cluster in which namespaces may be made, one of kind for instance.\n',
  );
}

interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: { readonly expect?: string } };
}

const manifest = (name: string): string =>
  readFileSync(join(import.meta.dirname, 'workloads', `${name}.yaml`), 'utf8').replaceAll('IMAGE', image);
const workloads = (loadAll(manifest('broken')) as Workload[]).filter(({ metadata }) => metadata.annotations?.expect);

const suffix = Math.random().toString(36).slice(2, 8);
const broken = `podlens-e2e-broken-${suffix}`;
const healthy = `podlens-e2e-healthy-${suffix}`;

async function kubectl(...args: string[]): Promise<string> {
  const { stdout } = await run('kubectl', args);
  return stdout;
}

async function make(namespace: string, name: string): Promise<void> {
  await kubectl('create', 'namespace', namespace);
  const apply = run('kubectl', ['apply', '-n', namespace, '-f', '-']);
  apply.child.stdin?.end(manifest(name));
  await apply;
}

async function podlens(...args: string[]): Promise<Report> {
  const cli = [join(root, 'src/cli.ts'), 'analyze', '-o', 'json', ...args];
  const { stdout } = await run(process.execPath, cli, { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout) as Report;
}

/** The problems that name the workload, or a pod of it. */
const about = ({ problems }: Report, { name }: Workload['metadata']): Problem[] =>
  problems.filter(({ root, affects }) => [root.subject, ...affects].some((ref) => ref.name.startsWith(name)));

/** Asks until what is said is right, or the time is over: faults take a while to show. */
async function eventually(check: () => Promise<void>, ms = 240_000): Promise<void> {
  const until = Date.now() + ms;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > until) throw error;
      await delay(5000);
    }
  }
}

describe.skipIf(!hasCluster)('on a live cluster', () => {
  beforeAll(async () => {
    await Promise.all([make(broken, 'broken'), make(healthy, 'healthy')]);
  });
  afterAll(async () => {
    await kubectl('delete', 'namespace', broken, healthy, '--wait=false', '--ignore-not-found');
  });

  test.concurrent.each(workloads.map((workload) => [workload.metadata.name, workload] as const))(
    '%s',
    async (_, { metadata }) => {
      await eventually(async () => {
        const report = await podlens('-n', broken);
        expect(about(report, metadata).map((problem) => problem.root.code)).toEqual([metadata.annotations?.expect]);
      });
    },
  );

  test.concurrent('what is healthy is not mentioned', async () => {
    await kubectl('rollout', 'status', 'deployment/steady', '-n', healthy, '--timeout=240s');
    await kubectl('wait', 'job/finished', '-n', healthy, '--for=condition=complete', '--timeout=240s');
    const { problems } = await podlens('-n', healthy);
    expect(problems.filter(({ root }) => root.severity !== 'info' && root.subject.namespace === healthy)).toEqual([]);
  });

  test.concurrent('a namespace that does not exist is named', async () => {
    await expect(podlens('-n', `${broken}x`)).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`"${broken}x"`),
    });
  });
});
