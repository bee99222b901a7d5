import { Argument, Command, Option } from 'commander';
import { version } from '../version.ts';
import { addBackends } from './backends-program.ts';
import { completionScript, type Shell, shells } from './completion.ts';
import { exitCodes } from './exit-codes.ts';
import { columnsOf, type Io, write } from './io.ts';
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
    .showSuggestionAfterError(true);
  addAnalyze(program, io, finish);
  addSnapshot(program, io, finish);
  addLists(program, io, finish);
  addBackends(program, io, finish);
  addCache(program, io, finish);
  addCompletion(program, io, finish);
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
    .option('--no-color', 'no colours')
    .option('--config <file>', 'the config file to use instead of ~/.config/podlens/config.yaml');
  explainOptions(command).action(async (targets, options) => {
    const { analyze } = await import('./analyze.ts');
    finish(await analyze(targets, options, io));
  });
}

function addSnapshot(program: Command, io: Io, finish: Finish): void {
  const command = program
    .command('snapshot')
    .description('save what analyze would read, to diagnose it elsewhere with analyze -f')
    .option('-o, --output <file>', 'where to write it; - for standard output', '-');
  namespaceOptions(command);
  filterOption(command, 'only what these analyzers need');
  fileOption(command).option('--at <time>', 'the time to judge a saved cluster by', time);
  clusterOptions(logsOption(command)).action(async (options) => {
    const { snapshot } = await import('./snapshot.ts');
    await snapshot(options, io);
    finish(exitCodes.done);
  });
}

const listFormat = () =>
  new Option('-o, --output <format>', 'how to write the list').choices(['text', 'json']).default('text');

function addLists(program: Command, io: Io, finish: Finish): void {
  const lists = () => import('./lists.ts');
  program
    .command('analyzers')
    .description('list what podlens looks at')
    .addOption(listFormat())
    .action(async (options) => {
      await (await lists()).listAnalyzers(options, io);
      finish(exitCodes.done);
    });
  program
    .command('codes')
    .description('list the causes that podlens can name')
    .addOption(listFormat())
    .action(async (options) => {
      await (await lists()).listCodes(options, io);
      finish(exitCodes.done);
    });
  logsOption(
    filterOption(
      program.command('rbac').description('print the least ClusterRole that podlens needs, as YAML'),
      'only for these analyzers',
    ),
  ).action(async (options) => {
    await (await lists()).printRole(options, io);
    finish(exitCodes.done);
  });
}

function addCache(program: Command, io: Io, finish: Finish): void {
  const cache = program.command('cache').description('the explanations that were kept');
  const run = (name: 'printCachePath' | 'listCache' | 'purgeCache') => async () => {
    const commands = await import('./cache.ts');
    await commands[name](io);
    finish(exitCodes.done);
  };
  cache.command('path').description('print where they are kept').action(run('printCachePath'));
  cache.command('list').description('list them').action(run('listCache'));
  cache.command('purge').description('forget them all').action(run('purgeCache'));
}

function addCompletion(program: Command, io: Io, finish: Finish): void {
  program
    .command('completion')
    .description('print a completion script')
    .addArgument(new Argument('<shell>').choices(shells))
    .action(async (shell: Shell) => {
      await write(io.stdout, completionScript(program, shell));
      finish(exitCodes.done);
    });
}
