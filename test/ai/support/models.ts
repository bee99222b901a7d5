import type { Backend, Completion, Prompt, Tokens } from '../../../src/ai/backend.ts';

export interface Model extends Backend {
  /** What it was asked, in order. */
  readonly asked: readonly Prompt[];
  /** How many calls were under way at once, at most. */
  readonly widest: () => number;
}

/** A model that answers as it is told: with a text, or by failing. */
export function model(
  answer: (prompt: Prompt, call: number) => string | Error | Promise<string>,
  id = 'test:model@here',
  tokens: Tokens = { input: 100, output: 10 },
): Model {
  const asked: Prompt[] = [];
  let open = 0;
  let widest = 0;
  return {
    id,
    local: true,
    asked,
    widest: () => widest,
    async complete(prompt, { onText }): Promise<Completion> {
      asked.push(prompt);
      widest = Math.max(widest, ++open);
      try {
        const said = await answer(prompt, asked.length);
        await new Promise(setImmediate);
        if (said instanceof Error) throw said;
        onText?.(said);
        return { text: said, tokens };
      } finally {
        open--;
      }
    },
  };
}

interface Said {
  readonly cause?: unknown;
  readonly steps?: unknown;
  readonly confidence?: unknown;
}

/** An answer of the right shape. */
export const answer = ({
  cause = [{ text: 'It cannot reach its database.', cites: ['e2'] }],
  steps = [{ text: 'Look at the log.', command: '', cites: ['e2'] }],
  confidence = 'likely',
}: Said = {}): string => JSON.stringify({ cause, steps, confidence });
