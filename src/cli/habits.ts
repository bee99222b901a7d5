import type { Command } from 'commander';

/**
 * What hands type by habit of kubectl, as commander takes it: `-n=shop` as `-nshop`, `-n shop analyze` as
 * `analyze -n shop`, and `version` as `--version`.
 */
export function habitual(argv: readonly string[], program: Command): readonly string[] {
  if (argv.length === 1 && argv[0] === 'version') return ['--version'];
  const words = withoutEquals(argv);
  const at = words[0]?.startsWith('-') ? firstCommand(words, program) : 0;
  const command = words[at];
  if (at === 0 || command === undefined) return words;
  return [command, ...words.slice(0, at), ...words.slice(at + 1)];
}

/** Of flags that take a value. */
function withoutEquals(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return argv.map((word, index) =>
    /^-[nlfobm]=./.test(word) && (end === -1 || index < end) ? `${word.slice(0, 2)}${word.slice(3)}` : word,
  );
}

/** Where the first word stands that is neither a flag nor its value, if it is a command; else 0. */
function firstCommand(words: readonly string[], program: Command): number {
  const withValue = new Set(
    program.commands.flatMap(({ options }) =>
      options.filter(({ required }) => required).flatMap(({ short, long }) => [short, long]),
    ),
  );
  let at = 0;
  while (words[at]?.startsWith('-')) at += withValue.has(words[at]) ? 2 : 1;
  const isCommand = program.commands.some((one) => one.name() === words[at] || one.aliases().includes(words[at] ?? ''));
  return isCommand ? at : 0;
}
