import { expect, test } from 'vitest';
import { placedPods } from '../../src/objects/placed-pods.ts';
import type { Pod } from '../../src/objects/pods.ts';
import { createSnapshot } from '../../src/snapshot.ts';

const app = { name: 'app', ports: [{ hostPort: 80 }], resources: { requests: { cpu: '500m' } } };
const containers = [app];

const pod = (name: string, nodeName: string, spec: Pod['spec'] = {}, phase = 'Running'): Pod => ({
  metadata: { name, namespace: 'shop' },
  spec: { nodeName, containers, ...spec },
  status: { phase },
});

test('what the pods on a node ask for is added up, whether or not they share it', () => {
  const { byNode } = placedPods(
    createSnapshot({
      takenAt: '2026-11-21T02:00:00Z',
      objects: {
        Pod: [
          pod('a', 'node-1'),
          pod('b', 'node-1'),
          pod('c', 'node-2'),
          pod('c-without-port', 'node-2', { containers: [{ name: 'other', resources: app.resources }] }),
          pod('c-with-two', 'node-2', { containers: [app, { name: 'other' }] }),
          pod('c-with-more', 'node-2', { containers: [app, app] }),
          pod('d', 'node-1', { overhead: { cpu: '250m' } }),
          pod('e', 'node-1', { containers: [{ resources: { requests: { cpu: '1', memory: '1Gi' } } }] }),
          pod('f', 'node-1', {}, 'Succeeded'),
          pod('g', 'node-1'),
        ],
      },
    }),
  );
  const usage = byNode.get('node-1');
  expect(usage?.pods).toBe(5);
  expect(usage?.requested('cpu')).toBe(500 + 500 + 750 + 1000 + 500);
  expect(usage?.requested('memory')).toBe(2 ** 30);
  expect(usage?.requested('nvidia.com/gpu')).toBe(0);
  expect(usage?.ports.map(({ pod, port }) => [pod.metadata?.name, port])).toEqual(
    ['a', 'b', 'd', 'g'].map((name) => [name, 80]),
  );
  expect(byNode.get('node-2')?.requested('cpu')).toBe(500 + 500 + 500 + 1000);
  expect(byNode.get('node-2')?.ports.map(({ pod }) => pod.metadata?.name)).toEqual([
    'c',
    'c-with-more',
    'c-with-more',
    'c-with-two',
  ]);
});
