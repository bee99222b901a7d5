import { describe, expect, test } from 'vitest';
import type { Backend, Prompt } from '../../src/ai/backend.ts';
import { PodlensError } from '../../src/errors.ts';

/** What a server is told to do with the next calls. */
export type Behaviour = { readonly text: string } | 'fail' | 'hang' | 'cut' | 'down';

/** Starts a server that behaves so, gives its backend to `use`, and stops it. */
export type WithBackend = (behaviour: Behaviour, use: (backend: Backend) => Promise<void>) => Promise<void>;

export const prompt: Prompt = {
  system: 'You explain what is wrong. Answer in JSON.',
  user: 'Why does it wait?',
  history: [
    { role: 'user', content: 'Hello.' },
    { role: 'assistant', content: 'Good day.' },
  ],
  schema: {
    type: 'object',
    properties: { cause: { type: 'string' } },
    required: ['cause'],
    additionalProperties: false,
  },
};

const never = () => new AbortController().signal;

/** What explaining relies on, whatever speaks to the model. */
export function testBackend(name: string, withBackend: WithBackend): void {
  const text = '{"cause":"Größe 汉字"}';
  describe(`${name} as a backend`, () => {
    test('gives the text and the tokens', () =>
      withBackend({ text }, async (backend) => {
        const completion = await backend.complete(prompt, { signal: never() });
        expect(completion.text).toBe(text);
        expect(completion.tokens?.input).toBeGreaterThan(0);
        expect(completion.tokens?.output).toBeGreaterThan(0);
      }));

    test('gives the text as it arrives, and all of it', () =>
      withBackend({ text }, async (backend) => {
        const parts: string[] = [];
        const completion = await backend.complete(prompt, { signal: never(), onText: (part) => parts.push(part) });
        expect(parts.length).toBeGreaterThan(1);
        expect(parts.join('')).toBe(text);
        expect(completion.text).toBe(text);
      }));

    test('leaves out what a model thinks before it answers', () =>
      withBackend({ text: `<think>\nHm. {"cause": "?"}\n</think>\n\n${text}` }, async (backend) => {
        const parts: string[] = [];
        const { text: whole } = await backend.complete(prompt, { signal: never() });
        await backend.complete(prompt, { signal: never(), onText: (part) => parts.push(part) });
        expect([whole, parts.join('')]).toEqual([text, text]);
      }));

    test('gives an answer that is empty', () =>
      withBackend({ text: '' }, async (backend) => {
        expect((await backend.complete(prompt, { signal: never() })).text).toBe('');
      }));

    test.each([
      ['fail', 'backend-failed'],
      ['hang', 'backend-timeout'],
      ['cut', 'backend-failed'],
      ['down', 'backend-unreachable'],
    ] as const)('%s fails with %s, streamed or not', (behaviour, code) =>
      withBackend(behaviour, async (backend) => {
        for (const onText of [undefined, () => {}]) {
          const call = backend.complete(prompt, { signal: never(), ...(onText === undefined ? {} : { onText }) });
          const error = await call.catch((error: unknown) => error);
          expect(error).toBeInstanceOf(PodlensError);
          expect(error).toMatchObject({ code });
        }
      }),
    );

    test('stops when it is told to', () =>
      withBackend('hang', async (backend) => {
        const controller = new AbortController();
        const call = backend.complete(prompt, { signal: controller.signal });
        controller.abort(new Error('stopped'));
        await expect(call).rejects.toThrow('stopped');
      }));

    test('has an id that names provider, model and place, and nothing secret', () =>
      withBackend({ text }, async (backend) => {
        expect(backend.id).toMatch(/^[a-z]+:[^@]+@http:\/\/127\.0\.0\.1:\d+(\/v1)?$/);
        expect(backend.local).toBe(true);
      }));
  });
}
