import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**'],
    maxWorkers: 2,
    setupFiles: ['test/support/setup.ts'],
    testTimeout: 20_000,
    coverage: { include: ['src/**'] },
  },
});
