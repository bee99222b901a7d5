/** One turn of a conversation. */
export interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** What a model is asked. Every text in it has passed redaction. */
export interface Prompt {
  readonly system: string;
  readonly user: string;
  /** JSON schema the answer must satisfy; absent for free text. */
  readonly schema?: object;
  /** Earlier turns, oldest first; `user` is the newest. */
  readonly history?: readonly Message[];
}

export interface Tokens {
  readonly input: number;
  readonly output: number;
}

export interface Completion {
  readonly text: string;
  /** As the endpoint counted them. */
  readonly tokens?: Tokens;
  /** How the endpoint was told of the schema: by itself, only that JSON is wanted, or in words. */
  readonly format?: Format;
}

export type Format = 'json_schema' | 'json_object' | 'text';

export interface CompleteOptions {
  readonly signal: AbortSignal;
  /** Given where the answer is wanted as it arrives. */
  readonly onText?: (delta: string) => void;
}

/** A model behind an endpoint. It speaks text; prompts, redaction, checking and caching are not its business. */
export interface Backend {
  /** `provider:model@url`: part of every cache key. */
  readonly id: string;
  /** What else shapes its answers, temperature above all: part of every cache key. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Whether the model runs on this machine or in the person's own network. */
  readonly local: boolean;
  /** Fails with a PodlensError whose code is one of `BackendFailure`, after its own retries. */
  complete(prompt: Prompt, options: CompleteOptions): Promise<Completion>;
}

/** Why a call failed. */
const failures = [
  'backend-unreachable', // no connection, DNS, TLS
  'backend-unauthorized', // 401, 403
  'backend-model-unknown', // the endpoint does not offer the model
  'backend-not-found', // 404 for anything else: the base URL is wrong
  'backend-refused', // 400, 413, 422, a content filter, a model that declines: this request is not accepted
  'backend-cut-short', // the answer reached the limit of tokens
  'backend-quota', // the account has no credit left
  'backend-rate-limited', // 429 after all retries
  'backend-timeout',
  'backend-failed', // 5xx, a stream cut short, an answer that is no answer
] as const;
export type BackendFailure = (typeof failures)[number];
export const backendFailures: ReadonlySet<string> = new Set(failures);

/** Failures that the next call would meet again: after one of them no more calls are made. */
export const lastingFailures: ReadonlySet<string> = new Set<BackendFailure>([
  'backend-unreachable',
  'backend-unauthorized',
  'backend-model-unknown',
  'backend-not-found',
  'backend-quota',
]);

/** Failures that say something of one prompt and nothing of the next. */
export const failuresOfPrompt: ReadonlySet<string> = new Set<BackendFailure>(['backend-refused', 'backend-cut-short']);
