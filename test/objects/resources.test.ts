import { describe, expect, test } from 'vitest';
import { normalize } from '../../src/cluster/normalize.ts';
import { requestsOf } from '../../src/objects/resources.ts';

const requests = (spec: object): Record<string, number> => Object.fromEntries(requestsOf(normalize('Pod', { spec })));

const c = (request: Record<string, string>, more: object = {}) => ({ resources: { requests: request }, ...more });

describe('what a pod asks of its node', () => {
  test.each<[string, object, Record<string, number>]>([
    ['nothing', { containers: [{}] }, {}],
    ['the sum of its containers', { containers: [c({ cpu: '1' }), c({ cpu: '500m' })] }, { cpu: 1500 }],
    [
      'the largest init container, if that is more',
      { initContainers: [c({ cpu: '3' }), c({ cpu: '2' })], containers: [c({ cpu: '1' })] },
      { cpu: 3000 },
    ],
    [
      'sidecars beside the containers',
      { initContainers: [c({ cpu: '2' }, { restartPolicy: 'Always' })], containers: [c({ cpu: '1' })] },
      { cpu: 3000 },
    ],
    [
      'sidecars that already run beside a later init container, not those after it',
      {
        initContainers: [
          c({ cpu: '1' }, { restartPolicy: 'Always' }),
          c({ cpu: '4' }),
          c({ cpu: '1' }, { restartPolicy: 'Always' }),
        ],
        containers: [c({ cpu: '1' })],
      },
      { cpu: 5000 },
    ],
    ['the overhead of its runtime', { overhead: { cpu: '250m' }, containers: [c({ cpu: '1' })] }, { cpu: 1250 }],
    [
      'pod-level requests in place of the sum',
      { resources: { requests: { cpu: '2' } }, containers: [c({ cpu: '1', memory: '1Gi' })] },
      { cpu: 2000, memory: 2 ** 30 },
    ],
    [
      'the limit where no request is written',
      { containers: [{ resources: { limits: { 'nvidia.com/gpu': '2' } } }] },
      { 'nvidia.com/gpu': 2 },
    ],
    ['requests of zero are none', { containers: [c({ cpu: '0' })] }, {}],
  ])('%s', (_, spec, expected) => {
    expect(requests(spec)).toEqual(expected);
  });
});
