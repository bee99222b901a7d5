import type { Evidence, Ref } from '../finding.ts';
import type { View } from '../snapshot.ts';
import type { Event } from './kinds-schema.ts';
import { ms } from './time.ts';

/** An event, whichever of the two APIs and generations of clients wrote it. */
export interface EventLine {
  readonly reason: string;
  /** Without the aggregation prefix. */
  readonly message: string;
  readonly type: string;
  /** The component that reported it: "kubelet", "default-scheduler", "karpenter". */
  readonly source: string;
  readonly count: number;
  /** When it was last seen. */
  readonly at: string | undefined;
  readonly firstAt: string | undefined;
  /** From the field path `spec.containers{name}`. */
  readonly container: string | undefined;
  readonly uid: string | undefined;
}

// client-go's correlator writes it in front of a message that it has seen more than ten times in ten minutes.
const COMBINED = '(combined from similar events): ';

function lineOf(event: Event): EventLine {
  const message = event.message ?? '';
  return {
    reason: event.reason ?? '',
    message: message.startsWith(COMBINED) ? message.slice(COMBINED.length) : message,
    type: event.type ?? '',
    source: event.source?.component || event.reportingComponent || '',
    count: event.series?.count ?? (event.count || 1),
    // The scheduler and other events.k8s.io clients set eventTime and series only.
    at:
      event.series?.lastObservedTime ??
      event.lastTimestamp ??
      event.eventTime ??
      event.firstTimestamp ??
      event.metadata?.creationTimestamp,
    firstAt: event.firstTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp,
    container: /\{(.+)\}$/.exec(event.involvedObject?.fieldPath ?? '')?.[1],
    uid: event.involvedObject?.uid,
  };
}

const indexes = new WeakMap<readonly Event[], Map<string, EventLine[]>>();

function indexOf(events: readonly Event[]): Map<string, EventLine[]> {
  const known = indexes.get(events);
  if (known !== undefined) return known;
  const index = new Map<string, EventLine[]>();
  for (const event of events) {
    const { kind = '', namespace = '', name = '' } = event.involvedObject ?? {};
    const key = `${kind}/${namespace}/${name}`;
    const lines = index.get(key);
    if (lines === undefined) index.set(key, [lineOf(event)]);
    else lines.push(lineOf(event));
  }
  for (const lines of index.values()) lines.sort((a, b) => (ms(b.at) ?? 0) - (ms(a.at) ?? 0));
  indexes.set(events, index);
  return index;
}

/**
 * The events about an object, newest first. With `uid`, those of a namesake that is gone are left out; events without a
 * uid stay (the taint manager and the kubelet's node events have none), and so do those that carry a static pod's hash.
 */
export function eventsOf(cluster: View<'Event'>, object: Ref, uid?: string, mirrorHash?: string): readonly EventLine[] {
  const index = indexOf(cluster.list('Event'));
  const lines = index.get(`${object.kind}/${object.namespace ?? ''}/${object.name}`) ?? NONE;
  if (uid === undefined) return lines;
  const isOwn = (line: EventLine) =>
    line.uid === undefined || line.uid === '' || line.uid === uid || line.uid === mirrorHash;
  return lines.every(isOwn) ? lines : lines.filter(isOwn);
}

const NONE: readonly EventLine[] = [];

/** An event as evidence. */
export function eventEvidence(object: Ref, event: EventLine): Omit<Evidence, 'id'> {
  return {
    from: object,
    where: `event ${event.reason}`,
    text: event.message,
    ...(event.at === undefined ? {} : { at: event.at }),
  };
}
