import type { Gap } from '../finding.ts';
import { groupBy } from '../objects/group.ts';
import type { ApiKind, ApiKinds } from '../objects/kinds-schema.ts';
import { type Contents, createSnapshot, type Kind, type Log, type Snapshot } from '../snapshot.ts';
import type { Collected, Progress } from './collected.ts';
import type { Connection } from './connect.ts';
import { deferred } from './deferred.ts';
import { explained } from './errors.ts';
import { isApiKind, resources } from './kinds.ts';
import { limiter } from './limiter.ts';
import { type Reader, readList } from './list.ts';
import { readLogs } from './logs.ts';
import { checkNamespaces } from './namespaces.ts';
import { type Pace, realPace } from './retry.ts';
import { isAbsentGroup, whyUnreadable } from './unreadable.ts';

export interface CollectOptions {
  /** What the analyzers need; `Log` among them, and `logs`, for logs to be read. */
  readonly kinds: readonly Kind[];
  /** Only these, each of which must exist. */
  readonly namespaces?: readonly string[] | undefined;
  /** All of them, which is also what happens without `namespaces`. */
  readonly allNamespaces?: boolean | undefined;
  readonly logs: boolean;
  readonly signal: AbortSignal;
  onProgress?(progress: Progress): void;
  /** Time and chance, for tests. */
  readonly pace?: Pace;
}

// A long list costs the API server up to ten seats of its concurrency, whatever its page size, so few are read side by
// side; what belongs to no namespace is short.
const LISTS_AT_ONCE = 4;
const SHORT_LISTS_AT_ONCE = 4;

/**
 * Reads what the analyzers need: one list per kind (and namespace), in pages, then the logs of broken containers. A
 * kind that cannot be read is named in `snapshot.unreadable`. Throws a PodlensError where the cluster as a whole cannot
 * be read, and the signal's reason once that is aborted.
 */
export async function collect(connection: Connection, options: CollectOptions): Promise<Collected> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const { transport } = connection;
  let takenAt: string | undefined;
  let retries = 0;
  const reader: Reader = {
    transport,
    signal,
    pace: options.pace ?? realPace,
    onRetry: () => void retries++,
    onResponse(_status, headers) {
      // The cluster's own clock is the one its objects' times are to be compared with.
      takenAt ??= isoTime(headers['date']);
    },
  };
  const { requests, bytes } = transport.traffic;
  try {
    const lists = await readLists(reader, connection, options);
    const contents = { ...lists.contents, takenAt: takenAt ?? new Date().toISOString() };
    const snapshot = createSnapshot(contents);
    const wanted = options.logs && options.kinds.includes('Log') && !snapshot.unreadable.has('Pod');
    const { logs, gaps } = wanted ? await readLogs(reader, snapshot, options.onProgress) : NO_LOGS;
    return {
      snapshot: wanted ? withLogs(contents, logs) : snapshot,
      gaps: [...lists.gaps, ...gaps],
      stats: { requests: transport.traffic.requests - requests, bytes: transport.traffic.bytes - bytes, retries },
      ...(lists.namespaces === undefined ? {} : { namespaces: lists.namespaces }),
    };
  } catch (error) {
    // Whatever else is on the way is of no use any more.
    stop.abort(error);
    options.signal.throwIfAborted();
    throw explained(error, connection.server);
  }
}

const NO_LOGS: { readonly logs: readonly Log[]; readonly gaps: readonly Gap[] } = { logs: [], gaps: [] };

const withLogs = (contents: Contents, logs: readonly Log[]): Snapshot =>
  createSnapshot({ ...contents, objects: { ...contents.objects, Log: logs } });

function isoTime(date: string | undefined): string | undefined {
  const time = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

interface Lists {
  readonly contents: Omit<Contents, 'takenAt'>;
  readonly gaps: readonly Gap[];
  readonly namespaces: readonly string[] | undefined;
}

async function readLists(reader: Reader, connection: Connection, options: CollectOptions): Promise<Lists> {
  const kinds = [...new Set(options.kinds)].filter(isApiKind).sort((a, b) => size(a) - size(b));
  const asked = options.allNamespaces === true ? undefined : distinct(options.namespaces);
  const unsure = asked === undefined ? [] : await checkNamespaces(reader, asked);

  const slot = limiter(LISTS_AT_ONCE);
  const shortSlot = limiter(SHORT_LISTS_AT_ONCE);
  const list: ListOne = (kind, namespace, onAnswer) =>
    (resources[kind].namespaced ? slot : shortSlot)(() =>
      readOutcome(kind, namespace, reader, { onProgress: options.onProgress, onAnswer }),
    );
  const namespaced = kinds.filter((kind) => resources[kind].namespaced);
  const clusterScoped = kinds.filter((kind) => !resources[kind].namespaced);
  const [inNamespaces, ...outcomes] = await Promise.all([
    asked === undefined ? readWidely(namespaced, list, reader, connection) : readIn(namespaced, asked, list),
    ...clusterScoped.map((kind) => list(kind)),
  ]);
  const lists = summedUp([...inNamespaces.outcomes, ...outcomes], inNamespaces);
  return { ...lists, gaps: [...lists.gaps, ...emptyGaps(unsure, inNamespaces.outcomes)] };
}

/** A namespace in which nothing was found may be misspelt, where nobody could say that it exists. */
function emptyGaps(unsure: readonly string[], outcomes: readonly Outcome[]): Gap[] {
  return unsure
    .filter((namespace) => {
      const read = outcomes.filter((one) => one.namespace === namespace && 'objects' in one);
      return read.length > 0 && read.every((one) => 'objects' in one && one.objects.length === 0);
    })
    .map((namespace) => ({
      what: `namespace ${namespace}`,
      reason: 'nothing was found in it, and whether it exists may not be asked',
      hint: 'Check its spelling.',
    }));
}

type ListOne = (kind: ApiKind, namespace?: string, onAnswer?: (status: number) => void) => Promise<Outcome>;

interface Read {
  readonly outcomes: readonly Outcome[];
  readonly namespaces?: readonly string[];
  readonly gaps?: readonly Gap[];
}

async function readIn(kinds: readonly ApiKind[], namespaces: readonly string[], list: ListOne): Promise<Read> {
  const lists = kinds.flatMap((kind) => namespaces.map((namespace) => list(kind, namespace)));
  return { outcomes: await Promise.all(lists), namespaces };
}

/** The whole cluster; where its pods may not be listed, the context's namespace. */
async function readWidely(
  kinds: readonly ApiKind[],
  list: ListOne,
  reader: Reader,
  { namespace }: Connection,
): Promise<Read> {
  const [probe, ...others] = kinds;
  if (probe === undefined) return { outcomes: [] };
  // Its first answer decides about the others, which need not wait for the rest of it.
  const answer = deferred<number>();
  const probed = list(probe, undefined, answer.resolve);
  probed.then(() => answer.resolve(0), answer.reject);
  if ((await answer.promise) !== 403) {
    return { outcomes: await Promise.all([probed, ...others.map((kind) => list(kind))]) };
  }
  const refused = await probed;
  await checkNamespaces(reader, [namespace], 'context');
  const read = await readIn(kinds, [namespace], list);
  const gap: Gap = {
    what: 'other namespaces',
    reason: `${'reason' in refused ? refused.reason : 'forbidden'}, so only "${namespace}", the namespace of the context, was read`,
    hint: 'Choose others with -n. podlens rbac prints the role that reads all of them.',
  };
  return { ...read, gaps: [gap] };
}

/** What became of one list. */
type Outcome =
  | { readonly kind: ApiKind; readonly namespace: string | undefined; readonly objects: readonly ApiKinds[ApiKind][] }
  | {
      readonly kind: ApiKind;
      readonly namespace: string | undefined;
      readonly reason: string;
      readonly error: unknown;
    };

interface OutcomeOptions {
  readonly onProgress: CollectOptions['onProgress'];
  readonly onAnswer: ((status: number) => void) | undefined;
}

/** Throws where the trouble is not with this kind alone. */
async function readOutcome(
  kind: ApiKind,
  namespace: string | undefined,
  reader: Reader,
  { onProgress, onAnswer }: OutcomeOptions,
): Promise<Outcome> {
  let last: Omit<Progress, 'done'> = { kind, pages: 0, objects: 0 };
  const own: Reader = {
    ...reader,
    onResponse(status, headers) {
      reader.onResponse(status, headers);
      if (status === 200 || status === 403) onAnswer?.(status);
    },
  };
  try {
    const objects = await readList(kind, namespace, own, ({ pages, objects, remaining }) => {
      last = { kind, pages, objects, ...(remaining === undefined ? {} : { remaining }) };
      onProgress?.({ ...last, done: false });
    });
    return { kind, namespace, objects };
  } catch (error) {
    if (await isAbsentGroup(error, kind, reader)) return { kind, namespace, objects: [] };
    const reason = whyUnreadable(error, kind, namespace, reader);
    if (reason === undefined) throw error;
    return { kind, namespace, reason, error };
  } finally {
    onProgress?.({ ...last, done: true });
  }
}

/** Lists as a snapshot's contents. Throws the first failure where nothing at all could be read. */
function summedUp(outcomes: readonly Outcome[], { namespaces, gaps = [] }: Read): Lists {
  const [first] = outcomes;
  if (first !== undefined && 'reason' in first && outcomes.every((one) => 'reason' in one)) throw first.error;
  const objects: Partial<Record<ApiKind, ApiKinds[ApiKind][]>> = {};
  const unreadable = new Map<Kind, string>();
  const covered = new Map<Kind, Set<string>>([['Log', new Set()]]);
  const partly: Gap[] = [];
  for (const [kind, of] of groupBy(outcomes, ({ kind }) => kind)) {
    const read = of.filter((outcome) => 'objects' in outcome);
    const failed = of.filter((outcome) => 'reason' in outcome);
    if (read.length === 0) {
      unreadable.set(kind, [...new Set(failed.map(({ reason }) => reason))].join('; '));
      continue;
    }
    objects[kind] = read.length === 1 ? [...(read[0]?.objects ?? [])] : read.flatMap(({ objects }) => objects);
    const inNamespaces = read.map(({ namespace }) => namespace).filter((namespace) => namespace !== undefined);
    if (inNamespaces.length > 0) covered.set(kind, new Set(inNamespaces));
    for (const { namespace, reason } of failed) partly.push({ what: `${kind} in namespace ${namespace}`, reason });
  }
  // Each list holds normalised objects of its kind.
  const contents = { objects: objects as Contents['objects'], unreadable, namespaces: covered };
  return { contents, gaps: [...gaps, ...partly], namespaces };
}

/** The lists that take longest are begun first. */
const size = (kind: ApiKind): number => (kind === 'Pod' ? 0 : kind === 'Event' ? 1 : 2);

const distinct = (names: readonly string[] | undefined): readonly string[] | undefined =>
  names === undefined || names.length === 0 ? undefined : [...new Set(names)].sort();
