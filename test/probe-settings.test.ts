import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { analyzers } from '../src/analyzers/index.ts';
import { diagnose } from '../src/diagnose.ts';
import { parseFixture } from './support/fixtures.ts';

test('holds what a probe allows against what the container needed', () => {
  const file = new URL('../fixtures/analyzers/pod-exit/liveness-needs-longer.yaml', import.meta.url);
  const [problem] = diagnose(parseFixture(readFileSync(file, 'utf8')).snapshot, { analyzers }).problems;
  expect(problem?.root.message).toContain('its liveness probe');
  expect(problem?.root.message).toContain('in the present run it has needed 90 s to become ready');
});
