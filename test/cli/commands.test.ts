import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { analyzers } from '../../src/analyzers/index.ts';
import type { Report } from '../../src/finding.ts';
import { brokenPods } from '../support/explanations.ts';
import { createHome } from '../support/podlens.ts';

const ROOT = join(import.meta.dirname, '../..');
const DEMO = join(ROOT, 'fixtures/scenarios/demo');
const home = createHome();

const done = async (...argv: string[]) => {
  const { code, stdout, stderr } = await home.run(argv);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
};

describe('analyzers and codes', () => {
  const codes = [...new Set(analyzers.flatMap(({ rules }) => Object.keys(rules)))].sort();

  test('list every analyzer with its title', async () => {
    const lines = (await done('analyzers')).trimEnd().split('\n');
    expect(lines.filter((line) => /^\S/.test(line)).map((line) => line.split(' ')[0])).toEqual(
      analyzers.map(({ id }) => id),
    );
  });

  test('list every code with its summary', async () => {
    const lines = (await done('codes')).trimEnd().split('\n');
    expect(lines.filter((line) => /^\S/.test(line)).map((line) => line.split(' ')[0])).toEqual(codes);
  });

  test('as JSON', async () => {
    const rows = JSON.parse(await done('analyzers', '-o', 'json'));
    expect(rows.map(({ id }: { id: string }) => id)).toEqual(analyzers.map(({ id }) => id));
    const causes = JSON.parse(await done('codes', '-o', 'json'));
    expect(causes.map(({ code }: { code: string }) => code)).toEqual(codes);
    expect(causes[0]).toEqual({
      code: codes[0],
      severity: expect.stringMatching(/^(critical|warning|info)$/),
      summary: expect.any(String),
      source: expect.any(String),
      analyzers: [expect.any(String)],
    });
  });

  test('fit a narrow screen', async () => {
    const { stdout } = await home.run(['codes'], { env: { COLUMNS: '50' } });
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(50);
  });
});

describe('rbac', () => {
  interface Role {
    readonly rules: readonly { readonly apiGroups: string[]; readonly resources: string[]; readonly verbs: string[] }[];
  }
  const role = async (...argv: string[]) => load(await done('rbac', ...argv)) as Role;
  const verbsOf = ({ rules }: Role, resource: string) =>
    rules.filter(({ resources }) => resources.includes(resource)).flatMap(({ verbs }) => verbs);

  test('lists kinds, gets logs, and nothing else', async () => {
    const whole = await role();
    expect(verbsOf(whole, 'pods')).toEqual(['list']);
    expect(verbsOf(whole, 'secrets')).toEqual(['list']);
    expect(verbsOf(whole, 'pods/log')).toEqual(['get']);
    expect(new Set(whole.rules.flatMap(({ verbs }) => verbs))).toEqual(new Set(['get', 'list']));
  });

  test('--no-logs and --filter make it smaller', async () => {
    expect(verbsOf(await role('--no-logs'), 'pods/log')).toEqual([]);
    const images = await role('--filter', 'pod-eviction', '--no-logs');
    expect(verbsOf(images, 'pods')).toEqual(['list']);
    expect(verbsOf(images, 'services')).toEqual([]);
  });
});

describe('snapshot', () => {
  test('of a saved cluster gives the same report, and is for its owner alone', async () => {
    const { code, stdout, stderr } = await home.run(['snapshot', '-f', DEMO, '-o', 'demo.json']);
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toMatch(
      /^Saved 42 pods and what belongs to them to demo\.json \(\d+ bytes\)\. \d+ things could not be read; the file says which\.\n$/,
    );
    expect(statSync(join(home.path, 'demo.json')).mode & 0o777).toBe(0o600);
    expect(await done('analyze', '-f', 'demo.json', '-o', 'json')).toBe(
      await done('analyze', '-f', DEMO, '-o', 'json'),
    );
  });

  test('a file that was there for all to read becomes its owner’s alone', async () => {
    const file = home.write('open.json', '', 0o644);
    await home.run(['snapshot', '-f', DEMO, '-o', 'open.json']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('to standard output, and back through standard input', async () => {
    const saved = await done('snapshot', '-f', DEMO);
    const { stdout } = await home.run(['analyze', '-f', '-', '-o', 'json'], { stdin: saved });
    expect(stdout).toBe(await done('analyze', '-f', DEMO, '-o', 'json'));
  });
});

describe('cache', () => {
  const folder = join(home.path, '.cache/podlens/explanations');

  test('says where it is', async () => {
    expect(await done('cache', 'path')).toBe(`${folder}\n`);
    const { stdout } = await home.run(['cache', 'path'], { env: { XDG_CACHE_HOME: '/elsewhere' } });
    expect(stdout).toBe('/elsewhere/podlens/explanations\n');
  });

  test('without a home there is none', async () => {
    const ran = await home.run(['cache', 'path'], { env: { HOME: '' } });
    const line = 'error: There is no place for a cache: neither XDG_CACHE_HOME nor HOME is set.\n';
    expect(ran).toEqual({ code: 2, stdout: '', stderr: line });
  });

  test('lists nothing and forgets nothing where nothing is kept', async () => {
    expect(await home.run(['cache', 'list'])).toEqual({ code: 0, stdout: '', stderr: '0 explanations are kept.\n' });
    expect(await home.run(['cache', 'purge'])).toEqual({ code: 0, stdout: '', stderr: 'Removed 0 explanations.\n' });
  });
});

describe('completion', () => {
  const script = join(home.path, 'podlens.bash');

  /** What bash offers for these words, the last one half typed. */
  async function offered(...words: string[]): Promise<string[]> {
    writeFileSync(script, await done('completion', 'bash'));
    const ask =
      'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _podlens; printf "%s\\n" "${COMPREPLY[@]}"';
    const output = execFileSync('bash', ['-c', ask, '-', script, 'podlens', ...words], { encoding: 'utf8' });
    return output.split('\n').filter((word) => word !== '');
  }

  test('bash takes the script', async () => {
    writeFileSync(script, await done('completion', 'bash'));
    execFileSync('bash', ['-n', script]);
  });

  test.each<[string, readonly string[], readonly string[]]>([
    ['commands', ['a'], ['analyze', 'analyzers']],
    ['commands of commands', ['cache', ''], ['path', 'list', 'purge', '--help']],
    ['flags', ['analyze', '--fa'], ['--fail-on']],
    ['flags after a target', ['analyze', 'pod/web', '--fi'], ['--filter', '--filename']],
    ['values', ['analyze', '-f', 'x', '--fail-on', 'c'], ['critical']],
    ['formats', ['analyze', '--output', 's'], ['sarif']],
    ['formats after the short flag', ['analyze', '-o', 's'], ['sarif']],
    ['formats of another command', ['codes', '-o', ''], ['text', 'json']],
    ['shells', ['completion', 'b'], ['bash']],
    ['files after -f', ['analyze', '-f', join(home.path, 'podl')], [script]],
  ])('bash offers %s', async (_, words, expected) => {
    expect((await offered(...words)).sort()).toEqual([...expected].sort());
  });

  test('zsh and fish have scripts with every command', async () => {
    const [zsh, fish] = [await done('completion', 'zsh'), await done('completion', 'fish')];
    expect(zsh).toMatch(/^#compdef podlens\n/);
    for (const name of ['analyze', 'snapshot', 'analyzers', 'codes', 'rbac', 'backends', 'cache', 'completion']) {
      expect(zsh).toContain(name);
      expect(fish).toContain(`-a ${name} `);
    }
    for (const line of fish.split('\n').filter((text) => text !== ''))
      expect(line).toMatch(/^(#|complete -c podlens )/);
  });

  test('as a kubectl plugin the script still names the program on the path', async () => {
    const { stdout } = await home.run(['completion', 'bash'], { name: 'kubectl podlens' });
    expect(stdout).toMatch(/\ncomplete -o default -F _\w+ kubectl-podlens\n$/);
  });
});

describe('plugins', () => {
  const source = join(ROOT, 'src/index.ts');
  const plugin = `
import { defineAnalyzer } from '${pathToFileURL(source).href}';
export const podOwner = defineAnalyzer({
  id: 'pod-latest',
  kind: 'Pod',
  title: 'Pods that do not say which version they run',
  needs: ['Pod'],
  rules: {
    'house.latest': { severity: 'warning', summary: 'A container has no version.', source: 'the house rules', stage: 'hint', remedy: () => [] },
  },
  *analyze(cluster) {
    for (const { metadata } of cluster.list('Pod')) {
      const subject = { kind: 'Pod', namespace: metadata?.namespace ?? '', name: metadata?.name ?? '' };
      yield { code: 'house.latest', subject, message: 'It has no version.', evidence: [{ from: subject, where: 'spec', text: 'none' }] };
    }
  },
});
`;
  const folder = join(home.path, 'plugins');
  mkdirSync(folder);
  writeFileSync(join(folder, 'house.ts'), plugin);
  writeFileSync(join(folder, 'empty.ts'), 'export const nothing = 1;\n');
  writeFileSync(join(folder, 'broken.ts'), "throw new Error('out of order');\n");
  home.write('cluster.yaml', brokenPods('web').replace(/^status:.*$/ms, 'status: { phase: Running }\n'));
  const config = (name: string, ...plugins: string[]) => home.write(name, `plugins: [${plugins.join(', ')}]\n`);
  config('house.yaml', './plugins/house.ts');

  test('run beside the others', async () => {
    const stdout = await done('analyze', '-f', 'cluster.yaml', '--config', 'house.yaml', '-o', 'json');
    const { problems }: Report = JSON.parse(stdout);
    expect(problems.map(({ root }) => root.code)).toEqual(['house.latest']);
  });

  test('can be filtered by, and are listed', async () => {
    const argv = ['analyze', '-f', 'cluster.yaml', '--config', 'house.yaml', '--filter', 'house', '-o', 'json'];
    expect((JSON.parse(await done(...argv)) as Report).problems.length).toBe(1);
    const { stdout } = await home.run(['codes'], { env: { PODLENS_CONFIG: 'house.yaml' } });
    expect(stdout).toContain('house.latest');
  });

  test.each([
    [
      'is not there',
      './plugins/nope.ts',
      /^error: The plugin .*nope\.ts cannot be loaded: Cannot find module .* Check `plugins` in the config file\.\n$/,
    ],
    [
      'fails',
      './plugins/broken.ts',
      /^error: The plugin .*broken\.ts cannot be loaded: out of order Check `plugins` in the config file\.\n$/,
    ],
    [
      'has no analyzer',
      './plugins/empty.ts',
      /^error: The plugin .*empty\.ts exports no analyzer\. Export what defineAnalyzer returns\.\n$/,
    ],
    [
      'is there twice',
      './plugins/house.ts, ./plugins/house.ts',
      /^error: The plugin .*house\.ts has an analyzer "pod-latest", and there is one of that name\.\n$/,
    ],
  ])('one that %s', async (_, names, line) => {
    config('other.yaml', names);
    const ran = await home.run(['analyze', '-f', 'cluster.yaml', '--config', 'other.yaml']);
    expect(ran).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(line) });
  });
});
