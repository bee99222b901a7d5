// The kubelet's summary of a wait: `Unable to attach or mount volumes: unmounted volumes=[data], …: why`.
const SUMMARY = /^Unable to (?:attach or )?mount volumes/;
const REASON = /^Unable to (?:attach or )?mount volumes: .*volumes=\[[^\]]*\]: (.*)$/s;
const MERELY_LATE = /^(timed out waiting for the condition|context deadline exceeded|context canceled)?$/;

export const isWaitSummary = (message: string): boolean => SUMMARY.test(message);

/** Why the kubelet waits, where its summary says more than that it took too long. */
export function reasonOfWait(message: string): string | undefined {
  const reason = REASON.exec(message)?.[1]?.trim();
  return reason === undefined || MERELY_LATE.test(reason) ? undefined : reason;
}

/** The volumes that the summary names as not mounted. */
export const unmountedIn = (message: string): string[] =>
  /unmounted volumes=\[([^\]]*)\]/.exec(message)?.[1]?.split(' ') ?? [];

/** What the summary says of claims: `error processing PVC shop/data: PVC is not bound`. */
export const claimTroubles = (message: string): { namespace: string; name: string; text: string }[] =>
  [...message.matchAll(/error processing PVC ([^/\s]+)\/([^:\s]+): ([^;]+)/g)].map(
    ([, namespace = '', name = '', text = '']) => ({ namespace, name, text: text.trim() }),
  );
