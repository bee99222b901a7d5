/**
 * Measures podlens against what else reads a cluster, on a synthetic one that a process of its own serves over TLS:
 *
 *   npm run bench -- [--pods 1000,10000,50000,150000] [--broken 0.02] [--seed 1] [--runs 3] [--skip kubectl,client-node]
 *
 * The bytes are serialised beforehand, so the server costs little more than the encryption: a real one takes longer.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { type Measured, measure, medians } from './measure.ts';

const { values: options } = parseArgs({
  options: {
    pods: { type: 'string', default: '1000,10000,50000,150000' },
    broken: { type: 'string', default: '0.02' },
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    skip: { type: 'string', default: '' },
  },
});

const ROOT = join(import.meta.dirname, '../..');
const PODLENS = join(ROOT, 'dist/cli.js');
const folder = mkdtempSync(join(tmpdir(), 'podlens-bench-'));
const node = process.execPath;
const skipped = new Set(options.skip.split(','));

interface Row {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

interface Line extends Measured {
  readonly name: string;
  readonly requests: number;
  readonly mb: number;
}

const isThere = (command: string): boolean => spawnSync('which', [command]).status === 0;

function rowsFor(url: string, kubeconfig: string): Row[] {
  const ca = join(ROOT, 'test/support/tls/cert.pem');
  const curl = (name: string, ...headers: string[]): Row => {
    const args = ['--silent', '--cacert', ca, ...headers, '-o', '/dev/null', `${url}/api/v1/pods`];
    return { name, command: 'curl', args };
  };
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const rows: Row[] = [
    curl('curl, all pods as JSON'),
    curl('curl, all pods as protobuf', '-H', 'Accept: application/vnd.kubernetes.protobuf'),
    { name: 'podlens analyze -A', command: node, args: [PODLENS, 'analyze', '-A'], env },
    {
      name: 'client-node, all pods in pages',
      command: node,
      args: ['--max-old-space-size=8000', join(ROOT, 'scripts/bench/client-node-list.ts'), kubeconfig],
    },
    { name: 'kubectl get pods -A -o json', command: 'kubectl', args: ['get', 'pods', '-A', '-o', 'json'], env },
    { name: 'k8sgpt analyze', command: 'k8sgpt', args: ['analyze'], env },
  ];
  return rows.filter(({ name, command }) => {
    if ([...skipped].some((word) => word !== '' && name.startsWith(word))) return false;
    return command === node || isThere(command);
  });
}

interface Server {
  readonly url: string;
  /** What it was asked for since it was last asked this. */
  traffic(): Promise<{ readonly requests: number; readonly bytes: number }>;
  stop(): void;
}

async function serve(pods: number): Promise<Server> {
  const script = join(ROOT, 'scripts/bench/server.ts');
  const child: ChildProcess = spawn(
    node,
    ['--max-old-space-size=8000', script, String(pods), options.broken, options.seed],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  if (child.stdin === null || child.stdout === null) throw new Error('the server has no pipes');
  const { stdin } = child;
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => {
    const line = await lines.next();
    if (line.done === true) throw new Error('the server has ended');
    return JSON.parse(line.value) as { port: number; requests: number; bytes: number };
  };
  const { port } = await next();
  return {
    url: `https://127.0.0.1:${port}`,
    traffic() {
      stdin.write('?\n');
      return next();
    },
    stop: () => void child.kill(),
  };
}

function kubeconfigFor(url: string): string {
  const path = join(folder, 'kubeconfig');
  const cluster = { server: url, 'certificate-authority': join(ROOT, 'test/support/tls/cert.pem') };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'bench',
    clusters: [{ name: 'bench', cluster }],
    users: [{ name: 'bench', user: { token: 'bench' } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

const SLOW_MS = 20_000;

/** Every row in turn, several times over, so that a busy minute hits all of them. */
async function compare(rows: readonly Row[], runs: number, server?: Server): Promise<Line[]> {
  const measured = rows.map(() => [] as Measured[]);
  const traffic = rows.map(() => ({ requests: 0, bytes: 0 }));
  for (let run = 0; run < runs; run++) {
    for (const [index, { command, args, env }] of rows.entries()) {
      // What takes so long is measured once.
      if ((measured[index]?.[0]?.wallMs ?? 0) > SLOW_MS) continue;
      await server?.traffic();
      measured[index]?.push(await measure(command, args, env));
      traffic[index] = (await server?.traffic()) ?? { requests: 0, bytes: 0 };
    }
  }
  return rows.map(({ name }, index) => ({
    name,
    ...medians(measured[index] ?? []),
    requests: traffic[index]?.requests ?? 0,
    mb: (traffic[index]?.bytes ?? 0) / 1e6,
  }));
}

function print(title: string, lines: readonly Line[]): void {
  const [first] = lines;
  if (first === undefined) return;
  console.log(`\n${title}\n`);
  console.log('| | wall | of the first | CPU | peak memory | requests | MB |');
  console.log('|---|---:|---:|---:|---:|---:|---:|');
  for (const { name, wallMs, cpuMs, peakMb, requests, mb, code } of lines) {
    const failed = code === 0 ? '' : ` (exit ${code})`;
    const ratio = (wallMs / first.wallMs).toFixed(2);
    const cells = [`${name}${failed}`, `${Math.round(wallMs)} ms`, `×${ratio}`, `${Math.round(cpuMs)} ms`];
    console.log(`| ${[...cells, `${Math.round(peakMb)} MB`, requests, Math.round(mb)].join(' | ')} |`);
  }
}

const bare: Row = { name: 'node -e 0', command: node, args: ['-e', '0'] };
const runs = Number(options.runs);
console.log(
  `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}, medians of ${runs} runs`,
);

try {
  const empty = await serve(0);
  const env = { ...process.env, KUBECONFIG: kubeconfigFor(empty.url) };
  const startUp: Row[] = [
    bare,
    { name: 'podlens --version', command: node, args: [PODLENS, '--version'] },
    { name: 'podlens --help', command: node, args: [PODLENS, '--help'] },
    { name: 'podlens analyze -A, empty cluster', command: node, args: [PODLENS, 'analyze', '-A'], env },
  ];
  await compare(startUp, 1, empty); // fills the compile cache
  print('Start-up', await compare(startUp, runs * 5, empty));
  empty.stop();
  for (const pods of options.pods.split(',').map(Number)) {
    const server = await serve(pods);
    const rows = rowsFor(server.url, kubeconfigFor(server.url));
    const percent = Number(options.broken) * 100;
    print(`${pods.toLocaleString('en')} pods, ${percent} % of them broken`, await compare(rows, runs, server));
    server.stop();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
