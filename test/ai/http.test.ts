import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openBackend } from '../../src/ai/backends.ts';
import { chooseBackends } from '../../src/ai/choose-backends.ts';
import { createFetch, isLoopback, publicUrl } from '../../src/ai/http.ts';
import { type BackendConfig, defaults } from '../../src/config.ts';
import { startServer } from '../support/http-server.ts';
import { startOpenAi } from '../support/openai-server.ts';

const signal = new AbortController().signal;
const tls = (name: string) => join(import.meta.dirname, '../support/tls', name);

async function ask(entry: Partial<BackendConfig>, env: Record<string, string>): Promise<string> {
  const backend = { name: 'lab', provider: 'openai', model: 'model-a', timeoutSeconds: 2, maxRetries: 0, ...entry };
  const [settings] = chooseBackends({ backend: ['lab'] }, { ...defaults, backends: [backend] }, env);
  if (settings === undefined) throw new Error('no backend');
  const opened = await openBackend(settings, { env, signal });
  return opened.complete({ system: 's', user: 'u' }, { signal }).then(
    ({ text }) => text,
    (error: { code: string; message: string; hint?: string }) =>
      `${error.code}: ${error.message} ${error.hint ?? ''}`.trim(),
  );
}

const completion = (content: string): string =>
  JSON.stringify({ choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }] });

/** A proxy that leads every tunnel to `target`, answers plain requests itself, and says what it was asked for. */
async function startProxy(target: string) {
  const asked: string[] = [];
  const server = createHttpServer();
  server.on('connect', (request, client) => {
    asked.push(request.url ?? '');
    const { hostname, port } = new URL(target);
    const upstream = connect(Number(port), hostname, () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
    upstream.pipe(client).pipe(upstream);
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
  server.on('request', (request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(200, { 'content-type': 'application/json' }).end(completion('ok'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, asked, [Symbol.dispose]: stop };
}

async function startTls() {
  const server = createServer(
    { key: readFileSync(tls('key.pem')), cert: readFileSync(tls('cert.pem')) },
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(completion('over TLS'));
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port, url: `https://127.0.0.1:${port}`, [Symbol.dispose]: stop };
}

describe('proxies', () => {
  test.each([
    ['HTTP_PROXY', {}, true],
    ['http_proxy', {}, true],
    ['HTTP_PROXY', { NO_PROXY: '.invalid' }, false],
    ['HTTP_PROXY', { NO_PROXY: 'localhost,other.example.com' }, true],
  ])('%s with %j', async (variable, more, through) => {
    using proxy = await startProxy('http://127.0.0.1:1');
    const answer = await ask({ baseUrl: 'http://llm.invalid/v1' }, { [variable]: proxy.url, ...more });
    expect(proxy.asked).toEqual(through ? ['http://llm.invalid/v1/chat/completions'] : []);
    // Without the proxy nobody knows the name.
    expect(answer).toEqual(through ? 'ok' : expect.stringContaining('backend-unreachable'));
  });

  test('HTTPS_PROXY tunnels, and the CA holds behind it', async () => {
    using server = await startTls();
    using proxy = await startProxy(server.url);
    const entry = { baseUrl: 'https://llm.internal/v1', caFile: tls('cert.pem') };
    expect(await ask(entry, { HTTPS_PROXY: proxy.url })).toBe('over TLS');
    expect(proxy.asked).toEqual(['llm.internal:443']);
  });

  test('this machine is asked directly', async () => {
    await using server = await startOpenAi({ reply: () => 'ok' });
    using proxy = await startProxy(server.url);
    expect(await ask({ baseUrl: server.baseUrl }, { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url })).toBe('ok');
    expect(proxy.asked).toEqual([]);
  });

  test('one that is no URL is named without being shown', async () => {
    const env = { HTTPS_PROXY: 'me:secret@proxy' };
    const created = createFetch({ baseUrl: 'https://llm.internal', env, timeoutMs: 1000 });
    await expect(created).rejects.toMatchObject({
      code: 'proxy-invalid',
      message: 'The proxy that HTTPS_PROXY or HTTP_PROXY names cannot be used.',
    });
  });
});

describe.each(['openai', 'ollama'])('redirects, with %s', (provider) => {
  const entry = (url: string) => ({ provider, baseUrl: provider === 'openai' ? `${url}/v1` : url, key: 'canary-key' });
  const path = provider === 'openai' ? '/v1/chat/completions' : '/api/chat';
  const answer =
    provider === 'openai' ? completion('ok') : `${JSON.stringify({ message: { content: 'ok' }, done: true })}\n`;

  test.each([301, 302, 307, 308])('with %i to another server are not followed', async (status) => {
    await using other = await startServer((_, response) => void response.end(answer));
    await using server = await startServer((_, response) => {
      response.writeHead(status, { location: `${other.url}/take?it=1` }).end();
    });
    const { baseUrl, ...rest } = entry(server.url);
    expect(await ask({ baseUrl, ...rest }, {})).toBe(
      `backend-not-found: lab at ${baseUrl} redirects calls to ${other.url}/take. Nothing was sent there. If it is the right place, make it the base URL.`,
    );
    expect(other.received).toEqual([]);
  });

  test('on the same server are', async () => {
    await using server = await startServer((request, response) => {
      if (request.path === path) response.writeHead(308, { location: `${path}/` }).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
    });
    expect(await ask(entry(server.url), {})).toBe('ok');
    expect(server.received.map((request) => [request.method, request.path, request.body.includes('"u"')])).toEqual([
      ['POST', path, true],
      ['POST', `${path}/`, true],
    ]);
  });

  test('without an end have one', async () => {
    await using server = await startServer((_, response) => void response.writeHead(307, { location: path }).end());
    expect(await ask(entry(server.url), {})).toMatch(/^backend-not-found: .* redirects calls to /);
    expect(server.received.length).toBe(6);
  });

  test('an answer without an end is cut off', async () => {
    await using server = await startServer(async (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const piece = ' '.repeat(2 ** 20);
      while (!response.destroyed) await new Promise((resolve) => response.write(piece, resolve));
    });
    expect(await ask(entry(server.url), {})).toMatch(
      /^backend-failed: .* sent an answer that did not end; it was cut off\.$/,
    );
  });
});

describe('certificates', () => {
  test('a private CA is trusted where it is named', async () => {
    using server = await startTls();
    expect(await ask({ baseUrl: `${server.url}/v1`, caFile: tls('cert.pem') }, {})).toBe('over TLS');
  });

  test('and not elsewhere; the error says what to do', async () => {
    using server = await startTls();
    expect(await ask({ baseUrl: `${server.url}/v1` }, {})).toBe(
      `backend-unreachable: lab at ${server.url}/v1 cannot be reached: its certificate is self-signed. If it uses a private CA, set caFile for this backend in the config.`,
    );
  });

  test('a server without TLS', async () => {
    await using server = await startOpenAi({ reply: () => 'ok' });
    expect(await ask({ baseUrl: server.baseUrl.replace('http:', 'https:') }, {})).toContain(
      'it does not speak TLS; try http://',
    );
  });
});

test.each([
  ['http://localhost:1', true],
  ['http://127.8.0.1', true],
  ['http://[::1]:1', true],
  ['http://127.0.0.1.example.com', false],
  ['http://10.0.0.1', false],
  ['http://localhost.example.com', false],
])('isLoopback(%s) is %s', (url, expected) => {
  expect(isLoopback(url)).toBe(expected);
});

test('a URL is shown without user, password and query', () => {
  expect(publicUrl('https://me:pw@llm.corp/v1/?key=s')).toBe('https://llm.corp/v1');
});
