import { join } from 'node:path';
import { expect, test } from 'vitest';
import { analyzersPage } from '../../scripts/analyzers-page.ts';
import { analyzers } from '../../src/analyzers/index.ts';

test('the page on the analyzers says what their rules say; npm run docs writes it anew', async () => {
  const page = join(import.meta.dirname, '../../src/analyzers/README.md');
  await expect(analyzersPage(analyzers)).toMatchFileSnapshot(page);
});
