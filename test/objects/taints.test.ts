import { expect, test } from 'vitest';
import { classOfTaint, taintText, tolerates } from '../../src/objects/taints.ts';

const gpu = { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' };

test.each([
  ['the same key and value', { key: 'dedicated', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' }, true],
  ['Equal is the default', { key: 'dedicated', value: 'gpu' }, true],
  ['another value', { key: 'dedicated', value: 'cpu' }, false],
  ['no value', { key: 'dedicated' }, false],
  ['any value', { key: 'dedicated', operator: 'Exists' }, true],
  ['another effect', { key: 'dedicated', operator: 'Exists', effect: 'NoExecute' }, false],
  ['everything', { operator: 'Exists' }, true],
  ['everything of one effect', { operator: 'Exists', effect: 'NoSchedule' }, true],
  ['another key', { key: 'dedicate', operator: 'Exists' }, false],
  ['an operator of the future', { key: 'dedicated', operator: 'Matches', value: 'g.*' }, false],
])('a toleration of %s', (_, toleration, expected) => {
  expect(tolerates(toleration, gpu)).toBe(expected);
});

test.each([
  ['node.kubernetes.io/not-ready', 'condition'],
  ['node.kubernetes.io/disk-pressure', 'condition'],
  ['node.cloudprovider.kubernetes.io/uninitialized', 'condition'],
  ['node.kubernetes.io/unschedulable', 'cordon'],
  ['node-role.kubernetes.io/control-plane', 'control-plane'],
  ['node-role.kubernetes.io/master', 'control-plane'],
  ['karpenter.sh/disrupted', 'disruption'],
  ['ToBeDeletedByClusterAutoscaler', 'disruption'],
  ['dedicated', 'dedicated'],
])('%s is of the class %s', (key, expected) => {
  expect(classOfTaint({ key })).toBe(expected);
});

test.each([
  [gpu, 'dedicated=gpu:NoSchedule'],
  [{ key: 'lab', effect: 'NoExecute' }, 'lab:NoExecute'],
  [{ key: 'lab', value: '' }, 'lab'],
])('%j is written %s', (taint, text) => {
  expect(taintText(taint)).toBe(text);
});
