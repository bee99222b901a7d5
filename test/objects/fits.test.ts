import { expect, test } from 'vitest';
import { normalize } from '../../src/cluster/normalize.ts';
import { keyOf } from '../../src/objects/fits.ts';
import type { Pod } from '../../src/objects/pods.ts';
import { createSnapshot } from '../../src/snapshot.ts';

const pod = (name: string, namespace: string, spec: object = {}, labels: object = { app: name }): Pod =>
  normalize('Pod', { metadata: { name, namespace, labels }, spec }) as Pod;

const asks = (memory: string, more: object = {}) => ({
  containers: [{ name: 'app', resources: { requests: { memory } }, ...more }],
});

const refuses = (namespaceSelector?: object) => ({
  nodeName: 'node-1',
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'web' } }, namespaceSelector },
      ],
    },
  },
});
const mounts = (claimName: string) => ({ volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }] });
const port = (hostPort: number) => ({ ports: [{ containerPort: 80, hostPort }] });
const gpu = (resourceClaimTemplateName: string) => ({ resourceClaims: [{ name: 'gpu', resourceClaimTemplateName }] });
const spread = { topologySpreadConstraints: [{ topologyKey: 'zone', labelSelector: { matchLabels: { app: 'web' } } }] };

const web = pod('web', 'shop', asks('1Gi'));

test.each<[string, boolean, Pod, Pod, Pod[]?]>([
  ['pods of two owners that ask the same', true, web, pod('api', 'bank', asks('1Gi'))],
  ['the same amount in other words', true, web, pod('web', 'shop', asks('1024Mi'))],
  ['two pods of one owner that ask for different amounts', false, web, pod('web', 'shop', asks('2Gi'))],
  ['ports of the host', false, web, pod('web', 'shop', asks('1Gi', port(80)))],
  ['a node selector', false, web, pod('web', 'shop', { ...asks('1Gi'), nodeSelector: { disk: 'ssd' } })],
  ['tolerations', false, web, pod('web', 'shop', { ...asks('1Gi'), tolerations: [{ operator: 'Exists' }] })],
  ['templates of resource claims', false, pod('web', 'shop', gpu('small')), pod('web', 'shop', gpu('large'))],
  ['claims', false, pod('db-0', 'shop', mounts('data-0')), pod('db-1', 'shop', mounts('data-1'))],
  ['claims of one name in two namespaces', false, pod('db', 'shop', mounts('data')), pod('db', 'bank', mounts('data'))],
  ['own rules that look at labels', false, pod('web', 'shop', spread), pod('api', 'shop', spread)],
  [
    'labels, where a pod of the namespace refuses others',
    false,
    web,
    pod('api', 'shop', asks('1Gi')),
    [pod('lonely', 'shop', refuses())],
  ],
  [
    'labels, where a pod of another namespace refuses its own',
    true,
    web,
    pod('api', 'shop', asks('1Gi')),
    [pod('lonely', 'bank', refuses())],
  ],
  [
    'labels, where a pod of another namespace refuses any',
    false,
    web,
    pod('api', 'shop', asks('1Gi')),
    [pod('lonely', 'bank', refuses({}))],
  ],
])('%s: alike %s', (_, alike, a, b, others = []) => {
  const cluster = createSnapshot({ takenAt: '2026-11-21T02:00:00Z', objects: { Pod: [a, b, ...others] } });
  expect(keyOf(cluster, a) === keyOf(cluster, b)).toBe(alike);
});
