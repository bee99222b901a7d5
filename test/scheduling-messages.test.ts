import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { analyze } from '../src/analyze.ts';
import { claimBinding } from '../src/analyzers/claim-binding.ts';
import { podScheduling } from '../src/analyzers/pod-scheduling.ts';
import { parseFixture } from './support/fixtures.ts';

const zone = 'topology.kubernetes.io/zone';

/** What is said, from "cannot be scheduled." on. */
const sentences: readonly (readonly [string, string])[] = [
  [
    'volumes-in-two-zones',
    `No node can use all of its volumes: pv-1 (claim data) only on nodes with ${zone}=a; pv-2 (claim wal) only on nodes with ${zone}=b.`,
  ],
  [
    'volume-zone-and-tainted-nodes',
    `Its volume pv-1 (claim data) can only be used on nodes with ${zone}=c, and there is no such node.`,
  ],
  [
    'topology-spread-label-elsewhere',
    'It has to be spread over rack, and the only node that it could use (node-1) lacks that label. Of the other nodes node-2 has a taint that it does not tolerate.',
  ],
  ['volume-for-one-pod', 'Claim data may be used by only one pod at a time, and db-0 has it.'],
];

test.each(sentences)('%s', (name, sentence) => {
  const file = new URL(`../fixtures/analyzers/pod-scheduling/${name}.yaml`, import.meta.url);
  const { candidates } = analyze(parseFixture(readFileSync(file, 'utf8')).snapshot, [podScheduling]);
  const [, said] = candidates[0]?.finding.message.split(' cannot be scheduled. ') ?? [];
  expect(said).toBe(sentence);
});

test('a volume that fits and is out of reach is named', () => {
  const file = new URL('../fixtures/analyzers/claim-binding/local-volume-on-tainted-node.yaml', import.meta.url);
  const { candidates } = analyze(parseFixture(readFileSync(file, 'utf8')).snapshot, [claimBinding]);
  expect(candidates[0]?.finding.message).toContain(
    'Volume disk-1 fits, but pod db cannot run where it is: node-2 has a taint that it does not tolerate.',
  );
});
