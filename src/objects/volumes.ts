import type { Pod, Volume } from './pod-schema.ts';

/** The claim behind a volume; a generic ephemeral volume's is named after pod and volume. */
export function claimNameOf(pod: Pod, volume: Volume): string | undefined {
  if (volume.ephemeral !== undefined) return `${pod.metadata?.name ?? ''}-${volume.name ?? ''}`;
  return volume.persistentVolumeClaim?.claimName;
}

/** The claims that a pod mounts, each once. */
export const claimsOf = (pod: Pod): string[] => [
  ...new Set((pod.spec?.volumes ?? []).flatMap((volume) => claimNameOf(pod, volume) ?? [])),
];
