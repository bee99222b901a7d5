import { setTimeout as delay } from 'node:timers/promises';
import { ApiError, ConnectionError } from './errors.ts';

/** Time and chance, so that tests need not wait. */
export interface Pace {
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 up to 1. */
  random(): number;
}

export const realPace: Pace = {
  async sleep(ms, signal) {
    await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
  },
  random: Math.random,
};

export interface RetryOptions {
  readonly pace: Pace;
  readonly signal: AbortSignal;
  /** Whether the server has answered before: if not, nobody listening is no passing trouble. */
  readonly answered: () => boolean;
  /** Whether an error that usually passes is worth another try here. */
  again?(error: unknown): boolean;
  onRetry?(): void;
}

const TRIES = 5;
const TRIES_WHEN_BUSY = 8;
const BACKOFF_MS = 250;
const LONGEST_WAIT_MS = 30_000;

/** Asks again, within bounds, where that may help: throttling, server errors, broken connections. */
export async function retrying<T>(ask: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { pace, signal } = options;
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (tries >= mostTries(error, options.answered()) || options.again?.(error) === false) throw error;
      options.onRetry?.();
      await pace.sleep(waitAfter(error, tries, pace), signal);
    }
  }
}

function mostTries(error: unknown, answered: boolean): number {
  if (error instanceof ApiError) {
    if (error.status === 429) return TRIES_WHEN_BUSY;
    return error.status >= 500 && error.status !== 501 ? TRIES : 1;
  }
  if (!(error instanceof ConnectionError)) return 1;
  switch (error.trouble) {
    case 'broken':
      return TRIES;
    case 'down':
      return answered ? TRIES : 1;
    case 'timeout':
      return answered ? 2 : 1;
    case 'wrong':
      return 1;
    default:
      return error.trouble satisfies never;
  }
}

/** What the server asks for, else twice as long each time; spread, so that many clients do not come back together. */
function waitAfter(error: unknown, tries: number, { random }: Pace): number {
  const asked = error instanceof ApiError ? error.retryAfterMs : undefined;
  if (asked !== undefined) return Math.min(LONGEST_WAIT_MS, asked * (1 + random() / 4));
  return BACKOFF_MS * 2 ** (tries - 1) * (0.5 + random() / 2);
}
