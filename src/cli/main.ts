import { type Command, CommanderError } from 'commander';
import { PodlensError } from '../errors.ts';
import { sanitize, sanitizeLine } from '../report/sanitize.ts';
import { exitCodes } from './exit-codes.ts';
import { habitual } from './habits.ts';
import { type Io, write } from './io.ts';
import { orList } from './or-list.ts';
import { createProgram } from './program.ts';

/**
 * Runs podlens. Returns its exit code: 0 the work was done, 1 findings at or above `--fail-on`, 2 it could not be done,
 * 3 nothing reached `--fail-on` but something could not be looked at, 130 interrupted.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let code: number = exitCodes.done;
  const program = createProgram(io, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : habitual(argv, program), { from: 'user' });
    return io.signal.aborted ? exitCodes.interrupted : code;
  } catch (error) {
    if (io.signal.aborted) return exitCodes.interrupted;
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    await write(io.stderr, `${lineFor(error, { program, argv, io })}\n`);
    return exitCodes.failed;
  }
}

interface Call {
  readonly program: Command;
  readonly argv: readonly string[];
  readonly io: Io;
}

/** One line: what failed, and what would have been right. */
function lineFor(error: unknown, { program, argv, io }: Call): string {
  if (error instanceof PodlensError) {
    // What is wrong with a config file is a list.
    const clean = error.code === 'config-invalid' ? sanitize : sanitizeLine;
    return clean(`error: ${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`);
  }
  if (error instanceof CommanderError) return sanitizeLine(usage(error, program, argv));
  if (io.env['PODLENS_DEBUG'] !== undefined && error instanceof Error) return error.stack ?? error.message;
  const message = error instanceof Error ? error.message : String(error);
  return sanitizeLine(`error: ${message} (a defect in podlens; with PODLENS_DEBUG=1 it says where)`);
}

/** What commander says, as a sentence, with the help that has more of it. */
function usage({ code, message }: CommanderError, program: Command, argv: readonly string[]): string {
  const path = [program];
  for (const word of argv) {
    const inner = path.at(-1)?.commands.find((command) => command.name() === word || command.aliases().includes(word));
    if (inner === undefined) break;
    path.push(inner);
  }
  const help = `See ${path.map((command) => command.name()).join(' ')} --help.`;
  if (code !== 'commander.help')
    return `error: ${sentence(message)}${path.length > 1 ? '' : rather(code, path, argv)} ${help}`;
  if (argv[0] === 'help') return `error: There is no command "${argv[1]}". ${help}`;
  const names = path.at(-1)?.commands.map((command) => command.name()) ?? [];
  return `error: A command is missing: ${orList(names)}. ${help}`;
}

/** What was typed without a command means analyze, most likely. */
function rather(code: string, [program]: readonly Command[], [word = '']: readonly string[]): string {
  const analyze = program?.commands[0];
  const known = analyze?.options.some(({ short, long }) => word === short || word.split('=')[0] === long);
  const isMeant =
    code === 'commander.unknownOption' ? known : code === 'commander.unknownCommand' && word.includes('/');
  return isMeant ? ` Did you mean ${program?.name()} ${analyze?.name()} ${word}?` : '';
}

/** commander says "error: unknown option '--x'\n(Did you mean --y?)". */
function sentence(message: string): string {
  const [fault = '', ...suggestions] = message
    .replace(/^error: /, '')
    .replace(/^option '(?:-\w, )?(--[\w-]+)[^']*' argument '(.*?)' is invalid/s, '$1 does not take "$2"')
    .replace(/^command-argument value '(.*?)' is invalid for argument '(.*?)'/s, '<$2> cannot be "$1"')
    .replace(/^option '(?:-\w, )?(--[\w-]+)[^']*' argument missing/, '$1 needs a value')
    .split('\n')
    .map((line) => line.trim());
  const words = `${fault.charAt(0).toUpperCase()}${fault.slice(1)}`;
  const asked = suggestions.map((line) => ` ${line.replace(/^\((.*)\)$/, '$1')}`).join('');
  return `${/[.?]$/.test(words) ? words : `${words}.`}${asked}`;
}
