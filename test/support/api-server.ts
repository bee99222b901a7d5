import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Answer, json, status } from './api-server-answers.ts';
import { listAnswer } from './api-server-lists.ts';
import { logAnswer } from './api-server-logs.ts';
import { infoAnswer, type Place, placeOf } from './api-server-paths.ts';
import { watchAnswer } from './api-server-watch.ts';

/** An object as the API shows it, with its kind. */
export interface ApiObject {
  readonly kind: string;
  readonly apiVersion?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface ApiServerOptions {
  readonly objects: readonly ApiObject[];
  /** Lines with their times, as the kubelet keeps them, by "namespace/pod/container" or "…/container/previous". */
  readonly logs?: Readonly<Record<string, string>>;
  readonly tls?: boolean;
  /** Who may do what, by bearer token; without it everybody may do everything. */
  readonly users?: Readonly<Record<string, User>>;
  /** What becomes of a request instead of an answer. */
  fault?(request: Recorded): Fault | undefined;
  /** False for a server that has JSON only. */
  readonly protobuf?: boolean;
  /** API groups that this cluster does not have. */
  readonly missingGroups?: readonly string[];
  readonly resourceVersion?: number;
  /** What its clock shows, ISO 8601; the real time without it. */
  readonly now?: string;
  /** How long a second of `timeoutSeconds` lasts. */
  readonly secondMs?: number;
}

export interface User {
  readonly name: string;
  may(place: Place, verb: 'get' | 'list' | 'watch'): boolean;
}

/** A request as it came in. */
export interface Recorded {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** The client certificate's common name. */
  readonly certificate: string | undefined;
  /** How many requests for the same URL came before. */
  readonly before: number;
}

export type Fault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly message?: string }
  /** The connection ends after so many bytes of the body; 0 is before any answer. */
  | { readonly cutAfter: number }
  /** The answer stops after so many bytes of the body and never ends. */
  | { readonly hangAfter: number }
  | { readonly answer: Answer };

export interface ApiServer {
  readonly url: string;
  readonly requests: readonly Recorded[];
  /** Connections accepted so far. */
  readonly connections: () => number;
  close(): Promise<void>;
}

const TLS = join(import.meta.dirname, '../data/tls');
export const tlsFile = (name: string): string => join(TLS, name);

/** Starts a server on a free port of this machine that answers reads as a Kubernetes API server does. */
export async function apiServer(options: ApiServerOptions): Promise<ApiServer> {
  const requests: Recorded[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const recorded = record(request, requests);
    requests.push(recorded);
    const fault = options.fault?.(recorded);
    if (fault !== undefined && 'cutAfter' in fault && fault.cutAfter === 0) {
      request.socket.destroy();
      return;
    }
    const answer = answerTo(recorded, options, fault).catch((error: unknown) => status(501, `test server: ${error}`));
    void answer.then((answer) => {
      if (options.now !== undefined) response.setHeader('date', new Date(options.now).toUTCString());
      return send(answer, recorded, response, fault);
    });
  };
  const server =
    options.tls === true
      ? createHttpsServer(
          {
            key: readFileSync(tlsFile('server.key')),
            cert: readFileSync(tlsFile('server.crt')),
            ca: readFileSync(tlsFile('ca.crt')),
            requestCert: true,
            rejectUnauthorized: false,
          },
          handle,
        )
      : createHttpServer(handle);
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.tls === true ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function record(request: IncomingMessage, earlier: readonly Recorded[]): Recorded {
  const url = request.url ?? '/';
  const { pathname, searchParams } = new URL(url, 'http://api');
  const peer = 'getPeerCertificate' in request.socket ? peerName(request.socket) : undefined;
  return {
    method: request.method ?? '',
    url,
    path: pathname,
    query: searchParams,
    headers: request.headers,
    certificate: peer,
    before: earlier.filter((one) => one.url === url).length,
  };
}

function peerName(socket: unknown): string | undefined {
  const { getPeerCertificate } = socket as { getPeerCertificate(): { subject?: { CN?: string } } };
  return getPeerCertificate.call(socket)?.subject?.CN;
}

async function answerTo(request: Recorded, options: ApiServerOptions, fault: Fault | undefined): Promise<Answer> {
  if (fault !== undefined && 'answer' in fault) return fault.answer;
  if (fault !== undefined && 'status' in fault) {
    return { ...status(fault.status, fault.message ?? `fault ${fault.status}`), ...extra(fault.headers, fault.status) };
  }
  const user = userOf(request, options);
  if (user === undefined) return status(401, 'Unauthorized');
  if (request.method !== 'GET') return status(405, `the test server only answers GET, not ${request.method}`);
  const place = placeOf(request.path, options.missingGroups ?? []);
  if (place === undefined) return infoAnswer(request.path, options.missingGroups ?? []);
  const verb = request.query.get('watch') === '1' ? 'watch' : place.name === undefined ? 'list' : 'get';
  if (!user.may(place, verb)) return forbidden(user, place, verb);
  if (verb === 'watch') return watchAnswer(request.query, options);
  if (place.subresource === 'log') return logAnswer(place, request.query, options);
  if (place.name !== undefined) return getAnswer(place, options);
  return listAnswer(place, request, options);
}

const extra = (headers: Readonly<Record<string, string>> | undefined, code: number) =>
  headers === undefined ? {} : { headers: { ...status(code, '').headers, ...headers } };

const anybody: User = { name: 'admin', may: () => true };

function userOf({ headers }: Recorded, { users }: ApiServerOptions): User | undefined {
  if (users === undefined) return anybody;
  return users[(headers.authorization ?? '').replace(/^Bearer /, '')];
}

function forbidden(user: User, place: Place, verb: string): Answer {
  const { resource, group, namespace, name, subresource } = place;
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const kind = group === '' ? resource : `${resource}.${group}`;
  const subject = name === undefined ? kind : `${kind} "${name}"`;
  const message = `${subject} is forbidden: User "${user.name}" cannot ${verb} resource "${what}" in API group "${group}" ${where}`;
  return status(403, message, { ...(name === undefined ? {} : { name }), kind: resource });
}

function getAnswer(place: Place, { objects }: ApiServerOptions): Answer {
  const found = objects.find(
    ({ kind, metadata }) =>
      kind === place.kind && metadata.namespace === place.namespace && metadata.name === place.name,
  );
  if (found !== undefined) return json({ apiVersion: place.groupVersion, ...found });
  const { name = '', resource } = place;
  return status(404, `${resource} "${name}" not found`, { name, kind: resource });
}

// Go's server gives the length of what fits into its first buffer and sends the rest in chunks.
const SHORT = 2048;
const PIECE = 64 * 1024;
// The API server compresses only what is longer.
const WORTH_GZIP = 128 * 1024;

async function send(answer: Answer, { headers }: Recorded, response: ServerResponse, fault: Fault | undefined) {
  const zip = headers['accept-encoding']?.includes('gzip') === true && answer.body.length > WORTH_GZIP;
  const body = zip ? gzipSync(answer.body, { level: 1 }) : answer.body;
  response.writeHead(answer.status, {
    'cache-control': 'no-cache, private',
    ...answer.headers,
    ...(zip ? { 'content-encoding': 'gzip', vary: 'Accept-Encoding' } : {}),
    ...(body.length <= SHORT && answer.stream !== true ? { 'content-length': String(body.length) } : {}),
  });
  const ends = endsAfter(fault, body.length);
  for (let at = 0; at < ends; at += PIECE) {
    if (response.destroyed) return;
    const piece = body.subarray(at, Math.min(ends, at + PIECE));
    await new Promise<void>((resolve) => response.write(piece, () => resolve()));
  }
  if (answer.waitMs !== undefined) await new Promise((resolve) => setTimeout(resolve, answer.waitMs));
  if (fault !== undefined && 'hangAfter' in fault) return;
  if (fault !== undefined && 'cutAfter' in fault) response.socket?.destroySoon();
  else response.end();
}

function endsAfter(fault: Fault | undefined, length: number): number {
  if (fault !== undefined && 'cutAfter' in fault) return Math.min(fault.cutAfter, length - 1);
  if (fault !== undefined && 'hangAfter' in fault) return Math.min(fault.hangAfter, length - 1);
  return length;
}
