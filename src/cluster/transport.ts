import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Readable } from 'node:stream';
import type { Access, Credentials } from './credentials.ts';
import { ApiError, ConnectionError, connectionError } from './errors.ts';
import { linkMeter } from './link-meter.ts';
import { proxyAuthorization, TunnelAgent } from './proxy.ts';
import { readRefusal } from './refusal.ts';

export type ResponseHeaders = IncomingMessage['headers'];

export interface GetRequest {
  readonly accept: string;
  readonly signal: AbortSignal;
  /** Called once per response, whatever its status. */
  onResponse?(status: number, headers: ResponseHeaders): void;
  /** The body of a 200 as it comes, decompressed. */
  onBytes(chunk: Buffer): void;
}

export interface Traffic {
  requests: number;
  /** As they came over the wire, compressed or not. */
  bytes: number;
  /** Connections opened. */
  connections: number;
  /** Whether any answer has come. */
  answered: boolean;
}

/** Reads from one API server. */
export interface Transport {
  readonly server: string;
  readonly traffic: Readonly<Traffic>;
  /**
   * Ends when the whole body was handed over. Throws an ApiError for any status but 200, a ConnectionError where no
   * answer came or it broke off, and the signal's reason once that is aborted.
   */
  get(path: string, request: GetRequest): Promise<void>;
  close(): void;
}

export interface TransportOptions {
  readonly server: URL;
  readonly credentials: Credentials;
  /** Trust and server name of the TLS connection. */
  readonly tls: Pick<RequestOptions, 'ca' | 'servername' | 'rejectUnauthorized'>;
  readonly proxy: URL | undefined;
  readonly userAgent: string;
  /** How long a response may pause; 0 for as long as it likes. */
  readonly timeoutMs: number;
  /** `disable-compression` of the kubeconfig. */
  readonly compress: boolean;
}

// Up to four lists are read at once, each with its next page on the way.
const SOCKETS = 8;

export async function createTransport(options: TransportOptions): Promise<Transport> {
  const { server, timeoutMs } = options;
  const traffic: Traffic = { requests: 0, bytes: 0, connections: 0, answered: false };
  const agent = await agentFor(options);
  const link = linkMeter();

  async function send(path: string, access: Access, asked: GetRequest): Promise<void> {
    traffic.requests++;
    const request = start(options, agent, path, access, asked, options.compress && link.isSlow());
    let paused = false;
    const giveUp = () => {
      paused = true;
      request.destroy();
    };
    const idle = timeoutMs > 0 ? setTimeout(giveUp, timeoutMs) : undefined;
    try {
      const response = await responseOf(request);
      traffic.answered = true;
      idle?.refresh();
      if (!request.reusedSocket) traffic.connections++;
      const status = response.statusCode ?? 0;
      asked.onResponse?.(status, response.headers);
      if (status !== 200) throw await refusalOf(status, response);
      // The rate of compressed bytes may be that of the server's processor.
      const counts = response.headers['content-encoding'] === undefined;
      response.on('data', (chunk: Buffer) => {
        idle?.refresh();
        traffic.bytes += chunk.length;
      });
      await link.during(() =>
        consume(response, (chunk) => link.use(counts ? chunk.length : 0, () => asked.onBytes(chunk))),
      );
    } catch (error) {
      request.destroy();
      asked.signal.throwIfAborted();
      if (paused) throw new ConnectionError('timeout', `it sent nothing for ${timeoutMs / 1000} s`);
      if (error instanceof ReceiverError) throw error.cause;
      throw error instanceof ApiError ? error : connectionError(error);
    } finally {
      clearTimeout(idle);
    }
  }

  return {
    server: server.href.replace(/\/$/, ''),
    traffic,
    async get(path, asked) {
      const access = await options.credentials.get();
      try {
        await send(path, access, asked);
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 401)) throw error;
        const renewed = await options.credentials.get(access);
        if (renewed === access) throw error;
        await send(path, renewed, asked);
      }
    },
    close: () => agent.destroy(),
  };
}

async function agentFor({ server, proxy }: TransportOptions): Promise<HttpAgent> {
  const options = { keepAlive: true, maxSockets: SOCKETS, scheduling: 'lifo' } as const;
  if (proxy?.protocol.startsWith('socks')) {
    const { socksAgent } = await import('./client-node.ts');
    return socksAgent(proxy.href);
  }
  if (server.protocol === 'http:') return new HttpAgent(options);
  return proxy === undefined ? new HttpsAgent(options) : new TunnelAgent(proxy, options);
}

function start(
  { server, proxy, tls, userAgent }: TransportOptions,
  agent: HttpAgent,
  path: string,
  access: Access,
  { accept, signal }: GetRequest,
  gzip: boolean,
): ClientRequest {
  const target = `${server.pathname.replace(/\/$/, '')}${path}`;
  const headers = {
    ...access.headers,
    accept,
    'user-agent': userAgent,
    'accept-encoding': gzip ? 'gzip' : 'identity',
  };
  if (server.protocol === 'https:') {
    const { cert, key } = access;
    const own = { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
    return httpsRequest({ ...place(server), path: target, agent, headers, signal, ...tls, ...own }).end();
  }
  if (proxy === undefined || proxy.protocol.startsWith('socks')) {
    return httpRequest({ ...place(server), path: target, agent, headers, signal }).end();
  }
  // A plain http proxy is asked for the whole address.
  const whole = { ...headers, host: server.host, ...proxyAuthorization(proxy) };
  return httpRequest({ ...place(proxy), path: `${server.origin}${target}`, agent, headers: whole, signal }).end();
}

const place = (url: URL) => ({
  host: url.hostname.replace(/^\[|\]$/g, ''),
  port: url.port || (url.protocol === 'https:' ? 443 : 80),
});

const responseOf = (request: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => request.on('response', resolve).on('error', reject));

async function refusalOf(status: number, response: IncomingMessage): Promise<ApiError> {
  const chunks: Buffer[] = [];
  await consume(response, (chunk) => chunks.push(chunk));
  return new ApiError(status, readRefusal(Buffer.concat(chunks), response.headers));
}

/** Hands the body on, decompressed; throws where it ends too early or what it is handed to throws. */
async function consume(response: IncomingMessage, onBytes: (chunk: Buffer) => void): Promise<void> {
  const body = await decompressed(response);
  await new Promise<void>((resolve, reject) => {
    const fail = (error: unknown) => {
      response.destroy();
      reject(error);
    };
    body.on('data', (chunk: Buffer) => {
      try {
        onBytes(chunk);
      } catch (cause) {
        fail(new ReceiverError('', { cause }));
      }
    });
    body.on('end', () => (response.complete ? resolve() : fail(cutOff())));
    body.on('error', (error) => fail(response.complete ? error : cutOff(error)));
    response.on('close', () => {
      if (!response.complete) fail(cutOff());
    });
  });
}

async function decompressed(response: IncomingMessage): Promise<Readable> {
  if (response.headers['content-encoding'] !== 'gzip') return response;
  const { createGunzip } = await import('node:zlib');
  return response.on('error', () => undefined).pipe(createGunzip());
}

/** What the bytes were handed to could not use them. */
class ReceiverError extends Error {}

const cutOff = (cause?: unknown) => new ConnectionError('broken', 'the answer ended before it was complete', cause);
