import type { AnyAnalyzer, Draft, Rule, Stage, Where } from './analyzer.ts';
import type { Evidence, Finding, Gap, Ref } from './finding.ts';
import { ownerOf, workloadOf } from './objects/owner.ts';
import { objectKey } from './objects/refs.ts';
import { compare, type Kind, type Snapshot, type View } from './snapshot.ts';

/** A finding and what correlation needs to know of it. */
export interface Candidate {
  readonly finding: Finding;
  readonly stage: Stage;
  /** The rule's `isConsequence`. */
  readonly isConsequence: boolean;
  /** The workload that the subject belongs to, or the subject itself. */
  readonly owner: Ref;
  readonly fault: string | undefined;
  readonly explains: readonly Ref[];
  readonly explainedBy: readonly Ref[];
}

export interface Analysis {
  readonly candidates: readonly Candidate[];
  readonly gaps: readonly Gap[];
}

/** Runs every analyzer over the snapshot. One that throws becomes a gap; the others still report. */
export function analyze(snapshot: Snapshot, analyzers: readonly AnyAnalyzer[]): Analysis {
  const candidates: Candidate[] = [];
  const gaps: Gap[] = [];
  for (const analyzer of analyzers) {
    const found: Candidate[] = [];
    try {
      for (const draft of analyzer.analyze(viewOf(snapshot, analyzer.needs))) {
        const rule = (analyzer.rules as Readonly<Record<string, Rule>>)[draft.code];
        if (rule === undefined) throw new Error(`it reported "${draft.code}", which is none of its rules`);
        found.push(judge(snapshot, draft, rule));
      }
    } catch (error) {
      gaps.push({
        what: `analyzer ${analyzer.id}`,
        reason: `It stopped with an error: ${error instanceof Error ? error.message : String(error)}.`,
        hint: 'This is a defect in podlens; everything else was still looked at.',
      });
    }
    candidates.push(...found);
  }
  return { candidates, gaps: [...unreadableGaps(snapshot, analyzers), ...gaps] };
}

/** The snapshot, with only the declared kinds. */
function viewOf<K extends Kind>(snapshot: Snapshot, needs: readonly K[]): View<K> {
  const may = new Set<Kind>(needs);
  const check = (kind: Kind) => {
    if (!may.has(kind)) throw new Error(`it asked for ${kind}, which is not among its needs`);
  };
  return {
    takenAt: snapshot.takenAt,
    list(kind) {
      check(kind);
      return snapshot.list(kind);
    },
    get(kind, name, namespace) {
      check(kind);
      return snapshot.get(kind, name, namespace);
    },
    covers(kind, namespace) {
      check(kind);
      return snapshot.covers(kind, namespace);
    },
  };
}

function judge(snapshot: Snapshot, draft: Draft, rule: Rule): Candidate {
  const owner = ownerOfSubject(snapshot, draft.subject);
  const workload = owner ?? workloadBehind(snapshot, draft);
  const where: Where = {
    subject: draft.subject,
    ...(workload === undefined ? {} : { owner: workload }),
    detail: draft.detail ?? {},
  };
  const finding: Finding = {
    code: draft.code,
    severity: draft.severity ?? rule.severity,
    subject: draft.subject,
    message: oneSentence(draft.message),
    evidence: draft.evidence.map((evidence, index): Evidence => ({ id: `e${index + 1}`, ...evidence })),
    suspects: draft.suspects ?? [],
    remedy: draft.remedy ?? rule.remedy(where),
    confidence: draft.confidence ?? 'certain',
    ...(draft.check === undefined ? {} : { check: draft.check }),
    ...(draft.since === undefined ? {} : { since: draft.since }),
  };
  return {
    finding,
    stage: rule.stage,
    isConsequence: rule.isConsequence === true,
    owner: owner ?? { ...draft.subject },
    fault: draft.fault,
    explains: draft.explains ?? [],
    explainedBy: draft.explainedBy ?? [],
  };
}

const MOST_CHARACTERS = 2000;

/** What a message quotes may run over many lines, and be a megabyte; the evidence has all of it. */
function oneSentence(message: string): string {
  if (message.length <= MOST_CHARACTERS) return message.replace(/\s*\n\s*/g, ' ').trim();
  return `${oneSentence(message.slice(0, MOST_CHARACTERS)).toWellFormed()} …`;
}

/** Where the cause is another object, its remedy may still be in the workload that it breaks. */
function workloadBehind(snapshot: Snapshot, { explains = [] }: Draft): Ref | undefined {
  const pod = explains.find(({ kind }) => kind === 'Pod');
  return pod === undefined ? undefined : ownerOfSubject(snapshot, pod);
}

function ownerOfSubject(snapshot: Snapshot, subject: Ref): Ref | undefined {
  if (subject.kind === 'Pod') {
    const pod = snapshot.get('Pod', subject.name, subject.namespace);
    return pod === undefined ? undefined : ownerOf(snapshot, pod);
  }
  const above = workloadOf(snapshot, subject);
  return objectKey(above) === objectKey(subject) ? undefined : above;
}

/** One gap per reason: the kinds that could not be read because of it, and which analyzers miss them. */
function unreadableGaps(snapshot: Snapshot, analyzers: readonly AnyAnalyzer[]): Gap[] {
  const byReason = new Map<string, Kind[]>();
  for (const [kind, reason] of [...snapshot.unreadable].sort(([a], [b]) => compare(a, b))) {
    if (!analyzers.some((analyzer) => analyzer.needs.includes(kind))) continue;
    byReason.set(reason, [...(byReason.get(reason) ?? []), kind]);
  }
  return [...byReason].map(([reason, kinds]) => {
    const missed = analyzers.filter((analyzer) => analyzer.needs.some((kind) => kinds.includes(kind)));
    return {
      what: kinds.join(', '),
      reason,
      hint: `Without ${kinds.length === 1 ? 'it' : 'them'} these know less: ${listed(missed.map(({ id }) => id))}.`,
    };
  });
}

const MOST = 6;

/** "a, b, c", and how many more where there are many. */
const listed = (names: readonly string[]): string =>
  names.length <= MOST ? names.join(', ') : `${names.slice(0, MOST).join(', ')} and ${names.length - MOST} more`;
