import type { ApiKind, ApiKinds } from '../objects/kinds-schema.ts';
import { normalize } from './normalize.ts';

/** Turns the bytes of one list response into normalised, frozen objects. */
export interface ListDecoder {
  push(chunk: Buffer): void;
  /** Throws where the response ended before the list did. */
  end(): void;
  /** Where the next page starts: known soon after the first bytes, undefined on the last page. */
  readonly continueToken: string | undefined;
  /** How many objects follow this page, where the API server tells. */
  readonly remaining: number | undefined;
}

/** What podlens asks the API server for. */
export const listAccept = 'application/json';

export function listDecoder<K extends ApiKind>(
  kind: K,
  _contentType: string,
  onObject: (object: ApiKinds[K]) => void,
): ListDecoder {
  const chunks: Buffer[] = [];
  let head = '';
  const meta = { continueToken: undefined as string | undefined, remaining: undefined as number | undefined };
  return {
    get continueToken() {
      return meta.continueToken;
    },
    get remaining() {
      return meta.remaining;
    },
    push(chunk) {
      chunks.push(chunk);
      if (head.length >= 4096) return;
      head += chunk.toString('latin1');
      readHead(head, meta);
    },
    end() {
      const list = JSON.parse(Buffer.concat(chunks).toString('utf8')) as JsonList;
      meta.continueToken = list.metadata?.continue || undefined;
      meta.remaining = list.metadata?.remainingItemCount;
      for (const item of list.items ?? []) onObject(normalize(kind, item));
    },
  };
}

interface JsonList {
  readonly metadata?: { readonly continue?: string; readonly remainingItemCount?: number };
  readonly items?: readonly unknown[] | null;
}

// The API server writes a list's metadata before its items.
const HEAD = /^\s*\{"kind":"\w+","apiVersion":"[^"]+","metadata":(\{[^{}]*\})/;

function readHead(head: string, meta: { continueToken: string | undefined; remaining: number | undefined }): void {
  const found = HEAD.exec(head)?.[1];
  if (found === undefined) return;
  const metadata = JSON.parse(found) as NonNullable<JsonList['metadata']>;
  meta.continueToken = metadata.continue || undefined;
  meta.remaining = metadata.remainingItemCount;
}
