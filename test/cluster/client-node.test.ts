import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect as connectSocket, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/cluster/connect.ts';
import { apiServer, tlsFile } from '../support/api-server.ts';
import { simpleKubeconfig } from '../support/kubeconfig.ts';

const signal = new AbortController().signal;

async function seen(cluster: object, user: object) {
  const server = await apiServer({ objects: [], tls: true });
  onTestFinished(() => server.close());
  const trust = { 'certificate-authority-data': readFileSync(tlsFile('ca.crt')).toString('base64') };
  const kubeconfig = simpleKubeconfig({ server: server.url, ...trust, ...cluster }, user);
  const { transport } = await connect({ kubeconfig, env: {}, signal });
  onTestFinished(() => transport.close());
  await transport.get('/version', { accept: 'application/json', signal, onBytes: () => undefined });
  return server.requests.at(-1);
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

test.each([
  ['gcp', { 'access-token': 'from-gcp', expiry: '2999-01-01T00:00:00Z' }, 'from-gcp'],
  [
    'oidc',
    { 'id-token': `${part({})}.${part({ exp: 32503680000 })}.x`, 'client-id': 'a', 'idp-issuer-url': 'https://idp' },
    undefined,
  ],
])('the auth provider %s still works', async (name, config, token) => {
  const request = await seen({}, { 'auth-provider': { name, config } });
  expect(request?.headers.authorization).toBe(`Bearer ${token ?? config['id-token']}`);
});

test('a SOCKS proxy carries TLS', async () => {
  let tunnels = 0;
  const proxy = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]));
      socket.once('data', (wanted: Buffer) => {
        tunnels++;
        const upstream = connectSocket(wanted.readUInt16BE(wanted.length - 2), '127.0.0.1', () => {
          socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
          upstream.pipe(socket).pipe(upstream);
        });
        upstream.on('error', () => undefined);
      });
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  const { port } = proxy.address() as AddressInfo;
  const request = await seen({ 'proxy-url': `socks5://127.0.0.1:${port}` }, { token: 'x' });
  expect(request?.headers.authorization).toBe('Bearer x');
  expect(tunnels).toBe(1);
});
