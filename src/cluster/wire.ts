import type { Access } from './credentials.ts';

/** By lower-case name; of a name that comes twice, both values with a comma between them. */
export type ResponseHeaders = Readonly<Record<string, string | undefined>>;

export interface WireRequest {
  /** Path and query, below the server's address. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** Whose certificate the connection shows. */
  readonly access: Access;
  /** Ends the connection that it is asked over. */
  readonly signal: AbortSignal;
}

export interface WireAnswer {
  onHead(status: number, headers: ResponseHeaders, connection: 'new' | 'reused'): void;
  /** Part of the body as it came over the wire. Its memory is used again afterwards. */
  onBody(chunk: Buffer): void;
}

/** Carries GET requests to one server, over connections that are kept for the next ones. */
export interface Wire {
  /**
   * Ends when the whole answer was handed over. Throws what `answer` throws, a ConnectionError "broken" where the answer
   * is cut off, and what Node says where there is none.
   */
  get(request: WireRequest, answer: WireAnswer): Promise<void>;
  close(): void;
}

/** Connections at once: four long lists, each with its next page on the way, and four short ones. */
export const CONNECTIONS = 12;

/** What a server is asked for: it may itself be below a path. */
export const targetOf = (server: URL, path: string): string => `${server.pathname.replace(/\/$/, '')}${path}`;

/** How Node's sockets want a host and a port. */
export const place = (url: URL): { readonly host: string; readonly port: number } => ({
  host: url.hostname.replace(/^\[|\]$/g, ''),
  port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
});
