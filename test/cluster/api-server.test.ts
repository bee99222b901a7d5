import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiObject, type ApiServer, apiServer } from '../support/api-server.ts';

/** What a real API server answered. */
interface Exchange {
  readonly name: string;
  readonly request: { readonly path: string; readonly headers: Record<string, string>; readonly as: string };
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly bodyBase64?: string;
}

const file = join(import.meta.dirname, '../data/http/exchanges.json');
const exchanges = JSON.parse(readFileSync(file, 'utf8')) as Exchange[];
const recorded = (name: string): Exchange => {
  const exchange = exchanges.find((one) => one.name === name);
  if (exchange === undefined) throw new Error(`No exchange named "${name}".`);
  return exchange;
};

const bytesOf = ({ body = '', bodyBase64 }: Exchange): Buffer =>
  bodyBase64 === undefined ? Buffer.from(body) : gunzipSync(Buffer.from(bodyBase64, 'base64'));

/** The objects that the recorded lists show, and the few more that its other answers speak of. */
function objects(): ApiObject[] {
  const itemsOf = (name: string, kind: string) => {
    const list = JSON.parse(bytesOf(recorded(name)).toString()) as { items: Omit<ApiObject, 'kind'>[] };
    return list.items.map((item) => ({ ...item, kind }) as ApiObject);
  };
  const pods = [...itemsOf('list, gzip accepted', 'Pod'), ...itemsOf('list from the watch cache', 'Pod')];
  const events = itemsOf('field selector', 'Event');
  const more = events.slice(0, 1).map((event) => ({ ...event, metadata: { ...event.metadata, name: 'z' } }));
  const known = new Map([...logged, ...pods, ...events, ...more].map((object) => [keyOf(object), object]));
  return [...known.values()];
}

const keyOf = ({ kind, metadata }: ApiObject) => `${kind}/${metadata.namespace}/${metadata.name}`;

const loggedPod = (namespace: string, name: string, container: string, status: object): ApiObject => ({
  kind: 'Pod',
  metadata: { namespace, name },
  spec: { containers: [{ name: container }] },
  status: { containerStatuses: [{ name: container, ...status }] },
});

const logged = [
  loggedPod('shipping', 'tracker-54b5dc5664-5h7pm', 'app', {
    state: { waiting: { reason: 'CrashLoopBackOff' } },
    lastState: { terminated: { exitCode: 1 } },
  }),
  loggedPod('healthy', 'web-5896dbf8dc-5vt98', 'web', { state: { running: {} } }),
  loggedPod('orders', 'orders-86c8464999-b5j5x', 'app', {
    state: { waiting: { reason: 'CreateContainerConfigError' } },
  }),
  loggedPod('composed', 'svc-6c9d4f4fbf-lmpmr', 'app', { state: { running: {} } }),
];

/** Answers whose data is the recorded server's own: only their structure is compared. */
const otherData = new Set(['table', 'self subject access review is a POST; discovery', 'version', 'readyz, verbose']);

describe('the test API server answers as a real one did', () => {
  let server: ApiServer;

  beforeAll(async () => {
    server = await apiServer({
      objects: objects(),
      logs: { 'shipping/tracker-54b5dc5664-5h7pm/app/previous': recorded('log, previous').body ?? '' },
      users: { admin: { name: 'admin', may: () => true }, nobody: { name: 'nobody', may: () => false } },
      resourceVersion: 8331,
      secondMs: 10,
    });
  });
  afterAll(() => server.close());

  test.each(exchanges.map((exchange) => [exchange.name, exchange] as const))('%s', async (name, exchange) => {
    const { status, headers, body } = await get(server, exchange);
    expect(status).toBe(exchange.status);
    expect(framing(headers)).toEqual(framing(exchange.headers));
    const [ours, theirs] = [comparable(body), comparable(bytesOf(exchange))];
    // How many more pods that cluster had is not in what was recorded.
    if (name === 'list, gzip accepted') for (const list of [ours, theirs]) delete remainingIn(list).remainingItemCount;
    if (otherData.has(name)) expect(shapeOf(ours)).toEqual(within(shapeOf(ours), shapeOf(theirs)));
    else expect(ours).toEqual(theirs);
  });

  test('the table of pods has the columns that a real one had', async () => {
    const { body } = await get(server, recorded('table'));
    expect(table(body)).toEqual(table(bytesOf(recorded('table'))));
  });

  test('what it offers, a real one offers under the same names', async () => {
    const discovery = recorded('self subject access review is a POST; discovery');
    const { body } = await get(server, discovery);
    const theirs = new Map(rowsOf(bytesOf(discovery)).map((row) => [row.name, row]));
    for (const row of rowsOf(body)) expect(theirs.get(row.name)).toMatchObject(row);
  });
});

const remainingIn = (list: unknown) => (list as { metadata: { remainingItemCount?: number } }).metadata;

interface Response {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

function get(server: ApiServer, { request }: Exchange): Promise<Response> {
  const headers = { ...request.headers, authorization: `Bearer ${request.as}` };
  return new Promise((resolve, reject) => {
    httpRequest(`${server.url}${request.path}`, { headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => {
          const body = Buffer.concat(chunks);
          const plain = response.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
          resolve({ status: response.statusCode, headers: response.headers, body: plain });
        });
    })
      .on('error', reject)
      .end();
  });
}

function framing(headers: IncomingMessage['headers']) {
  const { 'content-type': type, 'content-encoding': encoding, vary, 'cache-control': cache } = headers;
  const chunked = headers['content-length'] === undefined;
  return { type, encoding, vary, cache, nosniff: headers['x-content-type-options'], chunked };
}

/** JSON without what differs from run to run; anything else as text. */
function comparable(body: Buffer): unknown {
  const text = body.toString();
  // The messages of expired watches carry the versions of their cluster.
  if (!text.startsWith('{')) return text.startsWith('[+]') ? text.split('\n')[0] : text;
  return JSON.parse(text.replace(/too old resource version: 1 \(\d+\)/, 'too old'), (key, value: unknown) =>
    key === 'continue' || (key === 'resourceVersion' && value === '8331') ? 'some' : value,
  );
}

/** Types instead of values; of a list, all fields that its elements have. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [value.map(shapeOf).reduce(joined)];
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shapeOf(field)]));
}

const joined = (a: unknown, b: unknown): unknown =>
  typeof a === 'object' && typeof b === 'object' ? { ...a, ...b } : a;

/** Of the recorded shape, the fields that ours has: the test server leaves some out. */
function within(ours: unknown, theirs: unknown): unknown {
  if (Array.isArray(ours) && Array.isArray(theirs)) return ours.map((item) => within(item, theirs[0]));
  if (typeof ours !== 'object' || ours === null || typeof theirs !== 'object' || theirs === null) return theirs;
  const recorded = theirs as Record<string, unknown>;
  return Object.fromEntries(Object.entries(ours).map(([name, field]) => [name, within(field, recorded[name])]));
}

function table(body: Buffer) {
  const { columnDefinitions, rows } = JSON.parse(body.toString()) as {
    columnDefinitions: { name: string; type: string; format: string; priority: number }[];
    rows: { cells: unknown[]; object: unknown }[];
  };
  return {
    columns: columnDefinitions.map(({ name, type, format, priority }) => ({ name, type, format, priority })),
    rows,
  };
}

const rowsOf = (body: Buffer) =>
  (JSON.parse(body.toString()) as { resources: { name: string; verbs: string[] }[] }).resources;
