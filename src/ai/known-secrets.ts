import { percentDecoded } from '../percent.ts';
import { isSecretName, maybeSecretName } from './secret-words.ts';
import { secretsIn } from './secrets.ts';

/** What a container's variable holds that nobody may see, in every form in which a log may repeat it. */
export const secretsOfVariable = (name: string, value: string): string[] => [
  ...secretsCalled(name, value),
  ...secretsInside(value),
];

export function secretsOfArguments(list: readonly string[]): string[] {
  return list.flatMap((argument, index) => {
    const [, flag, own] = /^--?([\w.-]+)(?:=([\s\S]*))?$/.exec(argument) ?? [];
    const value = own ?? list[index + 1];
    return [
      ...(flag === undefined || value === undefined ? [] : secretsCalled(flag, value)),
      ...secretsInside(argument),
      ...shortFlags(argument),
    ];
  });
}

export const secretsOfAnnotations = (annotations: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(annotations).flatMap(([key, value]) =>
    isSecretName(key) && typeof value === 'string' ? [value] : [],
  );

function secretsCalled(name: string, value: string): string[] {
  const secret = isSecretName(name) || (maybeSecretName(name) && !isWords(value));
  if (!secret || isPath(value)) return [];
  // "app:password", and what is behind the Base64 of PASS_B64.
  const parts = maybeSecretName(name) ? value.split(':').slice(1) : [];
  return [value, ...parts, ...decoded(value)];
}

/** A password in a URL or a connection string, and what a setting in JSON, in YAML or for a shell calls secret. */
function secretsInside(value: string): string[] {
  const password = /:\/\/[^\s:@/]*:([^\s]+)@/.exec(value)?.[1];
  const plain = password === undefined ? [] : [password, percentDecoded(password)];
  return [...plain, ...(/(?:password|pwd)\s*=\s*([^;\s]+)/i.exec(value)?.slice(1) ?? []), ...secretsIn(value)].filter(
    (secret) => !isPath(secret),
  );
}

/** `app -p x1Y2z3`: no port, no folder and no word. */
const shortFlags = (script: string): string[] =>
  [...script.matchAll(/\s-[pa]\s+["']?((?=[^\s"']*[A-Za-z])(?=[^\s"']*\d)[^\s"'/:.=]{6,})/g)].map(
    ([, value = '']) => value,
  );

/** "none", "basic", "client-certificate": a setting. */
const isWords = (value: string): boolean => /^[a-z]+(?:[-_ ][a-z]+)*$/i.test(value);

/** A file with a secret in it is none. */
const isPath = (value: string): boolean => /^(?:\/[\w.-]+){2,}$/.test(value);

function decoded(value: string): string[] {
  if (value.length < 8 || value.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return [];
  const text = new TextDecoder().decode(Uint8Array.from(atob(value), (character) => character.charCodeAt(0))).trim();
  return /^[\x20-\x7e]{4,}$/.test(text) ? [text] : [];
}
