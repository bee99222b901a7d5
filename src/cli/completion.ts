import type { Command, Option } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

interface Words {
  /** "analyze", "cache list"; "" for the program itself. */
  readonly path: string;
  readonly aliases: readonly string[];
  readonly commands: readonly Command[];
  readonly options: readonly Option[];
  /** What an argument may be, where that is a closed list. */
  readonly values: readonly string[];
}

/** A completion script, made from the program's own commands and flags. */
export function completionScript(program: Command, shell: Shell): string {
  // "kubectl podlens" is this program on the path.
  const name = program.name().replaceAll(' ', '-');
  const all = walk(program, '');
  switch (shell) {
    case 'bash':
      return bash(name, all);
    case 'zsh':
      return `#compdef ${name}\nautoload -U +X bashcompinit && bashcompinit\n${bash(name, all)}`;
    case 'fish':
      return fish(name, all);
    default:
      return shell satisfies never;
  }
}

function walk(command: Command, path: string): Words[] {
  const { commands, options } = command;
  const values = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
  const own = { path, aliases: command.aliases(), commands, options, values };
  return [own, ...commands.flatMap((inner) => walk(inner, `${path} ${inner.name()}`.trim()))];
}

const offersOf = ({ commands, options, values }: Words): string[] => [
  ...values,
  ...commands.map((command) => command.name()),
  '--help',
  ...options.flatMap(({ long }) => (long == null ? [] : [long])),
];

function bash(name: string, all: readonly Words[]): string {
  const identifier = `_${name.replaceAll(/\W/g, '_')}`;
  const steps = all.flatMap(({ path, aliases }) => {
    const [last = '', ...above] = path.split(' ').reverse();
    const before = above.reverse().join(' ');
    return path === '' ? [] : [last, ...aliases].map((word) => `      "${before} ${word}") path="${path}" ;;`);
  });
  return `# ${name} completion. Load it with: source <(${name} completion bash)
${identifier}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${steps.join('\n')}
    esac
  done
  case "$path $previous" in
${all.flatMap(valuesAfterFlags).join('\n')}
    *" -f"|*" --filename"|*" --kubeconfig"|*" --config"|*" --ca-file") COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  case "$path" in
${all.map((words) => `    "${words.path}") words="${offersOf(words).join(' ')}" ;;`).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F ${identifier} ${name}
`;
}

const valuesAfterFlags = ({ path, options }: Words): string[] =>
  options.flatMap(({ long, short, argChoices }) => {
    if (argChoices === undefined) return [];
    const flags = [short, long].flatMap((flag) => (flag == null ? [] : [`"${path} ${flag}"`]));
    return [`    ${flags.join('|')}) COMPREPLY=($(compgen -W "${argChoices.join(' ')}" -- "$current")); return ;;`];
  });

const quoted = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;

function fish(name: string, all: readonly Words[]): string {
  const lines = [`# ${name} completion. Load it with: ${name} completion fish | source`, `complete -c ${name} -f`];
  for (const { path, commands, options, values } of all) {
    const words = path.split(' ').filter((word) => word !== '');
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    const none = commands.map((command) => command.name()).join(' ');
    const here = [seen, none === '' ? '' : `not __fish_seen_subcommand_from ${none}`]
      .filter((part) => part !== '')
      .join('; and ');
    for (const command of commands) {
      lines.push(`complete -c ${name} -n ${quoted(here)} -a ${command.name()} -d ${quoted(command.description())}`);
    }
    if (values.length > 0) lines.push(`complete -c ${name} -n ${quoted(here)} -a ${quoted(values.join(' '))}`);
    for (const { long, short, description, argChoices, required, optional } of options) {
      if (long == null) continue;
      const shortFlag = short == null ? '' : ` -s ${short.slice(1)}`;
      const takes = required || optional ? ' -r' : '';
      const choices = argChoices === undefined ? '' : ` -a ${quoted(argChoices.join(' '))}`;
      const when = here === '' ? '' : ` -n ${quoted(here)}`;
      lines.push(
        `complete -c ${name}${when} -l ${long.slice(2)}${shortFlag}${takes}${choices} -d ${quoted(description)}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
