import { expect, test } from 'vitest';
import { wantedLogs } from '../../src/objects/wanted-logs.ts';
import { parseFixture } from '../support/fixtures.ts';

const NOW = '2026-11-21T02:00:00Z';

/** A pod with one container, whose status is given. */
const pod = (status: string, { name = 'web', more = '', role = 'containers', podStatus = '' } = {}) => `
kind: Pod
metadata: { name: ${name}, uid: ${name}${more} }
spec: { ${role}: [{ name: app }] }
status:
  phase: Running
  ${podStatus}
  ${role === 'containers' ? 'containerStatuses' : 'initContainerStatuses'}: [{ name: app, ${status} }]
`;

const wanted = (...documents: readonly string[]) =>
  wantedLogs(parseFixture(`# at: ${NOW}\n${documents.join('\n---\n')}`).snapshot).map(
    ({ pod, container, previous }) => `${pod}/${container}${previous ? ' previous' : ''}`,
  );

const running = (startedAt: string) => `state: { running: { startedAt: "${startedAt}" } }`;
const ended = (exitCode: number, finishedAt = '2026-11-21T01:59:30Z', reason = 'Error') =>
  `{ terminated: { exitCode: ${exitCode}, reason: ${reason}, finishedAt: "${finishedAt}" } }`;
const backOff = 'state: { waiting: { reason: CrashLoopBackOff } }';
const old = '2026-11-20T00:00:00Z';

test.each<[string, string, readonly string[]]>([
  ['healthy', pod(`ready: true, ${running(old)}`), []],
  ['between two runs', pod(`restartCount: 3, ${backOff}, lastState: ${ended(1)}`), ['web/app previous']],
  [
    'between two runs that ended well',
    pod(`restartCount: 3, ${backOff}, lastState: ${ended(0)}`),
    ['web/app previous'],
  ],
  ['ended badly for good', pod(`state: ${ended(1)}`, { podStatus: 'reason: x' }), ['web/app']],
  ['ended well', pod(`state: ${ended(0)}`), []],
  [
    'started again and not ready',
    pod(`ready: false, ${running('2026-11-21T01:59:40Z')}, lastState: ${ended(137, undefined, 'OOMKilled')}`),
    ['web/app previous', 'web/app'],
  ],
  [
    'started again a minute ago',
    pod(`ready: true, ${running('2026-11-21T01:59:40Z')}, lastState: ${ended(1)}`),
    ['web/app previous'],
  ],
  ['started again a day ago', pod(`ready: true, ${running(old)}, lastState: ${ended(1, old)}`), []],
  ['restarted once without a fault', pod(`ready: true, restartCount: 1, ${running(old)}, lastState: ${ended(0)}`), []],
  ['not ready for a day', pod(`ready: false, ${running(old)}`), ['web/app']],
  ['not ready yet', pod(`ready: false, ${running('2026-11-21T01:59:50Z')}`), []],
  ['waiting for its image', pod('state: { waiting: { reason: ImagePullBackOff } }'), []],
  ['an init container that takes long', pod(running(old), { role: 'initContainers' }), ['web/app']],
  ['an init container that has just begun', pod(running('2026-11-21T01:59:50Z'), { role: 'initContainers' }), []],
  ['an init container that is done', pod(`ready: true, state: ${ended(0)}`, { role: 'initContainers' }), []],
  ['being deleted', pod(`ready: false, ${running(old)}`, { more: `, deletionTimestamp: "${NOW}"` }), []],
  ['not reported yet', 'kind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: app }] }', []],
])('%s', (_, document, logs) => {
  expect(wanted(document)).toEqual(logs);
});

test('one pod stands for the others of its workload, for each trouble and container', () => {
  const of = (name: string, owner: string, status: string) =>
    pod(status, { name, more: `, ownerReferences: [{ kind: StatefulSet, name: ${owner}, controller: true }]` });
  const crashing = `${backOff}, lastState: ${ended(1)}`;
  expect(
    wanted(
      of('web-0', 'web', `ready: false, ${running(old)}`),
      of('web-1', 'web', crashing),
      of('web-2', 'web', crashing),
      of('api-0', 'api', crashing),
      pod(crashing, { name: 'alone-1' }),
      pod(crashing, { name: 'alone-2' }),
    ),
  ).toEqual(['alone-1/app previous', 'alone-2/app previous', 'api-0/app previous', 'web-1/app previous', 'web-0/app']);
});
