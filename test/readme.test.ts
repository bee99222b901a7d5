import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { tempFolder } from './support/kubeconfig.ts';
import { createHome } from './support/podlens.ts';

const ROOT = join(import.meta.dirname, '..');
const DEMO = join(ROOT, 'fixtures/scenarios/demo');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

function block(language: string): string {
  const [, code = ''] = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'ms').exec(readme) ?? [];
  expect(code).not.toBe('');
  return code;
}

test('the report in the README is one that podlens prints', async () => {
  const argv = ['analyze', '-f', DEMO, 'deploy/search'];
  const { stdout } = await createHome().run(argv, { env: { COLUMNS: '90' } });
  expect(stdout).toContain(block('text'));
});

test('the example for the library runs', () => {
  const file = join(tempFolder(), 'example.ts');
  writeFileSync(file, block('ts').replace("'podlens'", `'${pathToFileURL(join(ROOT, 'src/index.ts')).href}'`));
  const stdout = execFileSync(process.execPath, [file], { cwd: ROOT, encoding: 'utf8' });
  expect(stdout).toContain(
    'critical oom.container-limit: Container search ran out of memory: it was killed at its limit of 256Mi',
  );
});

test('every flag and command that the README names exists', async () => {
  const { stdout } = await createHome().run(['help', 'analyze']);
  const { stdout: commands } = await createHome().run(['help']);
  for (const line of readme.split('\n').filter((text) => /podlens analyze /.test(text))) {
    for (const [flag] of line.replace(/^.*?podlens analyze/, '').matchAll(/(?<= )--[a-z-]+/g))
      expect(stdout).toContain(flag);
  }
  for (const [, command] of readme.matchAll(/`podlens ([a-z]+)/g)) expect(commands).toContain(`  ${command}`);
});
