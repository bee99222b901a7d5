import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Images are pulled and back-offs waited for, so this is no part of `npm test`.
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '../..'),
    include: ['test/e2e/**/*.e2e.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxConcurrency: 20,
    reporters: ['verbose'],
  },
});
