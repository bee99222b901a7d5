/**
 * The synthetic cluster's API server, as its own process: `node scripts/bench/server.ts <pods> <share broken> <seed>`.
 * Everything is serialised beforehand. Prints its port as one line of JSON, then the requests it got whenever a line
 * comes in on stdin.
 */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { resources } from '../../src/cluster/kinds.ts';
import type { ApiKind } from '../../src/objects/kinds-schema.ts';
import { encodeListHead, encodeListMeta } from '../../test/support/protobuf-encode.ts';
import { SyntheticCluster } from './cluster.ts';
import { type Stored, store } from './store.ts';

const [pods = 1000, broken = 0.02, seed = 1] = process.argv.slice(2).map(Number);
const cluster = new SyntheticCluster({ pods, broken, seed });
const stored = new Map<ApiKind, Stored>();
for (const [kind, objects] of cluster.objects()) stored.set(kind, store(kind, objects));

const paths = new Map<string, ApiKind>();
for (const kind of Object.keys(resources) as ApiKind[]) {
  const { groupVersion, plural } = resources[kind];
  paths.set(`/${groupVersion === 'v1' ? 'api' : 'apis'}/${groupVersion}/${plural}`, kind);
}

let requests = 0;
let bytes = 0;

const TLS = join(import.meta.dirname, '../../test/support/tls');
const server = createServer(
  { key: readFileSync(join(TLS, 'key.pem')), cert: readFileSync(join(TLS, 'cert.pem')) },
  (request, response) => {
    requests++;
    const url = new URL(request.url ?? '/', 'https://localhost');
    const kind = paths.get(url.pathname);
    const answer = kind === undefined ? discovery(url.pathname) : list(kind, url.searchParams, request);
    send(answer, request, response);
  },
);
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});
process.stdin.on('data', () => {
  console.log(JSON.stringify({ requests, bytes }));
  requests = 0;
  bytes = 0;
});

interface Answer {
  readonly status?: number;
  readonly type: string;
  readonly buffers: readonly Buffer[];
}

function list(kind: ApiKind, query: URLSearchParams, request: IncomingMessage): Answer {
  const all = stored.get(kind);
  const count = all?.count ?? 0;
  const from = Number(query.get('continue') ?? 0);
  const limit = query.get('resourceVersion') === '0' ? 0 : Number(query.get('limit') ?? 0);
  const to = limit === 0 ? count : Math.min(count, from + limit);
  const accept = request.headers.accept ?? '';
  const meta = {
    resourceVersion: '1',
    ...(to < count ? { continue: String(to), remainingItemCount: count - to } : {}),
  };
  const { groupVersion } = resources[kind];
  if (accept.includes('as=Table') && (kind === 'Secret' || kind === 'ConfigMap')) {
    const columns = kind === 'Secret' ? ['Name', 'Type', 'Data', 'Age'] : ['Name', 'Data', 'Age'];
    const columnDefinitions = columns.map((name) => ({
      name,
      type: 'string',
      format: '',
      description: '',
      priority: 0,
    }));
    const head = { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata: meta, columnDefinitions };
    return json(head, 'rows', all?.rows.slice(from, to) ?? []);
  }
  if (accept.includes('protobuf')) {
    const items = all?.protobuf.slice(from, to) ?? [];
    const listMeta = encodeListMeta(meta);
    const length = items.reduce((sum, item) => sum + item.length, listMeta.length);
    const buffers = [encodeListHead(kind, groupVersion, length), listMeta, ...items];
    return { type: 'application/vnd.kubernetes.protobuf', buffers };
  }
  const head = { kind: `${kind}List`, apiVersion: groupVersion, metadata: meta };
  return json(head, 'items', all?.json.slice(from, to) ?? []);
}

function json(head: object, name: string, pieces: readonly Buffer[]): Answer {
  const start = Buffer.from(`${JSON.stringify(head).slice(0, -1)},"${name}":[`);
  const last = pieces.at(-1);
  const body = last === undefined ? [] : [...pieces.slice(0, -1), last.subarray(0, -1)];
  return { type: 'application/json', buffers: [start, ...body, Buffer.from(']}\n')] };
}

const sizeOf = (buffers: readonly Buffer[]): number => buffers.reduce((sum, buffer) => sum + buffer.length, 0);

// As the API server: what is shorter is never compressed.
const WORTH_GZIP = 128 * 1024;

/** Compressed answers; only the first client waits for the work. */
const zipped = new Map<string, Buffer>();

function send(
  { status = 200, type, buffers }: Answer,
  { url, headers }: IncomingMessage,
  response: ServerResponse,
): void {
  const zip = headers['accept-encoding']?.includes('gzip') === true && sizeOf(buffers) > WORTH_GZIP;
  const key = `${url} ${type}`;
  if (zip && !zipped.has(key)) zipped.set(key, gzipSync(Buffer.concat(buffers), { level: 1 }));
  const body = zip ? [zipped.get(key) as Buffer] : buffers;
  const length = sizeOf(body);
  bytes += length;
  response.writeHead(status, {
    'content-type': type,
    'content-length': length,
    ...(zip ? { 'content-encoding': 'gzip' } : {}),
  });
  response.cork();
  for (const buffer of body) response.write(buffer);
  response.uncork();
  response.end();
}

/** As much as kubectl asks for before it lists pods. */
function discovery(path: string): Answer {
  const serverAddress = { serverAddressByClientCIDRs: [] };
  const answers: Record<string, object> = {
    '/version': { major: '1', minor: '36', gitVersion: 'v1.36.1' },
    '/api': { kind: 'APIVersions', versions: ['v1'], ...serverAddress },
    '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
    '/api/v1': {
      kind: 'APIResourceList',
      groupVersion: 'v1',
      resources: [
        {
          name: 'pods',
          singularName: 'pod',
          namespaced: true,
          kind: 'Pod',
          verbs: ['get', 'list'],
          shortNames: ['po'],
        },
      ],
    },
  };
  const answer = answers[path];
  if (answer !== undefined) return { type: 'application/json', buffers: [Buffer.from(JSON.stringify(answer))] };
  const failure = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    reason: 'NotFound',
    code: 404,
    message: 'not found',
  };
  return { status: 404, type: 'application/json', buffers: [Buffer.from(JSON.stringify(failure))] };
}
