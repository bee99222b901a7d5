import { describe, expect, test } from 'vitest';
import { faultsOf, recordings, reportOf } from './support/recordings.ts';

// Recordings whose cause stands in events alone, each with the reason why nothing else holds it.
const eventsOnly: Readonly<Record<string, string>> = {};

describe.each(recordings)('$id', (recording) => {
  test('is named rightly, and nothing else is', async () => {
    expect(faultsOf(recording, await reportOf(recording, 'with events'))).toEqual([]);
  });

  test.skipIf(eventsOnly[recording.id] !== undefined)('is named rightly when its events are gone', async () => {
    expect(faultsOf(recording, await reportOf(recording, 'without events'))).toEqual([]);
  });
});
