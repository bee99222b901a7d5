import fc from 'fast-check';
import { expect, test } from 'vitest';
import { amountOf, humanAmount, parseQuantity } from '../../src/objects/quantity.ts';

test.each([
  ['0', 0],
  ['1', 1],
  ['500m', 0.5],
  ['1.5', 1.5],
  ['.5', 0.5],
  ['1Ki', 1024],
  ['1.5Gi', 1.5 * 2 ** 30],
  ['2e3', 2000],
  ['2E3', 2000],
  ['1E', 1e18],
  ['100k', 100_000],
  ['123456789n', 0.123456789],
  ['-1', -1],
])('%s is %d', (text, value) => {
  expect(parseQuantity(text)).toBeCloseTo(value, 9);
});

// With a sign in front it is read the long way.
test('digits and a suffix are read as any other quantity is', () => {
  const digits = fc.stringMatching(/^\d{1,20}$/);
  const suffix = fc.oneof(
    fc.constantFrom('', 'm', 'u', 'n', 'k', 'M', 'Ki', 'Gi', 'Ei', 'E'),
    fc.string({ maxLength: 3 }),
  );
  fc.assert(
    fc.property(digits, suffix, (number, unit) => {
      expect(parseQuantity(`${number}${unit}`)).toBe(parseQuantity(`+${number}${unit}`));
    }),
  );
});

test.each(['5constructor', '', 'Gi', '1 Gi', '1GiB', 'one', '1e', '--1', undefined])('%j is no quantity', (text) => {
  expect(parseQuantity(text)).toBeUndefined();
});

test.each([
  ['cpu', '100m', 100, '100m'],
  ['cpu', '0.1', 100, '100m'],
  ['cpu', '9m', 9, '9m'],
  ['cpu', '4.03', 4030, '4030m'],
  ['cpu', '1.1', 1100, '1100m'],
  ['cpu', '2', 2000, '2'],
  ['cpu', '1u', 1, '1m'],
  ['memory', '24479292Ki', 25_066_795_008, '23.3Gi'],
  ['memory', '100M', 100_000_000, '95.4Mi'],
  ['memory', '0.5', 1, '1'],
  ['hugepages-2Mi', '512Mi', 2 ** 29, '512Mi'],
  ['nvidia.com/gpu', '4', 4, '4'],
  ['pods', 'many', 0, '0'],
])('%s %s counts as %d and is written %s', (resource, text, amount, human) => {
  expect(amountOf(resource, text)).toBe(amount);
  expect(humanAmount(resource, amount)).toBe(human);
});
