import type { Agent } from 'node:http';
import type { RequestOptions } from 'node:https';
import { PodlensError } from '../errors.ts';
import { isEntry, messageOf, type Target } from './kubeconfig.ts';

/**
 * The client library's part: the old auth providers (oidc, gcp, azure) and SOCKS proxies. It is imported only for a
 * kubeconfig that has one of them, since the library's generated API takes longer to load than most clusters to read.
 */
async function optionsOf(cluster: object, user: object): Promise<RequestOptions> {
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'cluster', skipTLSVerify: false, ...cluster }],
    users: [{ name: 'user', ...user }],
    contexts: [{ name: 'context', cluster: 'cluster', user: 'user' }],
    currentContext: 'context',
  });
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  return options;
}

/** The headers that an `auth-provider` of a kubeconfig's user gives. */
export async function authProviderHeaders({ cluster, user }: Target): Promise<Record<string, string>> {
  try {
    const options = await optionsOf({ server: cluster['server'] }, { authProvider: user['auth-provider'] });
    return Object.fromEntries(Object.entries(options.headers ?? {}).map(([name, value]) => [name, String(value)]));
  } catch (error) {
    throw new PodlensError('auth-provider', `The auth provider of the kubeconfig's user failed: ${messageOf(error)}.`, {
      hint: 'Log in to the cluster again.',
      cause: error,
    });
  }
}

/** An agent that connects through a SOCKS proxy. */
export async function socksAgent(proxyUrl: string): Promise<Agent> {
  const { agent } = await optionsOf({ server: 'https://cluster', proxyUrl }, {});
  if (agent === undefined || typeof agent === 'boolean') {
    throw new PodlensError('proxy', 'The SOCKS proxy of the kubeconfig cannot be used.');
  }
  // Its options would outrank a request's own, and the library sets each it does not know to undefined.
  const options: Record<string, unknown> = 'options' in agent && isEntry(agent.options) ? agent.options : {};
  for (const name of Object.keys(options)) if (options[name] === undefined) delete options[name];
  return agent;
}
