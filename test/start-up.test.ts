import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { apiServer } from './support/api-server.ts';
import { simpleKubeconfig } from './support/kubeconfig.ts';

const ROOT = join(import.meta.dirname, '..');

// Prints every module that is loaded, before it is.
const HOOK = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  registerHooks({ load(url, context, next) { process._rawDebug('LOAD ' + url); return next(url, context); } });
`)}`;

/** The packages and the source files that a run of podlens loads. */
async function loadedBy(...args: string[]): Promise<{ packages: string[]; sources: string[] }> {
  const stderr = await new Promise<string>((resolve, reject) => {
    execFile(
      process.execPath,
      ['--import', HOOK, join(ROOT, 'src/cli.ts'), ...args],
      { cwd: ROOT, env: { ...process.env, HOME: ROOT, KUBECONFIG: '' }, maxBuffer: 1 << 26 },
      (error, _stdout, stderr) => (error !== null && typeof error.code !== 'number' ? reject(error) : resolve(stderr)),
    );
  });
  const urls = [...stderr.matchAll(/^LOAD (\S+)$/gm)].map(([, url = '']) => url);
  const packages = urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
  const sources = urls.flatMap((url) => /\/src\/(.+)\.ts$/.exec(url)?.[1] ?? []);
  return { packages: [...new Set(packages)].sort(), sources: sources.sort() };
}

describe.each([
  ['--help', ['--help']],
  ['the help of a command', ['analyze', '--help']],
  ['--version', ['--version']],
  ['a wrong flag', ['analyze', '--nope']],
  ['completion', ['completion', 'bash']],
])('%s', (_, args) => {
  test('loads no more than the parser of the command line', async () => {
    const { packages, sources } = await loadedBy(...args);
    expect(packages).toEqual(['commander']);
    expect(sources.filter((file) => /^(analyzers|cluster|objects|ai|cache)\//.test(file))).toEqual([]);
  });
});

test('analyze of a saved cluster loads neither a client nor a model', async () => {
  const { packages, sources } = await loadedBy('analyze', '-f', 'fixtures/analyzers/pod-image-pull');
  expect(sources).toContain('cluster/files');
  expect(packages).not.toContain('@kubernetes/client-node');
  expect(packages).not.toContain('openai');
  expect(packages).not.toContain('undici');
  expect(packages).not.toContain('zod');
  expect(sources.filter((file) => /^(ai|cluster\/(connect|collect|transport))/.test(file))).toEqual([]);
});

test('analyze of a live cluster loads no generated client', async () => {
  const server = await apiServer({ objects: [] });
  onTestFinished(() => server.close());
  const kubeconfig = simpleKubeconfig({ server: server.url });
  const { packages, sources } = await loadedBy('analyze', '-A', '--kubeconfig', kubeconfig);
  expect(server.requests.length).toBeGreaterThan(0);
  expect(sources).toContain('cluster/collect');
  expect(packages).not.toContain('@kubernetes/client-node');
  expect(packages).not.toContain('openai');
  expect(packages).not.toContain('undici');
});
