import { expect, test } from 'vitest';
import { createRedaction } from '../../src/ai/redact.ts';

const names = {
  kinds: new Map([
    ['checkout-worker', 'pod' as const],
    ['billing', 'namespace' as const],
  ]),
  secrets: ['hunter2secret'],
};
const { hide } = createRedaction(names, { anonymize: true });

test.each([
  ['failed in pod checkout-wor…', 'failed in pod …'],
  ['in pod x_y(c0ffee00-1111-22… (9 times)', 'in pod … (9 times)'],
  ['namespace bill… is gone', 'namespace … is gone'],
  ['the word is hunter…', 'the word is …'],
  ['token=eyJhbGciOiJIUzI1NiIs…', '…'],
  ['Starting the server…', 'Starting the server…'],
  ['a … b', 'a … b'],
])('%j is sent as %j', (text, sent) => {
  expect(hide(text)).toBe(sent);
});

test('nor is one sent in part because the text is long', () => {
  // 8,000 characters are kept: 4,800 of the beginning, then the end.
  const text = `${'word '.repeat(959)}wo checkout-worker ${'word '.repeat(4000)}`;
  const sent = hide(text);
  expect(sent.length).toBeLessThan(8_010);
  expect(/word wo\s+…\s+word/.test(sent)).toBe(true);
  expect(sent.includes('check') || sent.includes('worker')).toBe(false);
});
