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

describe('what is said of a refusal', () => {
  test.each([
    [
      'quota-claim',
      'Quota "storage" of namespace default allows requests.storage=5Gi in all, and claim data-db-0 of StatefulSet default/db asks for 10Gi.',
    ],
    [
      'cron-job',
      'Quota "jobs" of namespace default is used up, so CronJob default/tick cannot create its Jobs: requested count/jobs.batch=1, used: count/jobs.batch=3, limited: count/jobs.batch=3.',
    ],
    [
      'quota-scope',
      'No quota of namespace default covers the pods of Deployment default/api, and the API server demands one for the scopes [{PriorityClass In [high]}].',
    ],
    ['policy-denied', 'Policy "no-latest" denies the pods of Deployment default/api: image tag latest is not allowed.'],
  ])('%s', (fixture, message) => {
    expect(said(`workload-create/${fixture}`).messages).toContain(message);
  });

  test('names a pod that asks for more than the whole quota', () => {
    const own = `
---
kind: StatefulSet
metadata: { name: big }
spec: { replicas: 1 }
status: { replicas: 0 }
---
kind: Event
metadata: { name: big.1 }
involvedObject: { kind: StatefulSet, namespace: default, name: big }
reason: FailedCreate
type: Warning
message: 'create Pod big-0 in StatefulSet big failed error: pods "big-0" is forbidden: exceeded quota: memory, requested: requests.cpu=10m,requests.memory=4Gi, used: requests.cpu=0,requests.memory=0, limited: requests.cpu=1,requests.memory=1Gi'
lastTimestamp: '2026-11-21T01:50:00Z'
`;
    expect(said('workload-create/quota-claim', own).messages).toContain(
      'Quota "memory" of namespace default allows requests.memory=1Gi in all, and one pod of StatefulSet default/big asks for 4Gi.',
    );
  });

  test('does not repeat that a webhook gives no reason', () => {
    const { messages } = said(
      'workload-create/webhook-denied',
      `
---
kind: StatefulSet
metadata: { name: db }
spec: { replicas: 1 }
status: { replicas: 0 }
---
kind: Event
metadata: { name: db.1 }
involvedObject: { kind: StatefulSet, namespace: default, name: db }
reason: FailedCreate
type: Warning
message: 'create Pod db-0 in StatefulSet db failed error: admission webhook "pods.policy.example.com" denied the request without explanation'
lastTimestamp: '2026-11-21T01:50:00Z'
`,
    );
    expect(messages).toContain(
      'Admission webhook "pods.policy.example.com" denies the pods of StatefulSet default/db and does not say why.',
    );
  });
});
