import type { BackendConfig, Config } from '../config.ts';
import { PodlensError } from '../errors.ts';
import { didYouMean } from '../objects/suggest.ts';
import { isLoopback } from './http.ts';
import { ollamaUrl } from './ollama-url.ts';
import { type Api, type Provider, providers } from './providers.ts';

/** What the person's flags say. */
export interface BackendRequest {
  /** Names from the config, providers, or either with a model: "ollama:llama3.2:3b". */
  readonly backend?: readonly string[] | undefined;
  readonly model?: string | undefined;
  readonly baseUrl?: string | undefined;
}

/** Everything there is to know about a backend before it is contacted. */
export interface BackendSettings {
  readonly name: string;
  readonly provider: string;
  readonly api: Api;
  /** May hold user and password: see `publicUrl`. */
  readonly baseUrl: string;
  /** Absent: the only one that the endpoint offers. */
  readonly model?: string | undefined;
  readonly key: KeySource;
  readonly config: Partial<BackendConfig>;
}

export type KeySource =
  | { readonly from: 'environment'; readonly variable: string; readonly key: string }
  | { readonly from: 'config'; readonly key: string }
  | { readonly from: 'command'; readonly command: string | readonly string[] }
  | { readonly from: 'nowhere' };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The backends to ask, in order. Flags come before PODLENS_BACKEND and PODLENS_MODEL, those before the config's default;
 * a provider's own variables decide only where nothing else does, because a key that lies around in the environment is
 * no wish to send anything there. Fails where that names none, or one that cannot work.
 */
export function chooseBackends(request: BackendRequest, config: Config, env: Environment): BackendSettings[] {
  const fromEnv = env['PODLENS_BACKEND']?.split(',').map((name) => name.trim());
  const words = request.backend ?? (request.baseUrl === undefined ? fromEnv : undefined);
  const names = words ?? [request.baseUrl === undefined ? defaultName(config, env) : 'openai'];
  if (names.length > 1 && request.baseUrl !== undefined) {
    throw new PodlensError('backend-conflict', '--base-url goes with one backend, and there are several.', {
      hint: 'Add them with: podlens backends add',
    });
  }
  const model = request.model ?? env['PODLENS_MODEL'];
  return [...new Set(names)].map((word) => settingsFor(word, { ...request, model }, config, env));
}

/** What --explain would use without any flag; undefined where nothing is set up. */
export function findDefault(config: Config, env: Environment): string | undefined {
  if (config.default !== undefined) return config.default;
  if (config.backends.length === 1) return config.backends[0]?.name;
  if (config.backends.length > 1) return undefined;
  return providersIn(env)[0];
}

/** The providers that the environment sets up. */
export const providersIn = (env: Environment): string[] =>
  ['openai', 'azure', 'ollama'].filter((name) => {
    const { keyVariable = '', urlVariable = '' } = providers[name] ?? {};
    return name === 'azure' ? env[urlVariable] : env[urlVariable] || env[keyVariable];
  });

function defaultName(config: Config, env: Environment): string {
  const name = findDefault(config, env);
  if (name !== undefined) return name;
  if (config.backends.length > 1) {
    throw new PodlensError('backend-ambiguous', 'Several backends are set up and none is the default.', {
      hint: `Choose with --backend, or for good: podlens backends default ${config.backends[0]?.name}. There are ${names(config)}.`,
    });
  }
  throw new PodlensError('backend-missing', 'No backend is set up to explain with.', {
    hint: 'Use --backend ollama for a model on this machine, set OPENAI_API_KEY or OLLAMA_HOST, or name an endpoint with --base-url.',
  });
}

const names = (config: Config): string => config.backends.map(({ name }) => name).join(', ');

function settingsFor(word: string, request: BackendRequest, config: Config, env: Environment): BackendSettings {
  const colon = word.indexOf(':');
  const name = colon < 0 ? word : word.slice(0, colon);
  const entry = config.backends.find((backend) => backend.name === name) ?? fromProvider(name, config);
  const provider = providerOf(entry);
  const baseUrl = urlOf(entry, provider, request, env);
  const key = keyOf(entry, provider, env);
  const own = entry.model ?? (provider.modelVariable && env[provider.modelVariable]);
  const model = colon < 0 ? (request.model ?? own) : word.slice(colon + 1);
  const settings = { name, provider: entry.provider, api: provider.api, baseUrl, key, config: entry };
  if (needsKey(settings, provider)) throw keyMissing(name, provider);
  return { ...settings, ...(model ? { model } : {}) };
}

function fromProvider(name: string, config: Config): BackendConfig {
  if (Object.hasOwn(providers, name)) return { name, provider: name };
  const known = [...config.backends.map((backend) => backend.name), ...Object.keys(providers)];
  const [near] = didYouMean(name, known);
  throw new PodlensError('backend-unknown', `There is no backend named "${name}".`, {
    hint:
      near === undefined
        ? `There are ${known.join(', ')}; add others with: podlens backends add`
        : `Did you mean "${near}"?`,
  });
}

function providerOf({ name, provider }: BackendConfig): Provider {
  const found = Object.hasOwn(providers, provider) ? providers[provider] : undefined;
  if (found !== undefined) return found;
  const known = Object.keys(providers);
  const [near] = didYouMean(provider, known);
  throw new PodlensError('provider-unknown', `The backend "${name}" has an unknown provider "${provider}".`, {
    hint:
      near === undefined
        ? `There are ${known.join(', ')}; any other endpoint is openai with a baseUrl.`
        : `Did you mean "${near}"?`,
  });
}

function urlOf(entry: BackendConfig, provider: Provider, request: BackendRequest, env: Environment): string {
  const variable = provider.urlVariable;
  const inEnv = variable === undefined ? undefined : env[variable]?.trim() || undefined;
  const [text, source] =
    request.baseUrl !== undefined
      ? [request.baseUrl, '--base-url']
      : entry.baseUrl !== undefined
        ? [entry.baseUrl, 'baseUrl in the config']
        : [inEnv ?? provider.baseUrl, variable ?? ''];
  if (provider.api === 'ollama') return checked(ollamaUrl, text ?? '', source);
  if (text === undefined) {
    throw new PodlensError('backend-url-missing', `The backend "${entry.name}" needs the URL of its endpoint.`, {
      hint: variable === undefined ? 'Give it with --base-url.' : `Give it with --base-url or ${variable}.`,
    });
  }
  return checked((url) => new URL(url).href.replace(/\/+$/, ''), text, source);
}

function checked(parse: (text: string) => string, text: string, source: string): string {
  try {
    const url = parse(text);
    if (/^https?:/.test(url)) return url;
  } catch {
    // The text is not repeated below: it may hold a password.
  }
  throw new PodlensError('backend-url-invalid', `${source} is not a URL that begins with http:// or https://.`);
}

function keyOf(entry: BackendConfig, { keyVariable }: Provider, env: Environment): KeySource {
  if (entry.keyCommand !== undefined) return { from: 'command', command: entry.keyCommand };
  if (entry.key !== undefined) return { from: 'config', key: entry.key };
  const key = keyVariable === undefined ? undefined : env[keyVariable]?.trim();
  return key && keyVariable !== undefined ? { from: 'environment', variable: keyVariable, key } : { from: 'nowhere' };
}

/** A provider's own endpoint asks for a key, and so does Azure wherever it is; another one may ask for none. */
function needsKey({ key, baseUrl, config }: Omit<BackendSettings, 'model'>, provider: Provider): boolean {
  if (!provider.needsKey || key.from !== 'nowhere' || config.headers !== undefined || isLoopback(baseUrl)) return false;
  return provider.api === 'azure' || baseUrl === provider.baseUrl;
}

const keyMissing = (name: string, { keyVariable }: Provider) =>
  new PodlensError('backend-key-missing', `The backend "${name}" needs a key.`, {
    hint: `Set ${keyVariable}, or give it a keyCommand in the config.`,
  });
