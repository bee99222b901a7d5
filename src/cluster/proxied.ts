import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Trust } from './direct.ts';
import { cutOff } from './errors.ts';
import { ProxyRefusal, proxyAuthorization } from './proxy.ts';
import { CONNECTIONS, place, type ResponseHeaders, targetOf, type Wire, type WireRequest } from './wire.ts';

/** Asks a server through a proxy: HTTP, HTTPS or SOCKS. */
export async function proxiedWire(server: URL, trust: Trust, proxy: URL): Promise<Wire> {
  const agent = await agentFor(server, proxy);
  return {
    async get(asked, { onHead, onBody }) {
      const request = start({ server, trust, proxy, agent }, asked);
      try {
        const response = await responseOf(request).catch((error: unknown) => {
          throw isOnTheWay(proxy, error) && (server.protocol === 'http:' || isSocks(proxy))
            ? refusalOf(proxy, error)
            : error;
        });
        onHead(response.statusCode ?? 0, headersOf(response), request.reusedSocket ? 'reused' : 'new');
        await consume(response, onBody);
      } catch (error) {
        request.destroy();
        throw error;
      }
    },
    close: () => agent.destroy(),
  };
}

const isSocks = (proxy: URL): boolean => proxy.protocol.startsWith('socks');

const refusalOf = (proxy: URL, error: Error): ProxyRefusal =>
  new ProxyRefusal(`the proxy ${proxy.host}: ${error.message}`, { cause: error });

/** Whether it is the proxy that cannot be reached, and not the server behind it. */
const isOnTheWay = (proxy: URL, error: unknown): error is Error =>
  error instanceof Error &&
  // The class of the SOCKS library, which is only loaded for such a proxy.
  (error.constructor.name === 'SocksClientError' ||
    ('syscall' in error && error.syscall === 'connect') ||
    ('hostname' in error && error.hostname === place(proxy).host));

async function agentFor(server: URL, proxy: URL): Promise<HttpAgent> {
  const options = { keepAlive: true, maxSockets: CONNECTIONS, scheduling: 'lifo' } as const;
  if (isSocks(proxy)) {
    const { socksAgent } = await import('./client-node.ts');
    return socksAgent(proxy.href);
  }
  return server.protocol === 'http:' ? new HttpAgent(options) : new TunnelAgent(proxy, options);
}

/** An agent that reaches an https server through an HTTP proxy's tunnel. */
class TunnelAgent extends HttpsAgent {
  readonly #proxy: URL;

  constructor(proxy: URL, options: AgentOptions) {
    super(options);
    this.#proxy = proxy;
  }

  override createConnection(
    options: Parameters<HttpsAgent['createConnection']>[0],
    done: (error: Error | null, socket?: Duplex) => void,
  ): undefined {
    const target = `${options.host}:${options.port}`;
    const request = this.#proxy.protocol === 'https:' ? httpsRequest : httpRequest;
    request({
      method: 'CONNECT',
      ...place(this.#proxy),
      path: target,
      headers: { host: target, ...proxyAuthorization(this.#proxy) },
      agent: false,
    })
      .on('connect', (response, socket) => {
        if (response.statusCode === 200) {
          const connected = super.createConnection({ ...options, socket } as typeof options);
          done(null, connected ?? undefined);
          return;
        }
        socket.destroy();
        done(
          new ProxyRefusal(`the proxy ${this.#proxy.host} answered ${response.statusCode} ${response.statusMessage}`),
        );
      })
      .on('error', (error) => done(refusalOf(this.#proxy, error)))
      .end();
    return undefined;
  }
}

interface Way {
  readonly server: URL;
  readonly trust: Trust;
  readonly proxy: URL;
  readonly agent: HttpAgent;
}

function start({ server, trust, proxy, agent }: Way, { path, headers, access, signal }: WireRequest): ClientRequest {
  const target = targetOf(server, path);
  if (server.protocol === 'https:') {
    const { cert, key } = access;
    const own = { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
    return httpsRequest({ ...place(server), path: target, agent, headers, signal, ...trust, ...own }).end();
  }
  if (isSocks(proxy)) {
    return httpRequest({ ...place(server), path: target, agent, headers, signal }).end();
  }
  // A plain http proxy is asked for the whole address.
  const whole = { ...headers, host: server.host, ...proxyAuthorization(proxy) };
  return httpRequest({ ...place(proxy), path: `${server.origin}${target}`, agent, headers: whole, signal }).end();
}

const responseOf = (request: ClientRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => request.on('response', resolve).on('error', reject));

function headersOf({ headers }: IncomingMessage): ResponseHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

async function consume(response: IncomingMessage, onBody: (chunk: Buffer) => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    response
      .on('data', (chunk: Buffer) => {
        try {
          onBody(chunk);
        } catch (error) {
          response.destroy();
          reject(error);
        }
      })
      .on('end', () => (response.complete ? resolve() : reject(cutOff())))
      .on('error', (error) => reject(cutOff(error)))
      .on('close', () => reject(cutOff()));
  });
}
