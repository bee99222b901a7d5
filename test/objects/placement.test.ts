import { expect, test } from 'vitest';
import { normalize } from '../../src/cluster/normalize.ts';
import { placementOf } from '../../src/objects/placement.ts';
import { parseSchedulerMessage } from '../../src/objects/scheduler-message.ts';
import { createSnapshot, type Kind } from '../../src/snapshot.ts';

const node = (name: string, memory: string, spec: object = {}) =>
  normalize('Node', { metadata: { name }, spec, status: { allocatable: { cpu: '4', memory, pods: '110' } } });

const pod = (name: string, memory: string, spec: object = {}) =>
  normalize('Pod', {
    metadata: { name, namespace: 'shop' },
    spec: { containers: [{ name: 'app', resources: { requests: { memory } } }], ...spec },
  });

/** A cluster of which only the pods of the namespace shop were read. */
const partly = (nodes: ReturnType<typeof node>[], pods: ReturnType<typeof pod>[]) =>
  createSnapshot({
    takenAt: '2026-11-21T02:00:00Z',
    objects: { Node: nodes, Pod: pods },
    namespaces: new Map<Kind, ReadonlySet<string>>([['Pod', new Set(['shop'])]]),
  });

const says = (histogram: string) => parseSchedulerMessage(`0/2 nodes are available: ${histogram}.`);

const tainted = { taints: [{ key: 'dedicated', value: 'batch', effect: 'NoSchedule' }] };

test('what fills a node may be in namespaces that were not read: then the scheduler is believed', () => {
  const web = pod('web', '2Gi');
  const cluster = partly([node('a', '8Gi'), node('b', '8Gi', tainted)], [web]);
  const placement = placementOf(cluster, web, says('1 Insufficient memory, 1 node(s) had untolerated taint(s)'));
  expect(placement).toMatchObject({ code: 'sched.memory', from: 'told', sure: true });
  expect(placement?.nodes.map(({ name }) => name)).toEqual(['a']);
});

test('what was read of the pods on a node proves that it is full, whatever else runs there', () => {
  const web = pod('web', '2Gi');
  const cluster = partly([node('a', '8Gi')], [web, pod('db', '7Gi', { nodeName: 'a' })]);
  const placement = placementOf(cluster, web, says('1 Insufficient memory'));
  expect(placement).toMatchObject({ code: 'sched.memory', from: 'computed', sure: true });
  expect(placement?.nodes[0]?.obstacles[0]).toMatchObject({ asked: 2 * 2 ** 30, offered: 8 * 2 ** 30, free: 2 ** 30 });
});

test('small nodes behind a taint are not counted among those that the scheduler found full', () => {
  const web = pod('web', '6Gi');
  const cluster = partly([node('a', '8Gi'), node('b', '4Gi', tainted)], [web]);
  const placement = placementOf(cluster, web, says('1 Insufficient memory, 1 node(s) had untolerated taint(s)'));
  expect(placement?.nodes.map(({ name }) => name)).toEqual(['a']);
});

test('a node that was cordoned after the scheduler spoke does not change its word', () => {
  const web = pod('web', '2Gi');
  const cluster = partly([node('a', '8Gi', { unschedulable: true })], [web]);
  expect(placementOf(cluster, web, says('1 node(s) exceed max volume count'))?.code).toBe('sched.volume-limit');
});

test('without any word of the scheduler the nodes speak', () => {
  const web = pod('web', '16Gi');
  const cluster = partly([node('a', '8Gi')], [web]);
  expect(placementOf(cluster, web, undefined)?.code).toBe('sched.memory');
});

test('where neither says anything there is no cause', () => {
  const web = pod('web', '1Gi');
  expect(placementOf(partly([node('a', '8Gi')], [web]), web, undefined)).toBeUndefined();
});

test('the control plane is where a pod would have gone only if there is nothing else', () => {
  const controlPlane = { taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }] };
  const web = pod('web', '2Gi');
  const cluster = partly([node('a', '8Gi', controlPlane), node('b', '8Gi', tainted)], [web]);
  expect(placementOf(cluster, web, undefined)?.nodes.map(({ name }) => name)).toEqual(['b']);
});
