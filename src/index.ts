export type { Analyzer, AnyAnalyzer, Draft, Rule, Stage, Where } from './analyzer.ts';
export { defineAnalyzer } from './analyzer.ts';
export { analyzers } from './analyzers/index.ts';
export type { DiagnoseOptions } from './diagnose.ts';
export { diagnose } from './diagnose.ts';
export { PodlensError } from './errors.ts';
export type { Evidence, Finding, Gap, Problem, Ref, Report, Scope, Step } from './finding.ts';
export type { Kind, Kinds, Snapshot, View } from './snapshot.ts';
export { createSnapshot } from './snapshot.ts';
