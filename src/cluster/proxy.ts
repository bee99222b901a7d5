import { BlockList, isIP } from 'node:net';
import { PodlensError } from '../errors.ts';
import { percentDecoded } from '../percent.ts';

/** The proxy that Go programs, kubectl among them, would use for a server; undefined where they connect directly. */
export function proxyFor(server: URL, proxyUrl: string | undefined, env: NodeJS.ProcessEnv): URL | undefined {
  if (proxyUrl !== undefined) return parse(proxyUrl, 'proxy-url in the kubeconfig');
  const name = server.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const proxy = env[name] || env[name.toLowerCase()];
  if (!proxy || isLocal(server.hostname)) return undefined;
  if (exempt(server, env['NO_PROXY'] || env['no_proxy'] || '')) return undefined;
  return parse(proxy.includes('://') ? proxy : `http://${proxy}`, name);
}

function parse(proxy: string, source: string): URL {
  const url = URL.canParse(proxy) ? new URL(proxy) : undefined;
  if (url !== undefined && /^(https?|socks[45]?[ah]?):$/.test(url.protocol)) {
    // A "%" that stands for itself is written as one.
    url.username = encodeURIComponent(percentDecoded(url.username));
    url.password = encodeURIComponent(percentDecoded(url.password));
    return url;
  }
  // A proxy's address may carry a password, so it is not quoted.
  throw new PodlensError('proxy', `${source} is not the address of an http, https or socks5 proxy.`);
}

const bare = (host: string): string => host.replace(/^\[|\]$/g, '').toLowerCase();

function isLocal(hostname: string): boolean {
  const host = bare(hostname);
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/** NO_PROXY as Go reads it: "*", hosts with their subdomains, ".domain" for subdomains only, addresses, CIDRs, ":port". */
function exempt(server: URL, list: string): boolean {
  const host = bare(server.hostname);
  const port = server.port || (server.protocol === 'https:' ? '443' : '80');
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')
    .some((entry) => entry === '*' || matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  const [network = '', bits] = entry.split('/');
  if (bits !== undefined) return inNetwork(network, Number(bits), host);
  if (isIP(bare(entry)) !== 0) return host === bare(entry);
  const [, name = entry, wanted = port] = /^(.*):(\d+)$/.exec(entry) ?? [];
  if (wanted !== port) return false;
  if (name.startsWith('*.')) return host.endsWith(name.slice(1));
  if (name.startsWith('.')) return host.endsWith(name);
  return host === bare(name) || (isIP(host) === 0 && host.endsWith(`.${name}`));
}

function inNetwork(network: string, bits: number, host: string): boolean {
  const family = isIP(bare(network));
  if (family === 0 || isIP(host) !== family) return false;
  const list = new BlockList();
  try {
    list.addSubnet(bare(network), bits, family === 6 ? 'ipv6' : 'ipv4');
  } catch {
    return false;
  }
  return list.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

/** The way to the server is closed, whatever the server would say. */
export class ProxyRefusal extends Error {}

export function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {};
  const login = `${percentDecoded(proxy.username)}:${percentDecoded(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` };
}
