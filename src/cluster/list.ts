import { PodlensError } from '../errors.ts';
import type { ApiKind, ApiKinds } from '../objects/kinds-schema.ts';
import { type ListDecoder, listAccept, listDecoder } from './decode.ts';
import { deferred } from './deferred.ts';
import { ApiError, ConnectionError } from './errors.ts';
import { type Resource, resources } from './kinds.ts';
import { type Pace, retrying } from './retry.ts';
import { isTableKind, tableAccept, tableDecoder } from './tables.ts';
import type { Transport } from './transport.ts';
import type { ResponseHeaders } from './wire.ts';

/** What reading needs, whatever is read. */
export interface Reader {
  readonly transport: Transport;
  readonly signal: AbortSignal;
  readonly pace: Pace;
  onRetry(): void;
  onResponse(status: number, headers: ResponseHeaders): void;
}

export interface PageProgress {
  readonly pages: number;
  readonly objects: number;
  readonly remaining: number | undefined;
}

/**
 * Objects per page. They are decoded as they arrive, so a page costs no memory of its own; and the token of the next one
 * comes with its first bytes, so that a link is kept busy by pages that take longer than a round trip.
 */
const PAGE = 5000;

// What comes uncompressed before the link is known to be slow is kept short.
const FIRST_PAGE = 500;

// The next page is asked for once the link's speed is known, so that it can be asked for compressed.
const PREFETCH_AFTER = 1024 * 1024;

const RESTARTS = 3;

/**
 * All objects of one kind, in one namespace or in the whole cluster, each once. The next page is asked for while one is
 * read. Throws an ApiError or a ConnectionError once trying again is of no use: there is no such thing as half a list.
 */
export async function readList<K extends ApiKind>(
  kind: K,
  namespace: string | undefined,
  reader: Reader,
  onPage: (progress: PageProgress) => void,
): Promise<ApiKinds[K][]> {
  let objects: ApiKinds[K][] = [];
  let pages = 0;
  let restarts = 0;
  let current = startPage(kind, namespace, reader, {});
  for (;;) {
    const ahead = await current.following;
    const next = ahead === undefined ? undefined : startPage(kind, namespace, reader, { token: ahead });
    let page: Page<K>;
    try {
      page = await current.page;
    } catch (error) {
      next?.cancel();
      if (!isExpired(error) || restarts++ === RESTARTS) throw error;
      // With the token of a 410 the list goes on, a little younger than it began; without one it begins again.
      if (error.continueToken === undefined) objects = [];
      current = startPage(kind, namespace, reader, { token: error.continueToken, whole: restarts > 1 });
      continue;
    }
    for (const object of page.objects) objects.push(object);
    onPage({ pages: ++pages, objects: objects.length, remaining: page.remaining });
    if (page.token === undefined) {
      next?.cancel();
      return restarts === 0 ? objects : unique(objects);
    }
    // A page that had to be asked for again may end elsewhere than the broken one said.
    if (next === undefined || page.token !== ahead) {
      next?.cancel();
      current = startPage(kind, namespace, reader, { token: page.token });
    } else current = next;
  }
}

interface Page<K extends ApiKind> {
  readonly objects: readonly ApiKinds[K][];
  readonly token: string | undefined;
  readonly remaining: number | undefined;
}

interface PageInFlight<K extends ApiKind> {
  /** Where the next page starts, as soon as that is known; undefined on the last one, or after a failure. */
  readonly following: Promise<string | undefined>;
  readonly page: Promise<Page<K>>;
  cancel(): void;
}

interface Start {
  readonly token?: string | undefined;
  /** Everything in one response. */
  readonly whole?: boolean;
}

function startPage<K extends ApiKind>(
  kind: K,
  namespace: string | undefined,
  reader: Reader,
  start: Start,
): PageInFlight<K> {
  const cancel = new AbortController();
  const signal = AbortSignal.any([reader.signal, cancel.signal]);
  const following = deferred<string | undefined>();
  const { transport, pace } = reader;
  const page = retrying(
    () => readPage(kind, listPath(resources[kind], namespace, start), { ...reader, signal }, following.resolve),
    { pace, signal, answered: () => transport.traffic.answered, onRetry: reader.onRetry },
  );
  page.then(
    ({ token }) => following.resolve(token),
    () => following.resolve(undefined),
  );
  return { following: following.promise, page, cancel: () => cancel.abort() };
}

async function readPage<K extends ApiKind>(
  kind: K,
  path: string,
  { transport, signal, onResponse }: Reader,
  onToken: (token: string) => void,
): Promise<Page<K>> {
  const objects: ApiKinds[K][] = [];
  let decoder: ListDecoder | undefined;
  let bytes = 0;
  await transport.get(path, {
    accept: isTableKind(kind) ? tableAccept : listAccept,
    signal,
    onResponse(status, headers) {
      onResponse(status, headers);
      if (status === 200) decoder = decoderFor(kind, headers['content-type'] ?? '', (object) => objects.push(object));
    },
    onBytes(chunk) {
      decoder?.push(chunk);
      bytes += chunk.length;
      if (bytes >= PREFETCH_AFTER && decoder?.continueToken !== undefined) onToken(decoder.continueToken);
    },
  });
  try {
    decoder?.end();
  } catch (error) {
    if (isTableKind(kind) && error instanceof PodlensError) throw error;
    // Without a length a cut answer looks complete to HTTP.
    throw new ConnectionError('broken', 'the answer is not a whole list', error);
  }
  return { objects, token: decoder?.continueToken, remaining: decoder?.remaining };
}

function decoderFor<K extends ApiKind>(kind: K, contentType: string, onObject: (object: ApiKinds[K]) => void) {
  if (!/^application\/(json|vnd\.kubernetes\.protobuf)/.test(contentType)) {
    throw new ConnectionError('wrong', `it does not answer like an API server (${contentType || 'no content type'})`);
  }
  return isTableKind(kind)
    ? tableDecoder(kind, onObject as (object: ApiKinds['Secret' | 'ConfigMap']) => void)
    : listDecoder(kind, contentType, onObject);
}

function listPath(resource: Resource, namespace: string | undefined, { token, whole }: Start): string {
  const query = new URLSearchParams();
  if (resource.cached) query.set('resourceVersion', '0');
  else if (whole !== true) query.set('limit', String(token === undefined ? FIRST_PAGE : PAGE));
  if (token !== undefined) query.set('continue', token);
  if (resource.plural === 'secrets' || resource.plural === 'configmaps') query.set('includeObject', 'Metadata');
  const text = query.toString();
  return `${resourcePath(resource, namespace)}${text === '' ? '' : `?${text}`}`;
}

/** "/apis/apps/v1/namespaces/shop/deployments". */
export function resourcePath({ groupVersion, plural }: Resource, namespace?: string): string {
  const root = groupVersion.includes('/') ? `/apis/${groupVersion}` : `/api/${groupVersion}`;
  return namespace === undefined
    ? `${root}/${plural}`
    : `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

const isExpired = (error: unknown): error is ApiError => error instanceof ApiError && error.status === 410;

/** Each object once, the younger of two: a list that went on inconsistently may have seen one twice. */
function unique<T extends { readonly metadata?: { readonly uid?: string } }>(objects: readonly T[]): T[] {
  const byUid = new Map<string | T, T>();
  for (const object of objects) byUid.set(object.metadata?.uid ?? object, object);
  return [...byUid.values()];
}
