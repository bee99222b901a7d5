import { type Command, InvalidArgumentError, Option } from 'commander';
import { severities } from '../finding.ts';
import { formats } from '../report/reporter.ts';

/** Which cluster, and how to talk to it: kubectl's flags. */
export interface ClusterOptions {
  readonly context?: string;
  readonly kubeconfig?: string;
  /** Milliseconds. */
  readonly requestTimeout?: number;
  /** False: no log is read. */
  readonly logs: boolean;
}

/** What to look at. */
export interface ScopeOptions {
  readonly namespace?: readonly string[];
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly filter?: readonly string[];
}

/** For flags that may be given more than once, and take lists: `-n a,b -n c`. */
function collect(value: string, before: readonly string[] = []): readonly string[] {
  const values = value.split(',').map((part) => part.trim());
  if (values.some((part) => part === '')) throw new InvalidArgumentError('A name is missing.');
  return [...before, ...values.filter((part) => !before.includes(part))];
}

/** File names may hold commas. */
function collectOne(value: string, before: readonly string[] = []): readonly string[] {
  if (value === '') throw new InvalidArgumentError('Name a file, a folder, or - for standard input.');
  return [...before, value];
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** "30s", "1m30s", or a plain number of seconds, as kubectl takes it; in milliseconds. 0 means no limit. */
function duration(value: string): number {
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(value)) {
    throw new InvalidArgumentError('Write a time with its unit: 30s, 1m, 1m30s.');
  }
  let total = 0;
  for (const [, number, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(number) * (units[unit ?? ''] ?? 0);
  }
  return total;
}

export function time(value: string): string {
  if (Number.isNaN(Date.parse(value))) throw new InvalidArgumentError('Write a time like 2026-11-21T02:00:00Z.');
  return new Date(value).toISOString();
}

function count(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError('Write a whole number.');
  return Number(value);
}

export const clusterOptions = (command: Command): Command =>
  command
    .option('--context <name>', 'the kubeconfig context to use')
    .option('--kubeconfig <file>', 'the kubeconfig file to use instead of $KUBECONFIG and ~/.kube/config')
    .option('--request-timeout <time>', 'how long one request may take: 30s, 1m', duration);

export const namespaceOptions = (command: Command): Command =>
  command
    .option('-n, --namespace <name>', 'look at this namespace; may be given more than once, or as a list: a,b', collect)
    .option('-A, --all-namespaces', 'look at every namespace (the default)');

export const filterOption = (command: Command, description: string): Command =>
  command.option('--filter <kind|analyzer|code>', description, collect);

export const fileOption = (command: Command): Command =>
  command.option(
    '-f, --filename <path>',
    'diagnose a saved cluster: a file, a folder, or - for standard input; may be given more than once',
    collectOne,
  );

export const logsOption = (command: Command): Command =>
  command.option('--no-logs', 'do not read the logs of containers');

export const formatOption = (): Option =>
  new Option('-o, --output <format>', 'how to write the report (default: text)').choices(formats);

export const failOnOption = (): Option =>
  new Option(
    '--fail-on <severity>',
    'exit with 1 if there is a finding of this severity or worse, with 3 if there is none but something could not be looked at',
  ).choices(severities);

/** What `--explain` and its companions say. */
export interface ExplainOptions {
  readonly explain?: boolean;
  readonly backend?: readonly string[];
  readonly model?: string;
  readonly baseUrl?: string;
  readonly language?: string;
  /** False: answers are neither looked up nor kept. */
  readonly cache: boolean;
  readonly printPrompt?: boolean;
  /** False: names are sent as they are. Absent: as the config says. */
  readonly anonymize?: boolean;
  readonly interactive?: boolean;
  readonly maxCalls?: number;
  readonly maxTokensTotal?: number;
}

export const explainOptions = (command: Command): Command =>
  command
    .optionsGroup('Explaining with a model:')
    .option('-e, --explain', 'let a language model explain what was found')
    .option('-b, --backend <name>', 'the backend to ask; a list is compared side by side: a,b', collect)
    .option('-m, --model <name>', 'the model to ask')
    .option('--base-url <url>', 'the endpoint to ask, if it is not a configured backend')
    .option('--language <language>', 'the language of explanations: de, pt-BR, 中文')
    .option('--no-cache', 'neither use nor keep answers')
    .option('--print-prompt', 'print what would be sent, and send nothing')
    .option('--anonymize', 'send pseudonyms in place of names, images and addresses (the default)')
    .option('--no-anonymize', 'send names, images and addresses as they are; secrets are cut out all the same')
    .option('--interactive', 'ask further questions about the report')
    .option('--max-calls <number>', 'make at most this many calls', count)
    .option('--max-tokens-total <number>', 'use at most this many tokens', count);
