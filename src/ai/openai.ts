import OpenAI, { APIConnectionError, APIConnectionTimeoutError, APIError, AzureOpenAI } from 'openai';
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionCreateParamsNonStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import { Stream } from 'openai/streaming';
import { PodlensError } from '../errors.ts';
import type { Backend, CompleteOptions, Completion, Format, Prompt, Tokens } from './backend.ts';
import {
  broken,
  cutShort,
  declined,
  disconnected,
  type Endpoint,
  errorWords,
  refused,
  timedOut,
  unknownModel,
} from './failure.ts';
import type { Fetch } from './http.ts';
import { thoughtFilter, withoutThoughts } from './thoughts.ts';

export interface OpenAiOptions {
  readonly endpoint: Endpoint;
  readonly baseUrl: string;
  /** Endpoints on one's own machine ask for none. */
  readonly key?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly maxRetries: number;
  /** For Azure: calls go to /openai/deployments/<model>?api-version=…; without it Azure's v1 API is like OpenAI's. */
  readonly azure?: { readonly apiVersion?: string | undefined } | undefined;
}

export interface OpenAiModel {
  readonly id: string;
  readonly model: string;
  readonly local: boolean;
  readonly temperature?: number | undefined;
}

/** How the endpoint is told that the answer must be JSON, best first. */
const formats: readonly Format[] = ['json_schema', 'json_object', 'text'];

/** What an endpoint turned out to take; learned from its first refusal, kept for the run. */
interface Traits {
  format: Format;
  temperature: boolean;
  usageInStream: boolean;
  stream: boolean;
}

/** Any endpoint that speaks OpenAI's chat completions. Retries, with Retry-After, are the SDK's. */
export function openaiBackend(options: OpenAiOptions, { id, model, local, temperature }: OpenAiModel): Backend {
  const client = clientOf(options, model);
  const traits: Traits = {
    format: 'json_schema',
    temperature: temperature !== undefined,
    usageInStream: true,
    stream: true,
  };
  return {
    id,
    local,
    ...(temperature === undefined ? {} : { parameters: { temperature } }),
    async complete(prompt, call) {
      try {
        return await completeWith(client, { model, temperature, traits, prompt, call, endpoint: options.endpoint });
      } catch (error) {
        if (call.signal.aborted) throw call.signal.reason;
        if (error instanceof APIError && blamesModel(error)) throw await modelFailure(client, options, model, error);
        throw translate(error, options);
      }
    },
  };
}

/** The models the endpoint offers, sorted. */
export async function openaiModels(options: OpenAiOptions, signal: AbortSignal): Promise<string[]> {
  try {
    return await list(clientOf(options), signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw translate(error, options);
  }
}

async function list(client: OpenAI, signal?: AbortSignal): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of client.models.list(signal === undefined ? {} : { signal })) ids.push(id);
  return ids.sort();
}

function clientOf({ baseUrl, key, headers, fetch, timeoutMs, maxRetries, azure }: OpenAiOptions, model?: string) {
  // The SDK wants some key; where there is none, the header it would make of it is left out.
  const apiKey = key ?? 'none';
  const common = {
    apiKey,
    baseURL: baseUrl,
    timeout: timeoutMs,
    maxRetries,
    organization: null,
    project: null,
    webhookSecret: null,
    logLevel: 'off',
    fetch: once(legible(fetch)),
  } as const;
  const own = { ...headers };
  if (azure?.apiVersion !== undefined) {
    const deployment = model === undefined ? {} : { deployment: model };
    return new AzureOpenAI({ ...common, ...deployment, apiVersion: azure.apiVersion, defaultHeaders: own });
  }
  const bearer = key !== undefined && azure === undefined;
  const hasOwn = Object.keys(own).some((name) => name.toLowerCase() === 'authorization');
  const defaultHeaders = {
    ...(azure !== undefined && key !== undefined ? { 'api-key': key } : {}),
    ...(bearer || hasOwn ? {} : { Authorization: null }),
    ...own,
  };
  return new OpenAI({ ...common, adminAPIKey: null, defaultHeaders });
}

/** Gives every error body the shape the SDK reads. */
const legible =
  (fetch: Fetch): Fetch =>
  async (url, init) => {
    const response = await fetch(url, init);
    if (response.ok) return response;
    const { text, code = null, param = null } = errorWords(await response.text());
    const headers = new Headers([...response.headers]);
    for (const name of ['content-length', 'content-encoding', 'transfer-encoding']) headers.delete(name);
    headers.set('content-type', 'application/json');
    const body = JSON.stringify({ error: { message: text, code, param } });
    return new Response(body, { status: response.status, headers });
  };

const TOO_LATE = 'too-late';

/** The SDK asks again after a request that got no answer. One that took too long would only be waited for again. */
const once =
  (fetch: Fetch): Fetch =>
  async (url, init) => {
    try {
      return await fetch(url, init);
    } catch (error) {
      if (!isTimeout(error)) throw error;
      const body = JSON.stringify({ error: { message: '', code: TOO_LATE } });
      return new Response(body, { status: 408, headers: { 'x-should-retry': 'false' } });
    }
  };

/** The SDK's own timer aborts the request; undici's has a code. */
const isTimeout = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'AbortError' || Object(error.cause).code === 'UND_ERR_HEADERS_TIMEOUT');

interface Call {
  readonly model: string;
  readonly temperature: number | undefined;
  readonly traits: Traits;
  readonly prompt: Prompt;
  readonly call: CompleteOptions;
  readonly endpoint: Endpoint;
}

/** Asks; where the endpoint refuses something that is not essential, asks again without it. */
async function completeWith(client: OpenAI, call: Call): Promise<Completion> {
  const { traits, prompt } = call;
  let format: Format = prompt.schema === undefined ? 'text' : traits.format;
  for (;;) {
    try {
      const completion = await send(client, call, format);
      if (prompt.schema === undefined) return completion;
      traits.format = format;
      return { ...completion, format };
    } catch (error) {
      if (!(error instanceof APIError) || (error.status !== 400 && error.status !== 422)) throw error;
      const about = `${error.param ?? ''} ${error.message}`;
      if (traits.temperature && /temperature/i.test(about)) traits.temperature = false;
      else if (traits.usageInStream && call.call.onText !== undefined && /stream_options|include_usage/i.test(about))
        traits.usageInStream = false;
      else if (traits.stream && call.call.onText !== undefined && /\bstream(ing)?\b/i.test(about))
        traits.stream = false;
      else {
        const next = formats[formats.indexOf(format) + 1];
        if (prompt.schema === undefined || next === undefined || hopeless(error)) throw error;
        format = next;
      }
    }
  }
}

/** A refusal that has nothing to do with how the answer is asked for. */
const hopeless = (error: APIError): boolean =>
  blamesModel(error) ||
  error.code === 'context_length_exceeded' ||
  /context (length|size|window)|too many tokens/i.test(error.message);

async function send(client: OpenAI, { model, temperature, traits, prompt, call, endpoint }: Call, format: Format) {
  const body: ChatCompletionCreateParamsNonStreaming = {
    model,
    messages: messagesOf(prompt, format),
    ...(temperature === undefined || !traits.temperature ? {} : { temperature }),
    ...formatOf(prompt, format),
  };
  const { signal, onText } = call;
  if (onText === undefined || !traits.stream) {
    const completion: unknown = await client.chat.completions.create(body, { signal });
    return readWhole(completion, { endpoint, prompt, signal, onText });
  }
  const usage = traits.usageInStream ? { stream_options: { include_usage: true } } : {};
  const streamed = client.chat.completions.create({ ...body, ...usage, stream: true }, { signal });
  const { data, response } = await streamed.withResponse();
  // Some gateways answer in one piece all the same, and some name the wrong type.
  if (/\bjson\b/.test(response.headers.get('content-type') ?? '')) {
    const text = await response.text();
    if (text.trimStart().startsWith('{')) return readWhole(JSON.parse(text), { endpoint, prompt, signal, onText });
    const events = Stream.fromSSEResponse<ChatCompletionChunk>(new Response(text), data.controller);
    return readStream(events, { endpoint, prompt, signal, onText });
  }
  return readStream(data, { endpoint, prompt, signal, onText });
}

function messagesOf({ system, user, schema, history = [] }: Prompt, format: Format): ChatCompletionMessageParam[] {
  const shape =
    schema === undefined || format === 'json_schema'
      ? ''
      : `\n\nAnswer with one JSON object and nothing else. It must satisfy this JSON schema:\n${JSON.stringify(schema)}`;
  return [{ role: 'system', content: `${system}${shape}` }, ...history, { role: 'user', content: user }];
}

function formatOf({ schema }: Prompt, format: Format): Pick<ChatCompletionCreateParamsNonStreaming, 'response_format'> {
  if (schema === undefined || format === 'text') return {};
  if (format === 'json_object') return { response_format: { type: 'json_object' } };
  return {
    response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: { ...schema } } },
  };
}

/** An endpoint's 200 may hold anything. */
function read(completion: unknown, endpoint: Endpoint, prompt: Prompt): Completion {
  if (!isCompletion(completion)) throw broken(endpoint, 'answered with something that is no chat completion.');
  const choice = completion.choices[0];
  const refusal = choice?.message?.refusal ?? '';
  checkEnd(choice?.finish_reason, refusal, endpoint, prompt);
  const content: unknown = choice?.message?.content;
  const text = textOf(content) || refusal;
  return { text: withoutThoughts(text), ...tokensOf(completion.usage) };
}

/** Where a person reads the answer, a part of it and a refusal are answers, too. */
function checkEnd(finish: string | undefined, refusal: string, endpoint: Endpoint, { schema }: Prompt): void {
  if (schema === undefined) return;
  if (finish === 'length') throw cutShort(endpoint, "the model's limit of output tokens");
  if (refusal !== '' || finish === 'content_filter') throw declined(endpoint, refusal);
}

function readWhole(
  completion: unknown,
  { endpoint, prompt, onText }: Omit<Reading, 'onText'> & { readonly onText: Reading['onText'] | undefined },
) {
  const answer = read(completion, endpoint, prompt);
  onText?.(answer.text);
  return answer;
}

const isCompletion = (value: unknown): value is ChatCompletion =>
  typeof value === 'object' && value !== null && 'choices' in value && Array.isArray(value.choices);

/** Some models answer in parts, of which only those of text are the answer. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { text?: unknown } | null) => (typeof part?.text === 'string' ? part.text : '')).join('');
}

const tokensOf = (usage: ChatCompletion['usage'] | null): { tokens?: Tokens } =>
  usage ? { tokens: { input: usage.prompt_tokens ?? 0, output: usage.completion_tokens ?? 0 } } : {};

interface Reading {
  readonly endpoint: Endpoint;
  readonly prompt: Prompt;
  readonly signal: AbortSignal;
  readonly onText: (delta: string) => void;
}

async function readStream(
  stream: AsyncIterable<ChatCompletionChunk>,
  { endpoint, prompt, signal, onText }: Reading,
): Promise<Completion> {
  const pass = thoughtFilter(onText);
  let text = '';
  let refusal = '';
  let finish: string | undefined;
  let tokens: { tokens?: Tokens } = {};
  for await (const chunk of stream) {
    const choice = chunk.choices?.[0];
    refusal += choice?.delta?.refusal ?? '';
    const delta = textOf(choice?.delta?.content) || (choice?.delta?.refusal ?? '');
    if (delta !== '') pass(delta);
    text += delta;
    finish = choice?.finish_reason ?? finish;
    if (chunk.usage) tokens = tokensOf(chunk.usage);
  }
  signal.throwIfAborted();
  if (finish === undefined) throw broken(endpoint, 'closed the connection before its answer ended.');
  checkEnd(finish, refusal, endpoint, prompt);
  return { text: withoutThoughts(text), ...tokens };
}

const blamesModel = ({ status, code, message }: APIError): boolean =>
  status === 404 ||
  (status === 400 &&
    (code === 'model_not_found' || /\bmodel\b.*\b(not found|does not exist|not available)/i.test(message)));

/** Tells a model that the endpoint does not offer from a URL where there is no such API. */
async function modelFailure(client: OpenAI, options: OpenAiOptions, model: string, error: APIError) {
  const refusal = translate(error, options);
  // Azure lists the models it sells, not the deployments one has.
  if (options.azure !== undefined) {
    return new PodlensError('backend-model-unknown', refusal.message, {
      hint: 'Azure calls a model by the name of its deployment; the portal lists them.',
    });
  }
  const offered = await list(client).catch(() => undefined);
  if (offered === undefined || offered.includes(model)) return refusal;
  return unknownModel(options.endpoint, model, offered);
}

function translate(error: unknown, { endpoint, timeoutMs }: OpenAiOptions): PodlensError {
  if (error instanceof PodlensError) return error;
  if (error instanceof APIConnectionTimeoutError || (error instanceof APIError && error.code === TOO_LATE))
    return timedOut(endpoint, timeoutMs);
  if (error instanceof APIConnectionError) return disconnected(endpoint, error, timeoutMs);
  if (error instanceof APIError && error.status !== undefined) {
    const text = error.message.replace(/^\d{3} /, '');
    return refused(endpoint, { status: error.status, text, code: error.code ?? undefined });
  }
  if (error instanceof APIError) return refused(endpoint, { status: 500, text: error.message });
  if (error instanceof SyntaxError) return broken(endpoint, 'answered with something that is not JSON.');
  return disconnected(endpoint, error, timeoutMs);
}
