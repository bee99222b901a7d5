import type { Progress } from '../cluster/collected.ts';
import type { Io } from './io.ts';

/** Shows on a terminal's stderr how far the reading of a cluster has come; elsewhere it shows nothing. */
export interface ProgressView {
  show(step: Progress): void;
  end(): void;
}

const silent: ProgressView = { show: () => {}, end: () => {} };

// A cluster that is read at once needs no bar: it would only flicker.
const QUIET_MS = 400;

export async function createProgress({ stderr, env }: Io): Promise<ProgressView> {
  if (stderr.isTTY !== true || env['TERM'] === 'dumb' || env['CI'] !== undefined) return silent;
  const { SingleBar } = (await import('cli-progress')).default;
  const bar = new SingleBar({
    stream: stderr,
    format: 'Reading {kind} [{bar}] {value} of about {total} objects, {rate}/s, {pages} pages',
    clearOnComplete: true,
    hideCursor: true,
    barsize: 20,
  });
  const started = performance.now();
  const steps = new Map<string, Progress>();
  let running = false;
  return {
    show(step) {
      steps.set(step.kind, step);
      const elapsed = performance.now() - started;
      if (elapsed < QUIET_MS) return;
      const read = sum(steps, ({ objects }) => objects);
      const total = read + sum(steps, ({ remaining }) => remaining ?? 0);
      const payload = {
        kind: step.kind,
        rate: Math.round((read * 1000) / elapsed),
        pages: sum(steps, ({ pages }) => pages),
      };
      if (!running) bar.start(total, read, payload);
      running = true;
      bar.setTotal(total);
      bar.update(read, payload);
    },
    end() {
      if (running) bar.stop();
    },
  };
}

function sum(steps: ReadonlyMap<string, Progress>, of: (step: Progress) => number): number {
  let total = 0;
  for (const step of steps.values()) total += of(step);
  return total;
}
