/** What the test API server answers. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Sent in chunks, however short. */
  readonly stream?: boolean;
  /** How long the response stays open. */
  readonly waitMs?: number;
}

export const json = (value: unknown, code = 200): Answer => ({
  status: code,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(`${JSON.stringify(value)}\n`),
});

export const text = (value: string, code = 200, type = 'text/plain; charset=utf-8'): Answer => ({
  status: code,
  headers: { 'content-type': type, ...(type.includes('charset') ? { 'x-content-type-options': 'nosniff' } : {}) },
  body: Buffer.from(value),
});

const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** A `Status` that says why there is nothing else. */
export function status(code: number, message: string, details?: object, metadata: object = {}): Answer {
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata,
    status: 'Failure',
    message,
    ...(reasons[code] === undefined ? {} : { reason: reasons[code] }),
    ...(details === undefined ? {} : { details }),
    code,
  };
  const answer = json(body, code);
  return code === 403 ? { ...answer, headers: { ...answer.headers, 'x-content-type-options': 'nosniff' } } : answer;
}
