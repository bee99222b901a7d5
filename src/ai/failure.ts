import { PodlensError } from '../errors.ts';
import { didYouMean } from '../objects/suggest.ts';
import type { BackendFailure } from './backend.ts';
import { cleanLine } from './clean.ts';
import { ENDLESS } from './http.ts';

/** Where a model is, and what must never be shown of it. */
export interface Endpoint {
  /** As the person named it: "openai", "ollama", the name in the config. */
  readonly name: string;
  /** Without user, password or query. */
  readonly url: string;
  readonly secrets: readonly string[];
  /** What to do where nothing answers: "Start it with: ollama serve". */
  readonly startHint?: string;
}

/** What an endpoint answered with a status other than 2xx. */
export interface Refusal {
  readonly status: number;
  /** The server's words, as they came. */
  readonly text: string;
  readonly code?: string | undefined;
}

/** The PodlensError for an answer that is none. */
export function refused(endpoint: Endpoint, { status, text, code }: Refusal): PodlensError {
  const words = serverWords(endpoint, text);
  const said = words === '' ? `with ${status}` : `with ${status}: ${words}`;
  const fail = (failure: BackendFailure, message: string, hint?: string) =>
    new PodlensError(failure, `${endpoint.name} at ${endpoint.url} ${message}`, { hint });
  if (status === 401 || status === 403) {
    const hint = endpoint.secrets.length === 0 ? 'No key was sent.' : 'Check the key and what it is allowed to use.';
    return fail('backend-unauthorized', `refused the key ${said}`, hint);
  }
  if (status === 402 || code === 'insufficient_quota') {
    return fail('backend-quota', `has no credit left for this account: it answered ${said}`);
  }
  if (status < 400) {
    const hint = 'Nothing was sent there. If it is the right place, make it the base URL.';
    return fail('backend-not-found', `redirects calls to ${words}.`, hint);
  }
  if (status === 429) return fail('backend-rate-limited', `limits the rate of calls ${said}`);
  if (status === 407) return fail('backend-unreachable', `cannot be reached: the proxy answered ${said}`);
  if (status === 404 || status === 405) {
    return fail('backend-not-found', `has no such API: it answered ${said}`, 'A base URL usually ends in /v1.');
  }
  if (status >= 400 && status < 500) return fail('backend-refused', `did not accept the request: it answered ${said}`);
  return fail('backend-failed', `failed ${said}`);
}

/** What an error body says: {"error": {"message"}}, {"error": "…"}, {"message"}, {"detail"}, or plain text. */
export function errorWords(body: string): { text: string; code?: string; param?: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { text: body };
  }
  const outer = record(parsed);
  const inner = record(outer['error']);
  const strings = (source: Readonly<Record<string, unknown>>, ...keys: string[]) =>
    keys.map((key) => source[key]).find((value) => typeof value === 'string');
  const text = strings(inner, 'message') ?? strings(outer, 'error', 'message', 'detail') ?? body;
  const code = strings(inner, 'code', 'type');
  const param = strings(inner, 'param');
  return { text, ...(code === undefined ? {} : { code }), ...(param === undefined ? {} : { param }) };
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {};

export function unknownModel(endpoint: Endpoint, model: string, offered: readonly string[], hint = ''): PodlensError {
  const [near] = didYouMean(model, offered);
  const guess = near === undefined ? '' : `Did you mean "${near}"? `;
  return new PodlensError(
    'backend-model-unknown' satisfies BackendFailure,
    `${endpoint.name} at ${endpoint.url} offers no model named "${cleanLine(model)}".`,
    { hint: `${guess}${offerOf(offered)}${hint}` },
  );
}

export const offerOf = (offered: readonly string[]): string => {
  if (offered.length === 0) return 'It offers no models.';
  const shown = offered.slice(0, 30).map(cleanLine).join(', ');
  return `It offers ${shown}${offered.length > 30 ? ` and ${offered.length - 30} more` : ''}.`;
};

export const timedOut = (endpoint: Endpoint, timeoutMs: number): PodlensError =>
  new PodlensError(
    'backend-timeout' satisfies BackendFailure,
    `${endpoint.name} at ${endpoint.url} did not answer within ${timeoutMs / 1000} s.`,
    { hint: 'A slow model needs more: set timeoutSeconds for this backend in the config.' },
  );

export const broken = (endpoint: Endpoint, what: string): PodlensError =>
  new PodlensError('backend-failed' satisfies BackendFailure, `${endpoint.name} at ${endpoint.url} ${what}`);

export const cutShort = (endpoint: Endpoint, limit: string): PodlensError =>
  new PodlensError(
    'backend-cut-short' satisfies BackendFailure,
    `${endpoint.name} at ${endpoint.url} ended its answer early: it reached ${limit}.`,
  );

/** A model or its filter that will not answer this prompt. */
export function declined(endpoint: Endpoint, words: string): PodlensError {
  const said = words.trim() === '' ? 'its content filter stopped the answer.' : serverWords(endpoint, words);
  const message = `${endpoint.name} at ${endpoint.url} declined to answer: ${said}`;
  return new PodlensError('backend-refused' satisfies BackendFailure, message);
}

/** Why there was no answer at all: `error` is what fetch threw, with the system's error somewhere in its causes. */
export function disconnected(endpoint: Endpoint, error: unknown, timeoutMs: number): PodlensError {
  const { code, message } = systemError(error);
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return timedOut(endpoint, timeoutMs);
  if (code === ENDLESS) return broken(endpoint, 'sent an answer that did not end; it was cut off.');
  if (code !== undefined && dropped.has(code))
    return broken(endpoint, 'closed the connection before its answer ended.');
  const reason = (code === undefined ? undefined : reasons[code]) ?? scrub(message, endpoint.secrets);
  const tls = code !== undefined && certificate.test(code);
  const hint = tls ? 'If it uses a private CA, set caFile for this backend in the config.' : endpoint.startHint;
  return new PodlensError(
    'backend-unreachable' satisfies BackendFailure,
    `${endpoint.name} at ${endpoint.url} cannot be reached: ${cleanLine(reason)}.`,
    { hint },
  );
}

const dropped = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_ABORTED', 'ERR_STREAM_PREMATURE_CLOSE']);

const certificate = /CERT|SIGNATURE|ISSUER/;

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ENOTFOUND: 'its name cannot be resolved',
  EAI_AGAIN: 'its name cannot be resolved at the moment',
  ETIMEDOUT: 'connecting took too long',
  UND_ERR_CONNECT_TIMEOUT: 'connecting took too long',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from a CA that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes from a CA that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate comes from a CA that is not trusted',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS; try http://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS; try http://',
};

/** The innermost error that has a code: fetch wraps the system's error once or twice. */
function systemError(error: unknown): { code: string | undefined; message: string } {
  let found = { code: undefined as string | undefined, message: String(error) };
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code = 'code' in at && typeof at.code === 'string' ? at.code : undefined;
    if (at.message !== '' || code !== undefined) found = { code: code ?? found.code, message: at.message };
  }
  return found;
}

/** A server's words as one short line without keys; what an HTML page says is not worth showing. */
function serverWords({ secrets }: Endpoint, text: string): string {
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) return 'an HTML page';
  const line = cleanLine(scrub(text, secrets));
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

/**
 * The text without any word that holds a secret or eight characters of it in a row, and without words that servers have
 * starred out in part ("sk-pr****89ab") or that follow "Bearer".
 */
export function scrub(text: string, secrets: readonly string[]): string {
  const word = /[^\s"'`,;()<>{}[\]]+/g;
  const hides = (part: string) => /\*{3}/.test(part) || secrets.some((secret) => shares(part, secret));
  return text.replace(/\bBearer\s+[^\s"']+/gi, 'Bearer [key]').replace(word, (part) => (hides(part) ? '[key]' : part));
}

const WINDOW = 8;

function shares(word: string, secret: string): boolean {
  if (secret.length <= WINDOW) return word === secret;
  for (let at = 0; at + WINDOW <= secret.length; at++) if (word.includes(secret.slice(at, at + WINDOW))) return true;
  return false;
}
