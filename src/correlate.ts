import type { Candidate } from './analyze.ts';
import { stages } from './analyzer.ts';
import { type Finding, type Problem, type Ref, severities } from './finding.ts';
import { objectKey, refKey } from './objects/refs.ts';
import { compare } from './snapshot.ts';

/**
 * Turns findings into problems: one root per broken object, its symptoms under it, the same fault in many places once.
 *
 * 1. Every object is led by one finding: one about another object that explains it, else its own of the earliest stage.
 * 2. A finding follows the leader of its subject. If it explains objects and leads none of them, it follows theirs; if it
 *    is explained by other objects, it follows the first of them that is led.
 * 3. A consequence of what is only worth knowing is only worth knowing.
 * 4. Findings that follow none are roots. Roots with the same code and the same fault are one problem.
 */
export function correlate(candidates: readonly Candidate[]): Problem[] {
  const ordered = calmed([...candidates].sort(bySubject));
  const leaders = leadersOf(ordered);
  const rootOf = rootsOf(ordered, leaders);
  const groups = groupsOf(ordered, rootOf);
  assign(leaders, rootOf, groups);
  const ids = new Map<string, number>();
  return [...groups.values()].map((group) => problemOf(group, ids)).sort(byWorst);
}

const stageOf = (candidate: Candidate): number => stages.indexOf(candidate.stage);
const rank = (finding: Finding): number => severities.indexOf(finding.severity);
const isInfo = (candidate: Candidate): boolean => candidate.finding.severity === 'info';

/** What leads an object, and the reference to it that the finding gave (it may name a container). */
interface Lead {
  readonly by: Candidate;
  readonly ref: Ref;
  /** Whether the finding is about another object. */
  readonly explained: boolean;
}

type Leaders = ReadonlyMap<string, Lead>;

function leadersOf(candidates: readonly Candidate[]): Leaders {
  const leaders = new Map<string, Lead>();
  const offer = (lead: Lead) => {
    const key = objectKey(lead.ref);
    const known = leaders.get(key);
    if (known === undefined || precedes(lead, known)) leaders.set(key, lead);
  };
  for (const by of candidates) {
    offer({ by, ref: by.finding.subject, explained: false });
    for (const ref of by.explains) {
      if (objectKey(ref) !== objectKey(by.finding.subject)) offer({ by, ref, explained: true });
    }
  }
  return leaders;
}

/** Information never leads a fault. A cause in another object comes before anything the object shows of itself. */
function precedes(a: Lead, b: Lead): boolean {
  if (isInfo(a.by) !== isInfo(b.by)) return isInfo(b.by);
  if (a.explained !== b.explained) return a.explained;
  if (stageOf(a.by) !== stageOf(b.by)) return stageOf(a.by) < stageOf(b.by);
  return rank(a.by.finding) < rank(b.by.finding);
}

function calmed(candidates: readonly Candidate[]): Candidate[] {
  const leaders = leadersOf(candidates);
  const isCalm = (ref: Ref) => {
    const lead = leaders.get(objectKey(ref));
    return lead !== undefined && isInfo(lead.by);
  };
  return candidates.map((candidate) => {
    const { isConsequence, explainedBy, finding } = candidate;
    if (!isConsequence || explainedBy.length === 0 || !explainedBy.every(isCalm)) return candidate;
    return { ...candidate, finding: { ...finding, severity: 'info' } };
  });
}

/** For every candidate the one at the top of its chain of causes. */
function rootsOf(candidates: readonly Candidate[], leaders: Leaders): (of: Candidate) => Candidate {
  const causes = new Map<Candidate, Candidate>();
  const follow = (candidate: Candidate, cause: Candidate | undefined): boolean => {
    if (cause === undefined || cause === candidate || (isInfo(cause) && !isInfo(candidate))) return false;
    for (let at: Candidate | undefined = cause; at !== undefined; at = causes.get(at))
      if (at === candidate) return false;
    causes.set(candidate, cause);
    return true;
  };
  const leaderOf = (ref: Ref) => leaders.get(objectKey(ref))?.by;
  for (const candidate of candidates) {
    if (follow(candidate, leaderOf(candidate.finding.subject))) continue;
    if (maySubmit(candidate)) {
      const explained = candidate.explains.map(leaderOf);
      if (!explained.includes(candidate) && explained.some((cause) => follow(candidate, cause))) continue;
    }
    candidate.explainedBy.some((ref) => follow(candidate, leaderOf(ref)));
  }
  return (of) => {
    let at = of;
    for (let above = causes.get(at); above !== undefined; above = causes.get(at)) at = above;
    return at;
  };
}

/** Trouble of a node or of the whole cluster stands by itself, whatever else its pods suffer from; so does information. */
const maySubmit = (candidate: Candidate): boolean =>
  !isInfo(candidate) && candidate.finding.subject.namespace !== undefined;

interface Group {
  /** The worst of those that share the fault. */
  root: Candidate;
  readonly members: Candidate[];
  readonly affects: Map<string, Ref>;
}

function groupsOf(candidates: readonly Candidate[], rootOf: (of: Candidate) => Candidate): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const candidate of candidates) {
    if (rootOf(candidate) !== candidate) continue;
    const key = faultKey(candidate);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { root: candidate, members: [candidate], affects: new Map() });
    else {
      group.members.push(candidate);
      if (rank(candidate.finding) < rank(group.root.finding)) group.root = candidate;
    }
  }
  for (const candidate of candidates) {
    const root = rootOf(candidate);
    if (root !== candidate) groups.get(faultKey(root))?.members.push(candidate);
  }
  return groups;
}

const faultKey = ({ finding, fault, owner }: Candidate): string =>
  `${finding.code}|${finding.severity === 'info'}|${fault ?? `${objectKey(owner)}|${finding.subject.container ?? ''}`}`;

/** Every object belongs to the problem of what leads it, and to no other. */
function assign(leaders: Leaders, rootOf: (of: Candidate) => Candidate, groups: ReadonlyMap<string, Group>): void {
  for (const [key, { by, ref }] of leaders) {
    const group = groups.get(faultKey(rootOf(by)));
    if (group !== undefined && key !== objectKey(group.root.finding.subject)) group.affects.set(key, ref);
  }
}

function problemOf({ root, members, affects }: Group, ids: Map<string, number>): Problem {
  const key = faultKey(root);
  const symptoms = members.filter((member) => faultKey(member) !== key).map(({ finding }) => finding);
  const owned = objectKey(root.owner) !== objectKey(root.finding.subject);
  symptoms.sort(
    (a, b) => rank(a) - rank(b) || compare(a.code, b.code) || compare(refKey(a.subject), refKey(b.subject)),
  );
  const [first = root.finding, ...rest] = numbered([root.finding, ...symptoms]);
  return {
    id: uniqueId(root, ids),
    root: first,
    symptoms: rest,
    affects: [...affects.values()].sort((a, b) => compare(refKey(a), refKey(b))),
    ...(owned ? { owner: root.owner } : {}),
  };
}

/** Evidence is numbered through the whole problem, so that an id names one piece of it. */
function numbered(findings: readonly Finding[]): Finding[] {
  let count = 0;
  return findings.map((finding) => ({
    ...finding,
    evidence: finding.evidence.map((evidence) => ({ ...evidence, id: `e${++count}` })),
  }));
}

function uniqueId(root: Candidate, ids: Map<string, number>): string {
  const { kind, namespace, name } = root.owner;
  const container = root.finding.subject.container;
  const id = `${root.finding.code}:${namespace === undefined ? '' : `${namespace}/`}${kind.toLowerCase()}/${name}${container === undefined ? '' : `:${container}`}`;
  const seen = (ids.get(id) ?? 0) + 1;
  ids.set(id, seen);
  return seen === 1 ? id : `${id}~${seen}`;
}

function bySubject(a: Candidate, b: Candidate): number {
  return (
    compare(refKey(a.finding.subject), refKey(b.finding.subject)) ||
    compare(a.finding.code, b.finding.code) ||
    compare(a.finding.message, b.finding.message)
  );
}

function byWorst(a: Problem, b: Problem): number {
  return rank(a.root) - rank(b.root) || b.affects.length - a.affects.length || compare(a.id, b.id);
}
