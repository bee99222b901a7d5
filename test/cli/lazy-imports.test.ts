import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { brokenPods } from '../support/explanations.ts';
import { createHome } from '../support/podlens.ts';

const root = join(import.meta.dirname, '../..');

/** Writes the packages that are loaded to stderr. */
const hook = `
import { registerHooks } from 'node:module';
registerHooks({ resolve(name, context, next) {
  if (/^(zod|openai|undici|yaml|@kubernetes\\/client-node|cli-progress)(\\/|$)/.test(name)) process.stderr.write('loaded ' + name + '\\n');
  return next(name, context);
} });`;

/** What a run of podlens in a process of its own loads of the packages that cost time. */
function loadedBy(argv: readonly string[], files: Readonly<Record<string, string>> = {}): string[] {
  const home = createHome();
  home.write('cluster.yaml', brokenPods('web'));
  for (const [name, text] of Object.entries(files)) home.write(name, text);
  const program = [`--import=data:text/javascript,${encodeURIComponent(hook)}`, join(root, 'src/cli.ts'), ...argv];
  const output = execFileSync('bash', ['-c', '"$@" 2>&1 >/dev/null', '-', process.execPath, ...program], {
    cwd: home.path,
    env: { PATH: process.env['PATH'], HOME: home.path },
    encoding: 'utf8',
  });
  return [...new Set(output.match(/(?<=^loaded )\S+/gm))].sort();
}

test.each([
  ['--help', ['--help']],
  ['a diagnosis of a saved cluster', ['analyze', '-f', 'cluster.yaml']],
])('%s loads nothing of the cluster, of models or of the config', (_, argv) => {
  expect(loadedBy(argv)).toEqual([]);
});

test('a config file costs what it takes to check it', () => {
  const argv = ['analyze', '-f', 'cluster.yaml', '--config', 'config.yaml'];
  expect(loadedBy(argv, { 'config.yaml': 'language: de\n' })).toEqual(['yaml', 'zod']);
});
