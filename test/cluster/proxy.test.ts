import { describe, expect, test } from 'vitest';
import { proxyFor } from '../../src/cluster/proxy.ts';

const PROXY = { HTTPS_PROXY: 'http://proxy:3128', HTTP_PROXY: 'http://plain:3128' };

describe('NO_PROXY', () => {
  test.each([
    ['https://api.example.com', '', true],
    ['https://api.example.com', 'example.com', false],
    ['https://example.com', 'example.com', false],
    ['https://badexample.com', 'example.com', true],
    ['https://example.com', '.example.com', true],
    ['https://api.example.com', 'other, .example.com', false],
    ['https://api.example.com', '*.example.com', false],
    ['https://api.example.com:6443', 'api.example.com:443', true],
    ['https://api.example.com:6443', 'api.example.com:6443', false],
    ['https://10.1.2.3:6443', '10.0.0.0/8', false],
    ['https://11.1.2.3:6443', '10.0.0.0/8', true],
    ['https://[fd00::1]:6443', 'fd00::/8', false],
    ['https://10.1.2.3', '10.1.2.3', false],
    ['https://10.1.2.3', '2.3', true],
    ['https://anything', '*', false],
    ['https://anything', '10.0.0.0/999', true],
    ['https://localhost:6443', '', false],
    ['https://127.0.0.1:6443', '', false],
    ['https://[::1]:6443', '', false],
  ])('%s with NO_PROXY=%s goes through the proxy: %s', (server, NO_PROXY, proxied) => {
    expect(proxyFor(new URL(server), undefined, { ...PROXY, NO_PROXY }) !== undefined).toBe(proxied);
  });
});

test.each([
  ['https servers', 'https://a', {}, 'proxy:3128'],
  ['http servers', 'http://a', {}, 'plain:3128'],
])('%s have a proxy of their own', (_, server, env, host) => {
  expect(proxyFor(new URL(server), undefined, { ...PROXY, ...env })?.host).toBe(host);
});

test('the kubeconfig outranks the environment, even on this machine', () => {
  const proxy = proxyFor(new URL('https://localhost'), 'socks5://tunnel:1080', { ...PROXY, NO_PROXY: '*' });
  expect(proxy?.href).toBe('socks5://tunnel:1080');
});
