import { trustedAuthorities } from '../authorities.ts';
import { PodlensError } from '../errors.ts';
import { percentDecoded } from '../percent.ts';
import { version } from '../version.ts';
import { credentialsOf, pem } from './credentials.ts';
import { type Entry, loadTarget, text } from './kubeconfig.ts';
import { proxyFor } from './proxy.ts';
import { createTransport, type Transport } from './transport.ts';

export interface ConnectOptions {
  /** Path of a kubeconfig; without it KUBECONFIG, ~/.kube/config or the pod's service account. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  /** How long a response may pause: 30 s without it, and 0 for as long as it likes. */
  readonly requestTimeoutMs?: number | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly signal: AbortSignal;
  /** The folder of the pod's own service account, where it is not the kubelet's. */
  readonly serviceAccount?: string | undefined;
}

export interface Connection {
  /** Its address, as in the kubeconfig. */
  readonly server: string;
  /** Undefined in a pod that has no kubeconfig. */
  readonly context: string | undefined;
  /** The context's own, "default" where it names none. */
  readonly namespace: string;
  readonly transport: Transport;
}

const TIMEOUT_MS = 30_000;

/**
 * Finds out whom to ask and as whom. Nothing is sent yet; credential plugins run with the first request. Throws a
 * PodlensError where the kubeconfig does not lead to a cluster.
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { env = process.env, signal, requestTimeoutMs = TIMEOUT_MS } = options;
  const target = await loadTarget({ ...options, env });
  const { cluster, context, namespace } = target;
  const { server, login } = apart(serverOf(cluster, context));
  const user = Object.keys(target.user).length === 0 ? login : target.user;
  const transport = await createTransport({
    server,
    credentials: await credentialsOf({ ...target, user }, { env, signal }),
    tls: server.protocol === 'https:' ? await trustOf(cluster) : {},
    proxy: proxyFor(server, text(cluster['proxy-url']), env),
    userAgent: `podlens/${version}`,
    timeoutMs: requestTimeoutMs,
    compress: cluster['disable-compression'] !== true,
  });
  return { server: transport.server, context, namespace, transport };
}

/** An address may hold a name and a password, which are never shown; kubectl logs in with them. */
function apart(address: URL): { readonly server: URL; readonly login: Entry } {
  const { username, password } = address;
  const server = new URL(address);
  server.username = '';
  server.password = '';
  return {
    server,
    login: username === '' ? {} : { username: percentDecoded(username), password: percentDecoded(password) },
  };
}

/** Without a scheme client-go takes https where the cluster has anything to do with TLS. */
function serverOf(cluster: Entry, context: string | undefined): URL {
  const server = text(cluster['server']);
  if (server === undefined) {
    throw new PodlensError('no-server', `The cluster of the context "${context}" has no server.`);
  }
  const tls = ['certificate-authority', 'certificate-authority-data', 'insecure-skip-tls-verify', 'tls-server-name'];
  const scheme = tls.some((field) => cluster[field]) ? 'https' : 'http';
  const whole = server.includes('://') ? server : `${scheme}://${server}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url;
  throw new PodlensError(
    'no-server',
    `The server "${server.replace(/\/\/[^/]*@/, '//')}" of the context "${context}" is no http or https address.`,
  );
}

async function trustOf(cluster: Entry) {
  const servername = text(cluster['tls-server-name']);
  const named = servername === undefined ? {} : { servername };
  if (cluster['insecure-skip-tls-verify'] === true) return { ...named, rejectUnauthorized: false };
  const ca = await pem(cluster, 'certificate-authority');
  if (ca !== undefined && !ca.includes('-----BEGIN ')) {
    const field = cluster['certificate-authority-data'] ? 'certificate-authority-data' : 'certificate-authority';
    throw new PodlensError('credentials-unreadable', `The ${field} of the kubeconfig holds no certificate.`, {
      hint: 'It has to be PEM; in the -data field that is base64 of it.',
    });
  }
  // kubectl trusts what the machine trusts, Node only what it was built with.
  return { ...named, ca: ca ?? trustedAuthorities(['default', 'system']) };
}
