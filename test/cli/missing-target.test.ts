import { expect, test } from 'vitest';
import { findTargets } from '../../src/cli/targets.ts';
import { parseFixture } from '../support/fixtures.ts';

const { snapshot } = parseFixture(`kind: Pod
metadata: { name: web-1 }
spec:
  imagePullSecrets: [{ name: regcred }]
  containers: [{ name: app, envFrom: [{ secretRef: { name: db } }] }]
  volumes: [{ name: all, projected: { sources: [{ secret: { name: tls, optional: true } }] } }]
---
kind: Secret
metadata: { name: other }
`);

test.each([
  ['the environment', 'db'],
  ['a projected volume, optional or not', 'tls'],
  ['imagePullSecrets', 'regcred'],
])('a Secret that does not exist is a target where %s refers to it', (_, name) => {
  expect([...findTargets([{ kind: 'Secret', name }], snapshot, undefined)]).toContain('Pod/default/web-1');
});

test('a Secret that nothing refers to is none', () => {
  expect(() => findTargets([{ kind: 'Secret', name: 'bd' }], snapshot, undefined)).toThrow('There is no secret/bd.');
});
