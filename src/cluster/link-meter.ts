/** Finds out how fast the link to the server is, from what comes over it anyway. */
export interface LinkMeter {
  /** A body begins to come, perhaps beside others; to be told when it ends. */
  begin(): () => void;
  /** Makes use of so many bytes that have come. */
  use(bytes: number, made: () => void): void;
  /** An answer has begun so long after it was asked for. */
  answered(afterMs: number): void;
  /** Whether the link is slow; false until enough has come to tell. */
  isSlow(): boolean;
}

// Below this rate what gzip saves on the wire is more than it costs the API server and us.
const SLOW_BYTES_PER_SECOND = 30_000_000;
// A connection needs some round trips to come up to speed, so less than this says nothing.
const SAMPLE_BYTES = 1024 * 1024;
// What ever answered faster is near. If little comes from there it is the server that is slow, and compressing would make
// it slower.
const NEAR_MS = 3;

/** `now` is a clock in milliseconds. */
export function linkMeter(now: () => number = () => performance.now()): LinkMeter {
  let bytes = 0;
  let bodies = 0;
  let quickestMs = Number.POSITIVE_INFINITY;
  // How long bodies were read, and since when the present ones are.
  let spentMs = 0;
  let since = 0;
  const elapsed = () => spentMs + (bodies > 0 ? now() - since : 0);
  return {
    begin() {
      if (bodies++ === 0) since = now();
      return () => {
        spentMs = elapsed();
        since = now();
        bodies--;
      };
    },
    use(more, made) {
      bytes += more;
      const began = now();
      made();
      // Meanwhile more came into the socket's buffer: this was not the link's time.
      spentMs -= now() - began;
    },
    answered(afterMs) {
      quickestMs = Math.min(quickestMs, afterMs);
    },
    isSlow: () =>
      quickestMs >= NEAR_MS && bytes >= SAMPLE_BYTES && (bytes * 1000) / Math.max(1, elapsed()) < SLOW_BYTES_PER_SECOND,
  };
}
