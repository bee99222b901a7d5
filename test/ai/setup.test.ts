import { expect, test } from 'vitest';
import { namesOf } from '../../src/ai/names.ts';
import { buildPrompt, citable } from '../../src/ai/prompt.ts';
import { createRedaction } from '../../src/ai/redact.ts';
import { promptTexts } from '../../src/ai/templates/texts.ts';
import { parseFixture } from '../support/fixtures.ts';
import { crash, reportOf } from './support/problems.ts';

const problem = crash();

function linesAbout(container: object, code = 'crash.app-error', list = 'containers'): string[] {
  const { namespace, name } = problem.root.subject;
  const spec = { containers: [{ name: 'other', image: 'nginx' }], [list]: [{ name: 'server', ...container }] };
  const { snapshot } = parseFixture(JSON.stringify({ kind: 'Pod', metadata: { name, namespace }, spec }));
  const found = { ...problem, root: { ...problem.root, code } };
  const redaction = createRedaction(namesOf(reportOf(found), snapshot), { anonymize: true });
  const { prompt, ids } = buildPrompt(found, { snapshot, redaction, texts: promptTexts, language: 'English' });
  expect([...citable(found, snapshot).keys()]).toEqual([...ids]);
  return prompt.user.split('\n').filter((line) => /^\[p\d/.test(line));
}

const place = 'container container-1 of Pod pod-1 in namespace namespace-1';

test('a crash shows what the container runs and the names of its variables', () => {
  const container = {
    image: 'hub.acme.net/team/base:v2',
    command: ['sh', '-c', 'app --password canary77 && exit 1'],
    env: [
      { name: 'MODE', value: 'canary77' },
      { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'db-creds', key: 'password' } } },
    ],
    envFrom: [{ configMapRef: { name: 'settings' } }],
  };
  expect(linesAbout(container)).toEqual([
    `[p1] ${place}, spec.containers[container-1]: "image: private-registry-1/image-1:v2, command: [\\"sh\\",\\"-c\\",\\"app --password [cut] && exit 1\\"], args: none"`,
    `[p2] ${place}, spec.containers[container-1].env: "MODE, DB_PASSWORD (Secret secret-1, key password), * (ConfigMap configmap-1)"`,
  ]);
});

test('where the pod names no command, it is said to be that of the image', () => {
  expect(linesAbout({ image: 'busybox', args: ['--port=80'] }, 'crash.completed-loop', 'initContainers')).toEqual([
    `[p1] ${place}, spec.initContainers[container-1]: "image: busybox, command: the image's own, args: [\\"--port=80\\"]"`,
  ]);
});

test('other faults do not need it', () => expect(linesAbout({ image: 'busybox' }, 'image.not-found')).toEqual([]));
