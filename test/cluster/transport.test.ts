import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { createTransport, type TransportOptions } from '../../src/cluster/transport.ts';

const signal = new AbortController().signal;
const BIG = Buffer.alloc(1200 * 1024, 'podlens ');

/** A server of one address, and a transport to it. */
async function served(
  answer: (response: ServerResponse, encoding: string, url: string) => void,
  more: Partial<TransportOptions> = {},
) {
  const encodings: string[] = [];
  const server = createServer((request, response) => {
    const encoding = String(request.headers['accept-encoding']);
    encodings.push(encoding);
    // No answer comes at once, or the server would be taken for near.
    setTimeout(() => answer(response, encoding, request.url ?? ''), 5);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const transport = await createTransport({
    server: new URL(`http://127.0.0.1:${port}`),
    credentials: { get: async () => ({ headers: {} }) },
    tls: {},
    proxy: undefined,
    userAgent: 'test',
    timeoutMs: 5000,
    compress: true,
    ...more,
  });
  onTestFinished(() => {
    transport.close();
    server.closeAllConnections();
    server.close();
  });
  const read = async (path = '/') => {
    const chunks: Buffer[] = [];
    await transport.get(path, { accept: '*/*', signal, onBytes: (chunk) => void chunks.push(Buffer.from(chunk)) });
    return Buffer.concat(chunks);
  };
  return { transport, read, encodings };
}

/** Sends it slower than any link on which compression would not pay. */
async function slowly(response: ServerResponse, body: Buffer, pauseMs = 10): Promise<void> {
  for (let at = 0; at < body.length; at += 64 * 1024) {
    response.write(body.subarray(at, at + 64 * 1024));
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  response.end();
}

const zipped = (response: ServerResponse) => response.setHeader('content-encoding', 'gzip').end(gzipSync(BIG));

test('answers come compressed once the link has proved slow', async () => {
  const { read, encodings, transport } = await served((response, encoding) => {
    if (encoding === 'gzip') zipped(response);
    else void slowly(response, BIG);
  });
  expect(await read()).toEqual(BIG);
  expect(await read()).toEqual(BIG);
  expect(encodings).toEqual(['identity', 'gzip']);
  // What is counted is what came over the wire.
  expect(transport.traffic.bytes).toBeLessThan(BIG.length * 1.1);
});

test('disable-compression is obeyed', async () => {
  const { read, encodings } = await served((response) => void slowly(response, BIG), { compress: false });
  await read();
  await read();
  expect(encodings).toEqual(['identity', 'identity']);
});

test('little data says nothing about a link', async () => {
  const { read, encodings } = await served((response) => void slowly(response, BIG.subarray(0, 1000)));
  await read();
  await read();
  expect(encodings).toEqual(['identity', 'identity']);
});

test('a compressed answer that is cut off is not whole', async () => {
  const { read } = await served((response) => {
    const body = gzipSync(BIG);
    response.setHeader('content-encoding', 'gzip').write(body.subarray(0, body.length / 2), () => response.destroy());
  });
  await expect(read()).rejects.toMatchObject({ trouble: 'broken' });
});

test('an answer without a length that stops in the middle of a chunk is not whole', async () => {
  const { read } = await served((response) => {
    response.socket?.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\nhalf');
  });
  await expect(read()).rejects.toMatchObject({ trouble: 'broken' });
});

test('connections are used again', async () => {
  const { read, transport } = await served((response) => response.end('ok'));
  for (let i = 0; i < 5; i++) await read();
  expect(transport.traffic).toMatchObject({ requests: 5, connections: 1 });
});

test('an answer that pauses too long is given up', async () => {
  const { read } = await served((response) => void response.write('something'), { timeoutMs: 50 });
  await expect(read()).rejects.toMatchObject({ trouble: 'timeout', message: 'it sent nothing for 0.05 s' });
});

test('with a timeout of 0 nothing is given up', async () => {
  const { read } = await served((response) => void slowly(response, BIG.subarray(0, 100), 20), { timeoutMs: 0 });
  expect(await read()).toHaveLength(100);
});

test('an answer that goes on is not, however long it takes', async () => {
  const { read } = await served((response) => void slowly(response, BIG, 20), { timeoutMs: 250 });
  expect(await read()).toEqual(BIG);
});

test('what cannot use the bytes has its own error thrown', async () => {
  const { transport } = await served((response) => response.end('hello'));
  const onBytes = () => {
    throw new RangeError('not for me');
  };
  await expect(transport.get('/', { accept: '*/*', signal, onBytes })).rejects.toThrow(RangeError);
});

test('a server below a path is asked below it', async () => {
  const urls: string[] = [];
  const { read } = await served((response, _, url) => {
    urls.push(url);
    response.end();
  });
  await read('/api/v1/pods?limit=1');
  expect(urls).toEqual(['/api/v1/pods?limit=1']);
});

test('what is aborted ends with the reason of the abortion', async () => {
  const stop = new AbortController();
  const { transport } = await served((response) => {
    response.write('something');
    stop.abort(new Error('Ctrl-C'));
  });
  const get = transport.get('/', { accept: '*/*', signal: stop.signal, onBytes: () => undefined });
  await expect(get).rejects.toThrow('Ctrl-C');
});
