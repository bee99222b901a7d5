import type { Io } from './io.ts';

/** Shows on a terminal's stderr how many problems are explained; elsewhere it shows nothing. */
export interface ExplainProgress {
  readonly onStart: (total: number) => void;
  readonly onExplained: () => void;
  /** Takes the bar away while something else is written to the terminal. */
  readonly aside: (work: () => Promise<void>) => Promise<void>;
  readonly end: () => void;
}

const silent: ExplainProgress = {
  onStart: () => {},
  onExplained: () => {},
  aside: (work) => work(),
  end: () => {},
};

export async function createExplainProgress({ stderr, env }: Io): Promise<ExplainProgress> {
  if (stderr.isTTY !== true || env['TERM'] === 'dumb' || env['CI'] !== undefined) return silent;
  const { SingleBar } = (await import('cli-progress')).default;
  const bar = new SingleBar({
    stream: stderr,
    format: 'Explaining [{bar}] {value} of {total}',
    clearOnComplete: true,
    hideCursor: true,
    barsize: 20,
  });
  let total = 0;
  let done = 0;
  let running = false;
  const start = () => {
    running = total > 0;
    if (running) bar.start(total, done);
  };
  const stop = () => {
    if (running) bar.stop();
    running = false;
  };
  return {
    onStart(all) {
      total = all;
      start();
    },
    onExplained() {
      done++;
      if (running) bar.update(done);
    },
    async aside(work) {
      const shown = running;
      stop();
      await work();
      if (shown && done < total) start();
    },
    end: stop,
  };
}
