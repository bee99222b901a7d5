import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkAnswer, readAnswer } from '../../src/ai/answer.ts';
import { claimReader, pieceReader } from '../../src/ai/answer-stream.ts';
import { nameableOf } from '../../src/ai/commands.ts';
import { namesOf } from '../../src/ai/names.ts';
import { createRedaction } from '../../src/ai/redact.ts';
import { answer } from './support/models.ts';
import { crash, reportOf } from './support/problems.ts';

const problem = crash();
const redaction = createRedaction(namesOf(reportOf(problem), undefined), { anonymize: true });
redaction.hide('Pod web-7f9c8b6d5-x2lqp of Deployment web, container server, namespace shop');
const check = { ids: new Set(['e1', 'e2']), redaction, nameable: nameableOf(problem) };

function piecesOf(deltas: readonly string[]): string[] {
  const pieces: string[] = [];
  deltas.forEach(pieceReader(check, (text) => pieces.push(text)));
  return pieces;
}

function claimsOf(text: string): string[] {
  const claims: string[] = [];
  claimReader(({ text }) => claims.push(text))(text);
  return claims;
}

const cause = (...texts: readonly string[]) => texts.map((text) => ({ text, cites: ['e1'] }));

describe('a claim', () => {
  test('is passed on as soon as its object is whole, with real names', () => {
    const pieces: string[] = [];
    const push = pieceReader(check, (text) => pieces.push(text));
    push('{"cause":[{"text":"Pod-1 fails.","cites":["e1"]');
    expect(pieces).toEqual([]);
    push('}');
    expect(pieces).toEqual(['web-7f9c8b6d5-x2lqp fails.']);
    push(', {"cites":["e2"],"text":"It ends \\"so\\" }]."}');
    expect(pieces[1]).toBe('It ends "so" }].');
  });

  test.each([
    ['cites nothing', '{"text":"A lie.","cites":[]}'],
    ['cites what does not exist', '{"text":"A lie.","cites":["e1","e9"]}'],
    ['names what was never sent', '{"text":"It is pod-77.","cites":["e1"]}'],
    ['is a sentence without ids', '"A lie."'],
    ['has no words', '{"text":"...","cites":["e1"]}'],
  ])('that %s is left out, and the next one is read', (_, claim) => {
    expect(piecesOf([`{"cause":[${claim},{"text":"True.","cites":["e1"]}]`])).toEqual(['True.']);
  });

  test('has no control characters and no command that would not pass', () => {
    const text = '\u001b[31mIt\u202e fails\u0007. Run `kubectl delete namespace shop`.';
    expect(piecesOf([answer({ cause: cause(text) })])).toEqual(['It fails. Run (a command was left out).']);
  });
});

test.each([
  ['in fences', `\`\`\`json\n${answer({ cause: cause('a') })}\n\`\`\``, ['a']],
  [
    'behind other keys',
    '{"confidence":"likely, \\": [","steps":[{"cause":[{"text":"no","cites":[]}]}],"cause":["a","b"]}',
    ['a', 'b'],
  ],
  ['where "cause" is a value before', '{"x":"cause","y":["no"],"cause":["a"]}', ['a']],
  ['after prose', `Here it is: ${answer({ cause: cause('a') })}`, []],
  ['after an example in prose', 'For example {"cause":["a"]}', []],
  ['where the list holds something else', '{"cause":["a",7,"b"]}', ['a']],
  ['where an entry is no JSON', '{"cause":["a",{"text":b},"c"]}', ['a']],
  ['where the object ends before', '{"steps":[]} {"cause":["a"]}', []],
  ['behind the end of the list', '{"cause":["a"],"steps":["b"]}', ['a']],
])('claims are found %s', (_, text, expected) => expect(claimsOf(text)).toEqual(expected));

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('Pod-1 fails.', 'pod-9', '} ] , "', '\\', '{"cause":['),
);
const claim = fc.oneof(
  fc.record({ text, cites: fc.array(fc.constantFrom('e1', 'e2', 'e9'), { maxLength: 2 }) }),
  text.map((said) => `${said} [e1].`),
);
const written = fc
  .tuple(
    fc.array(claim, { minLength: 1, maxLength: 7 }),
    fc.constantFrom('', '```json\n', '\n '),
    fc.constantFrom(0, 2),
  )
  .map(([said, lead, indent]) => lead + JSON.stringify({ confidence: 'low', cause: said, steps: [] }, null, indent));

describe('whatever is said', () => {
  test('any chunking gives the pieces of the whole', () => {
    fc.assert(
      fc.property(written, fc.array(fc.integer({ min: 1, max: 30 })), (whole, sizes) => {
        const deltas: string[] = [];
        let at = 0;
        for (const size of sizes) {
          deltas.push(whole.slice(at, at + size));
          at += size;
        }
        deltas.push(whole.slice(at));
        expect(piecesOf(deltas)).toEqual(piecesOf([whole]));
      }),
    );
  });

  test('the pieces together are the cause of the whole answer', () => {
    fc.assert(
      fc.property(written, (whole) => {
        const read = readAnswer(whole);
        if ('error' in read) throw new Error(read.error);
        expect(piecesOf([whole]).join(' ')).toBe(checkAnswer(read.answer, check).cause);
      }),
    );
  });

  test('text that is no answer breaks nothing', () => {
    fc.assert(fc.property(fc.string(), (noise) => void piecesOf([noise, `{"cause":[${noise}`])));
  });
});
