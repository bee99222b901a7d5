import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { analyzers } from '../../src/analyzers/index.ts';
import { diagnose } from '../../src/diagnose.ts';
import { FIXTURES } from '../support/fixture-files.ts';
import { parseFixture } from '../support/fixtures.ts';

/** The roots of a fixture: messages, and the commands of their remedies. */
function said(fixture: string, more = ''): { messages: string[]; commands: string[] } {
  const { snapshot } = parseFixture(`${readFileSync(`${FIXTURES}/${fixture}.yaml`, 'utf8')}${more}`);
  const roots = diagnose(snapshot, { analyzers }).problems.map(({ root }) => root);
  return {
    messages: roots.map(({ message }) => message),
    commands: roots.flatMap(({ remedy }) => remedy.flatMap(({ command = [] }) => command)),
  };
}

describe('a Job that failed', () => {
  const logs = 'kubectl logs job/nightly -n default';

  test('has no log to read where its controller has deleted its pods', () => {
    expect(said('workload-job/backoff-limit').commands).not.toContain(logs);
  });

  test('has one where a pod is left', () => {
    const pod = `
---
kind: Pod
metadata: { name: nightly-1, ownerReferences: [{ kind: Job, name: nightly, controller: true }] }
status: { phase: Succeeded }
`;
    expect(said('workload-job/backoff-limit', pod).commands).toContain(logs);
  });
});
