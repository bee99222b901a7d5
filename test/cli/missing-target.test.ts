import { expect, test } from 'vitest';
import { findTargets } from '../../src/cli/targets.ts';
import { parseFixture } from '../support/fixtures.ts';

const { snapshot } = parseFixture(`kind: Pod
metadata: { name: web-1 }
spec: { containers: [{ name: app, envFrom: [{ secretRef: { name: db } }] }] }
---
kind: Secret
metadata: { name: other }
`);

test('a Secret that does not exist is a target where pods refer to it', () => {
  expect([...findTargets([{ kind: 'Secret', name: 'db' }], snapshot, undefined)]).toContain('Pod/default/web-1');
});

test('a Secret that nothing refers to is none', () => {
  expect(() => findTargets([{ kind: 'Secret', name: 'bd' }], snapshot, undefined)).toThrow('There is no secret/bd.');
});
