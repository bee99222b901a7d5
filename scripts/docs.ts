// Writes src/analyzers/README.md from the analyzers' own rules: `npm run docs`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyzers } from '../src/analyzers/index.ts';
import { analyzersPage } from './analyzers-page.ts';

writeFileSync(join(import.meta.dirname, '../src/analyzers/README.md'), analyzersPage(analyzers));
