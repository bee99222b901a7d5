import { readFile } from 'node:fs/promises';
import { PodlensError } from '../errors.ts';
import { type ExecCredential, runExecPlugin } from './exec-plugin.ts';
import { type Entry, isEntry, messageOf, type Target, text } from './kubeconfig.ts';

/** What a request carries to say who asks. */
export interface Access {
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** PEM. */
  readonly cert?: string;
  readonly key?: string;
}

export interface Credentials {
  /** One plugin run serves all requests until what it gave expires; `refused` runs it again after a 401. */
  get(refused?: Access): Promise<Access>;
}

export interface CredentialOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

// A token that ends within this time may be refused before the answer is through.
const EXPIRY_MARGIN_MS = 10_000;
// As client-go: the kubelet renews a mounted token long before it expires.
const TOKEN_FILE_MS = 60_000;

/** How a user of a kubeconfig proves who they are. Throws a PodlensError where that cannot work. */
export async function credentialsOf(target: Target, options: CredentialOptions): Promise<Credentials> {
  const { user } = target;
  if (user['token'] !== undefined && user['token'] !== null && typeof user['token'] !== 'string') {
    throw new PodlensError('kubeconfig-invalid', "The user's token in the kubeconfig is no text.", {
      hint: 'Put it in quotes.',
    });
  }
  const base = await staticAccess(user);
  const tokenFile = text(user['tokenFile']);
  const token = text(user['token']);
  if (isEntry(user['exec'])) {
    const exec = user['exec'];
    return renewed(async () => withPlugin(base, await runExecPlugin(exec, target.cluster, options)));
  }
  if (tokenFile !== undefined) {
    return renewed(async () => ({
      access: withToken(base, (await fileOf(tokenFile, 'token file')).trim()),
      until: Date.now() + TOKEN_FILE_MS,
    }));
  }
  if (token !== undefined) return fixed(withToken(base, token));
  if (text(user['username']) !== undefined) return fixed(withPassword(base, user));
  if (isEntry(user['auth-provider'])) {
    const { authProviderHeaders } = await import('./client-node.ts');
    return renewed(async () => ({
      access: { ...base, headers: { ...base.headers, ...(await authProviderHeaders(target)) } },
      until: Date.now() + TOKEN_FILE_MS,
    }));
  }
  return fixed(base);
}

interface Lease {
  readonly access: Access;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

const fixed = (access: Access): Credentials => ({ get: async () => access });

/** Asks once for everybody who waits, and again when what was given has expired or was refused. */
function renewed(ask: () => Promise<Lease>): Credentials {
  let current: Promise<Lease> | undefined;
  return {
    async get(refused) {
      current ??= ask();
      const seen = current;
      const { access, until } = await seen;
      if (until > Date.now() && access !== refused) return access;
      // Of those who waited together only the first asks again.
      if (current === seen) current = ask();
      return (await current).access;
    },
  };
}

async function staticAccess(user: Entry): Promise<Access> {
  const cert = await pem(user, 'client-certificate');
  const key = await pem(user, 'client-key');
  return {
    headers: impersonation(user),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

/** A certificate or key: inline data wins over a file, as in client-go. */
export async function pem(entry: Entry, field: string): Promise<string | undefined> {
  const data = text(entry[`${field}-data`]);
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  const path = text(entry[field]);
  return path === undefined ? undefined : fileOf(path, field.replaceAll('-', ' '));
}

async function fileOf(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new PodlensError('credentials-unreadable', `The ${what} ${path} cannot be read: ${messageOf(error)}.`, {
      hint: 'The kubeconfig names it; correct the path there or log in to the cluster again.',
      cause: error,
    });
  }
}

const withToken = (access: Access, token: string): Access => ({
  ...access,
  headers: { ...access.headers, authorization: `Bearer ${token}` },
});

function withPassword(access: Access, user: Entry): Access {
  const login = Buffer.from(`${text(user['username'])}:${text(user['password']) ?? ''}`).toString('base64');
  return { ...access, headers: { ...access.headers, authorization: `Basic ${login}` } };
}

function withPlugin(access: Access, given: ExecCredential): Lease {
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = given;
  const expires = expirationTimestamp === undefined ? Number.NaN : Date.parse(expirationTimestamp);
  return {
    access: {
      ...(token === undefined ? access : withToken(access, token)),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
    until: Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires - EXPIRY_MARGIN_MS,
  };
}

function impersonation(user: Entry): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  const as = text(user['as']);
  if (as === undefined) return headers;
  headers['impersonate-user'] = as;
  const uid = text(user['as-uid']);
  if (uid !== undefined) headers['impersonate-uid'] = uid;
  const groups = user['as-groups'];
  if (Array.isArray(groups)) headers['impersonate-group'] = groups.map(String);
  const extra = isEntry(user['as-user-extra']) ? user['as-user-extra'] : {};
  for (const [name, values] of Object.entries(extra)) {
    if (Array.isArray(values)) headers[`impersonate-extra-${encodeURIComponent(name)}`] = values.map(String);
  }
  return headers;
}
