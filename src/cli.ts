#!/usr/bin/env node
import { basename } from 'node:path';
import { main } from './cli/main.ts';

const { stdout, stderr, env, argv } = process;

// Who writes hears of it; without a listener it would end the process as well.
for (const stream of [stdout, stderr]) stream.on('error', () => {});

// A second Ctrl-C ends the process at once, whatever it is doing. A CI job that takes too long is told SIGTERM.
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interrupt.abort());

// No top-level await: what main loads imports files that are bundled with this one, and would wait for it to end.
const work = main(argv.slice(2), {
  // Opening it takes time, and few commands read it.
  get stdin() {
    return process.stdin;
  },
  stdout,
  stderr,
  env,
  cwd: process.cwd(),
  signal: interrupt.signal,
  name: basename(argv[1] ?? '').startsWith('kubectl-') ? 'kubectl podlens' : 'podlens',
});

void work.then((code) => {
  process.exitCode = code;
});
