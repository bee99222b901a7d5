export interface PodlensErrorOptions {
  /** What the person can do about it, or what would have been right. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** A failure the person can do something about: it is shown as one line, without a stack. Anything else is our bug. */
export class PodlensError extends Error {
  override readonly name = 'PodlensError';
  /** Stable, for callers to branch on: "context-not-found". */
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, { hint, cause }: PodlensErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }
}
