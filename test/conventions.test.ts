import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../src/analyze.ts';
import { stages } from '../src/analyzer.ts';
import { analyzers } from '../src/analyzers/index.ts';
import { fixtureFiles } from './support/fixture-files.ts';
import { parseFixture } from './support/fixtures.ts';

const SOURCES = join(import.meta.dirname, '../src/analyzers');

test('ids are unique, and each is the name of its file', () => {
  const ids = analyzers.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(existsSync(join(SOURCES, `${id}.ts`)), `${id}.ts`).toBe(true);
});

test('every analyzer in the folder is listed', () => {
  const ids = new Set(analyzers.map(({ id }) => id));
  const files = readdirSync(SOURCES).filter((name) => name.endsWith('.ts'));
  const defining = files.filter((name) => readFileSync(join(SOURCES, name), 'utf8').includes('= defineAnalyzer'));
  expect(defining.map((name) => name.slice(0, -3)).filter((id) => !ids.has(id))).toEqual([]);
});

test('every fixture folder belongs to an analyzer', () => {
  const folders = readdirSync(join(import.meta.dirname, '../fixtures/analyzers'));
  const ids = new Set(analyzers.map(({ id }) => id));
  expect(folders.filter((folder) => !ids.has(folder))).toEqual([]);
});

for (const analyzer of analyzers) {
  describe(analyzer.id, () => {
    const fixtures = fixtureFiles(analyzer.id).map((file) => parseFixture(readFileSync(file, 'utf8')));
    const fired = new Set(fixtures.flatMap(({ expect }) => expect.map((line) => line.split(' ')[0])));
    const missed = new Set(fixtures.flatMap(({ near }) => near));

    test('says what it looks at', () => {
      expect(analyzer.title).not.toBe('');
      expect(analyzer.needs).toContain(analyzer.kind);
      expect(new Set(analyzer.needs).size).toBe(analyzer.needs.length);
    });

    test('has a healthy twin that it says nothing of', () => {
      expect(fixtures.some(({ expect }) => expect.length === 0)).toBe(true);
    });

    test.each(Object.entries(analyzer.rules))(
      '%s has a fixture that fires it, a near miss, a source and a remedy',
      (code, rule) => {
        expect(code).toMatch(/^[a-z]+\.[a-z0-9-]+$/);
        expect([...fired], 'fires in a fixture').toContain(code);
        expect([...missed], 'stays silent in a near miss').toContain(code);
        expect(stages).toContain(rule.stage);
        expect(rule.source.length, 'names the component that writes what it reads').toBeGreaterThan(5);
        expect(rule.summary).toMatch(/^[A-Z].*[.]$/);
      },
    );

    test('reports only codes of its own, each with evidence, a sentence and steps that run as printed', () => {
      for (const { snapshot } of fixtures) {
        const { candidates, gaps } = analyze(snapshot, [analyzer]);
        expect(gaps.filter(({ what }) => what.startsWith('analyzer'))).toEqual([]);
        for (const { finding } of candidates) {
          expect(Object.keys(analyzer.rules)).toContain(finding.code);
          expect(finding.message).toMatch(/[.?!]$/);
          expect(finding.message).not.toMatch(/undefined|\[object|NaN/);
          expect(finding.evidence.length).toBeGreaterThan(0);
          expect(finding.remedy.length).toBeGreaterThan(0);
          if (finding.confidence !== 'certain' && finding.severity !== 'info') {
            expect(finding.check?.safety, `${finding.code} has a check that would settle it`).toBe('inspect');
          }
          for (const { text, command } of finding.remedy) {
            expect(text).toMatch(/^[A-Z].*[.:)]$/s);
            expect(text).not.toMatch(/undefined/);
            if (command !== undefined) expect(command).not.toMatch(/<[a-z-]+>|undefined|^$|…/);
            if (command !== undefined) expect(command).not.toMatch(/secrets?[/ ].*-o\s*(yaml|json\b|jsonpath)/);
          }
        }
      }
    });
  });
}
