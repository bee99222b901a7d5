import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connectionError } from '../../src/cluster/errors.ts';
import { readRefusal } from '../../src/cluster/refusal.ts';

const json = { 'content-type': 'application/json' };
const status = (fields: object) => Buffer.from(JSON.stringify({ kind: 'Status', apiVersion: 'v1', ...fields }));

test.each([
  ['a Status', status({ message: 'no.', reason: 'Forbidden' }), json, { message: 'no', reason: 'Forbidden' }],
  ['where a list may go on', status({ message: 'old', metadata: { continue: 'abc' } }), json, { continueToken: 'abc' }],
  [
    'plain text',
    Buffer.from('404 page not found\n'),
    { 'content-type': 'text/plain' },
    { message: '404 page not found' },
  ],
  ['a page of a proxy', Buffer.from('<html><h1>Bad\ngateway</h1></html>'), {}, { message: 'Bad gateway' }],
  ['nothing', Buffer.alloc(0), {}, { message: 'it gave no reason' }],
  [
    'a gateway in JSON',
    Buffer.from('{"type":"error","status":"403","message":"clusters \\"c-1\\" is forbidden"}'),
    json,
    { message: 'clusters "c-1" is forbidden' },
  ],
  [
    'a login page',
    Buffer.alloc(0),
    { location: 'https://login.example.com/start?state=secret' },
    { message: 'it sends to login.example.com, as a gateway does that wants a login' },
  ],
  ['how long to wait', status({ message: 'busy' }), { ...json, 'retry-after': '3' }, { retryAfterMs: 3000 }],
  ['until when to wait', status({}), { ...json, 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, { retryAfterMs: 0 }],
  ['a wait that is none', status({}), { ...json, 'retry-after': 'soon' }, { retryAfterMs: undefined }],
])('a refusal says %s', (_, body, headers, refusal) => {
  expect(readRefusal(body, headers)).toMatchObject(refusal);
});

test('a refusal may come as protobuf', () => {
  const body = readFileSync(join(import.meta.dirname, '../data/protobuf/not-found.pb'));
  expect(readRefusal(body, { 'content-type': 'application/vnd.kubernetes.protobuf' })).toMatchObject({
    message: expect.stringContaining('not found'),
    reason: 'NotFound',
  });
});

const failed = (code: string, message = code) => Object.assign(new Error(message), { code });

test.each([
  [failed('ECONNREFUSED'), 'down', 'nothing listens there (connection refused)'],
  [
    new AggregateError([failed('ECONNREFUSED'), failed('ENETUNREACH')]),
    'down',
    'nothing listens there (connection refused)',
  ],
  [failed('ENOTFOUND'), 'wrong', 'its name cannot be resolved'],
  [failed('ECONNRESET'), 'broken', 'the connection was reset'],
  [failed('CERT_HAS_EXPIRED'), 'wrong', 'its certificate has expired'],
  [
    failed('SELF_SIGNED_CERT_IN_CHAIN'),
    'wrong',
    'its certificate is not signed by an authority that the kubeconfig trusts',
  ],
  [
    failed(
      'ERR_SSL_WRONG_VERSION_NUMBER',
      '40:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../x.c:350:',
    ),
    'wrong',
    'the TLS handshake failed (wrong version number)',
  ],
  [new Error('Parse Error'), 'broken', 'Parse Error'],
])('%s is told in words', (error, trouble, message) => {
  expect(connectionError(error)).toMatchObject({ trouble, message });
});
