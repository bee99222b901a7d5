import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { bundleInto } from './bundle.ts';

rmSync('dist', { recursive: true, force: true });

// The library: one file per source file.
execFileSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });

await bundleInto('dist');
