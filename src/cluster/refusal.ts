import type { Refusal } from './errors.ts';
import type { ResponseHeaders } from './transport.ts';

/** What an answer that is no 200 says: a `Status` object, or the plain text of something in between. */
export function readRefusal(body: Buffer, headers: ResponseHeaders): Refusal {
  const retryAfterMs = retryAfter(headers['retry-after']);
  const status = statusIn(body);
  if (status !== undefined) return { retryAfterMs, ...status };
  return { retryAfterMs, message: oneLine(body.toString('utf8')) };
}

/** Seconds, or the date of HTTP. */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

interface Status {
  readonly kind?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly metadata?: { readonly continue?: string };
}

function statusIn(body: Buffer): Refusal | undefined {
  let status: Status | null;
  try {
    status = JSON.parse(body.toString('utf8')) as Status | null;
  } catch {
    return undefined;
  }
  if (status?.kind !== 'Status') return undefined;
  return {
    message: oneLine(status.message ?? ''),
    reason: status.reason,
    continueToken: status.metadata?.continue || undefined,
  };
}

/** The first words of whatever was sent: a proxy may answer with a whole page. */
function oneLine(text: string): string {
  const words = text
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\.$/, '');
  return words === '' ? 'it gave no reason' : words.length > 300 ? `${words.slice(0, 300)}…` : words;
}
