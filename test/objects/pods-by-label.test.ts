import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesLabels } from '../../src/objects/labels.ts';
import { podsIn } from '../../src/objects/pods-by-label.ts';
import { createSnapshot } from '../../src/snapshot.ts';

const labels = fc.dictionary(fc.constantFrom('app', 'tier', 'constructor'), fc.constantFrom('web', 'db', ''));

test('any selector selects the pods of its namespace that match it, in order', () => {
  const pod = fc.record({ namespace: fc.constantFrom('shop', 'bank'), labels: fc.option(labels, { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(pod), fc.array(labels, { minLength: 1 }), (metas, selectors) => {
      const Pod = metas.map(({ namespace, labels }, index) => ({
        metadata: { name: `pod-${String(index).padStart(3, '0')}`, namespace, ...(labels && { labels }) },
      }));
      const cluster = createSnapshot({ takenAt: '2026-11-21T02:00:00Z', objects: { Pod } });
      const pods = podsIn(cluster, 'shop');
      for (const selector of selectors) {
        const expected = pods.all.filter(({ metadata }) => matchesLabels(selector, metadata?.labels));
        expect(pods.selectedBy(selector)).toEqual(expected);
      }
    }),
  );
});
