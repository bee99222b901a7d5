import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { closedUrl } from '../support/http-server.ts';
import { simpleKubeconfig } from '../support/kubeconfig.ts';
import { createHome } from '../support/podlens.ts';

const DEMO = join(import.meta.dirname, '../../fixtures/scenarios/demo');
const home = createHome();

/** `podlens analyze` of the demo cluster with these words. */
const demo = (...argv: string[]) => ['analyze', '-f', DEMO, ...argv];
const SEE = 'See podlens analyze --help.';
const SELECTOR = "Write app=web, tier!=db, 'env in (a,b)', 'env notin (a,b)', key or '!key', separated by commas.";
const NO_DUMP =
  'It reads what "kubectl get pods,events,nodes -A -o json", "kubectl cluster-info dump" or "podlens snapshot" write.';
const NAMESPACES = 'data, default, kube-node-lease, kube-public, kube-system, orders, staging, storefront';

describe('what is wrong is said in one line, with what would have been right, and the exit code is 2', () => {
  test.each<[string, readonly string[], string]>([
    ['a flag', ['analyze', '--wrong'], `Unknown option '--wrong'. ${SEE}`],
    [
      'a flag that is nearly right',
      ['analyze', '--namespce', 'x'],
      `Unknown option '--namespce'. Did you mean --namespace? ${SEE}`,
    ],
    ['a flag without its value', ['analyze', '-n'], `--namespace needs a value. ${SEE}`],
    ['a flag before the command', ['--wrong'], "Unknown option '--wrong'. See podlens --help."],
    ['a command', ['analyz'], "Unknown command 'analyz'. Did you mean analyze? See podlens --help."],
    ['a command of cache', ['cache', 'zap'], "Unknown command 'zap'. See podlens cache --help."],
    ['no command of cache', ['cache'], 'A command is missing: path, list or purge. See podlens cache --help.'],
    ['help for nothing', ['help', 'zap'], 'There is no command "zap". See podlens --help.'],
    [
      'too much',
      ['snapshot', 'pod/web'],
      "Too many arguments for 'snapshot'. Expected 0 arguments but got 1: pod/web. See podlens snapshot --help.",
    ],
    [
      'a format',
      demo('-o', 'xml'),
      `--output does not take "xml". Allowed choices are text, json, yaml, markdown, sarif, junit, k8sgpt. ${SEE}`,
    ],
    [
      'a severity',
      demo('--fail-on', 'severe'),
      `--fail-on does not take "severe". Allowed choices are critical, warning, info. ${SEE}`,
    ],
    [
      'a time',
      demo('--at', 'yesterday'),
      `--at does not take "yesterday". Write a time like 2026-11-21T02:00:00Z. ${SEE}`,
    ],
    [
      'a duration',
      ['analyze', '--request-timeout', 'soon'],
      `--request-timeout does not take "soon". Write a time with its unit: 30s, 1m, 1m30s. ${SEE}`,
    ],
    ['a number', ['analyze', '--max-calls', 'many'], `--max-calls does not take "many". Write a whole number. ${SEE}`],
    [
      'a shell',
      ['completion', 'tcsh'],
      '<shell> cannot be "tcsh". Allowed choices are bash, zsh, fish. See podlens completion --help.',
    ],
    [
      'a filter that is nearly a kind',
      demo('--filter', 'Podd'),
      'There is no kind, analyzer or cause "Podd" to filter by. Did you mean Pod or Node?',
    ],
    [
      'a filter that is nearly a cause',
      demo('--filter', 'image.not-foud'),
      'There is no kind, analyzer or cause "image.not-foud" to filter by. Did you mean image.not-found or image?',
    ],
    [
      'a filter',
      demo('--filter', 'xyzzy'),
      'There is no kind, analyzer or cause "xyzzy" to filter by. Filter by a kind (Pod, Node, PersistentVolumeClaim, ReplicaSet, Deployment, Job, Service), by an analyzer (podlens analyzers) or by a cause (podlens codes).',
    ],
    ['half a list', demo('--filter', 'Pod,'), `--filter does not take "Pod,". A name is missing. ${SEE}`],
    ['a kind', demo('podd/web'), 'podlens does not know the kind "podd". Did you mean pod, pods or node?'],
    [
      'a kind like no other',
      demo('xyzzy/web'),
      'podlens does not know the kind "xyzzy". A target is written TYPE/NAME, for example pod/web-0 or deploy/web.',
    ],
    ['a kind without a name', demo('pod'), '"pod" names no object. Write pods/NAME for one, or --filter=Pod for all.'],
    [
      'a file without its flag',
      ['analyze', 'fixtures/scenarios/demo'],
      '"fixtures/scenarios/demo" is no object of a cluster, but a file. Did you mean -f fixtures/scenarios/demo?',
    ],
    ['half a target', demo('pod/'), '"pod/" is no target. Write TYPE/NAME for each, for example pod/web-0 deploy/web.'],
    [
      'too much of a target',
      demo('pod/a/b'),
      '"pod/a/b" is no target. Write TYPE/NAME for each, for example pod/web-0 deploy/web.',
    ],
    [
      'both ways to name a target',
      demo('pod/a', 'deploy', 'b'),
      '"deploy" is no target. Write TYPE/NAME for each, for example pod/web-0 deploy/web.',
    ],
    ['a target of another kind', demo('pod/cart'), 'There is no pod/cart. Did you mean deployment/cart?'],
    [
      'a target that is nearly right',
      demo('deploy/crat'),
      'There is no deployment/crat. Did you mean deployment/cart?',
    ],
    ['a target', demo('deploy', 'xyzzyxyzzy'), 'There is no deployment/xyzzyxyzzy.'],
    [
      'a target elsewhere',
      demo('deploy/cart', '-n', 'orders'),
      'There is no deployment/cart in orders. It is in namespace storefront.',
    ],
    [
      'a namespace that is nearly right',
      demo('-n', 'storfront'),
      'There is no namespace "storfront". Did you mean storefront?',
    ],
    ['a namespace', demo('-n', 'xyzzyxyzzy'), `There is no namespace "xyzzyxyzzy". There are ${NAMESPACES}.`],
    [
      'one namespace of two',
      demo('-n', 'orders,xyzzyxyzzy'),
      `There is no namespace "xyzzyxyzzy". There are ${NAMESPACES}.`,
    ],
    ['a namespace as a target', demo('ns/xyzzyxyzzy'), `There is no namespace "xyzzyxyzzy". There are ${NAMESPACES}.`],
    ['-A with -n', demo('-A', '-n', 'orders'), '-A and -n exclude each other. Leave one of them out.'],
    ['-A with a namespace', demo('-A', 'ns/orders'), '-A and -n exclude each other. Leave one of them out.'],
    ['a selector', demo('-l', 'a=b=c'), `"a=b=c" is no label selector. ${SELECTOR}`],
    ['half a selector', demo('-l', 'a=b,'), `"a=b," is no label selector. A requirement is empty. ${SELECTOR}`],
    [
      '--at for a live cluster',
      ['analyze', '--at', '2026-11-21T02:00:00Z'],
      '--at goes with -f: a live cluster is judged by its own clock. Leave --at out, or name a saved cluster.',
    ],
    [
      'a context for a saved cluster',
      demo('--context', 'x'),
      '-f reads a saved cluster and --context a live one. Leave one of them out.',
    ],
    [
      'a file that is not there',
      ['analyze', '-f', 'nope.json'],
      `There is no file or folder "${join(home.path, 'nope.json')}". -f takes a file, a folder, or - for standard input.`,
    ],
    [
      'no file',
      ['analyze', '-f', ''],
      `--filename does not take "". Name a file, a folder, or - for standard input. ${SEE}`,
    ],
    [
      'nothing on standard input',
      ['analyze', '-f', '-'],
      `Nothing in standard input is an object that podlens reads. ${NO_DUMP}`,
    ],
    [
      'a config that is not there',
      ['analyze', '--config', 'nope.yaml'],
      `There is no config file at ${join(home.path, 'nope.yaml')}. Check --config or PODLENS_CONFIG, or create it with: podlens backends add`,
    ],
    [
      'a kubeconfig that is not there',
      ['analyze', '--kubeconfig', 'nope'],
      'The kubeconfig nope does not exist. Name one with --kubeconfig or in KUBECONFIG, or read a saved cluster with -f. What kubectl uses is shown by: kubectl config view --minify',
    ],
    [
      'no kubeconfig',
      ['analyze'],
      `There is no kubeconfig: ${join(home.path, '.kube/config')} does not exist. Name one with --kubeconfig or in KUBECONFIG, or read a saved cluster with -f. What kubectl uses is shown by: kubectl config view --minify`,
    ],
    [
      'a folder that is not there',
      ['snapshot', '-f', DEMO, '-o', '/nonexistent/x'],
      "The snapshot cannot be written to /nonexistent/x: ENOENT: no such file or directory, open '/nonexistent/x'.",
    ],
  ])('%s', async (_, argv, line) => {
    expect(await home.run(argv)).toEqual({ code: 2, stdout: '', stderr: `error: ${line}\n` });
  });

  test('a context that the kubeconfig does not have', async () => {
    const file = simpleKubeconfig({ server: 'https://127.0.0.1:1' });
    const { code, stdout, stderr } = await home.run(['analyze', '--kubeconfig', file, '--context', 'tset']);
    expect([code, stdout, stderr.split('\n').length]).toEqual([2, '', 2]);
    expect(stderr).toMatch(/^error: .*"tset".*test/);
  });

  test('a server that is not there', async () => {
    const server = await closedUrl();
    const { code, stdout, stderr } = await home.run(['analyze', '--kubeconfig', simpleKubeconfig({ server })]);
    expect([code, stdout, stderr.split('\n').length]).toEqual([2, '', 2]);
    expect(stderr).toContain(server);
  });
});

test('control characters of what was typed do not reach the terminal', async () => {
  const { code, stderr } = await home.run(demo('pod/\u001b]0;owned\u0007web\u202e'));
  expect([code, stderr]).toEqual([2, 'error: There is no pod/web.\n']);
});

test('as a kubectl plugin it names itself so', async () => {
  const { code, stderr } = await home.run(['analyze', '--wrong'], { name: 'kubectl podlens' });
  expect([code, stderr]).toEqual([2, "error: Unknown option '--wrong'. See kubectl podlens analyze --help.\n"]);
});

test('without a word the help is printed', async () => {
  const { code, stdout, stderr } = await home.run([]);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('Usage: podlens');
});
