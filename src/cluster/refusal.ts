import type { Refusal } from './errors.ts';
import { readStatus } from './status.ts';
import type { ResponseHeaders } from './wire.ts';

/** What an answer that is no 200 says: a `Status` object, or the plain text of something in between. */
export function readRefusal(body: Buffer, headers: ResponseHeaders): Refusal {
  const retryAfterMs = retryAfter(headers['retry-after']);
  const status = readStatus(headers['content-type'] ?? '', body);
  if (status === undefined) return { retryAfterMs, message: oneLine(wordsOf(body.toString('utf8'), headers)) };
  return {
    retryAfterMs,
    message: oneLine(status.message ?? ''),
    reason: status.reason,
    continueToken: status.metadata?.continue,
  };
}

/** A gateway in front of the API server may answer in JSON of its own, or send people to its login page. */
function wordsOf(text: string, { location }: ResponseHeaders): string {
  const message = messageIn(text);
  if (message !== undefined) return message;
  const host = location !== undefined && URL.canParse(location) ? new URL(location).host : undefined;
  return host === undefined ? text : `it sends to ${host}, as a gateway does that wants a login`;
}

function messageIn(text: string): string | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' && message !== '' ? message : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds, or the date of HTTP. */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
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
