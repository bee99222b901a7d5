import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createProgress } from '../../src/cli/progress.ts';
import { testIo } from '../support/io.ts';

const step = { kind: 'Pod', pages: 2, objects: 2500, remaining: 2000, done: false } as const;

test('on a terminal, what is read and what is left is shown once it takes a while', async () => {
  const { io, stderr } = testIo({ terminal: true });
  const progress = await createProgress(io);
  progress.show(step);
  expect(stderr()).toBe('');
  await delay(450);
  progress.show(step);
  progress.end();
  expect(stderr()).toMatch(/Reading Pod \[=+-+\] 2500 of about 4500 objects, \d+\/s, 2 pages/);
});

test.each([
  ['no terminal', {}],
  ['a terminal that can show nothing in place', { terminal: true, env: { TERM: 'dumb' } }],
  ['a pipeline', { terminal: true, env: { CI: 'true' } }],
])('%s is not written to', async (_, more) => {
  const { io, stderr } = testIo(more);
  const progress = await createProgress(io);
  await delay(450);
  progress.show(step);
  progress.end();
  expect(stderr()).toBe('');
});
