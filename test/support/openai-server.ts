import type { ServerResponse } from 'node:http';
import { json, type LocalServer, type Received, startServer } from './http-server.ts';

/** A request for a chat completion, as far as tests look at it. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly stream?: boolean;
  readonly temperature?: number;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly response_format?: { readonly type: string; readonly json_schema?: { readonly schema: object } };
}

export type Reply =
  | string
  /** An error, or an answer in a shape of its own. */
  | { readonly status: number; readonly body: unknown; readonly headers?: Record<string, string> }
  /** Bytes that are no JSON. */
  | { readonly raw: string; readonly type?: string }
  /** The text begins, then the connection is closed. */
  | { readonly cut: string }
  /** The request is taken and never answered. */
  | { readonly hang: true }
  | { readonly text: string; readonly finish: string }
  /** Written as they come, where a stream was asked for. */
  | { readonly parts: AsyncIterable<string> };

export interface OpenAiServerOptions {
  readonly models?: readonly string[];
  /** Where given, any other key is refused. */
  readonly key?: string;
  /** The ways of asking for JSON it takes; both where absent. */
  readonly formats?: readonly string[];
  /** Parameters that it refuses, as reasoning models do with `temperature`. */
  readonly refuses?: readonly string[];
  /** `attempt` counts the requests for completions, from 1. */
  readonly reply: (request: ChatRequest, attempt: number) => Reply | Promise<Reply>;
}

export interface OpenAiServer extends LocalServer {
  /** Below which the API is. */
  readonly baseUrl: string;
  readonly chats: readonly ChatRequest[];
}

/** Speaks the OpenAI API as far as podlens uses it, and says what it was asked. */
export async function startOpenAi(options: OpenAiServerOptions): Promise<OpenAiServer> {
  const chats: ChatRequest[] = [];
  const server = await startServer(async (request, response) => {
    const given = keyIn(request);
    if (options.key !== undefined && given !== options.key) {
      const message = `Incorrect API key provided: ${given}. You can find your API key at …`;
      return json(response, 401, { error: { message, type: 'invalid_request_error', code: 'invalid_api_key' } });
    }
    const path = request.path.split('?')[0] ?? '';
    if (!/^\/(v1|openai)\//.test(path)) return json(response, 404, { error: { message: `no route ${path}` } });
    if (path.endsWith('/models')) {
      const data = (options.models ?? ['model-a']).map((id) => ({ id, object: 'model', created: 0, owned_by: 'test' }));
      return json(response, 200, { object: 'list', data });
    }
    if (!path.endsWith('/chat/completions')) return json(response, 404, { error: { message: `no route ${path}` } });
    const chat = JSON.parse(request.body) as ChatRequest;
    chats.push(chat);
    const refusal = refusalOf(chat, options);
    if (refusal !== undefined) return json(response, refusal.status, { error: refusal.error });
    await send(response, chat, await options.reply(chat, chats.length));
  });
  return { ...server, baseUrl: `${server.url}/v1`, chats };
}

const keyIn = ({ headers }: Received): string =>
  String(headers['api-key'] ?? headers['authorization'] ?? '').replace(/^Bearer /, '');

function refusalOf(chat: ChatRequest, { models, formats, refuses = [] }: OpenAiServerOptions) {
  if (models !== undefined && !models.includes(chat.model)) {
    const message = `The model \`${chat.model}\` does not exist or you do not have access to it.`;
    return { status: 404, error: { message, type: 'invalid_request_error', param: null, code: 'model_not_found' } };
  }
  for (const param of refuses) {
    if (param in chat) return { status: 400, error: { message: `Unsupported value: '${param}'`, param } };
  }
  const format = chat.response_format?.type;
  if (format !== undefined && formats !== undefined && !formats.includes(format)) {
    return { status: 400, error: { message: `response_format ${format} is not supported`, param: 'response_format' } };
  }
  return undefined;
}

const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };

async function send(response: ServerResponse, chat: ChatRequest, reply: Reply): Promise<void> {
  if (typeof reply === 'string') return answer(response, chat, reply, 'stop');
  if ('hang' in reply) return;
  if ('status' in reply) return json(response, reply.status, reply.body, reply.headers);
  if ('raw' in reply) {
    response.writeHead(200, { 'content-type': reply.type ?? 'application/json' });
    response.end(reply.raw);
    return;
  }
  if ('cut' in reply) return cut(response, chat, reply.cut);
  if ('parts' in reply) return stream(response, reply.parts);
  answer(response, chat, reply.text, reply.finish);
}

function answer(response: ServerResponse, chat: ChatRequest, content: string, finish: string): void {
  if (!chat.stream) {
    const message = { role: 'assistant', content, refusal: null };
    json(response, 200, {
      id: 'c',
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: finish }],
      usage,
    });
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const part of content.match(/[\s\S]{1,7}/g) ?? []) event(response, { content: part }, null);
  event(response, {}, finish);
  if (chat.stream_options?.include_usage) response.write(`data: ${JSON.stringify({ choices: [], usage })}\n\n`);
  response.end('data: [DONE]\n\n');
}

async function stream(response: ServerResponse, parts: AsyncIterable<string>): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for await (const content of parts) event(response, { content }, null);
  event(response, {}, 'stop');
  response.end('data: [DONE]\n\n');
}

function event(response: ServerResponse, delta: object, finish: string | null): void {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  response.write(`data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices })}\n\n`);
}

/** Part of an answer arrives before the connection goes away. */
function cut(response: ServerResponse, chat: ChatRequest, content: string): void {
  if (chat.stream) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    event(response, { content }, null);
  } else {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' });
    response.write(`{"choices":[{"message":{"content":${JSON.stringify(content)}`);
  }
  setTimeout(() => response.destroy(), 20);
}
