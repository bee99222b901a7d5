import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentialsOf, pem } from '../../src/cluster/credentials.ts';
import { loadTarget, text } from '../../src/cluster/kubeconfig.ts';

/** An API server, as curl and as programs with a kubeconfig reach it. */
export interface Endpoint {
  readonly url: string;
  /** The flags with which curl trusts it, and shows who asks. */
  readonly curl: readonly string[];
  readonly kubeconfig: string;
}

/** The one that a kubeconfig leads to; what curl needs as a file is written to the folder. */
export async function endpointOf(kubeconfig: string, folder: string): Promise<Endpoint> {
  const target = await loadTarget({ kubeconfig, env: process.env });
  const credentials = await credentialsOf(target, { env: process.env, signal: new AbortController().signal });
  const { headers, cert, key } = await credentials.get();
  const ca = await pem(target.cluster, 'certificate-authority');
  const file = (flag: string, content: string | undefined) => {
    if (content === undefined) return [];
    const path = join(folder, flag.slice(2));
    writeFileSync(path, content, { mode: 0o600 });
    return [flag, path];
  };
  // A header in a file of its own is not on the command line, where everybody could read it.
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const said = lines.length === 0 ? [] : ['-H', `@${file('--headers', `${lines.join('\n')}\n`)[1]}`];
  const trust = target.cluster['insecure-skip-tls-verify'] === true ? ['--insecure'] : file('--cacert', ca);
  return {
    url: (text(target.cluster['server']) ?? '').replace(/\/$/, ''),
    curl: [...trust, ...file('--cert', cert), ...file('--key', key), ...said],
    kubeconfig,
  };
}
