const SLOTS = 4096;
const LONGEST = 64;

const seen: string[] = new Array(SLOTS).fill('');

/**
 * An equal string that may have been seen before. Thousands of pods say the same few things; sharing the strings keeps a
 * large cluster small. Forgets what collides, so it never grows.
 */
export function intern(text: string): string {
  const length = text.length;
  if (length > LONGEST) return text;
  let hash = length;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  const known = seen[slot];
  if (known === text) return known;
  seen[slot] = text;
  return text;
}
