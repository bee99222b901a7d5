/**
 * Measures podlens against what else reads a cluster, on a synthetic one that a process of its own serves over TLS:
 *
 *   npm run bench -- [--pods 1000,10000,50000,150000] [--broken 0.02] [--seed 1] [--runs 3] [--skip kubectl,client-node]
 *                    [--link 100,30]
 *   npm run bench -- --kubeconfig FILE
 *
 * The bytes are serialised beforehand, so the server costs little more than the encryption: a real one takes longer, and
 * with `--kubeconfig` a real one is read instead. `--link` is a slow link, in Mbit/s and milliseconds of its round trip,
 * over which up to 50,000 pods are read as well; `--link none` leaves it out.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { type Endpoint, endpointOf } from './endpoint.ts';
import { type Measured, measure, medians } from './measure.ts';

const { values: options } = parseArgs({
  options: {
    pods: { type: 'string', default: '1000,10000,50000,150000' },
    broken: { type: 'string', default: '0.02' },
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    skip: { type: 'string', default: '' },
    link: { type: 'string', default: '100,30' },
    kubeconfig: { type: 'string' },
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

// For curl, as it calls itself, an API server indents its JSON: twice the bytes, which no program asks for.
const SILENT = ['--silent', '--fail', '--user-agent', 'podlens-bench'];

const PROTOBUF = ['-H', 'Accept: application/vnd.kubernetes.protobuf'];

function curl(name: string, { url, curl }: Endpoint, flags: readonly string[] = [], output = '/dev/null'): Row {
  const args = [...SILENT, ...curl, ...flags, '-o', output, `${url}/api/v1/pods`];
  return { name, command: 'curl', args };
}

function podlens({ kubeconfig }: Endpoint): Row {
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  return { name: 'podlens analyze -A', command: node, args: [PODLENS, 'analyze', '-A'], env };
}

function rowsFor(endpoint: Endpoint): Row[] {
  const { kubeconfig } = endpoint;
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const dump = join(folder, 'pods.json');
  const rows: Row[] = [
    curl('curl, all pods as JSON', endpoint),
    curl('curl, all pods as protobuf', endpoint, PROTOBUF),
    podlens(endpoint),
    curl('curl, all pods as JSON, into a file', endpoint, [], dump),
    { name: 'podlens analyze -f, that file', command: node, args: [PODLENS, 'analyze', '-f', dump] },
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

/** The same over a slow link, where what counts are the bytes and the round trips. */
const slowRows = (endpoint: Endpoint): Row[] => [
  curl('curl, all pods as protobuf, compressed', endpoint, ['-H', 'Accept-Encoding: gzip', ...PROTOBUF]),
  curl('curl, all pods as JSON, compressed', endpoint, ['-H', 'Accept-Encoding: gzip']),
  podlens(endpoint),
];

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

/** A way to the server over a slow link. */
async function slowed(url: string, [mbits = '', roundTrip = '']: readonly string[]) {
  const script = join(ROOT, 'scripts/bench/link.ts');
  const child = spawn(node, [script, new URL(url).port, mbits, roundTrip], { stdio: ['ignore', 'pipe', 'inherit'] });
  const { value } = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
  const { port } = JSON.parse(value as string) as { port: number };
  return { url: `https://127.0.0.1:${port}`, stop: () => void child.kill() };
}

function endpointAt(url: string): Endpoint {
  const path = join(folder, 'kubeconfig');
  const ca = join(ROOT, 'test/support/tls/cert.pem');
  const cluster = { server: url, 'certificate-authority': ca };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'bench',
    clusters: [{ name: 'bench', cluster }],
    users: [{ name: 'bench', user: { token: 'bench' } }],
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return { url, curl: ['--cacert', ca], kubeconfig: path };
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

/** Without a server of its own there is nobody to count requests and bytes. */
async function measureReal(kubeconfig: string): Promise<void> {
  const lines = await compare(rowsFor(await endpointOf(kubeconfig, folder)), runs);
  print(`The cluster of ${kubeconfig}`, lines);
}

async function measureSynthetic(): Promise<void> {
  const empty = await serve(0);
  const startUp: Row[] = [
    bare,
    { name: 'podlens --version', command: node, args: [PODLENS, '--version'] },
    { name: 'podlens --help', command: node, args: [PODLENS, '--help'] },
    { ...podlens(endpointAt(empty.url)), name: 'podlens analyze -A, empty cluster' },
  ];
  await compare(startUp, 1, empty); // fills the compile cache
  print('Start-up', await compare(startUp, runs * 5, empty));
  empty.stop();
  for (const pods of options.pods.split(',').map(Number)) {
    const server = await serve(pods);
    const percent = Number(options.broken) * 100;
    const title = `${pods.toLocaleString('en')} pods, ${percent} % of them broken`;
    print(title, await compare(rowsFor(endpointAt(server.url)), runs, server));
    if (options.link !== 'none' && pods <= 50_000) {
      const [mbits = '', roundTrip = ''] = options.link.split(',');
      const link = await slowed(server.url, [mbits, roundTrip]);
      const slow = slowRows(endpointAt(link.url));
      await compare(slow, 1, server); // the server compresses each answer once
      print(`${title}, over ${mbits} Mbit/s with a round trip of ${roundTrip} ms`, await compare(slow, runs, server));
      link.stop();
    }
    server.stop();
  }
}

try {
  if (options.kubeconfig === undefined) await measureSynthetic();
  else await measureReal(options.kubeconfig);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
