import type { Explanation } from '../ai/explained.ts';

/** Whether an explanation goes on from what was said of its cause before it was whole. */
export const continues = ({ cause }: Pick<Explanation, 'cause'>, said: string): boolean =>
  cause === said || cause.startsWith(`${said} `);
