import { loadAll } from 'js-yaml';
import { isApiKind, resources } from '../../src/cluster/kinds.ts';
import { normalize } from '../../src/cluster/normalize.ts';
import { type Contents, createSnapshot, type Kind, type Log, logName, type Snapshot } from '../../src/snapshot.ts';

/**
 * A fixture: objects as YAML documents, and in comments what must be said of them.
 *
 *   # expect: <code> <Kind> [<namespace>/]<name> [<container>] [(info)]     once per problem, or
 *   # expect: nothing
 *   # near: <code>            a near miss: the code must not be reported
 *   # at: 2026-11-21T02:00:00Z            the time to judge by (this is the default)
 *   # unreadable: Node, Event             kinds that could not be read
 *
 * A document of kind `Log` has `pod`, `container`, `previous` and `text`.
 */
export interface Fixture {
  readonly expect: readonly string[];
  readonly near: readonly string[];
  readonly snapshot: Snapshot;
}

interface Document {
  readonly kind?: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly items?: readonly Document[];
}

/** `read` makes snapshot objects of the documents. */
export function parseFixture(text: string, read = normalize): Fixture {
  const notes = (name: string) =>
    [...text.matchAll(new RegExp(`^# ${name}: (.+)$`, 'gm'))].map((match) => (match[1] ?? '').trim());
  const objects: Record<string, unknown[]> = {};
  const documents = loadAll(text) as (Document | null)[];
  for (const document of documents.flatMap((document): readonly (Document | null)[] => document?.items ?? [document])) {
    const kind = document?.kind;
    if (document === null || kind === undefined) continue;
    if (kind === 'Log') push(objects, 'Log', logOf(document as unknown as LogDocument));
    else if (isApiKind(kind)) push(objects, kind, read(kind, withNamespace(kind, document)));
    else throw new Error(`The fixture has an object of kind ${kind}, which podlens does not read.`);
  }
  const unreadable = notes('unreadable').flatMap((note) => note.split(/,\s*/)) as Kind[];
  return {
    expect: notes('expect').filter((line) => line !== 'nothing'),
    near: notes('near'),
    snapshot: createSnapshot({
      takenAt: notes('at')[0] ?? '2026-11-21T02:00:00Z',
      objects: objects as Contents['objects'],
      unreadable: new Map(unreadable.map((kind) => [kind, 'forbidden'])),
    }),
  };
}

function push(objects: Record<string, unknown[]>, kind: string, object: unknown): void {
  objects[kind] ??= [];
  objects[kind].push(object);
}

const withNamespace = (kind: Kind & keyof typeof resources, document: Document): Document =>
  resources[kind].namespaced ? { ...document, metadata: { namespace: 'default', ...document.metadata } } : document;

interface LogDocument {
  readonly metadata?: { readonly namespace?: string };
  readonly pod: string;
  readonly container: string;
  readonly previous?: boolean;
  readonly text: string;
}

function logOf({ metadata, pod, container, previous = false, text }: LogDocument): Log {
  return {
    metadata: { namespace: metadata?.namespace ?? 'default', name: logName(pod, container, previous) },
    pod,
    container,
    previous,
    lines: text
      .trimEnd()
      .split('\n')
      .map((line) => ({ text: line })),
    read: 'last 200 lines',
  };
}
