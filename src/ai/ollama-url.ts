const DEFAULT_PORT = '11434';

/**
 * The URL that OLLAMA_HOST means: a host, host:port or URL; the address a server listens on everywhere is this machine.
 * Throws what `new URL` throws.
 */
export function ollamaUrl(host = ''): string {
  const text = host.trim().replace(/^["']|["']$/g, '');
  if (text === '') return `http://127.0.0.1:${DEFAULT_PORT}`;
  const bare = !text.includes('://');
  // Neither "::1" nor ":11434" is the start of a URL.
  const ipv6 = /^[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:.]*$/i.test(text) ? `[${text}]` : text;
  const named = ipv6.startsWith(':') ? `127.0.0.1${ipv6}` : ipv6;
  const url = new URL(bare ? `http://${named}` : text);
  if (bare && url.port === '' && !/:80(\/|$)/.test(named)) url.port = DEFAULT_PORT;
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1';
  // Its OpenAI-compatible API lives below /v1; the native one does not.
  return url.href.replace(/\/((v1|api)\/?)?$/, '');
}
