import { expect, test } from 'vitest';
import { cacheKey, normalize } from '../../src/cache/key.ts';

test.each([
  ['times', 'at 2026-11-21T02:07:38.484Z it', 'at 2026-11-22T11:00:01Z it'],
  ['times of klog', 'E1121 02:07:38.123456    1234 main.go:12] boom', 'E1122 03:07:38.654321       1 main.go:12] boom'],
  [
    'times of nginx',
    '2026/11/21 02:07:38 [emerg] 1#1: host not found',
    '2026/11/22 12:07:39 [emerg] 1#1: host not found',
  ],
  ['times of Apache', '[21/Nov/2026:02:07:38 +0000] GET', '[22/Nov/2026:12:07:38 +0000] GET'],
  ['times of syslog', 'Nov 21 02:07:38 failed', 'Nov  1 12:17:38 failed'],
  ['durations', 'back-off 5m0s restarting', 'back-off 2m40s restarting'],
  ['ages', 'for 45 s and 3 h', 'for 12 min and 2 d'],
  ['restarts', 'restarted 17 times (x12 over 3m2s)', 'restarted 3 times (x2 over 9m)'],
  ['counts', 'Affects 9 pods', 'Affects 1 pods'],
  [
    'nodes',
    '0/5 nodes are available: 3 Insufficient cpu, 2 node(s) had taint',
    '0/9 nodes are available: 8 Insufficient cpu, 1 node(s) had taint',
  ],
  ['addresses', 'dial 10.0.0.5:80', 'dial 10.0.7.9:80'],
  ['pods that are gone', 'pod web-7f9c8b6d5-x2lqp', 'pod web-5d8c9f7b6c-q8rtz'],
  ['uids', '(0f8fad5b-d9cb-469f-a165-70867728950e)', '(7c9e6679-7425-40de-944b-e07fc1f90ae7)'],
])('%s make no difference', (_, a, b) => expect(normalize(a)).toBe(normalize(b)));

test.each([
  ['exit codes', 'exit code 1', 'exit code 137'],
  ['ports', 'port 8080', 'port 9090'],
  ['sizes', 'limit 64Mi', 'limit 128Mi'],
  ['CPU', 'requests 500m', 'requests 900m'],
  ['status codes', 'statuscode: 404', 'statuscode: 503'],
  ['versions', 'image-1:1.25', 'image-1:1.26'],
  ['pseudonyms', 'pod-1', 'pod-2'],
])('%s do', (_, a, b) => expect(normalize(a)).not.toBe(normalize(b)));

test('a key depends on every part and on no order', () => {
  expect(cacheKey({ a: 1, b: { c: 2, d: 3 } })).toBe(cacheKey({ b: { d: 3, c: 2 }, a: 1 }));
  expect(cacheKey({ a: 1 })).not.toBe(cacheKey({ a: 2 }));
  expect(cacheKey({ a: 1 })).toMatch(/^[0-9a-f]{64}$/);
});
