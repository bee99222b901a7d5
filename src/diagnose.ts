import { analyze } from './analyze.ts';
import type { AnyAnalyzer } from './analyzer.ts';
import { correlate } from './correlate.ts';
import type { Gap, Report, Scope } from './finding.ts';
import type { Kind, Snapshot } from './snapshot.ts';

export interface DiagnoseOptions {
  readonly analyzers: readonly AnyAnalyzer[];
  readonly scope?: Scope;
  /** What could not be collected. */
  readonly gaps?: readonly Gap[];
}

/** From a snapshot to a report: pure, so that the same snapshot always gives the same bytes. */
export function diagnose(snapshot: Snapshot, { analyzers, scope = {}, gaps = [] }: DiagnoseOptions): Report {
  const analysis = analyze(snapshot, analyzers);
  const kinds = [...new Set(analyzers.flatMap((analyzer) => analyzer.needs))].sort();
  return {
    schemaVersion: 1,
    takenAt: snapshot.takenAt,
    scope,
    problems: correlate(analysis.candidates),
    gaps: [...gaps, ...analysis.gaps],
    stats: {
      objects: Object.fromEntries(kinds.map((kind: Kind) => [kind, snapshot.list(kind).length])),
      namespaces: new Set(snapshot.list('Pod').map((pod) => pod.metadata?.namespace)).size,
      analyzers: analyzers.length,
    },
  };
}
