/** What a command ends with. */
export const exitCodes = {
  /** The work was done. */
  done: 0,
  /** Findings at or above `--fail-on`. */
  found: 1,
  /** It could not be done. */
  failed: 2,
  /** Nothing reached `--fail-on`, but something could not be looked at. */
  incomplete: 3,
  interrupted: 130,
} as const;
