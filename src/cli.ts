#!/usr/bin/env node
import { basename } from 'node:path';
import { isBrokenPipe } from './cli/io.ts';
import { main } from './cli/main.ts';

const { stdin, stdout, stderr, env, argv } = process;

for (const stream of [stdout, stderr]) {
  stream.on('error', (error) => {
    if (!isBrokenPipe(error)) throw error;
  });
}

// A second Ctrl-C ends the process at once, whatever it is doing.
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort());

process.exitCode = await main(argv.slice(2), {
  stdin,
  stdout,
  stderr,
  env,
  cwd: process.cwd(),
  signal: interrupt.signal,
  name: basename(argv[1] ?? '').startsWith('kubectl-') ? 'kubectl podlens' : 'podlens',
});
