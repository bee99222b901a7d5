import { createGunzip } from 'node:zlib';
import type { Access, Credentials } from './credentials.ts';
import { directWire, type Trust } from './direct.ts';
import { ApiError, ConnectionError, connectionError } from './errors.ts';
import { linkMeter } from './link-meter.ts';
import { readRefusal } from './refusal.ts';
import type { ResponseHeaders, Wire, WireAnswer } from './wire.ts';

export interface GetRequest {
  readonly accept: string;
  readonly signal: AbortSignal;
  /** Called once per response, whatever its status. */
  onResponse?(status: number, headers: ResponseHeaders): void;
  /** The body of a 200 as it comes, decompressed. The chunk's memory is used again afterwards. */
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
  readonly tls: Trust;
  readonly proxy: URL | undefined;
  readonly userAgent: string;
  /** How long a response may pause; 0 for as long as it likes. */
  readonly timeoutMs: number;
  /** `disable-compression` of the kubeconfig. */
  readonly compress: boolean;
}

export async function createTransport(options: TransportOptions): Promise<Transport> {
  const { server, timeoutMs } = options;
  const traffic: Traffic = { requests: 0, bytes: 0, connections: 0, answered: false };
  const wire = await wireFor(options);
  const link = linkMeter();

  async function send(path: string, access: Access, asked: GetRequest): Promise<void> {
    traffic.requests++;
    const stop = new AbortController();
    let paused = false;
    const giveUp = () => {
      paused = true;
      stop.abort();
    };
    const idle = timeoutMs > 0 ? setTimeout(giveUp, timeoutMs) : undefined;
    // A thousand requests share the caller's signal: each leaves it as it was.
    const abort = () => stop.abort(asked.signal.reason);
    if (asked.signal.aborted) abort();
    else asked.signal.addEventListener('abort', abort);
    const headers = {
      ...access.headers,
      accept: asked.accept,
      'user-agent': options.userAgent,
      'accept-encoding': options.compress && link.isSlow() ? 'gzip' : 'identity',
    };
    let receiver: Receiver | undefined;
    let ended: (() => void) | undefined;
    const asking = performance.now();
    const answer: WireAnswer = {
      onHead(status, answered, connection) {
        traffic.answered = true;
        idle?.refresh();
        if (connection === 'new') traffic.connections++;
        asked.onResponse?.(status, answered);
        receiver = receiverOf(status, answered, asked);
        link.answered(performance.now() - asking);
        ended = link.begin();
      },
      onBody(chunk) {
        idle?.refresh();
        traffic.bytes += chunk.length;
        // The rate of compressed bytes may be that of the server's processor.
        link.use(receiver?.isCompressed === true ? 0 : chunk.length, () => receiver?.push(chunk));
      },
    };
    try {
      await wire.get({ path, headers, access, signal: stop.signal }, answer);
      await receiver?.end();
    } catch (error) {
      receiver?.cancel();
      asked.signal.throwIfAborted();
      if (paused) throw new ConnectionError('timeout', `it sent nothing for ${timeoutMs / 1000} s`);
      if (error instanceof ReceiverError) throw error.cause;
      throw error instanceof ApiError ? error : connectionError(error);
    } finally {
      ended?.();
      clearTimeout(idle);
      asked.signal.removeEventListener('abort', abort);
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
    close: () => wire.close(),
  };
}

async function wireFor({ server, tls, proxy }: TransportOptions): Promise<Wire> {
  if (proxy === undefined) return directWire(server, tls);
  const { proxiedWire } = await import('./proxied.ts');
  return proxiedWire(server, tls, proxy);
}

/** What becomes of a body. */
interface Receiver {
  readonly isCompressed: boolean;
  push(chunk: Buffer): void;
  /** Ends once everything was handed on. */
  end(): Promise<void>;
  cancel(): void;
}

function receiverOf(status: number, headers: ResponseHeaders, { onBytes }: GetRequest): Receiver {
  const chunks: Buffer[] = [];
  const refused = status !== 200;
  const hand = (chunk: Buffer) => {
    if (refused) return void chunks.push(Buffer.from(chunk));
    try {
      onBytes(chunk);
    } catch (cause) {
      throw new ReceiverError('', { cause });
    }
  };
  const { end, ...receiver } = headers['content-encoding'] === 'gzip' ? decompressed(hand) : plain(hand);
  return {
    ...receiver,
    async end() {
      await end();
      if (refused) throw new ApiError(status, readRefusal(Buffer.concat(chunks), headers));
    },
  };
}

const plain = (push: (chunk: Buffer) => void): Receiver => ({
  isCompressed: false,
  push,
  end: async () => {},
  cancel: () => {},
});

// Each piece costs a round through Node's streams.
const PIECE = 128 * 1024;

function decompressed(hand: (chunk: Buffer) => void): Receiver {
  const gunzip = createGunzip({ chunkSize: PIECE });
  let failure: unknown;
  const done = new Promise<void>((resolve) => {
    const fail = (error: unknown) => {
      failure ??= error;
      gunzip.destroy();
    };
    gunzip
      .on('data', (chunk: Buffer) => {
        try {
          hand(chunk);
        } catch (error) {
          fail(error);
        }
      })
      .on('error', fail)
      .on('close', resolve);
  });
  const check = () => {
    if (failure !== undefined) throw failure;
  };
  return {
    isCompressed: true,
    push(chunk) {
      check();
      gunzip.write(Buffer.from(chunk));
    },
    async end() {
      gunzip.end();
      await done;
      check();
    },
    cancel: () => gunzip.destroy(),
  };
}

/** What the bytes were handed to could not use them. */
class ReceiverError extends Error {}
