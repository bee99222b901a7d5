import type { Explained, Explanation } from '../ai/explained.ts';
import type { Config } from '../config.ts';
import { PodlensError } from '../errors.ts';
import type { Problem, Report } from '../finding.ts';
import { continues } from '../report/continues.ts';
import { sanitizeLine } from '../report/sanitize.ts';
import type { Snapshot } from '../snapshot.ts';
import { type Explainer, type ExplainFlags, explainStatsLines, prepareExplainer, printedPrompts } from './explain.ts';
import { createExplainProgress, type ExplainProgress } from './explain-progress.ts';
import { type Io, write } from './io.ts';

export interface DeliveryFlags extends ExplainFlags {
  readonly explain?: boolean | undefined;
  readonly interactive?: boolean | undefined;
  readonly printPrompt?: boolean | undefined;
  readonly stats?: boolean | undefined;
  readonly output: string;
  /** What -f names. */
  readonly filename?: readonly string[] | undefined;
}

/** Writes to stdout in the format that was asked for. */
export interface Printer {
  report(explained: Explained): Promise<void>;
  /** What models said about the problem with this number, under a report that is there already. */
  explanation(problem: Problem, number: number, explanations: readonly Explanation[]): Promise<void>;
  /** The same where it is still being written: its heading and its first piece, each further piece, and what was left. */
  begun(problem: Problem, number: number, said: { readonly backend: string; readonly text: string }): Promise<void>;
  piece(text: string): Promise<void>;
  /** `explanation` is absent where none came after all. */
  rest(said: string, explanation: Explanation | undefined): Promise<void>;
}

/** Prints a report with what models say about it, or what they would be asked, or as it is. */
export type Deliver = (report: Report, snapshot: Snapshot, printer: Printer) => Promise<void>;

/**
 * Called before the cluster is read, so that a backend that cannot work is said at once. A model that fails later costs
 * nothing but its own words: the report is printed whole, and what went wrong is said once.
 */
export async function prepareDelivery(flags: DeliveryFlags, config: Config, io: Io): Promise<Deliver> {
  if (flags.printPrompt) {
    return async (report, snapshot) => {
      if (flags.output !== 'text')
        await write(io.stderr, `--print-prompt prints text; -o ${flags.output} is not used.\n`);
      const { text, names } = await printedPrompts(report, snapshot, { flags, config, io });
      if (text === '') return write(io.stderr, 'Nothing would be sent: no problems were found.\n');
      await write(io.stdout, text);
      await write(io.stderr, names);
    };
  }
  if (flags.interactive) checkInteractive(flags);
  if (!flags.explain && !flags.interactive) return (report, _, printer) => printer.report(report);
  const explainer = await prepareExplainer(flags, config, io);
  return async (report, snapshot, printer) => {
    if (flags.explain) await explainAndPrint(report, snapshot, { explainer, flags, io, printer });
    else await printer.report(report);
    const [backend] = explainer.backends;
    if (!flags.interactive || backend === undefined || io.signal.aborted) return;
    const { converse } = await import('./interactive.ts');
    await converse(report, snapshot, { ...explainer, backend }, io);
  };
}

function checkInteractive({ backend, filename, output }: DeliveryFlags): void {
  const fault = (message: string, hint: string) => new PodlensError('interactive-conflict', message, { hint });
  if ((backend?.length ?? 0) > 1) throw fault('--interactive talks to one backend.', 'Name one with --backend.');
  if (filename?.includes('-')) throw fault('--interactive and -f - both read standard input.', 'Name a file with -f.');
  if (output !== 'text') throw fault(`--interactive goes with -o text, not with -o ${output}.`, 'Leave -o out.');
}

interface Delivery {
  readonly explainer: Explainer;
  readonly flags: DeliveryFlags;
  readonly io: Io;
  readonly printer: Printer;
}

async function explainAndPrint(report: Report, snapshot: Snapshot, delivery: Delivery): Promise<void> {
  const { flags, io } = delivery;
  const live = flags.output === 'text' && io.stdout.isTTY === true;
  const explained = await (live ? printAsTheyCome : printTogether)(report, snapshot, delivery);
  const notes = explained.explain?.notes ?? [];
  // The text report has them at its end.
  if (live || flags.output !== 'text') for (const note of notes) await write(io.stderr, `${sanitizeLine(note)}\n`);
  if (!flags.stats) return;
  for (const line of explainStatsLines(explained)) await write(io.stderr, `${line}\n`);
}

async function printTogether(report: Report, snapshot: Snapshot, { explainer, io, printer }: Delivery) {
  const progress = await createExplainProgress(io);
  const explained = await explainer.explain(report, snapshot, progress).finally(progress.end);
  // Also after Ctrl-C: what was found is worth more than what a model would have said of it.
  await printer.report(explained);
  return explained;
}

/** On a terminal nobody waits for a model to see what is broken: the findings first, what is said of them under it. */
async function printAsTheyCome(report: Report, snapshot: Snapshot, { explainer, io, printer }: Delivery) {
  await printer.report(report);
  const progress = await createExplainProgress(io);
  const queue = inOrder(report, explainer, { printer, progress });
  const explained = await explainer
    .explain(report, snapshot, {
      onStart: progress.onStart,
      onPiece: queue.piece,
      onExplained: (id, explanation) => {
        progress.onExplained();
        queue.add(id, explanation);
      },
    })
    .finally(progress.end);
  await queue.end();
  return explained;
}

/** Prints explanations in the order of the report, each as soon as it and all before it are there. */
function inOrder(
  { problems }: Report,
  { backends }: Explainer,
  { printer, progress }: { readonly printer: Printer; readonly progress: ExplainProgress },
) {
  const numbered = problems.filter(({ root }) => root.severity !== 'info');
  const order = backends.map(({ id }) => id);
  const arrived = new Map<string, Explanation[]>();
  let next = 0;
  let printing = Promise.resolve();
  // What stands there already of the one explanation that is printed as it is written.
  let said = '';
  const aside = (work: () => Promise<void>) => {
    printing = printing.then(() => progress.aside(work));
  };
  const print = (ready: (explanations: readonly Explanation[]) => boolean) => {
    for (let problem = numbered[next]; problem !== undefined; problem = numbered[next]) {
      const explanations = arrived.get(problem.id) ?? [];
      if (!ready(explanations)) return;
      next++;
      const [of, number, before] = [problem, next, said];
      const [first] = explanations;
      said = '';
      if (before !== '') aside(() => printer.rest(before, first));
      if (first === undefined || (before !== '' && continues(first, before))) continue;
      explanations.sort((a, b) => order.indexOf(a.backend) - order.indexOf(b.backend));
      aside(() => printer.explanation(of, number, explanations));
    }
  };
  return {
    piece(id: string, text: string) {
      const [backend = ''] = order;
      const problem = numbered.find((one) => one.id === id);
      if (problem === undefined) return;
      const number = numbered.indexOf(problem) + 1;
      const first = said === '';
      said = first ? text : `${said} ${text}`;
      aside(() => (first ? printer.begun(problem, number, { backend, text }) : printer.piece(text)));
    },
    add(id: string, explanation: Explanation) {
      arrived.set(id, [...(arrived.get(id) ?? []), explanation]);
      print(({ length }) => length === order.length);
    },
    end() {
      print(() => true);
      return printing;
    },
  };
}
