import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectSocket } from 'node:net';
import { delimiter, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ConnectOptions, connect } from '../../src/cluster/connect.ts';
import { PodlensError } from '../../src/errors.ts';
import { version } from '../../src/version.ts';
import { type ApiServer, type ApiServerOptions, apiServer, tlsFile } from '../support/api-server.ts';
import { kubeconfig, simpleKubeconfig, tempFolder } from '../support/kubeconfig.ts';

const signal = new AbortController().signal;
const open = (options: Omit<ConnectOptions, 'signal'>) => connect({ env: {}, signal, ...options });

async function failure(options: Omit<ConnectOptions, 'signal'>): Promise<PodlensError> {
  const error = await open(options).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (error instanceof PodlensError) return error;
  throw new Error(`expected a PodlensError, not ${error}`);
}

async function serve(options: Partial<ApiServerOptions> = {}): Promise<ApiServer> {
  const server = await apiServer({ objects: [], ...options });
  onTestFinished(() => server.close());
  return server;
}

/** Sends one request and returns what the server saw of it. */
async function seen(server: ApiServer, options: Omit<ConnectOptions, 'signal'>) {
  const { transport } = await open(options);
  onTestFinished(() => transport.close());
  await transport.get('/version', { accept: 'application/json', signal, onBytes: () => undefined });
  return server.requests.at(-1);
}

describe('which cluster', () => {
  const two = () => ({
    current: 'prod',
    contexts: {
      prod: { cluster: 'prod', user: 'jane', namespace: 'shop' },
      staging: { cluster: 'staging', user: 'jane' },
      broken: { cluster: 'gone', user: 'jane' },
      nobody: { cluster: 'prod', user: 'gone' },
      anonymous: { cluster: 'prod' },
      nowhere: { user: 'jane' },
      empty: { cluster: 'empty', user: 'jane' },
    },
    clusters: {
      prod: { server: 'https://prod:6443/' },
      staging: { server: 'https://staging:6443/k8s/clusters/c-1' },
      empty: {},
    },
    users: { jane: { token: 'secret-token' } },
  });

  test.each([
    ['the current context', {}, 'https://prod:6443', 'prod', 'shop'],
    ['--context', { context: 'staging' }, 'https://staging:6443/k8s/clusters/c-1', 'staging', 'default'],
    ['a context without a user', { context: 'anonymous' }, 'https://prod:6443', 'anonymous', 'default'],
  ])('%s', async (_, options, server, context, namespace) => {
    const connection = await open({ kubeconfig: kubeconfig(two()), ...options });
    expect(connection).toMatchObject({ server, context, namespace });
  });

  test.each([
    ['an unknown context', 'stagin', 'context-not-found', 'No context named "stagin" in FILE.'],
    [
      'a cluster that is not there',
      'broken',
      'cluster-not-found',
      'The context "broken" uses the cluster "gone", which FILE does not have.',
    ],
    [
      'a user that is not there',
      'nobody',
      'user-not-found',
      'The context "nobody" uses the user "gone", which FILE does not have.',
    ],
    ['a context without a cluster', 'nowhere', 'cluster-not-found', 'The context "nowhere" in FILE names no cluster.'],
    ['a cluster without a server', 'empty', 'no-server', 'The cluster of the context "empty" has no server.'],
  ])('%s is named', async (_, context, code, message) => {
    const file = kubeconfig(two());
    expect(await failure({ kubeconfig: file, context })).toMatchObject({
      code,
      message: message.replace('FILE', file),
    });
  });

  test('what is named by an empty word is not named', async () => {
    const file = kubeconfig(two());
    const connection = await open({ kubeconfig: '', context: '', env: { KUBECONFIG: file } });
    expect(connection).toMatchObject({ context: 'prod' });
  });

  test('of many contexts some are listed', async () => {
    const contexts = Object.fromEntries(
      Array.from({ length: 120 }, (_, index) => [`c-${100 + index}`, { cluster: 'c' }]),
    );
    const { hint } = await failure({ kubeconfig: kubeconfig({ contexts, clusters: { c: {} } }) });
    expect(hint).toMatch(/Contexts: c-100, .*, c-119 and 100 more\.$/);
  });

  test('a misspelt context is told what would have been right', async () => {
    const { hint } = await failure({ kubeconfig: kubeconfig(two()), context: 'stagin' });
    expect(hint).toBe('Did you mean "staging"? Contexts: anonymous, broken, empty, nobody, nowhere, prod, staging.');
  });

  test('without a current context it asks for one', async () => {
    const { current: _, ...rest } = two();
    const error = await failure({ kubeconfig: kubeconfig(rest) });
    expect(error.code).toBe('no-current-context');
    expect(error.hint).toContain('prod, staging');
  });

  test.each([
    ['a file that is not there', undefined, 'kubeconfig-not-found', 'The kubeconfig FILE does not exist.'],
    ['a file that is not YAML', 'clusters: [\n', 'kubeconfig-invalid', /^The kubeconfig FILE is not valid YAML: /],
    [
      'a file that holds no fields',
      'hello',
      'kubeconfig-invalid',
      'The kubeconfig FILE is not a kubeconfig: it holds no fields.',
    ],
    ['an empty file', '', 'kubeconfig-empty', 'The kubeconfig FILE names no cluster.'],
  ])('%s is named', async (_, content, code, message) => {
    const file = join(tempFolder(), 'config');
    if (content !== undefined) writeFileSync(file, content);
    for (const options of [{ kubeconfig: file }, { env: { KUBECONFIG: file } }]) {
      const error = await failure(options);
      expect(error.code).toBe(code);
      expect(error.message.replace(file, 'FILE')).toEqual(
        typeof message === 'string' ? message : expect.stringMatching(message),
      );
    }
  });

  test('with no kubeconfig anywhere it says where one would be', async () => {
    const home = tempFolder();
    const error = await failure({ env: { HOME: home } });
    expect(error.code).toBe('kubeconfig-not-found');
    expect(error.message).toBe(`There is no kubeconfig: ${join(home, '.kube', 'config')} does not exist.`);
    expect(error.hint).toContain('--kubeconfig');
  });

  test('without KUBECONFIG it is ~/.kube/config', async () => {
    const home = tempFolder();
    mkdirSync(join(home, '.kube'));
    kubeconfig(two(), join(home, '.kube'));
    expect(await open({ env: { HOME: home } })).toMatchObject({ context: 'prod' });
  });

  test('of several files the first to have an entry wins, and missing ones are skipped', async () => {
    const folder = tempFolder();
    const first = kubeconfig(
      { contexts: { shared: { cluster: 'a', user: 'u' } }, users: { u: { token: 'first' } } },
      folder,
      'first',
    );
    const second = kubeconfig(
      {
        current: 'shared',
        contexts: { shared: { cluster: 'b', user: 'u', namespace: 'ignored' } },
        clusters: { a: { server: 'https://a' }, b: { server: 'https://b' } },
        users: { u: { username: 'ignored' } },
      },
      folder,
      'second',
    );
    const third = kubeconfig({ current: 'other', clusters: { a: { server: 'https://late' } } }, folder, 'third');
    const KUBECONFIG = [join(folder, 'missing'), first, '', second, third, first].join(delimiter);
    expect(await open({ env: { KUBECONFIG } })).toMatchObject({
      server: 'https://a',
      context: 'shared',
      namespace: 'default',
    });
  });
});

describe('in a pod', () => {
  test('the service account is used where there is no kubeconfig', async () => {
    const server = await serve({ tls: true });
    const folder = tempFolder();
    copyFileSync(tlsFile('ca.crt'), join(folder, 'ca.crt'));
    writeFileSync(join(folder, 'token'), 'pod-token\n');
    writeFileSync(join(folder, 'namespace'), 'monitoring');
    const { hostname, port } = new URL(server.url);
    const env = { HOME: tempFolder(), KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
    const connection = await open({ env, serviceAccount: folder });
    expect(connection).toMatchObject({ context: undefined, namespace: 'monitoring', server: server.url });
    expect((await seen(server, { env, serviceAccount: folder }))?.headers.authorization).toBe('Bearer pod-token');
  });

  test('a kubeconfig comes first', async () => {
    const env = { KUBERNETES_SERVICE_HOST: '::1', KUBERNETES_SERVICE_PORT: '443' };
    const file = simpleKubeconfig({ server: 'https://outside' });
    expect(await open({ env: { ...env, KUBECONFIG: file } })).toMatchObject({ server: 'https://outside' });
  });
});

describe('as whom', () => {
  const basic = `Basic ${Buffer.from('jane:pass').toString('base64')}`;

  test.each([
    ['a token', { token: 'abc' }, { authorization: 'Bearer abc' }],
    ['a password', { username: 'jane', password: 'pass' }, { authorization: basic }],
    ['nothing', {}, { authorization: undefined }],
    [
      'somebody else',
      { token: 'abc', as: 'bob', 'as-uid': '7', 'as-groups': ['dev', 'ops'], 'as-user-extra': { reason: ['test'] } },
      {
        authorization: 'Bearer abc',
        'impersonate-user': 'bob',
        'impersonate-uid': '7',
        'impersonate-group': 'dev, ops',
        'impersonate-extra-reason': 'test',
      },
    ],
  ])('%s', async (_, user, headers) => {
    const server = await serve();
    const request = await seen(server, { kubeconfig: simpleKubeconfig({ server: server.url }, user) });
    for (const [name, value] of Object.entries(headers)) expect(request?.headers[name]).toBe(value);
    expect(request?.headers['user-agent']).toBe(`podlens/${version}`);
  });

  test('a name and a password in the address are used, and not shown', async () => {
    const server = await serve();
    const file = simpleKubeconfig({ server: server.url.replace('//', '//jane:pa%73s@') });
    expect((await seen(server, { kubeconfig: file }))?.headers.authorization).toBe(basic);
    expect((await open({ kubeconfig: file })).server).toBe(server.url);
    const token = simpleKubeconfig({ server: server.url.replace('//', '//jane:pass@') }, { token: 'abc' });
    expect((await seen(server, { kubeconfig: token }))?.headers.authorization).toBe('Bearer abc');
    const wrong = await failure({ kubeconfig: simpleKubeconfig({ server: 'ftp://jane:pass@host' }) });
    expect(wrong.message).toBe('The server "ftp://host" of the context "test" is no http or https address.');
  });

  test('a token file beside the kubeconfig wins over a token', async () => {
    const server = await serve();
    const folder = tempFolder();
    writeFileSync(join(folder, 'token'), 'from-file\n');
    const file = kubeconfig(
      {
        current: 'c',
        contexts: { c: { cluster: 'c', user: 'u' } },
        clusters: { c: { server: server.url } },
        users: { u: { token: 'inline', tokenFile: 'token' } },
      },
      folder,
    );
    expect((await seen(server, { kubeconfig: file }))?.headers.authorization).toBe('Bearer from-file');
  });

  test.each([
    ['files', (folder: string) => ({ 'client-certificate': 'client.crt', 'client-key': join(folder, 'client.key') })],
    ['data', () => ({ 'client-certificate-data': base64('client.crt'), 'client-key-data': base64('client.key') })],
  ])('a client certificate from %s', async (_, user) => {
    const server = await serve({ tls: true });
    const folder = tempFolder();
    for (const name of ['client.crt', 'client.key', 'ca.crt']) copyFileSync(tlsFile(name), join(folder, name));
    const file = kubeconfig(
      {
        current: 'c',
        contexts: { c: { cluster: 'c', user: 'u' } },
        clusters: { c: { server: server.url, 'certificate-authority': 'ca.crt' } },
        users: { u: user(folder) },
      },
      folder,
    );
    expect((await seen(server, { kubeconfig: file }))?.certificate).toBe('jane');
  });

  test('a certificate that is not there is named', async () => {
    const file = simpleKubeconfig({ server: 'https://a' }, { 'client-certificate': '/no/such.crt' });
    expect(await failure({ kubeconfig: file })).toMatchObject({
      code: 'credentials-unreadable',
      message: expect.stringContaining('The client certificate /no/such.crt cannot be read'),
    });
  });
});

test('a token that YAML takes for a number is named', async () => {
  const error = await failure({ kubeconfig: simpleKubeconfig({ server: 'https://a' }, { token: 12345678 }) });
  expect(error.message).toBe("The user's token in the kubeconfig is no text.");
});

test('an authority that is no certificate is named', async () => {
  const cluster = { server: 'https://a', 'certificate-authority-data': 'bm9uc2Vuc2U=' };
  expect(await failure({ kubeconfig: simpleKubeconfig(cluster) })).toMatchObject({
    code: 'credentials-unreadable',
    message: 'The certificate-authority-data of the kubeconfig holds no certificate.',
  });
});

const base64 = (name: string) => readFileSync(tlsFile(name)).toString('base64');

describe('whom to trust', () => {
  const trusted = { 'certificate-authority-data': base64('ca.crt') };

  test.each([
    ['its authority', trusted, undefined],
    ['nobody, with verification off', { 'insecure-skip-tls-verify': true }, undefined],
    ['another name on the certificate', { ...trusted, 'tls-server-name': 'api.podlens.test' }, undefined],
    ['a name that is not on the certificate', { ...trusted, 'tls-server-name': 'other.test' }, /for another name/],
    ['an authority that did not sign it', {}, /not signed by an authority that the kubeconfig trusts/],
  ])('%s', async (_, cluster, message) => {
    const server = await serve({ tls: true });
    const { transport } = await open({ kubeconfig: simpleKubeconfig({ server: server.url, ...cluster }) });
    onTestFinished(() => transport.close());
    const answer = transport.get('/version', { accept: 'application/json', signal, onBytes: () => undefined });
    await (message === undefined ? answer : expect(answer).rejects.toThrow(message));
  });
});

describe('credential plugins', () => {
  /** A plugin that counts its runs, notes what it was told, and prints what it is given. */
  function plugin(status: object | string, more: object = {}) {
    const folder = tempFolder();
    const script = join(folder, 'plugin.mjs');
    const runs = join(folder, 'runs');
    const answer =
      typeof status === 'string'
        ? status
        : JSON.stringify({ kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1', status });
    writeFileSync(
      script,
      `import { appendFileSync } from 'node:fs';
       const runs = ${JSON.stringify(runs)};
       appendFileSync(runs, JSON.stringify({ info: JSON.parse(process.env.KUBERNETES_EXEC_INFO), own: process.env.OWN }) + '\\n');
       process.stdout.write(${JSON.stringify(answer)});`,
    );
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: [script],
      env: [{ name: 'OWN', value: 'yes' }],
      interactiveMode: 'Never',
      ...more,
    };
    const noted = () =>
      readFileSync(runs, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
    return { exec, noted };
  }

  const request = { accept: 'application/json', signal, onBytes: () => undefined };

  test('it runs once for parallel requests, and is told what client-go tells it', async () => {
    const server = await serve();
    const { exec, noted } = plugin({ token: 'fresh' }, { provideClusterInfo: true });
    const { transport } = await open({ kubeconfig: simpleKubeconfig({ server: server.url }, { exec }) });
    onTestFinished(() => transport.close());
    await Promise.all(Array.from({ length: 8 }, () => transport.get('/version', request)));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(Array(8).fill('Bearer fresh'));
    expect(noted()).toEqual([
      {
        info: {
          kind: 'ExecCredential',
          apiVersion: 'client.authentication.k8s.io/v1',
          spec: { interactive: false, cluster: { server: server.url } },
        },
        own: 'yes',
      },
    ]);
  });

  test('it runs again once what it gave has expired', async () => {
    const server = await serve();
    const { exec, noted } = plugin({ token: 'old', expirationTimestamp: '2020-01-01T00:00:00Z' });
    const { transport } = await open({ kubeconfig: simpleKubeconfig({ server: server.url }, { exec }) });
    onTestFinished(() => transport.close());
    await transport.get('/version', request);
    expect(noted()).toHaveLength(2);
  });

  test('it runs again, once, after a 401', async () => {
    const server = await serve({ users: {} });
    const { exec, noted } = plugin({ token: 'refused' });
    const { transport } = await open({ kubeconfig: simpleKubeconfig({ server: server.url }, { exec }) });
    onTestFinished(() => transport.close());
    await expect(transport.get('/version', request)).rejects.toMatchObject({ status: 401 });
    expect(noted()).toHaveLength(2);
    expect(server.requests).toHaveLength(2);
  });

  test('it may give a client certificate', async () => {
    const server = await serve({ tls: true });
    const pem = (name: string) => readFileSync(tlsFile(name), 'utf8');
    const { exec } = plugin({ clientCertificateData: pem('client.crt'), clientKeyData: pem('client.key') });
    const file = simpleKubeconfig({ server: server.url, 'insecure-skip-tls-verify': true }, { exec });
    expect((await seen(server, { kubeconfig: file }))?.certificate).toBe('jane');
  });

  test.each([
    [
      'is not installed',
      { command: 'no-such-plugin', installHint: 'Run: install it' },
      'The credential plugin "no-such-plugin" of the kubeconfig was not found.',
      'Run: install it',
    ],
    [
      'fails',
      { args: ['-e', 'console.error("token expired"); process.exit(3)'] },
      /^The credential plugin ".*" failed with exit code 3\.$/,
      'It said: token expired',
    ],
    [
      'prints something else',
      { args: ['-e', 'console.log("hello")'] },
      /printed something that is not JSON\.$/,
      undefined,
    ],
    [
      'prints another kind',
      { args: ['-e', 'console.log("{}")'] },
      /printed no ExecCredential with a status\.$/,
      undefined,
    ],
    ['needs a terminal', { interactiveMode: 'Always' }, /asks questions and needs a terminal\.$/, undefined],
  ])('one that %s is named', async (_, more, message, hint) => {
    const { exec } = plugin({ token: 'x' }, more);
    const { transport } = await open({ kubeconfig: simpleKubeconfig({ server: 'http://127.0.0.1:1' }, { exec }) });
    const error = await transport.get('/version', request).catch((error: unknown) => error);
    expect(error).toMatchObject({
      code: 'exec-plugin',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
      hint,
    });
  });
});

describe('proxies', () => {
  /** A proxy that tunnels to wherever it is asked to, and notes for whom. */
  async function proxy(accept = true) {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end('{}');
    });
    server.on('connect', (request, socket) => {
      asked.push(`CONNECT ${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim());
      if (!accept) {
        socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
        return;
      }
      const port = Number(request.url?.split(':').at(-1));
      const upstream = connectSocket(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      for (const end of [socket, upstream]) end.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const close = () => new Promise((resolve) => server.close(resolve));
    return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked, close };
  }

  const cluster = (server: string) => ({ server, 'certificate-authority-data': base64('ca.crt') });

  test('proxy-url of the kubeconfig carries TLS through a tunnel', async () => {
    const server = await serve({ tls: true });
    const { address, asked } = await proxy();
    const file = simpleKubeconfig({ ...cluster(server.url), 'proxy-url': `http://jane:pass@${address}` });
    await seen(server, { kubeconfig: file });
    expect(asked).toEqual([
      `CONNECT ${server.url.replace('https://', '')} Basic ${Buffer.from('jane:pass').toString('base64')}`,
    ]);
  });

  test('HTTPS_PROXY is used for what is not on this machine', async () => {
    const server = await serve({ tls: true });
    const { address, asked } = await proxy();
    const { port } = new URL(server.url);
    const file = simpleKubeconfig(cluster(`https://api.podlens.test:${port}`));
    await seen(server, { kubeconfig: file, env: { HTTPS_PROXY: `http://${address}` } });
    expect(asked).toEqual([`CONNECT api.podlens.test:${port}`]);
  });

  test('a plain http server is asked for through HTTP_PROXY', async () => {
    const { address, asked } = await proxy();
    const file = simpleKubeconfig({ server: 'http://api.podlens.test:8080/prefix' });
    const { transport } = await open({ kubeconfig: file, env: { http_proxy: address } });
    onTestFinished(() => transport.close());
    await transport.get('/version', { accept: '*/*', signal, onBytes: () => undefined });
    expect(asked).toEqual(['GET http://api.podlens.test:8080/prefix/version']);
  });

  test('a proxy that refuses is named', async () => {
    const { address } = await proxy(false);
    const file = simpleKubeconfig({ ...cluster('https://api.podlens.test'), 'proxy-url': `http://${address}` });
    const { transport } = await open({ kubeconfig: file });
    const answer = transport.get('/version', { accept: '*/*', signal, onBytes: () => undefined });
    await expect(answer).rejects.toThrow(`the proxy ${address} answered 407 Proxy Authentication Required`);
  });

  test.each([
    ['https://api.podlens.test', 'http'],
    ['https://api.podlens.test', 'socks5h'],
    ['http://api.podlens.test', 'http'],
    ['http://api.podlens.test', 'socks5h'],
  ])('for %s a dead %s proxy is named, and its password is not', async (server, scheme) => {
    const { address, close } = await proxy();
    await close();
    const file = simpleKubeconfig({ ...cluster(server), 'proxy-url': `${scheme}://jane:pass%ZZ@${address}` });
    const { transport } = await open({ kubeconfig: file });
    const answer = transport.get('/version', { accept: '*/*', signal, onBytes: () => undefined });
    await expect(answer).rejects.toMatchObject({
      trouble: 'down',
      message: expect.stringMatching(new RegExp(`^the proxy ${address}: connect ECONNREFUSED`)),
    });
  });

  test('an address that is none is not quoted, since it may hold a password', async () => {
    const file = simpleKubeconfig({ server: 'https://a', 'proxy-url': 'ftp://jane:pass@proxy' });
    const error = await failure({ kubeconfig: file });
    expect(error.message).toBe('proxy-url in the kubeconfig is not the address of an http, https or socks5 proxy.');
  });
});
