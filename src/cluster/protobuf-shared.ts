import type { Cursor } from './protobuf-wire.ts';

// Replicas say the same things byte for byte. What was read before is looked up by its bytes, and shared. A slot keeps
// the bytes from the second time on, so that what comes once costs a hash and nothing else.
const SLOTS = 8192;
const LONGEST = 640;

interface Shared {
  hash: number;
  as: object | undefined;
  bytes: Buffer | undefined;
  value: unknown;
}

const slots: (Shared | undefined)[] = new Array(SLOTS).fill(undefined);

/**
 * What the bytes up to `stop` mean to `as`, read once for all who say the same. `read` moves the cursor; its value is frozen.
 */
export function shared<S extends object>(
  as: S,
  cursor: Cursor,
  stop: number,
  read: (as: S, cursor: Cursor, stop: number) => unknown,
): unknown {
  const start = cursor.at;
  if (stop - start > LONGEST) return read(as, cursor, stop);
  const { bytes } = cursor;
  let hash = stop - start;
  for (let at = start; at < stop; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  const index = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  const slot = slots[index];
  if (slot === undefined || slot.hash !== hash || slot.as !== as) {
    slots[index] = { hash, as, bytes: undefined, value: undefined };
    return read(as, cursor, stop);
  }
  if (slot.bytes !== undefined && isSame(slot.bytes, bytes, start, stop)) return slot.value;
  slot.value = read(as, cursor, stop);
  slot.bytes = Buffer.from(bytes.subarray(start, stop));
  return slot.value;
}

function isSame(known: Buffer, bytes: Buffer, start: number, stop: number): boolean {
  if (known.length !== stop - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}
