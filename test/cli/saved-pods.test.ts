import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createHome } from '../support/podlens.ts';

/** What kubectl prints of a pod that could not start: nothing in it is newer than its first seconds. */
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', creationTimestamp: '2026-03-01T10:00:00Z' },
  spec: {
    nodeName: 'node-1',
    containers: [
      {
        name: 'app',
        image: 'shop/web:1',
        env: [{ name: 'PW', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }],
      },
    ],
  },
  status: {
    phase: 'Pending',
    startTime: '2026-03-01T10:00:00Z',
    conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: '2026-03-01T10:00:01Z' }],
    containerStatuses: [
      {
        name: 'app',
        ready: false,
        restartCount: 0,
        state: { waiting: { reason: 'CreateContainerConfigError', message: 'secret "db" not found' } },
      },
    ],
  },
};

test('kubectl get pod web -o json | podlens analyze -f - tells what the pod waits for', async () => {
  const { code, stdout } = await createHome().run(['analyze', '-f', '-'], { stdin: JSON.stringify(pod) });
  expect(code).toBe(0);
  expect(stdout).toContain('config.secret-missing');
  expect(stdout).toContain('half a minute after the newest time in it, is taken for now');
});

test('of a list without an object no time is made up', async () => {
  const { code, stdout } = await createHome().run(['analyze', '-f', '-'], { stdin: '{"kind":"List","items":[]}' });
  expect(code).toBe(0);
  expect(stdout).toContain('the time of the dump: nothing in it has a time.');
  expect(stdout).not.toContain('1970');
});

test('a message of a megabyte stays a paragraph, and the evidence has all of it', async () => {
  const waiting = { reason: 'CreateContainerError', message: `${'x '.repeat(500_000)}end` };
  const [status] = pod.status.containerStatuses;
  const huge = { ...pod, status: { ...pod.status, containerStatuses: [{ ...status, state: { waiting } }] } };
  const options = { stdin: JSON.stringify(huge) };
  const { stdout } = await createHome().run(['analyze', '-f', '-'], options);
  expect(stdout.length).toBeLessThan(10_000);
  const json = await createHome().run(['analyze', '-f', '-', '-o', 'json'], options);
  const [{ root }] = JSON.parse(json.stdout).problems;
  expect(root.message).toMatch(/^.{1900,2100} …$/);
  expect(root.evidence[0].text).toContain('x end');
});

test('--print-prompt says so where there is nothing to ask', async () => {
  const healthy = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
  const ran = await createHome().run(['analyze', '-f', '-', '--print-prompt'], { stdin: JSON.stringify(healthy) });
  expect(ran).toEqual({ code: 0, stdout: '', stderr: 'Nothing would be sent: no problems were found.\n' });
});

test('podlens snapshot -o x.gz writes gzip, which analyze -f reads', async () => {
  const home = createHome();
  const file = home.write('snapshot.json.gz', '');
  const saved = await home.run(['snapshot', '-f', '-', '-o', file], { stdin: JSON.stringify(pod) });
  expect(saved.code).toBe(0);
  const bytes = readFileSync(file);
  expect(saved.stderr).toContain(`(${bytes.length} bytes)`);
  const again = await home.run(['snapshot', '-f', file]);
  expect(gunzipSync(bytes).toString()).toBe(again.stdout);
  expect((await home.run(['analyze', '-f', file])).stdout).toContain('config.secret-missing');
});

test('a file that breaks off before its first object says so', async () => {
  const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [pod] }).slice(0, 200);
  const { code, stderr } = await createHome().run(['analyze', '-f', '-'], { stdin });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: Nothing in standard input is an object that podlens reads: .*(end|breaks off).*\n$/);
});
