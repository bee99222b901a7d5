import { setTimeout as sleep } from 'node:timers/promises';
import { PodlensError } from '../errors.ts';
import type { Backend, CompleteOptions, Completion, Prompt } from './backend.ts';
import { broken, cutShort, disconnected, type Endpoint, errorWords, refused, unknownModel } from './failure.ts';
import type { Fetch } from './http.ts';
import { thoughtFilter, withoutThoughts } from './thoughts.ts';

export interface OllamaOptions {
  readonly endpoint: Endpoint;
  readonly baseUrl: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly fetch: Fetch;
  readonly timeoutMs: number;
  readonly maxRetries: number;
  /** How long the model stays in memory after a call: "5m", "-1" for ever. */
  readonly keepAlive?: string | undefined;
  /** Tokens; as many as the prompt needs where it is absent. */
  readonly contextLength?: number | undefined;
}

export interface OllamaModel {
  readonly id: string;
  readonly model: string;
  readonly local: boolean;
  readonly temperature?: number | undefined;
}

/** Ollama's own API: it takes a schema, says what is installed, and can be told how long a context to make. */
export function ollamaBackend(options: OllamaOptions, { id, model, local, temperature = 0 }: OllamaModel): Backend {
  return {
    id,
    local,
    parameters: { temperature },
    complete: (prompt, call) =>
      guarded(options, call.signal, async () => {
        const response = await post(options, call.signal, bodyOf(options, prompt, { model, temperature }));
        if (response.status === 404) throw await modelFailure(options, model, await response.text(), call.signal);
        if (!response.ok)
          throw refused(options.endpoint, { status: response.status, ...errorWords(await response.text()) });
        return read(options.endpoint, response, prompt, call);
      }),
  };
}

/** The models that are installed, sorted. */
export const ollamaModels = (options: OllamaOptions, signal: AbortSignal): Promise<string[]> =>
  guarded(options, signal, async () => {
    const { baseUrl, fetch, headers = {}, endpoint } = options;
    const response = await fetch(`${baseUrl}/api/tags`, { headers: { ...headers }, signal });
    const text = await response.text();
    if (!response.ok) throw refused(endpoint, { status: response.status, ...errorWords(text) });
    const { models }: { models?: unknown } = Object(parse(endpoint, text));
    if (!Array.isArray(models)) throw broken(endpoint, 'answered with something that is no list of models.');
    return models.map((model: { name?: unknown } | null) => String(model?.name)).sort();
  });

async function guarded<T>({ endpoint, timeoutMs }: OllamaOptions, signal: AbortSignal, work: () => Promise<T>) {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error instanceof PodlensError ? error : disconnected(endpoint, error, timeoutMs);
  }
}

function bodyOf(
  { keepAlive = '10m', contextLength }: OllamaOptions,
  { system, user, schema, history = [] }: Prompt,
  { model, temperature }: { readonly model: string; readonly temperature: number },
): object {
  const texts = [system, ...history.map(({ content }) => content), user];
  return {
    model,
    messages: [{ role: 'system', content: system }, ...history, { role: 'user', content: user }],
    ...(schema === undefined ? {} : { format: schema }),
    stream: true,
    think: false,
    keep_alive: /^-?\d+$/.test(keepAlive) ? Number(keepAlive) : keepAlive,
    options: { temperature, num_ctx: contextLength ?? contextFor(texts), num_predict: ANSWER_TOKENS },
  };
}

/** Room for an answer, and an end to one that does not come to an end. */
const ANSWER_TOKENS = 4096;

/**
 * Enough context for these texts and an answer; Ollama's default would cut the front off a long prompt without a word.
 * Steps of a power of two, because the model is loaded anew whenever the length changes.
 */
function contextFor(texts: readonly string[]): number {
  // Three bytes of UTF-8 a token is less than English needs and about what Chinese does.
  const tokens = texts.reduce((sum, text) => sum + Buffer.byteLength(text) / 3, 0) + ANSWER_TOKENS;
  let length = 8192;
  while (length < tokens) length *= 2;
  return length;
}

/** A server with all its slots taken answers 503, and some proxies before it 429: those are asked again. */
async function post(options: OllamaOptions, signal: AbortSignal, body: object): Promise<Response> {
  const { baseUrl, fetch, headers = {}, maxRetries } = options;
  for (let attempt = 0; ; attempt++) {
    const response = await fetch(`${baseUrl}/api/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      signal,
    });
    if (attempt >= maxRetries || (response.status !== 429 && response.status !== 503)) return response;
    await response.body?.cancel();
    await sleep(retryAfter(response) ?? 500 * 2 ** attempt, undefined, { signal });
  }
}

function retryAfter({ headers }: Response): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return ms >= 0 && ms <= 60_000 ? ms : undefined;
}

/** One JSON object a line; the last says `done`. */
async function read(
  endpoint: Endpoint,
  response: Response,
  prompt: Prompt,
  call: CompleteOptions,
): Promise<Completion> {
  const pass = call.onText === undefined ? () => {} : thoughtFilter(call.onText);
  let text = '';
  for await (const line of lines(response)) {
    const { message, error, done, done_reason, prompt_eval_count = 0, eval_count = 0 } = chunkOf(endpoint, line);
    if (error !== undefined) throw refused(endpoint, { status: 500, text: error });
    const delta = message?.content ?? '';
    if (delta !== '') pass(delta);
    text += delta;
    if (!done) continue;
    if (done_reason === 'length' && prompt.schema !== undefined) {
      throw cutShort(endpoint, `the limit of ${ANSWER_TOKENS} tokens`);
    }
    const format = prompt.schema === undefined ? {} : { format: 'json_schema' as const };
    return { text: withoutThoughts(text), tokens: { input: prompt_eval_count, output: eval_count }, ...format };
  }
  throw broken(endpoint, 'closed the connection before its answer ended.');
}

interface Chunk {
  readonly message?: { readonly content?: string };
  readonly error?: string;
  readonly done?: boolean;
  readonly done_reason?: string;
  readonly prompt_eval_count?: number;
  readonly eval_count?: number;
}

const chunkOf = (endpoint: Endpoint, line: string): Chunk => Object(parse(endpoint, line));

function parse(endpoint: Endpoint, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw broken(endpoint, 'answered with something that is not JSON.');
  }
}

async function* lines(response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of response.body ?? []) {
    const parts = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    yield* parts.filter((line) => line.trim() !== '');
  }
  if (rest.trim() !== '') yield rest;
}

async function modelFailure(options: OllamaOptions, model: string, body: string, signal: AbortSignal) {
  const { text } = errorWords(body);
  if (!/\bmodel\b/i.test(text)) return refused(options.endpoint, { status: 404, text });
  const installed = await ollamaModels(options, signal);
  return unknownModel(options.endpoint, model, installed, ` Install it with: ollama pull ${model}`);
}
