// CSI, OSC and two-character escape sequences, 7-bit and 8-bit.
const ESCAPES =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|(?:\u001b\]|\u009d)[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[@-Z\\^_a-z0-9=>]?/g;

// Control characters but newline and tab; what turns or hides text: bidi marks, zero-width and tag characters.
const CONTROLS =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Takes out escape sequences, control characters and characters that cannot be seen; newlines and tabs stay. */
export const clean = (text: string): string => text.replaceAll('\r\n', '\n').replace(ESCAPES, '').replace(CONTROLS, '');

/** The same on one line. */
export const cleanLine = (text: string): string => clean(text).replace(/\s+/g, ' ').trim();

// What chat models take for the borders of a message, and the borders podlens draws.
const BORDERS = /<(?=\||<?\/?\s*(?:data|system|user|assistant|tool|think|s|sys|inst)\b)|(?<=\|)>|\[(?=\/?INST\])/gi;

const lookAlike: Readonly<Record<string, string>> = { '<': '‹', '>': '›', '[': '⟦' };

const plain = (text: string): string => text.replace(BORDERS, (border) => lookAlike[border] ?? '');

/** Untrusted text as one quoted line: it can close neither its quotes nor the block it stands in. */
export const quoted = (text: string): string => plain(JSON.stringify(clean(text).trim()));

/** The same without quotes, for names and commands. */
export const unquoted = (text: string): string => plain(cleanLine(text));
