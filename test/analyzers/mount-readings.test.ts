import { expect, test } from 'vitest';
import { readingOf } from '../../src/analyzers/mount-readings.ts';

const FIELDS = 'wrong fs type, bad option, bad superblock on';

test.each([
  [`mount: /mnt: ${FIELDS} /dev/nvme1n1, missing codepage or helper program, or other error.`, /damaged/],
  [
    `mount: /mnt: ${FIELDS} 10.0.0.9:/x, missing codepage or helper program, or other error (for several filesystems (e.g. nfs, cifs) you might need a /sbin/mount.<type> helper program)`,
    /helper/,
  ],
  ['mount: /mnt: bad option; for several filesystems you might need a /sbin/mount.<type> helper program.', /helper/],
  ['mount.nfs: Connection timed out', /cannot be reached/],
])('reads %s', (said, words) => {
  expect(readingOf(said)?.text).toMatch(words);
});
