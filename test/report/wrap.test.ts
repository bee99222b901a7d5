import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { shorten, truncate, widthOf, wrap } from '../../src/report/wrap.ts';

const words = fc
  .array(
    fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.constantFrom('容器无法启动：找不到密钥。', 'a/b/c.d', 'x'.repeat(90), '👩‍👩‍👧', 'é'),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(' ').replace(/[\p{Cc}\p{Cs}]/gu, ''));

const latin = fc.string({ unit: fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code)) });
const marks = fc.constantFrom('…', '→', '·', '—', '字', '\u0301', '\u200d', '\ufe0f', '\u20e3', '👩', '0', '©');

test('a text is as wide as string-width says', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(latin, marks, fc.string())), (parts) => {
      const text = parts.join('');
      expect(widthOf(text)).toBe(stringWidth(text));
    }),
  );
});

test('plain characters are cut one by one, as graphemes are', () => {
  const plain = Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).filter(
    (character) => /[ -~¡-ÿ…→]/.test(character) && character !== '\u00ad',
  );
  const text = fc.array(fc.constantFrom(...plain)).map((characters) => characters.join(''));
  fc.assert(
    fc.property(text, (characters) => {
      const graphemes = [...new Intl.Segmenter('en').segment(characters)].map(({ segment }) => segment);
      expect(graphemes).toEqual([...characters]);
      expect(widthOf(characters)).toBe(characters.length);
    }),
  );
});

const unspaced = (text: string) => text.replace(/\s/g, '');

test('no line is wider than the screen, and nothing gets lost', () => {
  fc.assert(
    fc.property(words, fc.integer({ min: 20, max: 100 }), (text, columns) => {
      const lines = wrap(text, columns);
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns);
      expect(unspaced(lines.join(''))).toBe(unspaced(text));
    }),
  );
});

describe('where lines break', () => {
  test.each<[string, string, readonly string[]]>([
    ['at a blank', 'the container has no limit of its own', ['the container has no', 'limit of its own']],
    ['behind a seam of a path', 'status.containers.state', ['status.containers.', 'state']],
    ['anywhere, where there is no seam', 'a'.repeat(25), ['a'.repeat(20), 'a'.repeat(5)]],
    [
      'anywhere in Chinese, but not before a full stop',
      '数据库连接失败请检查。配置',
      ['数据库连接失败请检', '查。配置'],
    ],
    ['at line feeds', 'one\ntwo', ['one', 'two']],
  ])('%s', (_, text, lines) => {
    expect(wrap(text, 20)).toEqual(lines);
  });
});

test.each<[string, number, string]>([
  ['short', 10, 'short'],
  ['much too long', 8, 'much to…'],
  ['数据库连接', 5, '数据…'],
])('%s in %d columns', (text, columns, cut) => {
  expect(truncate(text, columns)).toBe(cut);
});

test('the middle of a long message is left out, at blanks', () => {
  const text = `failed to pull: ${'and then something else happened, '.repeat(20)}no such host`;
  const short = shorten(text, 120);
  expect(short.length).toBeLessThanOrEqual(123);
  expect(short).toMatch(/^failed to pull: and .* … .* no such host$/);
  expect(shorten('short', 120)).toBe('short');
});
