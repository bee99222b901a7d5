/** The part of an address that a `%41` stands for; one that is wrongly encoded stands as it is. */
export function percentDecoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
