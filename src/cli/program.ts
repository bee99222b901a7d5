import { Command } from 'commander';
import { version } from '../version.ts';
import { columnsOf, type Io } from './io.ts';
import {
  clusterOptions,
  explainOptions,
  failOnOption,
  fileOption,
  filterOption,
  formatOption,
  logsOption,
  namespaceOptions,
  time,
} from './options.ts';

/** Takes a command's exit code. */
export type Finish = (code: number) => void;

/**
 * The commands and their flags. Nothing here does any work: what a command needs is imported when it runs, so that
 * `--help`, completion and a wrong flag load none of it.
 */
export function createProgram(io: Io, finish: Finish): Command {
  const program = new Command(io.name)
    .description('Says what is broken in a Kubernetes cluster, why, on what evidence, and what to type next.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      // main() writes the one line that says what is wrong.
      writeErr: () => {},
      getOutHelpWidth: () => columnsOf(io.stdout, io.env),
      getOutHasColors: () => false,
    })
    .showSuggestionAfterError(true)
    .action(() => program.outputHelp());
  addAnalyze(program, io, finish);
  return program;
}

function addAnalyze(program: Command, io: Io, finish: Finish): void {
  const command = program
    .command('analyze')
    .alias('analyse')
    .description('find what is broken, and why')
    .argument('[targets...]', 'look at these objects only: pod/web-0, deploy/web')
    .optionsGroup('What to look at:');
  namespaceOptions(command).option(
    '-l, --selector <labels>',
    "objects with these labels: app=web,tier!=db,'env in (a,b)'",
  );
  filterOption(command, 'only this kind (Pod), analyzer (pod-image-pull) or cause (image, image.auth)');
  fileOption(command).option(
    '--at <time>',
    'the time to judge a saved cluster by; else the newest time found in it',
    time,
  );
  logsOption(command).optionsGroup('Which cluster:');
  clusterOptions(command)
    .optionsGroup('What to print:')
    .addOption(formatOption())
    .addOption(failOnOption())
    .option('--stats', 'say on stderr what it took: requests, bytes, time')
    .option('--no-color', 'no colours');
  explainOptions(command).action(async (targets, options) => {
    const { analyze } = await import('./analyze.ts');
    finish(await analyze(targets, options, io));
  });
}
