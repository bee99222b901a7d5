import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { PodlensError } from '../errors.ts';
import { didYouMean } from '../objects/suggest.ts';

/** A kubeconfig's entry, read as it stands: which fields are there is checked where they are used. */
export type Entry = Readonly<Record<string, unknown>>;

/** What a context comes to: whom to ask, as whom, and where by default. */
export interface Target {
  /** Undefined in a pod that has no kubeconfig. */
  readonly context: string | undefined;
  readonly namespace: string;
  readonly cluster: Entry;
  readonly user: Entry;
}

export interface KubeconfigOptions {
  /** A file named by the person, which must exist. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** The folder of the pod's own service account, where it is not the kubelet's. */
  readonly serviceAccount?: string | undefined;
}

interface Kubeconfig {
  /** The files it was read from, as the person would name them. */
  readonly path: string;
  readonly current: string | undefined;
  readonly contexts: ReadonlyMap<string, Entry>;
  readonly clusters: ReadonlyMap<string, Entry>;
  readonly users: ReadonlyMap<string, Entry>;
}

/** Where the kubelet mounts a pod's own credentials. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * Reads the kubeconfig as kubectl does: the named file; else every file in KUBECONFIG, of which the first to have an
 * entry wins; else ~/.kube/config; else the pod's own service account.
 */
export async function loadTarget(given: KubeconfigOptions): Promise<Target> {
  // As for kubectl, what is empty is not given: a variable that is not set.
  const options = { ...given, kubeconfig: given.kubeconfig || undefined, context: given.context || undefined };
  const { files, named } = kubeconfigFiles(options);
  const found = (await Promise.all(files.map(readConfig))).filter((config) => config !== undefined);
  const config = merge(found, files);
  if (config.contexts.size + config.clusters.size > 0) return resolve(config, options.context);

  const inCluster = options.kubeconfig === undefined ? await serviceAccount(options) : undefined;
  if (inCluster !== undefined && options.context === undefined) return inCluster;
  if (found.length > 0) {
    throw new PodlensError('kubeconfig-empty', `The kubeconfig ${config.path} names no cluster.`, { hint: WHERE });
  }
  if (named) {
    throw new PodlensError('kubeconfig-not-found', `The kubeconfig ${config.path} does not exist.`, { hint: WHERE });
  }
  throw new PodlensError('kubeconfig-not-found', `There is no kubeconfig: ${config.path} does not exist.`, {
    hint: WHERE,
  });
}

const WHERE =
  'Name one with --kubeconfig or in KUBECONFIG, or read a saved cluster with -f. What kubectl uses is shown by: kubectl config view --minify';

function kubeconfigFiles({ kubeconfig, env }: KubeconfigOptions): { files: readonly string[]; named: boolean } {
  if (kubeconfig !== undefined) return { files: [kubeconfig], named: true };
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  if (listed.length > 0) return { files: [...new Set(listed)], named: true };
  return { files: [join(env['HOME'] ?? env['USERPROFILE'] ?? homedir(), '.kube', 'config')], named: false };
}

/** One file's content with absolute paths; undefined where it does not exist. */
async function readConfig(path: string): Promise<Kubeconfig | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw new PodlensError('kubeconfig-unreadable', `The kubeconfig ${path} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  const content = await parse(path, text);
  const current = content['current-context'];
  return {
    path,
    current: typeof current === 'string' && current !== '' ? current : undefined,
    contexts: entries(content['contexts'], 'context', dirname(path)),
    clusters: entries(content['clusters'], 'cluster', dirname(path)),
    users: entries(content['users'], 'user', dirname(path)),
  };
}

async function parse(path: string, text: string): Promise<Entry> {
  const { load } = await import('js-yaml');
  let content: unknown;
  try {
    // An empty file is an empty kubeconfig.
    content = text.trim() === '' ? {} : load(text);
  } catch (error) {
    throw new PodlensError('kubeconfig-invalid', `The kubeconfig ${path} is not valid YAML: ${firstLine(error)}.`, {
      cause: error,
    });
  }
  if (isEntry(content)) return content;
  throw new PodlensError('kubeconfig-invalid', `The kubeconfig ${path} is not a kubeconfig: it holds no fields.`);
}

const PATHS = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'];

/** The entries of one list by name. The first of a name wins, and paths in it are made absolute. */
function entries(list: unknown, key: string, folder: string): Map<string, Entry> {
  const byName = new Map<string, Entry>();
  for (const item of Array.isArray(list) ? list : []) {
    if (!isEntry(item) || typeof item['name'] !== 'string' || byName.has(item['name'])) continue;
    const entry: Record<string, unknown> = isEntry(item[key]) ? { ...item[key] } : {};
    for (const name of PATHS) {
      const path = entry[name];
      if (typeof path === 'string' && path !== '' && !isAbsolute(path)) entry[name] = join(folder, path);
    }
    byName.set(item['name'], withAbsoluteCommand(entry, folder));
  }
  return byName;
}

/** A credential plugin's command with a slash in it stands relative to its kubeconfig. */
function withAbsoluteCommand(entry: Entry, folder: string): Entry {
  const { exec } = entry;
  if (!isEntry(exec) || typeof exec['command'] !== 'string') return entry;
  const { command } = exec;
  if (!/[/\\]/.test(command) || isAbsolute(command)) return entry;
  return { ...entry, exec: { ...exec, command: join(folder, command) } };
}

/** The first file to have an entry wins; what later files say under the same name is left out whole. */
function merge(configs: readonly Kubeconfig[], files: readonly string[]): Kubeconfig {
  const later = configs.toReversed();
  const all = (pick: (config: Kubeconfig) => ReadonlyMap<string, Entry>) =>
    new Map(later.flatMap((config) => [...pick(config)]));
  return {
    path: (configs.length > 0 ? configs.map(({ path }) => path) : files).join(delimiter),
    current: configs.find(({ current }) => current !== undefined)?.current,
    contexts: all(({ contexts }) => contexts),
    clusters: all(({ clusters }) => clusters),
    users: all(({ users }) => users),
  };
}

function resolve(config: Kubeconfig, wanted: string | undefined): Target {
  const name = wanted ?? config.current;
  const known = [...config.contexts.keys()].sort();
  if (name === undefined) {
    throw new PodlensError('no-current-context', `${config.path} has no current context.`, {
      hint: `Choose one with --context, or set it: kubectl config use-context NAME. ${listed('Contexts', known)}`,
    });
  }
  const context = config.contexts.get(name);
  if (context === undefined) {
    const near = didYouMean(name, known);
    const meant = near.length > 0 ? `Did you mean ${near.map((n) => `"${n}"`).join(' or ')}? ` : '';
    throw new PodlensError('context-not-found', `No context named "${name}" in ${config.path}.`, {
      hint: `${meant}${listed('Contexts', known)}`,
    });
  }
  return {
    context: name,
    namespace: text(context['namespace']) ?? 'default',
    cluster: entryOf(config.clusters, 'cluster', context['cluster'], name, config.path),
    user: context['user'] ? entryOf(config.users, 'user', context['user'], name, config.path) : {},
  };
}

function entryOf(
  entries: ReadonlyMap<string, Entry>,
  kind: 'cluster' | 'user',
  name: unknown,
  context: string,
  path: string,
): Entry {
  if (typeof name !== 'string' || name === '') {
    throw new PodlensError(`${kind}-not-found`, `The context "${context}" in ${path} names no ${kind}.`);
  }
  const entry = entries.get(name);
  if (entry !== undefined) return entry;
  throw new PodlensError(
    `${kind}-not-found`,
    `The context "${context}" uses the ${kind} "${name}", which ${path} does not have.`,
    { hint: listed(kind === 'cluster' ? 'Clusters' : 'Users', [...entries.keys()].sort()) },
  );
}

const MOST_NAMES = 20;

function listed(what: string, names: readonly string[]): string {
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
  return names.length === 0 ? `${what}: none.` : `${what}: ${names.slice(0, MOST_NAMES).join(', ')}${more}.`;
}

async function serviceAccount({ env, ...options }: KubeconfigOptions): Promise<Target | undefined> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  const folder = options.serviceAccount ?? SERVICE_ACCOUNT;
  if (host === undefined || port === undefined || host === '' || port === '') return undefined;
  const tokenFile = join(folder, 'token');
  if ((await content(tokenFile)) === undefined) return undefined;
  return {
    context: undefined,
    namespace: (await content(join(folder, 'namespace')))?.trim() || 'default',
    cluster: {
      server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
      'certificate-authority': join(folder, 'ca.crt'),
    },
    user: { tokenFile },
  };
}

const content = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);

export const isEntry = (value: unknown): value is Entry =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field that is a string and not empty. */
export const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

export const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const firstLine = (error: unknown): string => messageOf(error).split('\n')[0] ?? '';
