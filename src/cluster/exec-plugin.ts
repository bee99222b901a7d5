import { spawn } from 'node:child_process';
import { PodlensError } from '../errors.ts';
import { type Entry, hasCode, isEntry, messageOf, text } from './kubeconfig.ts';

/** What a credential plugin gave. */
export interface ExecCredential {
  readonly token?: string;
  /** PEM. */
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
  /** RFC 3339. */
  readonly expirationTimestamp?: string;
}

interface PluginOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Runs the credential plugin of a kubeconfig's user once. Throws a PodlensError that says what became of it. */
export async function runExecPlugin(exec: Entry, cluster: Entry, options: PluginOptions): Promise<ExecCredential> {
  const command = text(exec['command']);
  if (command === undefined) {
    throw new PodlensError('exec-plugin', 'The kubeconfig has a credential plugin without a command.');
  }
  const interactive = isInteractive(exec, command);
  const { stdout, stderr, code } = await run(command, exec, interactive, {
    ...options,
    env: { ...options.env, ...ownEnv(exec), KUBERNETES_EXEC_INFO: execInfo(exec, cluster, interactive) },
  });
  if (code !== 0) {
    const said = stderr.trim().split('\n').at(-1);
    throw new PodlensError('exec-plugin', `The credential plugin "${command}" failed with exit code ${code}.`, {
      hint: said === undefined || said === '' ? `Try it by itself: ${command}` : `It said: ${said}`,
    });
  }
  return credentialIn(stdout, command, exec);
}

function isInteractive(exec: Entry, command: string): boolean {
  const mode = text(exec['interactiveMode']) ?? 'IfAvailable';
  const terminal = process.stdin.isTTY === true;
  if (mode === 'Always' && !terminal) {
    throw new PodlensError('exec-plugin', `The credential plugin "${command}" asks questions and needs a terminal.`);
  }
  return terminal && mode !== 'Never';
}

function ownEnv(exec: Entry): Record<string, string> {
  const env: Record<string, string> = {};
  for (const item of Array.isArray(exec['env']) ? exec['env'] : []) {
    if (isEntry(item) && typeof item['name'] === 'string') env[item['name']] = String(item['value'] ?? '');
  }
  return env;
}

/** What client-go tells a plugin: for which API version to answer and, where it wants to know, for which cluster. */
function execInfo(exec: Entry, cluster: Entry, interactive: boolean): string {
  const about = {
    server: cluster['server'],
    'tls-server-name': cluster['tls-server-name'],
    'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'],
    'certificate-authority-data': cluster['certificate-authority-data'],
    'proxy-url': cluster['proxy-url'],
    config: extensionOf(cluster),
  };
  return JSON.stringify({
    kind: 'ExecCredential',
    apiVersion: exec['apiVersion'],
    spec: { interactive, ...(exec['provideClusterInfo'] === true ? { cluster: about } : {}) },
  });
}

function extensionOf(cluster: Entry): unknown {
  const extensions = Array.isArray(cluster['extensions']) ? cluster['extensions'] : [];
  return extensions.find((item) => isEntry(item) && item['name'] === 'client.authentication.k8s.io/exec')?.extension;
}

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | string;
}

function run(command: string, exec: Entry, interactive: boolean, { env, signal }: PluginOptions): Promise<Ended> {
  const args = Array.isArray(exec['args']) ? exec['args'].map(String) : [];
  return new Promise((resolve, reject) => {
    // What a plugin asks of the person stands on stderr, so with a terminal it goes there at once.
    const child = spawn(command, args, {
      env,
      signal,
      stdio: [interactive ? 'inherit' : 'ignore', 'pipe', interactive ? 'inherit' : 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    let waits = false;
    const patience = setTimeout(() => {
      waits = true;
      process.stderr.write(stderr);
    }, PATIENCE_MS);
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
      if (waits) process.stderr.write(chunk);
    });
    child.on('error', (error) => reject(signal.aborted ? signal.reason : notStarted(error, command, exec)));
    child.on('close', (code, killed) => {
      clearTimeout(patience);
      resolve({ stdout, stderr, code: code ?? killed ?? 'unknown' });
    });
  });
}

// A plugin that takes longer most likely waits for a person, who has to be told for what.
const PATIENCE_MS = 3000;

function notStarted(error: Error, command: string, exec: Entry): PodlensError {
  const missing = hasCode(error, 'ENOENT');
  const why = missing ? 'was not found' : `cannot be run: ${messageOf(error)}`;
  return new PodlensError('exec-plugin', `The credential plugin "${command}" of the kubeconfig ${why}.`, {
    hint: text(exec['installHint'])?.trim() ?? 'Install it, or put its folder on the PATH.',
    cause: error,
  });
}

function credentialIn(stdout: string, command: string, exec: Entry): ExecCredential {
  let answer: unknown;
  try {
    answer = JSON.parse(stdout);
  } catch {
    // The cause would quote what was printed, which may be a token.
    throw new PodlensError('exec-plugin', `The credential plugin "${command}" printed something that is not JSON.`);
  }
  const status = isEntry(answer) && isEntry(answer['status']) ? answer['status'] : undefined;
  if (status === undefined) {
    throw new PodlensError(
      'exec-plugin',
      `The credential plugin "${command}" printed no ExecCredential with a status.`,
    );
  }
  if (isEntry(answer) && answer['apiVersion'] !== exec['apiVersion']) {
    throw new PodlensError(
      'exec-plugin',
      `The credential plugin "${command}" answered in ${String(answer['apiVersion'])}; the kubeconfig asks for ${String(exec['apiVersion'])}.`,
    );
  }
  const credential: Record<string, string> = {};
  for (const field of ['token', 'clientCertificateData', 'clientKeyData', 'expirationTimestamp']) {
    const value = text(status[field]);
    if (value !== undefined) credential[field] = value;
  }
  if (credential['token'] === undefined && credential['clientCertificateData'] === undefined) {
    throw new PodlensError('exec-plugin', `The credential plugin "${command}" gave neither a token nor a certificate.`);
  }
  return credential;
}
