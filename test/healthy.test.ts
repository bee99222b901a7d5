import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { analyzers } from '../src/analyzers/index.ts';
import { diagnose } from '../src/diagnose.ts';
import { parseFixture } from './support/fixtures.ts';

const FOLDER = join(import.meta.dirname, '../fixtures/healthy');

// What looks like trouble and is none: all analyzers together must stay silent, apart from information.
test.each(readdirSync(FOLDER))('%s', (file) => {
  const { snapshot } = parseFixture(readFileSync(join(FOLDER, file), 'utf8'));
  const { problems, gaps } = diagnose(snapshot, { analyzers });
  expect(gaps).toEqual([]);
  expect(
    problems.filter(({ root }) => root.severity !== 'info').map(({ root }) => `${root.code}: ${root.message}`),
  ).toEqual([]);
});
