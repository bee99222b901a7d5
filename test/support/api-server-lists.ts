import { PROTOBUF } from '../../src/cluster/decode.ts';
import { isApiKind } from '../../src/cluster/kinds.ts';
import { normalize } from '../../src/cluster/normalize.ts';
import { messages } from '../../src/objects/kinds-schema.ts';
import type { ApiObject, ApiServerOptions, Recorded } from './api-server.ts';
import { type Answer, json, status } from './api-server-answers.ts';
import type { Place } from './api-server-paths.ts';
import { BadSelector, fieldSelector, labelSelector } from './api-server-selectors.ts';
import { tableOf } from './api-server-tables.ts';
import { encodeList, encodeMessage, type ListMeta } from './protobuf-encode.ts';

/** One page of a list, as objects, as metadata or as a table. */
export function listAnswer(place: Place, { query, headers }: Recorded, options: ApiServerOptions): Answer {
  const version = options.resourceVersion ?? 1000;
  const wanted = Number(query.get('resourceVersion') ?? version);
  if (query.get('resourceVersionMatch') === 'Exact' && wanted < version / 2) {
    return status(410, 'The resourceVersion for the provided list is too old.');
  }
  try {
    return pageOf(place, query, headers.accept ?? '', options, version);
  } catch (error) {
    if (error instanceof BadSelector || error instanceof BadToken) return status(400, error.message);
    throw error;
  }
}

function pageOf(
  place: Place,
  query: URLSearchParams,
  accept: string,
  options: ApiServerOptions,
  version: number,
): Answer {
  const selectors = [query.get('fieldSelector') ?? '', query.get('labelSelector') ?? ''] as const;
  const all = sorted(options.objects, place.kind)
    .filter(({ metadata }) => place.namespace === undefined || metadata.namespace === place.namespace)
    .filter(selectors[0] === '' ? () => true : fieldSelector(place.kind, selectors[0]))
    .filter(selectors[1] === '' ? () => true : labelSelector(selectors[1]));
  // A list from the watch cache is never cut.
  const limit = query.get('resourceVersion') === '0' ? 0 : Number(query.get('limit') ?? 0);
  const token = query.get('continue');
  const from = token === null || token === '' ? 0 : after(all, startIn(token), place.namespace);
  const page = limit > 0 ? all.slice(from, from + limit) : all.slice(from);
  const left = all.length - from - page.length;
  const last = page.at(-1);
  const metadata = {
    resourceVersion: String(version),
    ...(left > 0 && last !== undefined ? { continue: tokenAfter(last, place.namespace, version) } : {}),
    // With a selector the server cannot know how many are left.
    ...(left > 0 && selectors.every((selector) => selector === '') ? { remainingItemCount: left } : {}),
  };
  if (accept.startsWith(PROTOBUF) && options.protobuf !== false) return protobufAnswer(place, page, metadata);
  return json(shaped(place, page, metadata, accept, query));
}

/** What stands in the tables of `objects/`, as bytes: enough for podlens, which reads no more. */
function protobufAnswer({ kind, groupVersion }: Place, page: readonly ApiObject[], metadata: ListMeta): Answer {
  if (!isApiKind(kind)) return status(406, `the test server has no protobuf of ${kind}`);
  const items = page.map((object) => {
    const known = encoded.get(object) ?? encodeMessage(messages[kind], normalize(kind, object));
    encoded.set(object, known);
    return known;
  });
  return {
    status: 200,
    headers: { 'content-type': PROTOBUF },
    body: encodeList(kind, groupVersion, metadata, items),
  };
}

const encoded = new WeakMap<ApiObject, Buffer>();

// Sorting fifty thousand objects for each page would make the server, not the client, what is measured.
const sortedLists = new WeakMap<readonly ApiObject[], Map<string, readonly ApiObject[]>>();

function sorted(objects: readonly ApiObject[], kind: string): readonly ApiObject[] {
  const byKind = sortedLists.get(objects) ?? new Map<string, readonly ApiObject[]>();
  sortedLists.set(objects, byKind);
  const known = byKind.get(kind);
  if (known !== undefined) return known;
  const list = objects.filter((object) => object.kind === kind).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  byKind.set(kind, list);
  return list;
}

const keyOf = ({ metadata }: ApiObject, namespace?: string): string =>
  namespace === undefined && metadata.namespace !== undefined
    ? `${metadata.namespace}/${metadata.name}`
    : metadata.name;

export const tokenAfter = (object: ApiObject, namespace: string | undefined, version: number): string =>
  Buffer.from(
    JSON.stringify({ v: 'meta.k8s.io/v1', rv: version, start: `${keyOf(object, namespace)}\u0000` }),
  ).toString('base64url');

class BadToken extends Error {}

/** The key that a page starts after. */
function startIn(token: string): string {
  const decoded = Buffer.from(token, 'base64url').toString();
  try {
    const { start } = JSON.parse(decoded) as { start: string };
    return start.replace(/^\//, '').replace(/\0$/, '');
  } catch {
    const first = decoded[0] ?? '';
    throw new BadToken(
      `invalid continue token: continue key is not valid: invalid character '${first}' looking for beginning of value`,
    );
  }
}

function after(objects: readonly ApiObject[], start: string, namespace: string | undefined): number {
  const index = objects.findIndex((object) => keyOf(object, namespace) > start);
  return index === -1 ? objects.length : index;
}

function shaped(place: Place, page: readonly ApiObject[], metadata: object, accept: string, query: URLSearchParams) {
  const form = /as=(\w+)/.exec(accept)?.[1];
  if (form === 'Table') {
    const included = query.get('includeObject') ?? 'Metadata';
    return { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, ...tableOf(place.kind, page, included) };
  }
  if (form === 'PartialObjectMetadataList') {
    const items = page.length === 0 ? null : page.map((object) => ({ metadata: object.metadata }));
    return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items };
  }
  const items = page.map(({ kind: _kind, apiVersion: _apiVersion, ...rest }) => rest);
  return { kind: `${place.kind}List`, apiVersion: place.groupVersion, metadata, items };
}
