import { readFile } from 'node:fs/promises';
import { PodlensError } from '../errors.ts';
import { type Backend, backendFailures } from './backend.ts';
import type { BackendSettings } from './choose-backends.ts';
import { type Endpoint, offerOf } from './failure.ts';
import { createFetch, type Fetch, isLoopback, publicUrl, splitCredentials } from './http.ts';
import { readKey } from './key.ts';

export interface OpenOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Shared by backends that are opened together: see `readKey`. */
  readonly keys?: Map<string, Promise<string>>;
}

/** A backend whose key is known and which may be asked. */
export interface OpenEndpoint {
  readonly endpoint: Endpoint;
  /** The models it offers, sorted. */
  models(signal: AbortSignal): Promise<readonly string[]>;
  backend(model: string): Backend;
}

/**
 * The backend, ready to be asked. Contacts the endpoint only where no model is named: then it must offer exactly one.
 * Fails with a PodlensError that lists the models where the choice is the person's.
 */
export async function openBackend(settings: BackendSettings, options: OpenOptions): Promise<Backend> {
  const open = await openEndpoint(settings, options);
  return open.backend(settings.model ?? (await onlyModel(open, options.signal)));
}

/**
 * The same, but an endpoint that cannot be asked for its models gives a backend whose every call fails with the reason:
 * whether a model can be reached is no reason to show no report.
 */
export async function openOrDown(settings: BackendSettings, options: OpenOptions): Promise<Backend> {
  try {
    return await openBackend(settings, options);
  } catch (error) {
    if (options.signal.aborted || !(error instanceof PodlensError) || !backendFailures.has(error.code)) throw error;
    const url = publicUrl(settings.baseUrl);
    return { id: `${settings.provider}@${url}`, local: isLoopback(url), complete: () => Promise.reject(error) };
  }
}

export async function onlyModel({ endpoint, models }: OpenEndpoint, signal: AbortSignal): Promise<string> {
  const offered = await models(signal);
  const [only] = offered;
  if (only !== undefined && offered.length === 1) return only;
  throw new PodlensError('backend-model-missing', `Which model of ${endpoint.name} at ${endpoint.url} is to be used?`, {
    hint: `Name it with --model. ${offerOf(offered)}`,
  });
}

/** Resolves the key, the CA and the proxy of a backend. Contacts nobody. */
export async function openEndpoint(settings: BackendSettings, options: OpenOptions): Promise<OpenEndpoint> {
  const { name, api, config } = settings;
  const { env } = options;
  const { url: baseUrl, authorization } = splitCredentials(settings.baseUrl);
  const key = await readKey(settings.key, { name, ...options });
  const local = isLoopback(baseUrl);
  const timeoutMs = (config.timeoutSeconds ?? (local || api === 'ollama' ? 600 : 120)) * 1000;
  const ca = config.caFile === undefined ? undefined : await readCa(config.caFile, name);
  const headers = {
    ...(authorization === undefined || key !== undefined ? {} : { Authorization: authorization }),
    ...config.headers,
  };
  checkHeaders(headers, name);
  const endpoint: Endpoint = {
    name,
    url: publicUrl(baseUrl),
    secrets: [...(key === undefined ? [] : [key]), ...Object.values(headers)],
    ...(local ? { startHint: api === 'ollama' ? 'Start it with: ollama serve' : 'Is its server running?' } : {}),
  };
  const fetch = await createFetch({ baseUrl, env, ca, timeoutMs });
  const access = { endpoint, baseUrl, key, headers, fetch, timeoutMs, maxRetries: config.maxRetries ?? 2, local };
  return api === 'ollama' ? openOllama(settings, access) : openOpenAi(settings, access, env);
}

/** What every API needs to be spoken. */
interface Access {
  readonly endpoint: Endpoint;
  readonly baseUrl: string;
  readonly key: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly maxRetries: number;
  readonly local: boolean;
}

const modelOf = ({ provider, config }: BackendSettings, { endpoint, local }: Access, model: string) => ({
  id: `${provider}:${model}@${endpoint.url}`,
  model,
  local,
  temperature: config.temperature,
});

async function openOllama(settings: BackendSettings, access: Access): Promise<OpenEndpoint> {
  const { ollamaBackend, ollamaModels } = await import('./ollama.ts');
  const { keepAlive, contextLength } = settings.config;
  const bearer = access.key === undefined ? {} : { Authorization: `Bearer ${access.key}` };
  const options = { ...access, headers: { ...bearer, ...access.headers }, keepAlive, contextLength };
  return {
    endpoint: access.endpoint,
    models: (signal) => ollamaModels(options, signal),
    backend: (model) => ollamaBackend(options, modelOf(settings, access, model)),
  };
}

async function openOpenAi(settings: BackendSettings, access: Access, env: NodeJS.ProcessEnv): Promise<OpenEndpoint> {
  const { openaiBackend, openaiModels } = await import('./openai.ts');
  const { api, provider, config } = settings;
  const azure = api === 'azure' ? { apiVersion: config.apiVersion ?? env['OPENAI_API_VERSION'] } : undefined;
  const options = {
    ...access,
    headers: provider === 'openai' ? { ...account(env), ...access.headers } : access.headers,
    baseUrl: azure === undefined ? access.baseUrl : azureUrl(access.baseUrl, azure.apiVersion),
    azure,
  };
  return {
    endpoint: access.endpoint,
    models: (signal) => openaiModels(options, signal),
    backend: (model) => openaiBackend(options, modelOf(settings, access, model)),
  };
}

/** Azure's endpoint is the resource; the API is below it, unless the person wrote the whole path. */
function azureUrl(baseUrl: string, apiVersion: string | undefined): string {
  if (/\/openai(\/|$)/.test(new URL(baseUrl).pathname)) return baseUrl;
  return `${baseUrl}/openai${apiVersion === undefined ? '/v1' : ''}`;
}

/** Which organisation and project of an OpenAI account pays. */
function account(env: NodeJS.ProcessEnv): Record<string, string> {
  const { OPENAI_ORG_ID: organization, OPENAI_PROJECT_ID: project } = env;
  return {
    ...(organization ? { 'OpenAI-Organization': organization } : {}),
    ...(project ? { 'OpenAI-Project': project } : {}),
  };
}

async function readCa(file: string, name: string): Promise<string> {
  const problem = (reason: string, cause?: unknown) =>
    new PodlensError('ca-unreadable', `The caFile of the backend "${name}", ${file}, ${reason}.`, { cause });
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw problem(`cannot be read (${cause instanceof Error && 'code' in cause ? cause.code : cause})`, cause);
  });
  if (!text.includes('-----BEGIN CERTIFICATE-----')) throw problem('holds no certificate in PEM form');
  return text;
}

/** fetch would repeat a value that it cannot send. */
function checkHeaders(headers: Readonly<Record<string, string>>, name: string): void {
  for (const [header, value] of Object.entries(headers)) {
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(header) && /^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)) continue;
    throw new PodlensError('header-invalid', `The backend "${name}" has a header "${header}" that cannot be sent.`);
  }
}
