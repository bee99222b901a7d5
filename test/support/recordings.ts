import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyzers } from '../../src/analyzers/index.ts';
import { readDump } from '../../src/cluster/files.ts';
import { diagnose } from '../../src/diagnose.ts';
import type { Problem, Ref, Report } from '../../src/finding.ts';
import { createSnapshot, type Kind, type Snapshot } from '../../src/snapshot.ts';

export const RECORDINGS = join(import.meta.dirname, '../../fixtures/recordings');

/** One fault, put into a real cluster and recorded, with the answer. */
export interface Recording {
  readonly id: string;
  readonly takenAt: string;
  readonly namespace: string;
  readonly problems: readonly Expected[];
}

interface Expected {
  /** Any of these. */
  readonly code: readonly string[];
  /** A pod whose name starts so is the subject or affected. */
  readonly pod?: string;
  readonly object?: { readonly kind: string; readonly name: string };
  readonly container?: string;
  /** How many pods one problem covers. */
  readonly affects?: number;
  /** Words that the message or the evidence must quote. */
  readonly says?: string;
  readonly optional?: boolean;
}

export const recordings: readonly Recording[] = readdirSync(RECORDINGS)
  .filter((id) => existsSync(join(RECORDINGS, id, 'expect.json')))
  .sort()
  .map((id) => JSON.parse(readFileSync(join(RECORDINGS, id, 'expect.json'), 'utf8')) as Recording);

/** The family of a recording's answer: "image", "sched", … or "healthy". */
export const familyOf = ({ problems }: Recording): string => problems[0]?.code[0]?.split('.')[0] ?? 'healthy';

/** What podlens says of a recording, with everything or with the events gone. */
export async function reportOf(recording: Recording, events: 'with events' | 'without events'): Promise<Report> {
  const { snapshot } = await readDump([join(RECORDINGS, recording.id)], { at: recording.takenAt });
  return diagnose(events === 'with events' ? snapshot : withoutEvents(snapshot), { analyzers });
}

function withoutEvents(snapshot: Snapshot): Snapshot {
  const kinds: Kind[] = ['Event'];
  return createSnapshot({
    takenAt: snapshot.takenAt,
    objects: Object.fromEntries(
      allKinds.filter((kind) => !kinds.includes(kind)).map((kind) => [kind, snapshot.list(kind)]),
    ),
    unreadable: new Map([...snapshot.unreadable, ['Event', 'removed']]),
  });
}

const allKinds: readonly Kind[] = [...new Set([...analyzers.flatMap(({ needs }) => needs), 'Log' as const])];

/** What is wrong with the report: nothing, if it has every expected problem and no other of warning or above. */
export function faultsOf(recording: Recording, { problems }: Report): string[] {
  const left = new Set(problems);
  const faults: string[] = [];
  for (const expected of recording.problems) {
    const found = [...left].find((problem) => mismatch(problem, expected, recording.namespace) === undefined);
    if (found !== undefined) left.delete(found);
    else if (expected.optional !== true) {
      const why = [...left].map(
        (problem) => `${problem.root.code}: ${mismatch(problem, expected, recording.namespace)}`,
      );
      faults.push(`wanted ${expected.code.join(' or ')}; ${why.join('; ') || 'nothing was reported'}`);
    }
  }
  for (const { root } of left) {
    if (root.severity === 'info' || root.subject.kind === 'Node') continue;
    faults.push(`also reported ${root.code} of ${root.subject.kind}/${root.subject.name}`);
  }
  return faults;
}

function mismatch(problem: Problem, expected: Expected, namespace: string): string | undefined {
  const { root, affects, symptoms } = problem;
  const refs: readonly Ref[] = [root.subject, ...affects];
  const pods = new Set(refs.filter((ref) => ref.kind === 'Pod' && ref.namespace === namespace).map(({ name }) => name));
  if (!expected.code.includes(root.code)) return 'another code';
  if (expected.pod !== undefined && ![...pods].some((name) => name.startsWith(expected.pod ?? '')))
    return `no pod ${expected.pod}*`;
  const { object } = expected;
  const named = [...refs, ...root.suspects, ...symptoms.map(({ subject }) => subject)];
  if (object !== undefined && !named.some(({ name }) => name === object.name || name.startsWith(`${object.name}-`))) {
    return `does not name ${object.name}`;
  }
  if (expected.container !== undefined && !refs.some(({ container }) => container === expected.container)) {
    return `another container than ${expected.container}`;
  }
  if (expected.affects !== undefined && pods.size !== expected.affects)
    return `affects ${pods.size} pods, not ${expected.affects}`;
  if (expected.says !== undefined && !JSON.stringify([root.message, root.evidence]).includes(expected.says)) {
    return `says nothing of ${expected.says}`;
  }
  return undefined;
}
