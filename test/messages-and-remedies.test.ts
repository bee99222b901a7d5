import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { analyzers } from '../src/analyzers/index.ts';
import { diagnose } from '../src/diagnose.ts';
import type { Finding } from '../src/finding.ts';
import { FIXTURES } from './support/fixture-files.ts';
import { parseFixture } from './support/fixtures.ts';

/** The only problem of a fixture, and the commands of its remedy. */
function rootOf(fixture: string): { root: Finding | undefined; commands: string[] } {
  const { snapshot } = parseFixture(readFileSync(`${FIXTURES}/${fixture}.yaml`, 'utf8'));
  const root = diagnose(snapshot, { analyzers }).problems[0]?.root;
  return { root, commands: root?.remedy.flatMap(({ command = [] }) => command) ?? [] };
}

test('shows the command of an init container where that is the one that fails', () => {
  const { commands } = rootOf('pod-container-start/init-exec-not-found');
  expect(commands[0]).toContain('.spec.initContainers[*]');
});

test('names the program that crun does not find', () => {
  expect(rootOf('pod-container-start/exec-not-found-crun').root?.message).toContain('("/app/serve")');
});

test('offers to edit a pod only where its image is wrong', () => {
  expect(rootOf('pod-image-pull/not-found').commands).toContain('kubectl edit pod/web-1 -n default');
  for (const fixture of ['never-pull', 'auth', 'rate-limit', 'platform', 'not-found-volume']) {
    expect(rootOf(`pod-image-pull/${fixture}`).commands.join()).not.toContain('kubectl edit');
  }
});

test('sends to the manifest of a static pod', () => {
  const { root, commands } = rootOf('pod-image-pull/not-found-static');
  expect(commands.join()).not.toContain('kubectl edit');
  expect(root?.remedy.at(-1)?.text).toContain('its manifest on node node-1');
});

test('tells the image of a volume from that of the container', () => {
  const { root, commands } = rootOf('pod-image-pull/not-found-volume');
  expect(root?.message).toContain(
    'the image "registry.example.com/models/llm:9" of its volume model: registry.example.com',
  );
  expect(commands).toContain('docker manifest inspect registry.example.com/models/llm:9');
  expect(rootOf('pod-image-pull/not-found-beside-volume').root?.message).toContain('its image "ghcr.io/shop/web:2"');
});

test('blames the securityContext, not the image, for a runAsUser of 0', () => {
  expect(rootOf('pod-container-config/run-as-root-user').root?.message).toContain('its runAsUser is 0');
  expect(rootOf('pod-container-config/run-as-root').root?.message).toContain('its image would');
});
