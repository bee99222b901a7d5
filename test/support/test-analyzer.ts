import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import type { AnyAnalyzer } from '../../src/analyzer.ts';
import { correlate } from '../../src/correlate.ts';
import type { Finding } from '../../src/finding.ts';
import { FIXTURES, fixtureFiles } from './fixture-files.ts';
import { parseFixture } from './fixtures.ts';

/** "<code> <Kind> <namespace>/<name> [container] [(info)]", as fixtures expect it. */
export function lineOf({ code, subject, severity }: Finding): string {
  const name = subject.namespace === undefined ? subject.name : `${subject.namespace}/${subject.name}`;
  return [code, subject.kind, name, subject.container, severity === 'info' ? '(info)' : undefined]
    .filter((word) => word !== undefined)
    .join(' ');
}

/** One test per fixture of the analyzer: exactly the problems it expects, no others. */
export function testAnalyzer(analyzer: AnyAnalyzer): void {
  describe(analyzer.id, () => {
    for (const file of fixtureFiles(analyzer.id)) {
      test(file.slice(FIXTURES.length + 1), () => {
        const fixture = parseFixture(readFileSync(file, 'utf8'));
        const { candidates, gaps } = analyze(fixture.snapshot, [analyzer]);
        expect(gaps.filter((gap) => gap.what.startsWith('analyzer'))).toEqual([]);
        const lines = correlate(candidates).map((problem) => lineOf(problem.root));
        expect(lines.sort()).toEqual([...fixture.expect].sort());
        const codes = new Set(candidates.map(({ finding }) => finding.code));
        for (const near of fixture.near) expect(codes).not.toContain(near);
      });
    }
  });
}
