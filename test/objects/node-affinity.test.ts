import { expect, test } from 'vitest';
import { normalize } from '../../src/cluster/normalize.ts';
import { asksForNoNode, matchesTerm, nodeTermsOf } from '../../src/objects/node-affinity.ts';

const node = normalize('Node', { metadata: { name: 'n1', labels: { zone: 'a', gpus: '4' } } });

const required = (...nodeSelectorTerms: object[]) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const on = (key: string, operator: string, ...values: string[]) => ({ matchExpressions: [{ key, operator, values }] });

test.each([
  ['no wish', {}, true],
  ['nodeSelector', { nodeSelector: { zone: 'a' } }, true],
  ['nodeSelector of another value', { nodeSelector: { zone: 'b' } }, false],
  ['In', required(on('zone', 'In', 'b', 'a')), true],
  ['NotIn', required(on('zone', 'NotIn', 'a')), false],
  ['NotIn of a label that is not there', required(on('arch', 'NotIn', 'a')), true],
  ['Exists', required(on('zone', 'Exists')), true],
  ['DoesNotExist', required(on('zone', 'DoesNotExist')), false],
  ['Gt', required(on('gpus', 'Gt', '3')), true],
  ['Lt', required(on('gpus', 'Lt', '3')), false],
  ['Gt of a label that is no number', required(on('zone', 'Gt', '3')), false],
  ['one of two terms', required(on('zone', 'In', 'b'), on('gpus', 'Exists')), true],
  ['an empty term beside another', required({}, on('zone', 'In', 'b')), false],
  ['both the selector and the affinity', { nodeSelector: { zone: 'a' }, ...required(on('gpus', 'Lt', '3')) }, false],
  ['the name of the node', required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }), true],
])('%s', (_, spec, expected) => {
  const pod = normalize('Pod', { spec }).spec;
  const terms = nodeTermsOf(pod);
  expect(!asksForNoNode(pod) && (terms.length === 0 || terms.some((term) => matchesTerm(term, node)))).toBe(expected);
});

test('only empty terms match no node', () => {
  expect(asksForNoNode(normalize('Pod', { spec: required({}) }).spec)).toBe(true);
});
