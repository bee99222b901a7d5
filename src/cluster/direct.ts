import { isIP, connect as netConnect, type OnReadOpts, type Socket } from 'node:net';
import { type ConnectionOptions, createSecureContext, type SecureContext, connect as tlsConnect } from 'node:tls';
import type { Access } from './credentials.ts';
import { ConnectionError, cutOff, unanswered } from './errors.ts';
import { ResponseReader } from './http-response.ts';
import { limiter } from './limiter.ts';
import { CONNECTIONS, place, targetOf, type Wire, type WireAnswer, type WireRequest } from './wire.ts';

/*
 * Why not node:http: for the 280 MB of 50,000 pods it takes 320 ms of processor time and 140 MB of memory, most of it for
 * copies of the body that nobody keeps; undici takes more. A socket that reads into one buffer, over and over, takes 150 ms
 * and 20 MB. Node 24, TLS 1.3, medians of three runs. HTTP/2 would save handshakes, but node:http2 copies as well.
 */

/** What the TLS connection is to trust, and whom it expects there. */
export type Trust = Pick<ConnectionOptions, 'ca' | 'servername' | 'rejectUnauthorized'>;

// Opening a connection takes a handshake: on a fast network another request is through before.
const PATIENCE_MS = 10;

/** Asks a server over connections of its own, without a proxy. `patienceMs` is how long a busy connection is waited for. */
export function directWire(server: URL, trust: Trust, patienceMs: number = PATIENCE_MS): Wire {
  const slot = limiter(CONNECTIONS);
  const open = server.protocol === 'https:' ? tlsDoor(server, trust) : plainDoor(server);
  const all = new Set<Connection>();
  const idle: Connection[] = [];
  const waiting: Waiting[] = [];
  let identity: Access | undefined;

  /** A connection that is free, or will be in a moment; else a new one. */
  async function take(access: Access): Promise<Connection> {
    if (!isSame(access, identity)) {
      // Whoever the open connections were for, it is somebody else now.
      for (const connection of idle.splice(0)) drop(connection);
    }
    identity = access;
    // The last one used is the likeliest to be still there.
    for (let known = idle.pop(); known !== undefined; known = idle.pop()) {
      if (known.isOpen) return known;
      drop(known);
    }
    const free = all.size === 0 ? undefined : await soon(access);
    if (free !== undefined) return free;
    const connection = new Connection(open(access));
    all.add(connection);
    return connection;
  }

  const soon = (access: Access): Promise<Connection | undefined> =>
    new Promise((resolve) => {
      const wait: Waiting = {
        access,
        take(connection) {
          clearTimeout(timer);
          resolve(connection);
        },
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(wait), 1);
        resolve(undefined);
      }, patienceMs);
      waiting.push(wait);
    });

  function release(connection: Connection, access: Access): void {
    if (!connection.isOpen || !isSame(access, identity)) {
      drop(connection);
      return;
    }
    const index = waiting.findIndex((wait) => isSame(wait.access, access));
    const [next] = index < 0 ? [] : waiting.splice(index, 1);
    if (next === undefined) idle.push(connection);
    else next.take(connection);
  }

  function drop(connection: Connection): void {
    connection.end();
    all.delete(connection);
  }

  async function ask(request: WireRequest, answer: WireAnswer): Promise<void> {
    const { access, signal } = request;
    for (;;) {
      const connection = await take(access);
      try {
        await connection.ask(headOf(server, request), signal, answer);
        release(connection, access);
        return;
      } catch (error) {
        drop(connection);
        // The server may close an idle connection just when it is used again; it has not seen the request then.
        if (!(error instanceof StaleConnection)) throw error;
      }
    }
  }

  return {
    get: (request, answer) => slot(() => ask(request, answer)),
    close() {
      for (const connection of all) connection.end();
    },
  };
}

/** A request that may go over a connection for `access`. */
interface Waiting {
  readonly access: Access;
  take(connection: Connection): void;
}

/** Whether they show the same certificate; what else they are goes with each request. */
const isSame = (a: Access, b: Access | undefined): boolean => a.cert === b?.cert && a.key === b?.key;

/** Opens a connection, which reads into the buffer that is given. */
type Door = (access: Access) => (onread: OnReadOpts) => Socket;

function plainDoor(server: URL): Door {
  return () => (onread) => netConnect({ ...place(server), noDelay: true, onread });
}

function tlsDoor(server: URL, { ca, ...trust }: Trust): Door {
  const { host, port } = place(server);
  // Node names nobody by itself, and a name may not be an address.
  const servername = trust.servername ?? (isIP(host) === 0 ? host : undefined);
  let context: { readonly of: Access; readonly secure: SecureContext } | undefined;
  // The second connection goes on where the first one's handshake ended.
  let session: Buffer | undefined;
  return (access) => {
    if (context === undefined || !isSame(context.of, access)) {
      const { cert, key } = access;
      context = { of: access, secure: createSecureContext({ ca, cert, key }) };
      session = undefined;
    }
    const { secure } = context;
    return (onread) => {
      const socket = tlsConnect({
        host,
        port,
        secureContext: secure,
        ALPNProtocols: ['http/1.1'],
        noDelay: true,
        ...trust,
        ...(servername === undefined ? {} : { servername }),
        ...(session === undefined ? {} : { session }),
        onread,
      } as ConnectionOptions);
      socket.on('session', (ticket: Buffer) => {
        if (context?.secure === secure) session = ticket;
      });
      return socket;
    };
  };
}

// TLS hands over records of at most 16 kB.
const BUFFER = 64 * 1024;

/** One connection, which is asked one thing at a time. */
class Connection {
  readonly #socket: Socket;
  /** Whether it may be asked again. */
  #isOpen = true;
  #isReady = false;
  #asked = 0;
  #exchange: Exchange | undefined;

  constructor(open: (onread: OnReadOpts) => Socket) {
    const onread: OnReadOpts = {
      buffer: Buffer.allocUnsafeSlow(BUFFER),
      callback: (length, buffer) => {
        this.#read(Buffer.from(buffer.buffer, buffer.byteOffset, length));
        return true;
      },
    };
    this.#socket = open(onread);
    const ready = 'encrypted' in this.#socket ? 'secureConnect' : 'connect';
    this.#socket
      .on(ready, () => {
        this.#isReady = true;
        this.#send();
      })
      .on('end', () => this.#ended())
      .on('error', (error) => this.#fail(error))
      .on('close', () => this.#ended());
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  end(): void {
    this.#isOpen = false;
    this.#socket.destroy();
  }

  ask(head: string, signal: AbortSignal, { onHead, onBody }: WireAnswer): Promise<void> {
    const kind = this.#asked++ === 0 ? 'new' : 'reused';
    return new Promise((resolve, reject) => {
      const abort = () => this.#fail(signal.reason);
      const settled = () => {
        signal.removeEventListener('abort', abort);
        this.#exchange = undefined;
        // A connection that waits for the next request keeps no process alive.
        this.#socket.unref();
      };
      this.#exchange = {
        head,
        reader: new ResponseReader({ onHead: (status, headers) => onHead(status, headers, kind), onBody }),
        hasBegun: false,
        isReused: kind === 'reused',
        done: () => {
          settled();
          resolve();
        },
        fail: (error) => {
          settled();
          reject(error);
        },
      };
      this.#socket.ref();
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort);
      if (this.#isReady) this.#send();
    });
  }

  #send(): void {
    if (this.#exchange !== undefined) this.#socket.write(this.#exchange.head, 'latin1');
  }

  #read(bytes: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      // Nobody asked.
      this.end();
      return;
    }
    exchange.hasBegun = true;
    try {
      if (!exchange.reader.push(bytes)) return;
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#isOpen &&= exchange.reader.keepsAlive;
    exchange.done();
  }

  #ended(): void {
    if (this.#exchange?.reader.end() === true) {
      this.#isOpen = false;
      this.#exchange.done();
    } else this.#fail(this.#exchange?.hasBegun === false ? unanswered() : cutOff());
  }

  #fail(error: unknown): void {
    const exchange = this.#exchange;
    this.end();
    if (exchange === undefined) return;
    exchange.fail(exchange.isReused && !exchange.hasBegun && isLost(error) ? new StaleConnection() : error);
  }
}

interface Exchange {
  readonly head: string;
  readonly reader: ResponseReader;
  hasBegun: boolean;
  readonly isReused: boolean;
  done(): void;
  fail(error: unknown): void;
}

class StaleConnection extends Error {}

const isLost = (error: unknown): boolean =>
  (error instanceof ConnectionError && error.trouble === 'broken') ||
  (error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE'));

function headOf(server: URL, { path, headers }: WireRequest): string {
  const lines = [`GET ${targetOf(server, path)} HTTP/1.1`, `host: ${server.host}`];
  for (const [name, value] of Object.entries(headers)) {
    for (const one of typeof value === 'string' ? [value] : value) lines.push(`${name}: ${checked(name, one)}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** A token with a line break in it would be another header. */
function checked(name: string, value: string): string {
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return value;
  throw new ConnectionError('wrong', `the header ${name} would have a character that HTTP does not allow`);
}
