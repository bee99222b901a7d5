import { PodlensError } from '../errors.ts';
import { ProxyRefusal } from './proxy.ts';

/** What the API server answered instead of what was asked for. */
export class ApiError extends Error {
  readonly status: number;
  /** `Status.reason`: "Forbidden", "Expired". */
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** After a 410: where an inconsistent list may go on. */
  readonly continueToken: string | undefined;

  constructor(status: number, answer: Refusal) {
    super(answer.message);
    this.status = status;
    this.reason = answer.reason;
    this.retryAfterMs = answer.retryAfterMs;
    this.continueToken = answer.continueToken;
  }
}

export interface Refusal {
  readonly message: string;
  readonly reason?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly continueToken?: string | undefined;
}

/** `broken`: the connection ended before the answer did. `down`: nothing listens. `wrong`: trying again cannot help. */
export type Trouble = 'broken' | 'down' | 'timeout' | 'wrong';

/** No answer, or none to its end. */
export class ConnectionError extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble, message: string, cause?: unknown) {
    super(message, { cause });
    this.trouble = trouble;
  }
}

/** The connection ended in the middle of an answer. */
export const cutOff = (cause?: unknown): ConnectionError =>
  new ConnectionError('broken', 'the answer ended before it was complete', cause);

/** The connection ended before an answer began. */
export const unanswered = (): ConnectionError => new ConnectionError('broken', 'it was closed before an answer began');

const CODES: Readonly<Record<string, readonly [Trouble, string]>> = {
  ECONNREFUSED: ['down', 'nothing listens there (connection refused)'],
  EHOSTUNREACH: ['down', 'there is no route to it'],
  ENETUNREACH: ['down', 'its network cannot be reached'],
  EHOSTDOWN: ['down', 'the host is down'],
  ENOTFOUND: ['wrong', 'its name cannot be resolved'],
  EAI_AGAIN: ['down', 'its name cannot be resolved for the moment'],
  ETIMEDOUT: ['timeout', 'it did not answer in time'],
  ECONNRESET: ['broken', 'the connection was reset'],
  EPIPE: ['broken', 'the connection was closed'],
  CERT_HAS_EXPIRED: ['wrong', 'its certificate has expired'],
  CERT_NOT_YET_VALID: ['wrong', 'its certificate is not valid yet; the clock here may be wrong'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['wrong', 'its certificate is for another name'],
};

const UNKNOWN_SIGNER =
  /SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE|CERT_CHAIN|INVALID_CA/;

/** What node:net, node:tls and node:http throw, as one of ours. */
export function connectionError(error: unknown): ConnectionError {
  if (error instanceof ConnectionError) return error;
  if (error instanceof ProxyRefusal) return new ConnectionError('down', error.message, error);
  const { code = '', message } = firstOf(error);
  const known = CODES[code];
  if (known !== undefined) return new ConnectionError(known[0], known[1], error);
  if (UNKNOWN_SIGNER.test(code)) return new ConnectionError('wrong', UNTRUSTED, error);
  if (/^(ERR_SSL_|EPROTO|ERR_TLS_|ERR_OSSL_)/.test(code)) {
    return new ConnectionError('wrong', `the TLS handshake failed (${tlsReason(message)})`, error);
  }
  return new ConnectionError('broken', message === '' ? code : message, error);
}

const UNTRUSTED = 'its certificate is not signed by an authority that the kubeconfig trusts';

/** With several addresses Node throws all their failures together. */
function firstOf(error: unknown): { code?: string; message: string } {
  const one = error instanceof AggregateError ? error.errors[0] : error;
  if (!(one instanceof Error)) return { message: String(one) };
  return { message: one.message, ...('code' in one && typeof one.code === 'string' ? { code: one.code } : {}) };
}

// OpenSSL writes "…:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/…".
const tlsReason = (message: string): string => /SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? message;

/** What a person is told when the cluster as a whole cannot be read. Anything but the errors above is returned as is. */
export function explained(error: unknown, server: string): unknown {
  if (error instanceof ConnectionError) return explainedConnection(error, server);
  if (error instanceof ApiError) return explainedAnswer(error, server);
  return error;
}

function explainedConnection(error: ConnectionError, server: string): PodlensError {
  const { trouble, message } = error;
  if (trouble === 'broken') {
    return new PodlensError('connection-lost', `The connection to ${server} broke off: ${message}.`, {
      hint: 'Nothing is reported, since part of a cluster may look healthy. Try again.',
      cause: error,
    });
  }
  return new PodlensError('cluster-unreachable', `The cluster at ${server} cannot be reached: ${message}.`, {
    hint: message === UNTRUSTED ? CERTIFICATE_HINT : 'kubectl cluster-info shows whether kubectl reaches it.',
    cause: error,
  });
}

const CERTIFICATE_HINT =
  'The cluster may have been made anew under the same address: fetch its kubeconfig again. certificate-authority in the kubeconfig says whom to trust.';

function explainedAnswer(error: ApiError, server: string): PodlensError {
  const { status, message } = error;
  if (status === 401) {
    return new PodlensError('unauthorized', `The cluster at ${server} does not accept these credentials (401).`, {
      hint: 'They may have expired: log in to the cluster again. kubectl auth whoami shows as whom kubectl asks.',
      cause: error,
    });
  }
  if (status === 403) {
    return new PodlensError('forbidden', `The cluster at ${server} allows nothing to be read: ${message}.`, {
      hint: 'Choose a namespace that you may read with -n. podlens rbac prints the role that podlens needs.',
      cause: error,
    });
  }
  const elsewhere = status === 400 || status === 404;
  return new PodlensError('api-error', `The cluster at ${server} cannot be read: ${answered(error)}.`, {
    hint: elsewhere ? 'The server that the kubeconfig names may be another one than the API server.' : undefined,
    cause: error,
  });
}

/** An answer's status and words, as the end of a sentence. */
export function answered({ status, message }: ApiError): string {
  if (status === 403) return `forbidden: ${message}`;
  if (status === 429) return 'the API server is too busy and asked to be left alone (429)';
  return `the API server answered ${status}: ${message}`;
}
