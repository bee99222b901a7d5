import { expect, test } from 'vitest';
import { leftoverOf } from '../../src/objects/leftover.ts';
import { parseFixture } from '../support/fixtures.ts';

const failed = (owner: string, extra = '', newNode = 'n1') => `
kind: Pod
metadata: { name: old, creationTimestamp: '2026-11-21T01:00:00Z', ownerReferences: [${owner}] }
spec: { nodeName: n1, containers: [{ name: app }] }
status: { phase: Failed }
---
kind: Pod
metadata: { name: new, creationTimestamp: '2026-11-21T01:30:00Z', ownerReferences: [${owner}] }
spec: { nodeName: ${newNode}, containers: [{ name: app }] }
status: { phase: Running }
${extra}`;
const by = (kind: string, name = 'x') => `{ kind: ${kind}, name: ${name}, controller: true }`;
const job = (name: string, created: string, condition = '') => `
---
kind: Job
metadata: { name: ${name}, creationTimestamp: '${created}', ownerReferences: [${by('CronJob', 'nightly')}] }
status: { conditions: [${condition === '' ? '' : `{ type: ${condition}, status: 'True' }`}] }
`;
const set = (replicas: number) => `---\nkind: ReplicaSet\nmetadata: { name: x }\nspec: { replicas: ${replicas} }\n`;

test.each([
  ['a ReplicaSet that has all it wants', failed(by('ReplicaSet'), set(1)), 'Its ReplicaSet has replaced it.'],
  ['a ReplicaSet that lacks one', failed(by('ReplicaSet'), set(2)), undefined],
  ['a ReplicaSet scaled to nothing', failed(by('ReplicaSet'), set(0)), 'Its ReplicaSet no longer wants any pods.'],
  ['a ReplicaSet that is gone', failed(by('ReplicaSet')), 'Its ReplicaSet no longer wants any pods.'],
  [
    'ReplicaSets that cannot be read: the newer pod counts',
    `# unreadable: ReplicaSet\n${failed(by('ReplicaSet'))}`,
    'Its ReplicaSet has replaced it.',
  ],
  ['a DaemonSet, on the same node', failed(by('DaemonSet')), 'Its DaemonSet has replaced it.'],
  ['a DaemonSet, on another node', failed(by('DaemonSet'), '', 'n2'), undefined],
  ['a controller of another kind', failed(by('Rollout')), 'Its Rollout has replaced it.'],
  ['a Job that completed', failed(by('Job'), job('x', '2026-11-21T01:00:00Z', 'Complete')), 'Its Job has completed.'],
  ['a Job that failed', failed(by('Job'), job('x', '2026-11-21T01:00:00Z', 'Failed')), undefined],
  ['a Job that tries again', failed(by('Job'), job('x', '2026-11-21T01:00:00Z')), 'Its Job has started another pod.'],
  ['a Job that is gone', failed(by('Job')), 'Its Job no longer exists.'],
  [
    'a CronJob whose later run completed',
    failed(by('Job'), job('x', '2026-11-21T01:00:00Z', 'Failed') + job('y', '2026-11-21T01:40:00Z', 'Complete')),
    'Its CronJob has completed since.',
  ],
  ['a static pod', failed(by('Node', 'n1')), undefined],
  ['no controller', failed(''), undefined],
])('%s', (_, yaml, sentence) => {
  const { snapshot } = parseFixture(yaml);
  const old = snapshot.get('Pod', 'old', 'default');
  expect(old && leftoverOf(snapshot, old)).toBe(sentence);
});
