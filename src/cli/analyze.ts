import { analyzers } from '../analyzers/index.ts';
import { inScope } from '../cluster/scope.ts';
import { diagnose } from '../diagnose.ts';
import { PodlensError } from '../errors.ts';
import { type Report, type Severity, severities } from '../finding.ts';
import { loadReporter } from '../report/index.ts';
import type { Format } from '../report/reporter.ts';
import { createStyle } from '../report/style.ts';
import { exitCodes } from './exit-codes.ts';
import { choose } from './filters.ts';
import { columnsOf, type Io, wantsColor, write } from './io.ts';
import type { ExplainOptions } from './options.ts';
import { kindsToRead, understand } from './scope.ts';
import { readSource, type SourceOptions } from './source.ts';

export interface AnalyzeOptions extends SourceOptions, ExplainOptions {
  readonly output: Format;
  readonly failOn?: Severity;
  readonly stats?: boolean;
  readonly color: boolean;
}

/** `podlens analyze`: reads a cluster, finds what is broken, prints the report. Returns the exit code. */
export async function analyze(words: readonly string[], options: AnalyzeOptions, io: Io): Promise<number> {
  const request = understand(words, options);
  const chosen = choose(options.filter, analyzers);
  const source = await readSource(options, { kinds: kindsToRead(request, chosen), namespaces: request.namespaces }, io);
  const asked = request.resolve(source, chosen);
  const whole = diagnose(source.snapshot, { analyzers: chosen.analyzers, gaps: source.gaps });
  const report = inScope(whole, source.snapshot, asked);
  if (options.printPrompt || options.explain) {
    throw new PodlensError('explain-missing', 'Explanations are not there yet.');
  }
  await pause();
  if (io.signal.aborted) return exitCodes.interrupted;
  const reporter = await loadReporter(options.output);
  const style = createStyle({
    columns: columnsOf(io.stdout, io.env),
    color: options.output === 'text' && wantsColor(io.stdout, io.env, options.color),
  });
  await write(io.stdout, reporter(report, style));
  return exitCodeOf(report, options.failOn);
}

/** Diagnosis is synchronous; this lets a Ctrl-C that came meanwhile be heard before anything is printed. */
const pause = () => new Promise((resolve) => setImmediate(resolve));

export function exitCodeOf(report: Report, failOn: Severity | undefined): number {
  if (failOn === undefined) return exitCodes.done;
  const limit = severities.indexOf(failOn);
  if (report.problems.some(({ root }) => severities.indexOf(root.severity) <= limit)) return exitCodes.found;
  return report.gaps.length > 0 ? exitCodes.incomplete : exitCodes.done;
}
