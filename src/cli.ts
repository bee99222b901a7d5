#!/usr/bin/env node
import { analyzers } from './analyzers/index.ts';
import { readDump } from './cluster/files.ts';
import { diagnose } from './diagnose.ts';

// A first way through the house, to grade analyzers with; `cli/main.ts` replaces it.
const arg = (name: string) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const { snapshot, gaps } = await readDump([arg('-f') ?? '-'], {
  at: arg('--at'),
  stdin: process.stdin,
  onWarning: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(diagnose(snapshot, { analyzers, gaps }), null, 2)}\n`);
