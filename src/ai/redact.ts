import { clean } from './clean.ts';
import type { Names } from './names.ts';
import { createPseudonyms } from './pseudonyms.ts';
import { CUT, cutSecrets } from './secrets.ts';
import { shorten } from './shorten.ts';

/** What stands between a report and a model. One of these keeps one set of pseudonyms: one problem, or one talk. */
export interface Redaction {
  /** For everything that is sent: without control characters and secrets, names as pseudonyms. */
  hide(text: string): string;
  /** For everything that comes back: real names in place of pseudonyms. What was cut out stays out. */
  reveal(text: string): string;
  /** Whether an answer names an object that was never sent. */
  invents(text: string): boolean;
}

// Longer than any evidence: a hostile line must not keep the patterns busy.
const LONGEST = 8_000;

/** With `anonymize: false` names are sent as they are; secrets are cut out all the same. */
export function createRedaction(names: Names, { anonymize }: { readonly anonymize: boolean }): Redaction {
  const cut = (text: string) => cutSecrets(within(cutKnown(withoutTorn(clean(text), names), names.secrets)));
  if (!anonymize) return { hide: cut, reveal: (text) => text, invents: () => false };
  const pseudonyms = createPseudonyms(names.kinds);
  return { ...pseudonyms, hide: (text) => pseudonyms.hide(cut(text)) };
}

/** A text of bearable length, with no word of it torn in two. */
const within = (text: string): string =>
  text.length > LONGEST ? shorten(text, LONGEST).replace(/\S* … \S*/g, ' … ') : text;

/** A name or a secret that was cut off, "…" in place of its end, is no longer known as one: the rest of it goes too. */
const withoutTorn = (text: string, names: Names): string =>
  text.replace(/[^\s"'`…]+(?=…)/g, (word) => (/^[A-Za-z]+$/.test(word) && !beginsName(word, names) ? word : ''));

function beginsName(word: string, { kinds, secrets }: Names): boolean {
  for (const name of kinds.keys()) if (name.startsWith(word)) return true;
  return secrets.some((secret) => secret.startsWith(word));
}

function cutKnown(text: string, secrets: readonly string[]): string {
  let result = text;
  for (const secret of secrets) if (result.includes(secret)) result = result.replaceAll(secret, CUT);
  return result;
}
