import { resolve } from 'node:path';
import type { Document, YAMLSeq } from 'yaml';
import type { Backend, Completion, Format, Prompt } from '../ai/backend.ts';
import { onlyModel, openEndpoint } from '../ai/backends.ts';
import {
  type BackendSettings,
  chooseBackends,
  findDefault,
  type KeySource,
  providersIn,
} from '../ai/choose-backends.ts';
import { publicUrl } from '../ai/http.ts';
import { providers } from '../ai/providers.ts';
import type { BackendConfig, Config } from '../config.ts';
import { PodlensError } from '../errors.ts';
import { didYouMean } from '../objects/suggest.ts';
import { editConfig, readConfig } from './config-file.ts';
import { exitCodes } from './exit-codes.ts';
import { type Io, write } from './io.ts';

export interface BackendsOptions {
  /** What --config names. */
  readonly config?: string | undefined;
}

export interface ListBackendsOptions extends BackendsOptions {
  readonly output?: 'text' | 'json' | undefined;
}

export interface AddBackendOptions extends BackendsOptions {
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
  readonly baseUrl?: string | undefined;
  readonly keyCommand?: string | undefined;
  /** The key is read from stdin: in a flag, other people on the machine would see it. */
  readonly keyStdin?: boolean | undefined;
  /** "Name: value" */
  readonly header?: readonly string[] | undefined;
  readonly caFile?: string | undefined;
  readonly timeoutSeconds?: number | undefined;
  readonly temperature?: number | undefined;
  readonly apiVersion?: string | undefined;
  readonly default?: boolean | undefined;
}

/** What `backends list` shows of a backend; where the key comes from, never the key. */
interface Row {
  readonly name: string;
  readonly provider: string;
  readonly model?: string;
  readonly url: string;
  readonly key: string;
  readonly default: boolean;
  readonly from: 'config' | 'environment';
  /** Why it cannot be used. */
  readonly problem?: string;
}

/** `podlens backends list`: what the config and the environment set up. */
export async function listBackends(options: ListBackendsOptions, io: Io): Promise<number> {
  const config = await readConfig(options, io, true);
  const rows = rowsOf(config, io.env);
  if (options.output === 'json') {
    await write(io.stdout, `${JSON.stringify(rows, null, 2)}\n`);
  } else if (rows.length === 0) {
    await write(io.stderr, `No backend is set up. Add one: ${io.name} backends add ollama --model llama3.2\n`);
  } else {
    await write(io.stdout, table(rows));
  }
  return exitCodes.done;
}

function rowsOf(config: Config, env: NodeJS.ProcessEnv): Row[] {
  const byDefault = findDefault(config, env);
  const configured = config.backends.map(({ name }) => name);
  const ambient = providersIn(env).filter((name) => !configured.includes(name));
  return [...configured, ...ambient].map((name) => rowOf(name, config, env, { byDefault, configured }));
}

function rowOf(
  name: string,
  config: Config,
  env: NodeJS.ProcessEnv,
  { byDefault, configured }: { readonly byDefault: string | undefined; readonly configured: readonly string[] },
): Row {
  const common = { default: name === byDefault, from: configured.includes(name) ? 'config' : 'environment' } as const;
  try {
    const [settings] = chooseBackends({ backend: [name] }, config, { ...env, PODLENS_MODEL: undefined });
    if (settings === undefined) throw new PodlensError('backend-unknown', `There is no backend named "${name}".`);
    const { provider, model, baseUrl, key } = settings;
    return {
      name,
      provider,
      ...(model === undefined ? {} : { model }),
      url: publicUrl(baseUrl),
      key: keyWords(key),
      ...common,
    };
  } catch (error) {
    if (!(error instanceof PodlensError)) throw error;
    const provider = config.backends.find((backend) => backend.name === name)?.provider ?? name;
    return { name, provider, url: '', key: '', ...common, problem: error.message };
  }
}

function keyWords(key: KeySource): string {
  if (key.from === 'environment') return key.variable;
  if (key.from === 'config') return 'in the config';
  return key.from === 'command' ? 'from a command' : 'none';
}

function table(rows: readonly Row[]): string {
  const lines = [
    ['NAME', 'PROVIDER', 'MODEL', 'URL', 'KEY', 'FROM'],
    ...rows.map((row) => [
      `${row.name}${row.default ? ' (default)' : ''}`,
      row.provider,
      row.model ?? '-',
      row.url || '-',
      row.key || '-',
      row.problem ?? row.from,
    ]),
  ];
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** `podlens backends add`: writes it to the config file; the first one becomes the default. */
export async function addBackend(name: string, options: AddBackendOptions, io: Io): Promise<number> {
  const config = await readConfig(options, io, true);
  if (config.backends.some((backend) => backend.name === name)) {
    throw new PodlensError('backend-exists', `There is a backend named "${name}" already.`, {
      hint: `Remove it first: ${io.name} backends remove ${name}`,
    });
  }
  const entry = await entryOf(name, options, io);
  // Fails for what cannot work: a provider or a URL that is none, a key that is missing.
  chooseBackends({ backend: [name] }, { ...config, backends: [entry] }, io.env);
  const first = config.backends.length === 0 && config.default === undefined;
  const file = await editConfig(editing(options, io), (document) => {
    // An empty list is written "[]" and would stay in that style.
    if (config.backends.length === 0) document.set('backends', document.createNode([entry]));
    else document.addIn(['backends'], document.createNode(entry));
    if (first || options.default === true) document.set('default', name);
  });
  const also = first || options.default === true ? ' It is the default.' : '';
  await write(io.stderr, `Added ${name} to ${file}.${also} Try it: ${io.name} backends test ${name}\n`);
  return exitCodes.done;
}

async function entryOf(name: string, options: AddBackendOptions, io: Io): Promise<BackendConfig> {
  if (options.keyStdin && options.keyCommand !== undefined) {
    throw new PodlensError('key-conflict', '--key-stdin and --key-command exclude each other.');
  }
  const { model, baseUrl, keyCommand, timeoutSeconds, temperature, apiVersion } = options;
  const caFile = options.caFile === undefined ? undefined : resolve(io.cwd, options.caFile);
  const key = options.keyStdin ? await readStdin(io) : undefined;
  const headers = options.header === undefined ? undefined : Object.fromEntries(options.header.map(headerOf));
  const given = { model, baseUrl, key, keyCommand, headers, caFile, timeoutSeconds, temperature, apiVersion };
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return { name, provider: options.provider ?? providerFor(name, options), ...Object.fromEntries(entries) };
}

function providerFor(name: string, { baseUrl }: AddBackendOptions): string {
  if (Object.hasOwn(providers, name)) return name;
  if (baseUrl !== undefined) return 'openai';
  throw new PodlensError('provider-missing', `Which provider is "${name}"?`, {
    hint: `Give --provider (${Object.keys(providers).join(', ')}), or --base-url for any endpoint that speaks the OpenAI API.`,
  });
}

function headerOf(text: string): [string, string] {
  const [, header = '', value = ''] = /^([^:\s]+):\s*(.*)$/.exec(text) ?? [];
  if (header !== '') return [header, value];
  throw new PodlensError('header-malformed', 'A header is written "Name: value".');
}

async function readStdin(io: Io): Promise<string> {
  if (io.stdin.isTTY) await write(io.stderr, 'Paste the key, then press Enter and Ctrl-D: ');
  let text = '';
  for await (const chunk of io.stdin) text += String(chunk);
  const key = text.trim();
  if (/^[\u0021-\u007e]+$/.test(key)) return key;
  throw new PodlensError('key-invalid', 'What came over standard input is no key: it is empty or has spaces in it.');
}

/** `podlens backends remove`. */
export async function removeBackend(name: string, options: BackendsOptions, io: Io): Promise<number> {
  const config = await readConfig(options, io);
  const index = config.backends.findIndex((backend) => backend.name === name);
  if (index < 0) throw unknown(name, config);
  const wasDefault = config.default === name;
  const file = await editConfig(editing(options, io), (document) => {
    document.deleteIn(['backends', index]);
    if (isEmpty(document)) document.delete('backends');
    if (wasDefault) document.delete('default');
  });
  await write(io.stderr, `Removed ${name} from ${file}.${wasDefault ? ' There is no default now.' : ''}\n`);
  return exitCodes.done;
}

const isEmpty = (document: Document): boolean => (document.get('backends') as YAMLSeq | undefined)?.items.length === 0;

/** `podlens backends default`: says which it is, or sets it. */
export async function defaultBackend(name: string | undefined, options: BackendsOptions, io: Io): Promise<number> {
  const config = await readConfig(options, io, true);
  if (name === undefined) {
    const found = findDefault(config, io.env);
    if (found === undefined) {
      throw new PodlensError('backend-missing', 'There is no default backend.', {
        hint: `Set it: ${io.name} backends default NAME`,
      });
    }
    await write(io.stdout, `${found}\n`);
    return exitCodes.done;
  }
  if (!config.backends.some((backend) => backend.name === name) && !Object.hasOwn(providers, name)) {
    throw unknown(name, config);
  }
  const file = await editConfig(editing(options, io), (document) => document.set('default', name));
  await write(io.stderr, `${name} is the default now, in ${file}.\n`);
  return exitCodes.done;
}

function unknown(name: string, config: Config): PodlensError {
  const known = config.backends.map((backend) => backend.name);
  const [near] = didYouMean(name, known);
  const all = known.length === 0 ? 'The config file has none.' : `There are ${known.join(', ')}.`;
  return new PodlensError('backend-unknown', `There is no backend named "${name}" in the config file.`, {
    hint: near === undefined ? all : `Did you mean "${near}"?`,
  });
}

/**
 * `podlens backends test`: asks each backend one small question that has nothing to do with any cluster. Exit code 2 where
 * one of them gave no answer.
 */
export async function testBackends(names: readonly string[], options: BackendsOptions, io: Io): Promise<number> {
  const config = await readConfig(options, io);
  const chosen = chooseBackends(names.length === 0 ? {} : { backend: names }, config, io.env);
  let code: number = exitCodes.done;
  for (const settings of chosen) {
    try {
      await write(io.stdout, await testBackend(settings, io));
    } catch (error) {
      if (!(error instanceof PodlensError)) throw error;
      await write(io.stdout, `${settings.name}: ${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}\n`);
      code = exitCodes.failed;
    }
  }
  return code;
}

const question: Prompt = {
  system: 'You test a connection. Answer in JSON.',
  user: 'Answer with {"ready": true}.',
  schema: {
    type: 'object',
    properties: { ready: { type: 'boolean' } },
    required: ['ready'],
    additionalProperties: false,
  },
};

async function testBackend(settings: BackendSettings, io: Io): Promise<string> {
  const { env, signal } = io;
  const open = await openEndpoint(settings, { env, signal });
  const [models, listed] = await timed(() => open.models(signal).catch((error: unknown) => failureOf(error)));
  const offers = models instanceof PodlensError ? 'it does not list its models' : `${models.length} models`;
  const model = settings.model ?? (await onlyModel(open, signal));
  const backend: Backend = open.backend(model);
  const [completion, took] = await timed(() => backend.complete(question, { signal }));
  const { tokens } = completion;
  const cost = tokens === undefined ? '' : `, ${tokens.input} tokens in, ${tokens.output} out`;
  return [
    `${settings.name}: ${open.endpoint.url} answers (${seconds(listed)}, ${offers})`,
    `  model ${model} answered in ${seconds(took)}${cost}`,
    `  structured output: ${structuredWords(completion)}`,
    `  ${backend.local ? 'on this machine' : 'not on this machine: what is sent leaves it'}`,
    '',
  ].join('\n');
}

/** Some endpoints answer and list nothing; one that is not there is reported by the list already. */
function failureOf(error: unknown): PodlensError {
  if (error instanceof PodlensError && (error.code === 'backend-not-found' || error.code === 'backend-failed'))
    return error;
  throw error;
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  const result = await work();
  return [result, performance.now() - start];
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`;

const formatWords: Readonly<Record<Format, string>> = {
  json_schema: 'works (the endpoint holds the answer to a schema)',
  json_object: 'only JSON mode; the schema goes into the prompt',
  text: 'none; the answer is read from plain text',
};

function structuredWords({ text, format = 'text' }: Completion): string {
  return isReady(text) ? formatWords[format] : `the answer was not what was asked for (${formatWords[format]})`;
}

function isReady(text: string): boolean {
  const [json = ''] = /\{[\s\S]*\}/.exec(text) ?? [];
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && 'ready' in value && typeof value.ready === 'boolean';
  } catch {
    return false;
  }
}

const editing = ({ config }: BackendsOptions, io: Io) => ({ env: io.env, cwd: io.cwd, path: config });
