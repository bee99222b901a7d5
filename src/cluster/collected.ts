import type { Gap } from '../finding.ts';
import type { Kind, Snapshot } from '../snapshot.ts';

/** What was read, from a live cluster or a saved one. */
export interface Collected {
  readonly snapshot: Snapshot;
  /** What could not be read, beside the kinds that `snapshot.unreadable` names. */
  readonly gaps: readonly Gap[];
  readonly stats: CollectStats;
  /** The namespaces that were read, where that is not all of them. */
  readonly namespaces?: readonly string[];
}

export interface CollectStats {
  /** Requests sent to the API server, or files read. */
  readonly requests: number;
  /** Bytes received, as they came over the wire. */
  readonly bytes: number;
  /** Requests that had to be sent again. */
  readonly retries: number;
}

/** How far the reading of one kind has come. */
export interface Progress {
  readonly kind: Kind;
  readonly pages: number;
  readonly objects: number;
  /** How many objects are left after the pages that were read, where the API server tells. */
  readonly remaining?: number;
  readonly done: boolean;
}
