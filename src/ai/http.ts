import { trustedAuthorities } from '../authorities.ts';
import { PodlensError } from '../errors.ts';
import { percentDecoded } from '../percent.ts';

/** fetch, as far as backends need it. */
export type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

export interface HttpOptions {
  readonly baseUrl: string;
  /** HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in capitals or not. */
  readonly env: NodeJS.ProcessEnv;
  /** PEM of certificate authorities that are trusted beside the system's. */
  readonly ca?: string | undefined;
  /** How long to wait for an answer to begin, and for its next part. */
  readonly timeoutMs: number;
}

/** A fetch that goes through the person's proxy and trusts their CA. This machine is never asked for through a proxy. */
export async function createFetch({ baseUrl, env, ca, timeoutMs }: HttpOptions): Promise<Fetch> {
  const { Agent, EnvHttpProxyAgent, fetch } = await import('undici');
  const tls = ca === undefined ? {} : { ca: [...trustedAuthorities(['default']), ca] };
  const options = {
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: { timeout: Math.min(timeoutMs, 10_000), ...tls },
  };
  const proxied = { ...options, requestTls: tls, proxyTls: tls };
  const variable = (name: string) => env[name.toLowerCase()] ?? env[name] ?? '';
  const dispatcher = isLoopback(baseUrl)
    ? new Agent(options)
    : withProxy(
        () =>
          new EnvHttpProxyAgent({
            ...proxied,
            httpProxy: variable('HTTP_PROXY'),
            httpsProxy: variable('HTTPS_PROXY'),
            noProxy: variable('NO_PROXY'),
          }),
      );
  // undici's types and those of the platform describe the same fetch, under two names.
  const send = fetch as unknown as (url: string | URL | Request, init: object) => Promise<Response>;
  return within(
    async (url, init) => limited(await send(url, { ...init, dispatcher, redirect: 'manual' })),
    new URL(baseUrl).origin,
  );
}

const MOST_HOPS = 5;

/** Follows redirects as long as they stay at this origin: the key and the prompt are for nobody else. */
const within =
  (fetch: Fetch, origin: string): Fetch =>
  async (url, init) => {
    let at = url instanceof Request ? url.url : String(url);
    for (let hops = 0; ; hops++) {
      const response = await fetch(at, init);
      const location = response.headers.get('location');
      if (response.status < 300 || response.status >= 400 || location === null || !URL.canParse(location, at))
        return response;
      await response.body?.cancel();
      at = new URL(location, at).href;
      if (new URL(at).origin !== origin || hops === MOST_HOPS) return new Response(publicUrl(at), { status: 300 });
    }
  };

/** The code of the error that ends an answer which does not end by itself. */
export const ENDLESS = 'ERR_ANSWER_ENDLESS';

/** Far more than any answer takes, with its thoughts and the wrapping of a stream. */
const MOST_BYTES = 16 * 2 ** 20;

/** Ends a response that would fill the memory. */
function limited(response: Response): Response {
  if (response.body === null) return response;
  let bytes = 0;
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes <= MOST_BYTES) controller.enqueue(chunk);
      else controller.error(Object.assign(new Error('The answer has no end.'), { code: ENDLESS }));
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(count), { status, statusText, headers: [...headers] });
}

function withProxy<T>(create: () => T): T {
  try {
    return create();
  } catch (cause) {
    throw new PodlensError('proxy-invalid', 'The proxy that HTTPS_PROXY or HTTP_PROXY names cannot be used.', {
      hint: 'It must look like http://proxy.example.com:3128.',
      cause,
    });
  }
}

/** Whether the URL names this machine. */
export function isLoopback(url: string): boolean {
  const host = new URL(url).hostname;
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
}

/** The URL as it may be shown: without user, password and query. */
export function publicUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`.replace(/\/+$/, '');
}

/** `user:password@` of a URL as a header, since fetch refuses such URLs; the URL without it. */
export function splitCredentials(url: string): { url: string; authorization?: string } {
  const parsed = new URL(url);
  if (parsed.username === '' && parsed.password === '') return { url };
  const pair = `${percentDecoded(parsed.username)}:${percentDecoded(parsed.password)}`;
  parsed.username = '';
  parsed.password = '';
  return { url: parsed.href.replace(/\/+$/, ''), authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}
