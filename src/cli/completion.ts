import type { Command, Option } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

interface Words {
  /** "analyze", "cache list"; "" for the program itself. */
  readonly path: string;
  readonly commands: readonly Command[];
  readonly options: readonly Option[];
}

/** A completion script, made from the program's own commands and flags. */
export function completionScript(program: Command, shell: Shell): string {
  const all = walk(program, '');
  switch (shell) {
    case 'bash':
      return bash(program.name(), all);
    case 'zsh':
      return `#compdef ${program.name()}\nautoload -U +X bashcompinit && bashcompinit\n${bash(program.name(), all)}`;
    case 'fish':
      return fish(program.name(), all);
    default:
      return shell satisfies never;
  }
}

function walk(command: Command, path: string): Words[] {
  const own = { path, commands: command.commands, options: command.options };
  return [own, ...command.commands.flatMap((inner) => walk(inner, `${path} ${inner.name()}`.trim()))];
}

const flagsOf = ({ options }: Words): string[] => [
  '--help',
  ...options.flatMap(({ long }) => (long == null ? [] : [long])),
];

function bash(name: string, all: readonly Words[]): string {
  const identifier = name.replaceAll(/\W/g, '_');
  const cases = all.map((words) => {
    const own = [...words.commands.map((command) => command.name()), ...flagsOf(words)];
    return `    "${words.path}") words="${own.join(' ')}" ;;`;
  });
  const values = choicesOf(all).map(
    ([flag, choices]) => `    ${flag}) COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$current")); return ;;`,
  );
  return `# ${name} completion. Load it with: source <(${name} completion bash)
_${identifier}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" word
  case "$previous" in
${values.join('\n')}
    -f|--filename|--kubeconfig|--config|--ca-file) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${all
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      "${path.includes(' ') ? path : ` ${path}`}") path="${path}" ;;`)
  .join('\n')}
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${identifier} ${name}
`;
}

function choicesOf(all: readonly Words[]): [string, readonly string[]][] {
  const found = new Map<string, readonly string[]>();
  for (const { options } of all) {
    for (const { long, argChoices } of options)
      if (long != null && argChoices !== undefined && !found.has(long)) found.set(long, argChoices);
  }
  return [...found];
}

const quoted = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;

function fish(name: string, all: readonly Words[]): string {
  const lines = [`# ${name} completion. Load it with: ${name} completion fish | source`, `complete -c ${name} -f`];
  for (const { path, commands, options } of all) {
    const words = path.split(' ').filter((word) => word !== '');
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    const none = commands.map((command) => command.name()).join(' ');
    const here = [seen, none === '' ? '' : `not __fish_seen_subcommand_from ${none}`]
      .filter((part) => part !== '')
      .join('; and ');
    for (const command of commands) {
      lines.push(`complete -c ${name} -n ${quoted(here)} -a ${command.name()} -d ${quoted(command.description())}`);
    }
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
