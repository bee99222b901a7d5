import type { Candidate } from './analyze.ts';
import { stages } from './analyzer.ts';
import { type Finding, type Problem, type Ref, severities } from './finding.ts';
import { objectKey, refKey } from './objects/refs.ts';
import { compare } from './snapshot.ts';

/**
 * Turns findings into problems: one root per broken object, its symptoms under it, the same fault in many places once.
 *
 * 1. Of all findings about one object the one of the earliest stage leads.
 * 2. A finding that explains other objects leads theirs, unless theirs strike at an earlier stage; a finding that is
 *    explained by other objects follows the first of them that has one.
 * 3. Leaders with the same code and the same fault are merged.
 */
export function correlate(candidates: readonly Candidate[]): Problem[] {
  const leaders = leadersByObject(candidates);
  const rootOf = resolve(candidates, leaders);
  return merge(candidates, rootOf).sort(byWorst);
}

const stageOf = (candidate: Candidate): number => stages.indexOf(candidate.stage);
const rank = (finding: Finding): number => severities.indexOf(finding.severity);
const isInfo = (candidate: Candidate): boolean => candidate.finding.severity === 'info';

/** Information never leads a fault, however early its stage. */
function earlier(a: Candidate, b: Candidate): boolean {
  if (isInfo(a) !== isInfo(b)) return isInfo(b);
  if (stageOf(a) !== stageOf(b)) return stageOf(a) < stageOf(b);
  return rank(a.finding) < rank(b.finding);
}

function leadersByObject(candidates: readonly Candidate[]): Map<string, Candidate> {
  const leaders = new Map<string, Candidate>();
  for (const candidate of candidates) {
    const key = objectKey(candidate.finding.subject);
    const leader = leaders.get(key);
    if (leader === undefined || earlier(candidate, leader)) leaders.set(key, candidate);
  }
  return leaders;
}

/** For every candidate the one at the top of its chain of causes. */
function resolve(candidates: readonly Candidate[], leaders: Map<string, Candidate>): (of: Candidate) => Candidate {
  const causes = new Map<Candidate, Candidate>();
  for (const candidate of candidates) {
    const leader = leaders.get(objectKey(candidate.finding.subject));
    if (leader !== undefined && leader !== candidate) causes.set(candidate, leader);
  }
  for (const candidate of candidates) {
    for (const ref of candidate.explains) {
      const leader = leaders.get(objectKey(ref));
      if (leader === undefined || leader === candidate || isInfo(candidate)) continue;
      const known = causes.get(leader);
      const from = known ?? leader;
      if (
        isInfo(leader) ||
        stageOf(candidate) < stageOf(from) ||
        (known === undefined && stageOf(candidate) === stageOf(from))
      ) {
        if (!leadsTo(candidate, leader, causes)) causes.set(leader, candidate);
      }
    }
  }
  const explainers = explainersByObject(candidates);
  for (const candidate of candidates) {
    if (causes.has(candidate)) continue;
    for (const ref of candidate.explainedBy) {
      const leader = leaders.get(objectKey(ref)) ?? explainers.get(objectKey(ref));
      if (leader === undefined || leader === candidate || (isInfo(leader) && !isInfo(candidate))) continue;
      if (leadsTo(leader, candidate, causes)) continue;
      causes.set(candidate, leader);
      break;
    }
  }
  return (of) => {
    let at = of;
    for (let above = causes.get(at); above !== undefined; above = causes.get(at)) at = above;
    return at;
  };
}

/** For objects without a finding of their own: what breaks them. */
function explainersByObject(candidates: readonly Candidate[]): Map<string, Candidate> {
  const explainers = new Map<string, Candidate>();
  for (const candidate of candidates) {
    for (const ref of candidate.explains) {
      const known = explainers.get(objectKey(ref));
      if (known === undefined || earlier(candidate, known)) explainers.set(objectKey(ref), candidate);
    }
  }
  return explainers;
}

/** Whether following the causes from `from` comes to `to`: one more edge back would close a circle. */
function leadsTo(from: Candidate, to: Candidate, causes: ReadonlyMap<Candidate, Candidate>): boolean {
  for (let at: Candidate | undefined = from; at !== undefined; at = causes.get(at)) if (at === to) return true;
  return false;
}

interface Group {
  readonly root: Candidate;
  readonly members: Candidate[];
}

function merge(candidates: readonly Candidate[], rootOf: (of: Candidate) => Candidate): Problem[] {
  const groups = new Map<string, Group>();
  const ordered = [...candidates].sort(bySubject);
  for (const candidate of ordered) {
    if (rootOf(candidate) !== candidate) continue;
    const key = faultKey(candidate);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { root: candidate, members: [candidate] });
    else group.members.push(candidate);
  }
  for (const candidate of ordered) {
    const root = rootOf(candidate);
    if (root !== candidate) groups.get(faultKey(root))?.members.push(candidate);
  }
  const ids = new Map<string, number>();
  return [...groups.values()].map((group) => problemOf(group, ids));
}

const faultKey = ({ finding, fault, owner }: Candidate): string =>
  `${finding.code}|${finding.severity === 'info'}|${fault ?? `${objectKey(owner)}|${finding.subject.container ?? ''}`}`;

function problemOf({ root, members }: Group, ids: Map<string, number>): Problem {
  const affects = new Map<string, Ref>();
  const add = (ref: Ref) => {
    if (objectKey(ref) !== objectKey(root.finding.subject)) affects.set(objectKey(ref), ref);
  };
  const symptoms: Finding[] = [];
  for (const member of members) {
    add(member.finding.subject);
    for (const ref of member.explains) if (!affects.has(objectKey(ref))) add(ref);
    const same = member.finding.code === root.finding.code && faultKey(member) === faultKey(root);
    if (!same) symptoms.push(member.finding);
  }
  const owned = objectKey(root.owner) !== objectKey(root.finding.subject);
  return {
    id: uniqueId(root, ids),
    root: root.finding,
    symptoms: symptoms.sort((a, b) => compare(a.code, b.code) || compare(refKey(a.subject), refKey(b.subject))),
    affects: [...affects.values()].sort((a, b) => compare(refKey(a), refKey(b))),
    ...(owned ? { owner: root.owner } : {}),
  };
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
  return compare(refKey(a.finding.subject), refKey(b.finding.subject)) || compare(a.finding.code, b.finding.code);
}

function byWorst(a: Problem, b: Problem): number {
  return rank(a.root) - rank(b.root) || b.affects.length - a.affects.length || compare(a.id, b.id);
}
