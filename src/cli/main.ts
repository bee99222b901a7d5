import { CommanderError } from 'commander';
import { PodlensError } from '../errors.ts';
import { sanitize, sanitizeLine } from '../report/sanitize.ts';
import { exitCodes } from './exit-codes.ts';
import { type Io, write } from './io.ts';
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
    await program.parseAsync(argv.length === 0 ? ['--help'] : argv, { from: 'user' });
    return io.signal.aborted ? exitCodes.interrupted : code;
  } catch (error) {
    if (io.signal.aborted) return exitCodes.interrupted;
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    await write(io.stderr, `${lineFor(error, io)}\n`);
    return exitCodes.failed;
  }
}

/** One line: what failed, and what would have been right. */
function lineFor(error: unknown, io: Io): string {
  if (error instanceof PodlensError) {
    // What is wrong with a config file is a list.
    const clean = error.code === 'config-invalid' ? sanitize : sanitizeLine;
    return clean(`error: ${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`);
  }
  if (error instanceof CommanderError) return sanitizeLine(`${capital(error.message)} See ${io.name} --help.`);
  if (io.env['PODLENS_DEBUG'] !== undefined && error instanceof Error) return error.stack ?? error.message;
  const message = error instanceof Error ? error.message : String(error);
  return sanitizeLine(`error: ${message} (a defect in podlens; with PODLENS_DEBUG=1 it says where)`);
}

/** commander says "error: unknown option '--x'\n(Did you mean --y?)". */
function capital(message: string): string {
  const [, what = message] = /^error: (.*)$/s.exec(message) ?? [];
  const [fault = '', ...suggestions] = what.split('\n').map((line) => line.trim());
  const sentence = `${fault.charAt(0).toUpperCase()}${fault.slice(1)}`;
  const asked = suggestions.map((line) => ` ${line.replace(/^\((.*)\)$/, '$1')}`).join('');
  return `error: ${/[.?]$/.test(sentence) ? sentence : `${sentence}.`}${asked}`;
}
