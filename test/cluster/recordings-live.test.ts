import { join } from 'node:path';
import { expect, test } from 'vitest';
import { analyzers } from '../../src/analyzers/index.ts';
import { diagnose } from '../../src/diagnose.ts';
import type { Kind } from '../../src/snapshot.ts';
import { live } from '../support/live.ts';
import { recordedCluster } from '../support/recorded-cluster.ts';
import { RECORDINGS, recordings, reportOf } from '../support/recordings.ts';

const kinds = [...new Set<Kind>([...analyzers.flatMap(({ needs }) => needs), 'Log'])];

const said = (report: ReturnType<typeof diagnose>) =>
  report.problems.map(({ root, affects }) => ({
    code: root.code,
    subject: root.subject,
    message: root.message,
    confidence: root.confidence,
    // Live, all pods of a node are known; a recording has those of one namespace.
    evidence: root.evidence.map(({ where, text }) => `${where}: ${text.replace(' at most is ', ' is ')}`),
    affects,
  }));

test.each(recordings.map((recording) => [recording.id, recording] as const))(
  '%s is diagnosed live as it is from its recording',
  async (id, recording) => {
    const { read } = await live({ ...recordedCluster(join(RECORDINGS, id)), now: recording.takenAt });
    const { snapshot, gaps } = await read({ kinds, logs: true });
    const recorded = await reportOf(recording, 'with events');
    expect(said(diagnose(snapshot, { analyzers, gaps }))).toEqual(said(recorded));
    expect(gaps).toEqual([]);
  },
);
