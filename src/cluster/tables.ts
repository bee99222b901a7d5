import { PodlensError } from '../errors.ts';
import type { ApiKinds } from '../objects/kinds-schema.ts';
import type { ListDecoder } from './decode.ts';
import { normalize } from './normalize.ts';

/** Kinds whose values podlens never asks for: they are listed as tables, with metadata and no content. */
export type TableKind = 'Secret' | 'ConfigMap';

export const isTableKind = (kind: string): kind is TableKind => kind === 'Secret' || kind === 'ConfigMap';

export const tableAccept = 'application/json;as=Table;v=v1;g=meta.k8s.io';

/** A table, or the list that a server sends which does not know tables. */
interface Answer {
  readonly kind?: string;
  readonly items?: readonly Item[] | null;
  readonly metadata?: { readonly continue?: string; readonly remainingItemCount?: number };
  readonly columnDefinitions?: readonly { readonly name?: string }[];
  readonly rows?: readonly Row[] | null;
}

interface Item {
  readonly metadata?: Metadata;
  readonly type?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly binaryData?: Readonly<Record<string, unknown>>;
}

interface Row {
  readonly cells?: readonly unknown[];
  readonly object?: { readonly metadata?: Metadata };
}

interface Metadata {
  readonly annotations?: unknown;
  readonly managedFields?: readonly { readonly fieldsV1?: FieldsV1 }[];
}

type FieldsV1 = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;

/**
 * Reads objects from the rows of a table: type and number of keys from the cells, the keys' names from managedFields.
 * `end` throws a PodlensError "bad-response" for another answer.
 */
export function tableDecoder<K extends TableKind>(kind: K, onObject: (object: ApiKinds[K]) => void): ListDecoder {
  const chunks: Buffer[] = [];
  let metadata: Answer['metadata'];
  return {
    get continueToken() {
      return metadata?.continue || undefined;
    },
    get remaining() {
      return metadata?.remainingItemCount;
    },
    push: (chunk) => void chunks.push(Buffer.from(chunk)),
    end() {
      const answer = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Answer;
      metadata = answer.metadata;
      for (const object of answer.kind === 'Table' ? fromRows(kind, answer) : fromItems(kind, answer)) {
        onObject(normalize(kind, object));
      }
    },
  };
}

function* fromRows(kind: TableKind, { columnDefinitions = [], rows }: Answer): Generator<object> {
  const columns = columnDefinitions.map(({ name }) => name);
  const cell = (row: Row, name: string) => row.cells?.[columns.indexOf(name)];
  for (const row of rows ?? []) {
    const keys = keysOf(row.object?.metadata, Number(cell(row, 'Data')));
    yield { metadata: shown(kind, row.object?.metadata), type: cell(row, 'Type'), ...keys };
  }
}

/** A server that knows no tables sends all there is, and the values are let go of at once. */
function* fromItems(kind: TableKind, { kind: found, items }: Answer): Generator<object> {
  if (found !== `${kind}List`) {
    throw new PodlensError(
      'bad-response',
      `a ${found ?? 'nameless object'} came instead of a table of ${kind} objects`,
    );
  }
  for (const { metadata, type, data = {}, binaryData } of items ?? []) {
    const binary = binaryData === undefined ? {} : { binaryData: asKeys(new Set(Object.keys(binaryData))) };
    yield { metadata: shown(kind, metadata), type, data: asKeys(new Set(Object.keys(data))), ...binary };
  }
}

/** Annotations may hold the whole Secret as it was applied. */
function shown(kind: TableKind, metadata: Metadata | undefined): object {
  const { annotations, ...rest } = metadata ?? {};
  return kind === 'Secret' ? rest : { annotations, ...rest };
}

interface Keys {
  readonly data?: Record<string, ''>;
  readonly binaryData?: Record<string, ''>;
}

/**
 * The names of the keys, where managedFields account for all of them: an object that lost its managedFields, or was
 * written before there were any, has no `data` here, and nobody may conclude that a key is missing.
 */
function keysOf(metadata: Metadata | undefined, count: number): Keys {
  const data = fieldNames(metadata, 'f:data', 'f:stringData');
  const binaryData = fieldNames(metadata, 'f:binaryData');
  if (data.size + binaryData.size !== count) return {};
  return { data: asKeys(data), ...(binaryData.size === 0 ? {} : { binaryData: asKeys(binaryData) }) };
}

function fieldNames(metadata: Metadata | undefined, ...fields: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const { fieldsV1 } of metadata?.managedFields ?? []) {
    for (const field of fields) {
      for (const name of Object.keys(fieldsV1?.[field] ?? {})) if (name.startsWith('f:')) names.add(name.slice(2));
    }
  }
  return names;
}

const asKeys = (names: ReadonlySet<string>): Record<string, ''> =>
  Object.fromEntries([...names].sort().map((name) => [name, '']));
