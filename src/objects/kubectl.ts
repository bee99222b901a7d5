import type { Ref, Step } from '../finding.ts';

/** Joins a command, quoting what a POSIX shell would change. */
export const shell = (...words: readonly string[]): string => words.map(quote).join(' ');

const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

const inNamespace = (ref: Ref): readonly string[] => (ref.namespace === undefined ? [] : ['-n', ref.namespace]);

/** `kubectl VERB kind/name -n namespace …`: kinds as kubectl takes them. */
export const kubectl = (verb: string, ref: Ref, ...rest: readonly string[]): string =>
  shell('kubectl', ...verb.split(' '), `${ref.kind.toLowerCase()}/${ref.name}`, ...inNamespace(ref), ...rest);

/** `kubectl logs pod -n namespace -c container [--previous]`. */
export const kubectlLogs = (ref: Ref, previous: boolean): string =>
  shell(
    'kubectl',
    'logs',
    ref.name,
    ...inNamespace(ref),
    ...(ref.container === undefined ? [] : ['-c', ref.container]),
    ...(previous ? ['--previous'] : []),
  );

export const look = (text: string, command?: string): Step => step('inspect', text, command);
export const change = (text: string, command?: string): Step => step('change', text, command);
export const destroy = (text: string, command?: string): Step => step('destructive', text, command);

const step = (safety: Step['safety'], text: string, command: string | undefined): Step => ({
  text,
  ...(command === undefined ? {} : { command }),
  safety,
});
