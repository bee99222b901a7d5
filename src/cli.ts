#!/usr/bin/env node
import { analyzers } from './analyzers/index.ts';
import { readFiles } from './cluster/files.ts';
import { diagnose } from './diagnose.ts';

// A first way through the house, to grade analyzers with; `cli/main.ts` replaces it.
const arg = (name: string) => process.argv[process.argv.indexOf(name) + 1];
const snapshot = readFiles(arg('-f') ?? '', arg('--at'));
process.stdout.write(`${JSON.stringify(diagnose(snapshot, { analyzers }), null, 2)}\n`);
