import type { ServerResponse } from 'node:http';
import { json, type LocalServer, startServer } from './http-server.ts';

/** A request to /api/chat, as far as tests look at it. */
export interface OllamaRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly stream: boolean;
  readonly format?: object;
  readonly keep_alive?: string | number;
  readonly options: { readonly num_ctx: number; readonly temperature?: number };
}

export type OllamaReply =
  | string
  | { readonly status: number; readonly body: unknown; readonly headers?: Record<string, string> }
  /** Lines as they are; the answer ends after them. */
  | { readonly lines: readonly string[] }
  | { readonly cut: string }
  | { readonly hang: true };

export interface OllamaServerOptions {
  /** What is installed, with tags. */
  readonly models?: readonly string[];
  readonly reply: (request: OllamaRequest, attempt: number) => OllamaReply | Promise<OllamaReply>;
}

export interface OllamaServer extends LocalServer {
  readonly chats: readonly OllamaRequest[];
}

/** Speaks Ollama's own API as far as podlens uses it, and says what it was asked. */
export async function startOllama({ models = ['llama3.2:3b'], reply }: OllamaServerOptions): Promise<OllamaServer> {
  const chats: OllamaRequest[] = [];
  const server = await startServer(async (request, response) => {
    if (request.path === '/api/tags')
      return json(response, 200, { models: models.map((name) => ({ name, model: name })) });
    if (request.path !== '/api/chat') return json(response, 404, '404 page not found');
    const chat = JSON.parse(request.body) as OllamaRequest;
    chats.push(chat);
    if (!models.includes(chat.model.includes(':') ? chat.model : `${chat.model}:latest`)) {
      return json(response, 404, { error: `model "${chat.model}" not found, try pulling it first` });
    }
    send(response, chat.model, await reply(chat, chats.length));
  });
  return { ...server, chats };
}

function send(response: ServerResponse, model: string, reply: OllamaReply): void {
  if (typeof reply === 'string' || !('hang' in reply || 'status' in reply)) speak(response, model, reply);
  else if ('status' in reply) json(response, reply.status, reply.body, reply.headers);
}

type Spoken = Exclude<OllamaReply, { readonly hang: true } | { readonly status: number }>;

function speak(response: ServerResponse, model: string, reply: Spoken): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  const line = (chunk: object) =>
    response.write(`${JSON.stringify({ model, created_at: '2026-11-21T02:00:00Z', ...chunk })}\n`);
  if (typeof reply !== 'string' && 'lines' in reply) {
    response.end(reply.lines.map((text) => `${text}\n`).join(''));
    return;
  }
  const text = typeof reply === 'string' ? reply : reply.cut;
  for (const part of text.match(/[\s\S]{1,5}/g) ?? [])
    line({ message: { role: 'assistant', content: part }, done: false });
  if (typeof reply !== 'string') {
    setTimeout(() => response.destroy(), 20);
    return;
  }
  line({
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: 'stop',
    prompt_eval_count: 90,
    eval_count: 15,
  });
  response.end();
}
