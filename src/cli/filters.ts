import type { AnyAnalyzer } from '../analyzer.ts';
import { PodlensError } from '../errors.ts';
import type { Problem } from '../finding.ts';
import { kindNamed, meant } from './kinds.ts';

export interface Chosen {
  /** What has to run. */
  readonly analyzers: readonly AnyAnalyzer[];
  /** The filters as podlens spells them. */
  readonly names: readonly string[];
  /** Which problems are shown; absent without a filter. */
  readonly keeps?: (problem: Problem) => boolean;
}

interface Filter {
  readonly name: string;
  readonly analyzers: readonly AnyAnalyzer[];
  keeps(problem: Problem): boolean;
}

/**
 * `--filter`: a kind shows the problems that such objects have, and everything runs, because what is wrong with a Service
 * or a pod may lie in a claim, a quota or a node. An analyzer or a cause shows what it found; of the others those run that
 * need nothing more to be read.
 */
export function choose(words: readonly string[] | undefined, all: readonly AnyAnalyzer[]): Chosen {
  if (words === undefined || words.length === 0) return { analyzers: all, names: [] };
  const filters = words.map((word) => filterFor(word, all));
  const asked = new Set(filters.flatMap(({ analyzers }) => analyzers));
  const read = new Set([...asked].flatMap(({ needs }) => needs));
  return {
    analyzers: all.filter((analyzer) => asked.has(analyzer) || analyzer.needs.every((kind) => read.has(kind))),
    names: filters.map(({ name }) => name),
    keeps: (problem) => filters.some((filter) => filter.keeps(problem)),
  };
}

// Kinds that tell of others: to find no problem of theirs would say nothing.
const NEVER_WRONG: ReadonlySet<string> = new Set(['Event', 'Namespace', 'Log', 'LimitRange']);

function filterFor(word: string, all: readonly AnyAnalyzer[]): Filter {
  const kind = kindNamed(word);
  if (
    kind !== undefined &&
    !NEVER_WRONG.has(kind) &&
    all.some(({ needs }) => (needs as readonly string[]).includes(kind))
  ) {
    return { name: kind, analyzers: all, keeps: (problem) => concerns(problem, kind) };
  }
  const lower = word.toLowerCase();
  const analyzer = all.find(({ id }) => id === lower);
  if (analyzer !== undefined) return forCodes(lower, [analyzer], (code) => Object.hasOwn(analyzer.rules, code));
  const isMeant = (code: string) => code === lower || code.startsWith(`${lower}.`);
  const analyzers = all.filter(({ rules }) => Object.keys(rules).some(isMeant));
  if (analyzers.length > 0) return forCodes(lower, analyzers, isMeant);
  throw unknownFilter(word, all);
}

const concerns = ({ root, owner, affects, symptoms }: Problem, kind: string): boolean =>
  root.subject.kind === kind ||
  owner?.kind === kind ||
  affects.some((ref) => ref.kind === kind) ||
  symptoms.some(({ subject }) => subject.kind === kind);

const forCodes = (name: string, analyzers: readonly AnyAnalyzer[], isMeant: (code: string) => boolean): Filter => ({
  name,
  analyzers,
  keeps: ({ root, symptoms }) => isMeant(root.code) || symptoms.some(({ code }) => isMeant(code)),
});

function unknownFilter(word: string, all: readonly AnyAnalyzer[]): PodlensError {
  const kinds = [...new Set(all.flatMap(({ needs }) => needs))].filter((kind) => kindNamed(kind) !== undefined);
  const families = new Set(all.flatMap(({ rules }) => Object.keys(rules).map((code) => code.split('.')[0] ?? code)));
  const codes = all.flatMap(({ rules }) => Object.keys(rules));
  const candidates = [...kinds, ...all.map(({ id }) => id), ...families, ...codes];
  return new PodlensError('filter-unknown', `There is no kind, analyzer or cause "${word}" to filter by.`, {
    hint:
      meant(word, candidates) ??
      `Filter by a kind (${[...new Set(all.map(({ kind }) => kind))].join(', ')}), by an analyzer (podlens analyzers) or by a cause (podlens codes).`,
  });
}
