import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** As it came over the wire. */
  readonly body: string;
}

export interface LocalServer {
  readonly url: string;
  /** Everything that was asked, in order. */
  readonly received: readonly Received[];
  /** Also cuts what is still being answered. */
  [Symbol.asyncDispose](): Promise<void>;
}

export type Handler = (request: Received, response: ServerResponse) => void | Promise<void>;

/** A server on this machine, on a free port. */
export async function startServer(handler: Handler): Promise<LocalServer> {
  const received: Received[] = [];
  const server = createServer((message, response) => {
    void readBody(message).then(async (body) => {
      const { method = '', url: path = '', headers } = message;
      const request = { method, path, headers, body };
      received.push(request);
      await handler(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readBody(message: IncomingMessage): Promise<string> {
  let body = '';
  message.setEncoding('utf8');
  for await (const chunk of message) body += chunk;
  return body;
}

/** A port where nothing listens. */
export async function closedUrl(): Promise<string> {
  const server = await startServer(() => {});
  await server[Symbol.asyncDispose]();
  return server.url;
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
