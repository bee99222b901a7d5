import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import type { Access } from '../../src/cluster/credentials.ts';
import { directWire, type Trust } from '../../src/cluster/direct.ts';
import { tlsFile } from '../support/api-server.ts';

const signal = new AbortController().signal;
const pem = (name: string) => readFileSync(tlsFile(name), 'utf8');
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** A server that answers each piece of bytes it gets, and a wire to it. */
async function wired(server: Server, scheme = 'http', trust: Trust = {}, patienceMs?: number) {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const wire = directWire(
    new URL(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    trust,
    patienceMs,
  );
  onTestFinished(() => {
    wire.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const get = async (path = '/', access: Access = { headers: {} }, headers = access.headers) => {
    const seen = { connection: '', body: '' };
    await wire.get(
      { path, headers, access, signal },
      {
        onHead: (_status, _headers, connection) => Object.assign(seen, { connection }),
        onBody: (chunk) => Object.assign(seen, { body: seen.body + chunk }),
      },
    );
    return seen;
  };
  return { wire, get, sockets };
}

const answering = (answer: (request: string, socket: Socket) => void): Server =>
  createServer((socket) => socket.on('data', (bytes) => answer(String(bytes), socket)));

test('what is asked arrives as it is', async () => {
  const requests: string[] = [];
  const server = answering((request, socket) => {
    requests.push(request);
    socket.write(OK);
  });
  const { get } = await wired(server);
  const headers = { accept: 'a', 'impersonate-group': ['x', 'y'] };
  expect(await get('/api/v1/pods?limit=1', { headers })).toEqual({ connection: 'new', body: 'ok' });
  const { port } = server.address() as AddressInfo;
  expect(requests).toEqual([
    `GET /api/v1/pods?limit=1 HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: a\r\nimpersonate-group: x\r\nimpersonate-group: y\r\n\r\n`,
  ]);
});

test.each(['a\r\nx-evil: 1', 'naïve…', 'a\0'])('a header with %j in it is not sent', async (token) => {
  const { get, sockets } = await wired(answering((_, socket) => socket.write(OK)));
  await expect(get('/', { headers: { authorization: token } })).rejects.toThrow(
    'the header authorization would have a character that HTTP does not allow',
  );
  for (const socket of sockets) expect(socket.bytesRead).toBe(0);
});

test('a connection that the server has closed meanwhile is replaced', async () => {
  let answered = 0;
  const server = answering((_, socket) => {
    // The second request on a connection meets a server that has just given it up.
    if (answered++ % 2 === 1) socket.destroy();
    else socket.write(OK);
  });
  const { get } = await wired(server);
  expect(await get()).toEqual({ connection: 'new', body: 'ok' });
  expect(await get()).toEqual({ connection: 'new', body: 'ok' });
  expect(answered).toBe(3);
});

test('a new connection that ends without an answer is a failure', async () => {
  let asked = 0;
  const { get } = await wired(
    answering((_, socket) => {
      asked++;
      socket.end();
    }),
  );
  await expect(get()).rejects.toMatchObject({ trouble: 'broken' });
  expect(asked).toBe(1);
});

test('a reused connection that breaks in the middle of an answer is a failure', async () => {
  let asked = 0;
  const { get } = await wired(
    answering((_, socket) => {
      if (asked++ === 0) socket.write(OK);
      else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nhalf');
    }),
  );
  await get();
  await expect(get()).rejects.toMatchObject({ trouble: 'broken' });
  expect(asked).toBe(2);
});

test('a connection on which the server says more than it was asked is not used again', async () => {
  const { get } = await wired(answering((_, socket) => socket.write(`${OK}HTTP/1.1 200 OK\r\n`)));
  expect((await get()).connection).toBe('new');
  expect((await get()).connection).toBe('new');
});

test('what the receiver throws ends the request', async () => {
  const { wire, get } = await wired(answering((_, socket) => socket.write(OK)));
  const onBody = () => {
    throw new RangeError('not for me');
  };
  const request = { path: '/', headers: {}, access: { headers: {} }, signal };
  await expect(wire.get(request, { onHead: () => undefined, onBody })).rejects.toThrow(RangeError);
  expect(await get()).toEqual({ connection: 'new', body: 'ok' });
});

test('no more than twelve connections are open at once', async () => {
  let open = 0;
  let most = 0;
  const server = answering((_, socket) => {
    most = Math.max(most, ++open);
    setTimeout(() => {
      open--;
      socket.write(OK);
    }, 100);
  });
  const { get, sockets } = await wired(server);
  await Promise.all(Array.from({ length: 30 }, () => get()));
  expect(most).toBe(12);
  expect(sockets.size).toBe(12);
});

test('a connection that is free in a moment is waited for', async () => {
  const { get, sockets } = await wired(
    answering((_, socket) => socket.write(OK)),
    'http',
    {},
    10_000,
  );
  await Promise.all(Array.from({ length: 5 }, () => get()));
  expect(sockets.size).toBe(1);
});

test('who waits for a connection that breaks gets one of their own', async () => {
  let asked = 0;
  const { get } = await wired(
    answering((_, socket) => {
      if (asked++ === 0) socket.destroy();
      else socket.write(OK);
    }),
    'http',
    {},
    20,
  );
  const results = await Promise.allSettled([get(), get()]);
  expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { trouble: 'broken' } });
  expect(results.find(({ status }) => status === 'fulfilled')).toMatchObject({ value: { body: 'ok' } });
});

/** A TLS server that answers with the common name of whoever asks, and whether the session goes on from an earlier one. */
const tlsServer = () =>
  createTlsServer(
    {
      key: pem('server.key'),
      cert: pem('server.crt'),
      ca: pem('ca.crt'),
      requestCert: true,
      rejectUnauthorized: false,
    },
    (socket: TLSSocket) => {
      socket.on('error', () => undefined);
      socket.on('data', (request) => {
        const name = String(socket.getPeerCertificate()?.subject?.CN ?? '-').slice(0, 20);
        const body = `${name} ${socket.isSessionReused()} ${socket.servername || '-'}`;
        const close = String(request).includes('/close') ? 'connection: close\r\n' : '';
        socket.write(`HTTP/1.1 200 OK\r\n${close}content-length: ${body.length}\r\n\r\n${body}`);
      });
    },
  );

test('a second connection goes on with the session of the first', async () => {
  const { get } = await wired(tlsServer(), 'https', { ca: pem('ca.crt') });
  expect(await get('/close')).toEqual({ connection: 'new', body: '- false -' });
  expect(await get('/close')).toEqual({ connection: 'new', body: '- true -' });
});

test('another certificate has connections and sessions of its own', async () => {
  const { get } = await wired(tlsServer(), 'https', { ca: pem('ca.crt') });
  const client = { headers: {}, cert: pem('client.crt'), key: pem('client.key') };
  expect(await get('/')).toEqual({ connection: 'new', body: '- false -' });
  const { connection, body } = await get('/', client);
  expect({ connection, body }).toEqual({ connection: 'new', body: expect.stringMatching(/^[^-]+ false -$/) });
  expect((await get('/', client)).connection).toBe('reused');
  expect(await get('/')).toEqual({ connection: 'new', body: '- false -' });
});

test('a name is said to the server, an address is not', async () => {
  const { get } = await wired(tlsServer(), 'https', { ca: pem('ca.crt'), servername: 'api.podlens.test' });
  expect(await get()).toEqual({ connection: 'new', body: '- false api.podlens.test' });
});

test('nothing is sent to a server that is not trusted', async () => {
  const requests: string[] = [];
  const server = createTlsServer({ key: pem('server.key'), cert: pem('server.crt') }, (socket) => {
    socket.on('error', () => undefined).on('data', (bytes) => requests.push(String(bytes)));
  });
  const { get } = await wired(server, 'https');
  await expect(get()).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  expect(requests).toEqual([]);
});
