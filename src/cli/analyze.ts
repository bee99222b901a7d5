import { inScope } from '../cluster/scope.ts';
import type { Config } from '../config.ts';
import { diagnose } from '../diagnose.ts';
import { type Report, type Severity, severities } from '../finding.ts';
import { loadReporter } from '../report/index.ts';
import type { Format } from '../report/reporter.ts';
import { createStyle } from '../report/style.ts';
import { readConfig } from './config-file.ts';
import { type Printer, prepareDelivery } from './delivery.ts';
import { exitCodes } from './exit-codes.ts';
import { choose } from './filters.ts';
import { columnsOf, type Io, wantsColor, write } from './io.ts';
import type { ExplainOptions } from './options.ts';
import { loadAnalyzers } from './plugins.ts';
import { kindsToRead, understand } from './scope.ts';
import { readSource, type Source, type SourceOptions } from './source.ts';

export interface AnalyzeOptions extends SourceOptions, ExplainOptions {
  /** Absent: text, or what the config says. */
  readonly output?: Format;
  readonly failOn?: Severity;
  readonly stats?: boolean;
  readonly color: boolean;
  readonly config?: string;
}

/** `podlens analyze`: reads a cluster, finds what is broken, prints the report. Returns the exit code. */
export async function analyze(words: readonly string[], flags: AnalyzeOptions, io: Io): Promise<number> {
  const config = await readConfig(flags, io);
  const options = withDefaults(flags, config);
  const request = understand(words, options);
  const chosen = choose(options.filter, await loadAnalyzers(config));
  const deliver = await prepareDelivery(options, config, io);
  const wanted = { kinds: kindsToRead(request, chosen), namespaces: request.namespaces };
  const source = await readSource(options, wanted, io);
  const asked = request.resolve(source, chosen);
  const started = performance.now();
  const whole = diagnose(source.snapshot, { analyzers: chosen.analyzers, gaps: source.gaps });
  const report = inScope(whole, source.snapshot, asked);
  const milliseconds = performance.now() - started;
  await pause();
  if (io.signal.aborted) return exitCodes.interrupted;
  await deliver(report, source.snapshot, await createPrinter(options, io));
  if (options.stats) await writeStats(source, milliseconds, io);
  return exitCodeOf(report, options.failOn);
}

/** Diagnosis is synchronous; this lets a Ctrl-C that came meanwhile be heard before anything is printed. */
const pause = () => new Promise((resolve) => setImmediate(resolve));

type Options = AnalyzeOptions & { readonly output: Format };

/** Flags come before the config file. */
function withDefaults(flags: AnalyzeOptions, { analyze }: Config): Options {
  const { filter, namespace, failOn, logs, explain } = analyze;
  return {
    ...(filter === undefined ? {} : { filter }),
    ...(namespace === undefined || flags.allNamespaces ? {} : { namespace }),
    ...(failOn === undefined ? {} : { failOn }),
    ...(explain === undefined ? {} : { explain }),
    ...flags,
    logs: flags.logs && logs !== false,
    output: flags.output ?? analyze.output ?? 'text',
  };
}

async function createPrinter({ output, color }: Options, io: Io): Promise<Printer> {
  const reporter = await loadReporter(output);
  const style = createStyle({
    columns: columnsOf(io.stdout, io.env),
    color: output === 'text' && wantsColor(io.stdout, io.env, color),
  });
  return {
    report: (explained) => write(io.stdout, reporter(explained, style)),
    async explanation(problem, number, explanations) {
      const { explanationText } = await import('../report/text.ts');
      await write(io.stdout, explanationText(problem, number, explanations, style));
    },
    async begun(problem, number, said) {
      const { begunText } = await import('../report/text-as-said.ts');
      await write(io.stdout, begunText(problem, number, said, style));
    },
    async piece(said) {
      const { pieceText } = await import('../report/text-as-said.ts');
      await write(io.stdout, pieceText(said, style));
    },
    async rest(said, explanation) {
      const { restText } = await import('../report/text-as-said.ts');
      await write(io.stdout, restText(said, explanation, style));
    },
  };
}

async function writeStats({ stats, milliseconds }: Source, diagnosis: number, io: Io): Promise<void> {
  const { requests, bytes, retries } = stats;
  const again = retries === 0 ? '' : `, ${retries} of them again`;
  await write(
    io.stderr,
    `Reading: ${requests} requests or files${again}, ${bytes} bytes, ${Math.round(milliseconds)} ms. Diagnosis: ${Math.round(diagnosis)} ms.\n`,
  );
}

function exitCodeOf(report: Report, failOn: Severity | undefined): number {
  if (failOn === undefined) return exitCodes.done;
  const limit = severities.indexOf(failOn);
  if (report.problems.some(({ root }) => severities.indexOf(root.severity) <= limit)) return exitCodes.found;
  return report.gaps.length > 0 ? exitCodes.incomplete : exitCodes.done;
}
