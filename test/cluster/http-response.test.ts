import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ResponseReader } from '../../src/cluster/http-response.ts';

/** What a reader makes of bytes that come in these pieces. */
function read(pieces: readonly Buffer[], closes = false) {
  const seen = { status: 0, headers: {} as object, body: '' };
  const reader = new ResponseReader({
    onHead: (status, headers) => Object.assign(seen, { status, headers: { ...headers } }),
    onBody: (chunk) => {
      seen.body += chunk.toString('latin1');
    },
  });
  let complete = false;
  for (const piece of pieces) complete = reader.push(piece);
  if (closes) complete = reader.end();
  return { ...seen, complete, keepsAlive: reader.keepsAlive };
}

const whole = (text: string) => [Buffer.from(text, 'latin1')];
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

describe('a response', () => {
  test.each([
    ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', { body: 'hello' }],
    ['with an empty body', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', { body: '' }],
    ['in chunks', `${CHUNKED}3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n`, { body: 'hello' }],
    [
      'in chunks with extensions and trailers',
      `${CHUNKED}A;x=1\r\n0123456789\r\n0\r\nx: y\r\n\r\n`,
      { body: '0123456789' },
    ],
    ['whose status has no words', 'HTTP/1.1 404\r\ncontent-length: 0\r\n\r\n', { status: 404 }],
    ['without a body by its status', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204 }],
    [
      'after an interim one',
      'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n!',
      { body: '!' },
    ],
    [
      'with a header twice',
      'HTTP/1.1 200 OK\r\nwarning: a\r\nWarning: b\r\ncontent-length: 0\r\n\r\n',
      { headers: { warning: 'a, b', 'content-length': '0' } },
    ],
    [
      'of an old server that keeps the connection',
      'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok',
      { body: 'ok' },
    ],
  ])('%s', (_, text, expected) => {
    const result = read(whole(text));
    expect(result).toMatchObject({ status: 200, complete: true, keepsAlive: true, ...expected });
    // The same, whatever the pieces are in which it comes.
    const bytes = Buffer.from(text, 'latin1');
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
        const ends = [...new Set([...cuts, bytes.length])].sort((a, b) => a - b);
        expect(read(ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end)))).toEqual(result);
      }),
    );
  });

  test.each([
    ['says so', 'HTTP/1.1 200 OK\r\nConnection: close\r\ncontent-length: 2\r\n\r\nok'],
    ['is an old one', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok'],
    ['has sent more than was asked for', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n'],
  ])('whose server %s ends the connection', (_, text) => {
    expect(read(whole(text))).toMatchObject({ body: 'ok', complete: true, keepsAlive: false });
  });

  test('without a length goes on until the connection ends', () => {
    const text = whole('HTTP/1.1 200 OK\r\n\r\nhello');
    expect(read(text)).toMatchObject({ body: 'hello', complete: false });
    expect(read(text, true)).toMatchObject({ body: 'hello', complete: true, keepsAlive: false });
  });

  test.each([
    ['its head', 'HTTP/1.1 200 OK\r\ncontent-le'],
    ['its body', 'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhello'],
    ['a chunk', `${CHUNKED}6\r\nhello`],
    ['the end of a chunk', `${CHUNKED}5\r\nhello`],
    ['its trailers', `${CHUNKED}5\r\nhello\r\n0\r\n`],
  ])('that is cut off in %s is not complete', (_, text) => {
    expect(read(whole(text), true)).toMatchObject({ complete: false, keepsAlive: false });
  });
});

test.each([
  ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['a TLS alert', '\x15\x03\x01\x00\x02\x02\x46'],
  ['a status that is no number', 'HTTP/1.1 OK\r\n\r\n'],
  ['a header without a name', 'HTTP/1.1 200 OK\r\nhello\r\n\r\n'],
  ['a length that is no number', 'HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
  ['a chunk without a size', `${CHUNKED}hello\r\n`],
  ['a chunk that is longer than it said', `${CHUNKED}2\r\nhello\r\n`],
])('%s is no HTTP', (_, text) => {
  expect(() => read(whole(text))).toThrow('what it answers is not HTTP');
});

test('a head without an end is given up', () => {
  const line = Buffer.from(`x: ${'y'.repeat(1000)}\r\n`);
  const reader = new ResponseReader({ onHead: () => undefined, onBody: () => undefined });
  expect(() => {
    reader.push(Buffer.from('HTTP/1.1 200 OK\r\n'));
    for (let i = 0; i < 1000; i++) reader.push(line);
  }).toThrow('the head of its answer has no end');
});
