/**
 * What a cluster says is written by whoever may create objects in it. Nothing of it may steer a terminal, hide in a
 * ticket or run right to left over the line it stands in.
 */

// CSI, OSC and the other strings, in their 7-bit and 8-bit forms, then any other two-character escape.
const sequences =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)|\u001b[ -/]*[0-~]/g;

// Bidirectional marks, overrides and isolates, zero-width and invisible characters, tags, line separators that are not \n.
const invisible =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each stands for itself; joiners and marks are the point
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/gu;

const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/g;

const unsafe = /[^\n\u0020-\u007e]/;

/** Text that is safe to print. Line feeds stay; a control character that is not part of a known sequence shows as �. */
export function sanitize(text: string): string {
  if (!unsafe.test(text)) return text;
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(sequences, '')
    .replace(invisible, '')
    .replace(controls, (control) => (control === '\t' || control >= '\u2028' ? ' ' : '\ufffd'));
}

/** The same, on one line. */
export const sanitizeLine = (text: string): string =>
  sanitize(text)
    .replace(/\s*\n\s*/g, ' ')
    .trim();

const unprintable =
  /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/gu;

/** In a JSON string the same characters can be written as escapes: nothing is lost. */
export const escapeForJson = (text: string): string =>
  text.replace(unprintable, (character) => character.split('').map(escapeUnit).join(''));

/** And in a double-quoted YAML string, where one beyond the first 65,536 is one escape. */
export const escapeForYaml = (text: string): string =>
  text.replace(unprintable, (character) =>
    character.length === 1
      ? escapeUnit(character)
      : `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`,
  );

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

export const hasUnprintable = (text: string): boolean => text.search(unprintable) >= 0;
