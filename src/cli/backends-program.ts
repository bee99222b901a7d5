import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Io } from './io.ts';

/** Adds `podlens backends` and its commands. What they need is imported when one of them runs. */
export function addBackends(program: Command, io: Io, finish: (code: number) => void): void {
  const backends = program.command('backends').description('the models that --explain may ask');
  withConfig(
    backends.command('list', { isDefault: true }).description('show what the config and the environment set up'),
  )
    .addOption(new Option('-o, --output <format>', 'how to write the list').choices(['text', 'json']).default('text'))
    .action(async (options) => finish(await (await commands()).listBackends(options, io)));
  withConfig(backends.command('add').description('add one to the config file'))
    .argument('<name>', 'a provider (ollama, openai, azure, groq …), or a name of your own')
    .option('--provider <provider>', 'whose API it speaks, where the name does not say')
    .option('-m, --model <name>', 'the model to ask')
    .option('--base-url <url>', 'its endpoint')
    .option('--key-command <command>', 'a command that prints the key: "pass show openai"')
    .option('--key-stdin', 'read the key from standard input, and keep it in the config file')
    .option('--header <header>', '"Name: value", sent with every request; may be given more than once', collect)
    .option('--ca-file <file>', 'trust these certificate authorities as well (PEM)')
    .option('--timeout-seconds <number>', 'how long one answer may take', positive)
    .option('--temperature <number>', '0 to 2: how freely it words its answers', number)
    .option('--api-version <version>', "Azure's api-version")
    .option('--default', 'make it the default')
    .action(async (name, options) => finish(await (await commands()).addBackend(name, options, io)));
  withConfig(backends.command('remove').description('remove one from the config file'))
    .argument('<name>')
    .action(async (name, options) => finish(await (await commands()).removeBackend(name, options, io)));
  withConfig(backends.command('test').description('ask each one small question that has nothing to do with a cluster'))
    .argument('[names...]', 'the default where none is named')
    .action(async (names, options) => finish(await (await commands()).testBackends(names, options, io)));
  withConfig(backends.command('default').description('say which is the default, or set it'))
    .argument('[name]')
    .action(async (name, options) => finish(await (await commands()).defaultBackend(name, options, io)));
}

const commands = () => import('./backends.ts');

const withConfig = (command: Command): Command =>
  command.option('--config <file>', 'the config file to use instead of ~/.config/podlens/config.yaml');

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

function number(value: string): number {
  const parsed = Number(value);
  if (value.trim() === '' || !Number.isFinite(parsed)) throw new InvalidArgumentError('It must be a number.');
  return parsed;
}

function positive(value: string): number {
  const parsed = number(value);
  if (parsed <= 0) throw new InvalidArgumentError('It must be more than 0.');
  return parsed;
}
