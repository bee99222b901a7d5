#!/usr/bin/env node
import { version } from './version.ts';

// What the command `podlens` starts: the version is there at once, everything else is a bundle of its own.

const { argv, env, stdout } = process;
const [first, ...others] = argv.slice(2);

if ((first === '--version' || first === '-V') && others.length === 0) {
  stdout.write(`${version}\n`);
} else {
  // The person's own folder: nobody else may put compiled code there. Node 20 has no compile cache.
  const cache = env['XDG_CACHE_HOME'] || (env['HOME'] && `${env['HOME']}/.cache`);
  if (cache) process.getBuiltinModule('node:module').enableCompileCache?.(`${cache}/podlens/compiled`);
  await import('./cli.ts');
}
