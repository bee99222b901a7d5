import { PodlensError } from '../errors.ts';
import { type ApiKind, type ApiKinds, messages } from '../objects/kinds-schema.ts';
import type { Message } from '../objects/schema.ts';
import { splitJson } from './json-list.ts';
import { normalize } from './normalize.ts';
import { readMessage } from './protobuf.ts';
import { ProtobufList } from './protobuf-list.ts';
import { runsForSure } from './protobuf-triage.ts';
import { readPod } from './prune.ts';

/** Turns the bytes of one list response into normalised, frozen objects. */
export interface ListDecoder {
  /** Hands on every object that is complete. The chunk's memory may be used again afterwards. */
  push(chunk: Buffer): void;
  /** Throws where the response ended before the list did. */
  end(): void;
  /** Where the next page starts: known soon after the first bytes, undefined on the last page. */
  readonly continueToken: string | undefined;
  /** How many objects follow this page, where the API server tells. */
  readonly remaining: number | undefined;
}

/** The media type of Kubernetes' binary form. */
export const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** What podlens asks the API server for. Kinds that it cannot write as protobuf come as JSON. */
export const listAccept = `${PROTOBUF},application/json;q=0.9`;

/** `contentType` is the response's. `push` and `end` throw a PodlensError "bad-response" for what is no such list. */
export function listDecoder<K extends ApiKind>(
  kind: K,
  contentType: string,
  onObject: (object: ApiKinds[K]) => void,
): ListDecoder {
  const meta = { continueToken: undefined as string | undefined, remaining: undefined as number | undefined };
  const onMeta = (list: { readonly continue?: string; readonly remainingItemCount?: number } | undefined) => {
    meta.continueToken = list?.continue || undefined;
    meta.remaining = list?.remainingItemCount;
  };
  const reader = contentType.startsWith(PROTOBUF)
    ? new ProtobufList(kind, {
        onMeta,
        onItem: (bytes, start, end) => onObject(fromProtobuf(kind, bytes, start, end)),
      })
    : jsonList(kind, onMeta, (item) => onObject(normalize(kind, item)));
  return {
    get continueToken() {
      return meta.continueToken;
    },
    get remaining() {
      return meta.remaining;
    },
    push: (chunk) => explained(kind, () => reader.push(chunk)),
    end: () => explained(kind, () => reader.end()),
  };
}

function fromProtobuf<K extends ApiKind>(kind: K, bytes: Buffer, start: number, end: number): ApiKinds[K] {
  const read = (message: Message) => readMessage(message, bytes, start, end) as ApiKinds[K];
  return kind === 'Pod' ? (readPod(read, runsForSure(bytes, start, end)) as ApiKinds[K]) : read(messages[kind]);
}

interface JsonHead {
  readonly kind?: string;
  readonly metadata?: { readonly continue?: string; readonly remainingItemCount?: number };
}

function jsonList(kind: ApiKind, onMeta: (meta: JsonHead['metadata']) => void, onItem: (item: unknown) => void) {
  let isComplete = false;
  const splitter = splitJson({
    onItem,
    // The API server writes a list's metadata in front of its items.
    onHead: ({ metadata }: JsonHead) => onMeta(metadata),
    onDocument(document) {
      const list = document as JsonHead;
      if (list.kind !== `${kind}List`)
        throw new Error(`it is a ${list.kind ?? 'nameless object'}, not a list of ${kind}`);
      onMeta(list.metadata);
      isComplete = true;
    },
  });
  return {
    push: splitter.push,
    end() {
      splitter.end();
      if (!isComplete) throw new Error('it ends in the middle of the list');
    },
  };
}

function explained(kind: ApiKind, read: () => void): void {
  try {
    read();
  } catch (cause) {
    if (cause instanceof PodlensError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PodlensError('bad-response', `The list of ${kind} objects could not be read: ${reason}.`, { cause });
  }
}
