import { expect, test } from 'vitest';
import { analyzers } from '../src/analyzers/index.ts';
import { diagnose } from '../src/diagnose.ts';
import type { Problem } from '../src/finding.ts';
import { parseFixture } from './support/fixtures.ts';

const problems = (yaml: string): readonly Problem[] => diagnose(parseFixture(yaml).snapshot, { analyzers }).problems;
const texts = (moments: Problem['changes']) => (moments ?? []).map(({ at, text }) => `${at} ${text}`);

const revision = (name: string, number: number, at: string, container: string) => `---
kind: ReplicaSet
metadata:
  name: ${name}
  creationTimestamp: ${at}
  annotations: { deployment.kubernetes.io/revision: "${number}" }
  ownerReferences: [{ kind: Deployment, name: web, controller: true }]
spec:
  replicas: 1
  template:
    metadata: { labels: { pod-template-hash: ${name} } }
    spec: { containers: [${container}] }
status: { replicas: 1 }
`;

const crashing = (owner: string, extra = '') => `---
kind: Pod
metadata:
  name: web-2-x
  creationTimestamp: 2026-11-21T01:50:05Z
  ownerReferences: [{ kind: ${owner}, controller: true }]
  ${extra}
spec:
  nodeName: n-1
  containers: [{ name: app, image: shop/web:2, envFrom: [{ configMapRef: { name: settings } }] }]
status:
  phase: Running
  containerStatuses:
    - name: app
      restartCount: 4
      state: { waiting: { reason: CrashLoopBackOff } }
      lastState: { terminated: { exitCode: 1, reason: Error, startedAt: 2026-11-21T01:55:00Z, finishedAt: 2026-11-21T01:55:02Z } }
`;

test('names what the roll-out changed that brought the broken pods, without values', () => {
  const [problem] = problems(
    revision(
      'web-1',
      1,
      '2026-11-20T10:00:00Z',
      '{ name: app, image: shop/web:1, env: [{ name: TOKEN, value: old }] }',
    ) +
      revision(
        'web-2',
        2,
        '2026-11-21T01:50:00Z',
        '{ name: app, image: shop/web:2, env: [{ name: TOKEN, value: hunter2 }, { name: NEW, value: x }], resources: { limits: { memory: 64Mi } } }',
      ) +
      crashing('ReplicaSet, name: web-2'),
  );
  expect(texts(problem?.changes)).toEqual([
    '2026-11-21T01:50:00Z Revision 2 of deployment/web: image of app: shop/web:1 → shop/web:2; env of app: NEW added; env of app: TOKEN changed; limits.memory of app: none → 64Mi.',
  ]);
});

test('names nothing for a first revision, or one that is long there', () => {
  const first = problems(
    revision('web-2', 1, '2026-11-21T01:50:00Z', '{ name: app, image: shop/web:2 }') +
      crashing('ReplicaSet, name: web-2'),
  );
  expect(first[0]?.changes).toBeUndefined();
  const old = problems(
    revision('web-1', 1, '2026-11-01T10:00:00Z', '{ name: app, image: shop/web:1 }') +
      revision('web-2', 2, '2026-11-10T10:00:00Z', '{ name: app, image: shop/web:2 }') +
      crashing('ReplicaSet, name: web-2'),
  );
  expect(old[0]?.changes).toBeUndefined();
});

test('compares the revisions of a StatefulSet', () => {
  const data = (image: string) =>
    `data: { spec: { template: { spec: { containers: [{ name: app, image: "${image}" }] } } } }`;
  const controllerRevision = (name: string, number: number, at: string, image: string) => `---
kind: ControllerRevision
metadata: { name: ${name}, creationTimestamp: ${at}, ownerReferences: [{ kind: StatefulSet, name: web }] }
revision: ${number}
${data(image)}
`;
  const [problem] = problems(
    controllerRevision('web-aaa', 1, '2026-11-20T10:00:00Z', 'shop/web:1') +
      controllerRevision('web-bbb', 2, '2026-11-21T01:50:00Z', 'shop/web:2') +
      crashing('StatefulSet, name: web', 'labels: { controller-revision-hash: web-bbb }'),
  );
  expect(texts(problem?.changes)).toEqual([
    '2026-11-21T01:50:00Z Revision 2 of statefulset/web: image of app: shop/web:1 → shop/web:2.',
  ]);
});

test('names a ConfigMap that was changed after the pod was made, and the node under it', () => {
  const [problem] = problems(`---
kind: ConfigMap
metadata:
  name: settings
  managedFields: [{ manager: kubectl-edit, operation: Update, time: 2026-11-21T01:54:00Z }]
data: { a: "" }
---
kind: Node
metadata: { name: n-1 }
status: { conditions: [{ type: Ready, status: "True" }, { type: DiskPressure, status: "True", reason: KubeletHasDiskPressure, lastTransitionTime: 2026-11-21T01:53:00Z }] }
${crashing('ReplicaSet, name: web-2')}`);
  expect(texts(problem?.changes)).toEqual([
    '2026-11-21T01:53:00Z Node n-1: DiskPressure became True (KubeletHasDiskPressure).',
    '2026-11-21T01:54:00Z ConfigMap settings was changed by kubectl-edit.',
  ]);
});

test('lines up on one time line what happened to the pod', () => {
  const [problem] = problems(`${crashing('ReplicaSet, name: web-2')}---
kind: Node
metadata: { name: n-1 }
---
kind: Event
metadata: { name: e }
involvedObject: { kind: Pod, namespace: default, name: web-2-x, fieldPath: "spec.containers{app}" }
reason: BackOff
type: Warning
message: Back-off restarting failed container app in pod web-2-x
count: 12
firstTimestamp: 2026-11-21T01:51:00Z
lastTimestamp: 2026-11-21T01:59:00Z
`);
  expect(texts(problem?.timeline)).toEqual([
    '2026-11-21T01:50:05Z Pod web-2-x was created.',
    '2026-11-21T01:55:00Z Container app started.',
    '2026-11-21T01:55:02Z Container app ended after 2 s: exit code 1 (Error).',
    '2026-11-21T01:59:00Z BackOff: Back-off restarting failed container app in pod web-2-x (12 times since 2026-11-21T01:51:00Z)',
  ]);
});
