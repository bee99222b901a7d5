import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { write } from '../../src/cli/io.ts';

const failing = (code: string) => {
  const stream = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })) });
  stream.on('error', () => {});
  return stream;
};

test('a reader that has gone away is no error', async () => {
  await expect(write(failing('EPIPE'), 'report')).resolves.toBeUndefined();
});

test('a full disk is said in one line', async () => {
  await expect(write(failing('ENOSPC'), 'report')).rejects.toMatchObject({
    code: 'output-unwritable',
    message: 'The output cannot be written: ENOSPC.',
  });
});
