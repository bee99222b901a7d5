import { analyze } from './analyze.ts';
import type { AnyAnalyzer } from './analyzer.ts';
import { changeKinds, changesBefore } from './changes.ts';
import { correlate } from './correlate.ts';
import type { Gap, Problem, Report, Scope } from './finding.ts';
import { type Kind, namespacesOf, type Snapshot } from './snapshot.ts';
import { timelineOf } from './timeline.ts';

export interface DiagnoseOptions {
  readonly analyzers: readonly AnyAnalyzer[];
  readonly scope?: Scope;
  /** What could not be collected. */
  readonly gaps?: readonly Gap[];
}

/** The kinds to collect for a diagnosis with these analyzers. */
export const kindsFor = (analyzers: readonly AnyAnalyzer[]): Kind[] =>
  [...new Set<Kind>([...analyzers.flatMap(({ needs }) => needs), ...changeKinds])].sort();

/** From a snapshot to a report: pure, so that the same snapshot always gives the same bytes. */
export function diagnose(snapshot: Snapshot, { analyzers, scope = {}, gaps = [] }: DiagnoseOptions): Report {
  const analysis = analyze(snapshot, analyzers);
  return {
    schemaVersion: 1,
    takenAt: snapshot.takenAt,
    scope,
    problems: correlate(analysis.candidates).map((problem) => withHistory(snapshot, problem)),
    gaps: [...gaps, ...analysis.gaps],
    stats: {
      objects: Object.fromEntries(kindsFor(analyzers).map((kind) => [kind, snapshot.list(kind).length])),
      namespaces: namespacesOf(snapshot.list('Pod')).length,
      analyzers: analyzers.length,
    },
  };
}

function withHistory(snapshot: Snapshot, problem: Problem): Problem {
  if (problem.root.severity === 'info') return problem;
  const changes = changesBefore(snapshot, problem);
  const timeline = timelineOf(snapshot, problem, changes);
  return {
    ...problem,
    ...(changes.length === 0 ? {} : { changes }),
    ...(timeline.length === 0 ? {} : { timeline }),
  };
}
