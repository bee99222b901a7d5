import { load } from 'js-yaml';
import { expect, test } from 'vitest';
import { clusterRole } from '../../src/cluster/rbac.ts';

test('the least role for some kinds', () => {
  expect(
    clusterRole(['Deployment', 'Pod', 'Log', 'ReplicaSet', 'Node', 'Pod']),
  ).toBe(`apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: podlens
rules:
  - apiGroups: [""]
    resources: ["nodes", "pods"]
    verbs: ["list"]
  - apiGroups: ["apps"]
    resources: ["deployments", "replicasets"]
    verbs: ["list"]
  - apiGroups: [""]
    resources: ["pods/log"]
    verbs: ["get"]
  - apiGroups: [""]
    resources: ["namespaces"]
    verbs: ["get"]
`);
});

test('it is YAML, and without logs has none', () => {
  expect(load(clusterRole(['Pod'], 'mine'))).toMatchObject({
    kind: 'ClusterRole',
    metadata: { name: 'mine' },
    rules: [{ resources: ['pods'] }, { resources: ['namespaces'] }],
  });
});
