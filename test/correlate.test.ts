import { describe, expect, test } from 'vitest';
import type { Candidate } from '../src/analyze.ts';
import type { Stage } from '../src/analyzer.ts';
import { correlate } from '../src/correlate.ts';
import type { Ref, Severity } from '../src/finding.ts';

const pod = (name: string, container?: string): Ref => ({
  kind: 'Pod',
  namespace: 'shop',
  name,
  ...(container === undefined ? {} : { container }),
});
const deployment: Ref = { kind: 'Deployment', namespace: 'shop', name: 'web' };
const node: Ref = { kind: 'Node', name: 'n-1' };
const secret: Ref = { kind: 'Secret', namespace: 'shop', name: 'db' };

interface Given {
  readonly explains?: readonly Ref[];
  readonly explainedBy?: readonly Ref[];
  readonly fault?: string;
  readonly severity?: Severity;
  readonly owner?: Ref;
  readonly isConsequence?: boolean;
}

function candidate(code: string, subject: Ref, stage: Stage, given: Given = {}): Candidate {
  return {
    finding: {
      code,
      severity: given.severity ?? 'critical',
      subject,
      message: `${code} of ${subject.name}.`,
      evidence: [{ id: 'e1', from: subject, where: 'status', text: code }],
      suspects: [],
      remedy: [],
      confidence: 'certain',
    },
    stage,
    isConsequence: given.isConsequence ?? false,
    owner: given.owner ?? (subject.kind === 'Pod' ? deployment : subject),
    fault: given.fault,
    explains: given.explains ?? [],
    explainedBy: given.explainedBy ?? [],
  };
}

/** "code subject | affected … | symptom codes …" for each problem. */
const outline = (candidates: readonly Candidate[]) =>
  correlate(candidates).map(
    ({ root, affects, symptoms }) =>
      `${root.code} ${root.subject.name} | ${affects.map(({ name }) => name).join(' ')} | ${symptoms.map(({ code }) => code).join(' ')}`,
  );

test('the earliest stage leads a pod, the rest are its symptoms', () => {
  const found = [
    candidate('probe.readiness', pod('a'), 'unready'),
    candidate('oom.container-limit', pod('a', 'app'), 'oom'),
  ];
  expect(outline(found)).toEqual(['oom.container-limit a |  | probe.readiness']);
});

test('the same fault on replicas of one owner is one problem', () => {
  const found = ['c', 'a', 'b'].map((name) => candidate('crash.app-error', pod(name, 'app'), 'exit'));
  expect(outline(found)).toEqual(['crash.app-error a | b c | ']);
});

test('the replica that is worst off stands for the others', () => {
  const found = [
    candidate('crash.app-error', pod('a', 'app'), 'exit', { severity: 'warning' }),
    candidate('crash.app-error', pod('b', 'app'), 'exit'),
    candidate('crash.app-error', pod('c', 'app'), 'exit'),
  ];
  expect(outline(found)).toEqual(['crash.app-error b | a c | ']);
});

describe('a consequence', () => {
  const service: Ref = { kind: 'Service', namespace: 'shop', name: 'web' };
  const ofPods = (...names: string[]) =>
    candidate('service.no-endpoints', service, 'owner', {
      severity: 'warning',
      isConsequence: true,
      explainedBy: names.map((name) => pod(name)),
    });
  const severities = (candidates: readonly Candidate[]) =>
    correlate(candidates).map(({ root }) => `${root.code} ${root.severity}`);
  const gated = (name: string) => candidate('sched.gated', pod(name), 'scheduling', { severity: 'info' });

  test('of what is only worth knowing is a symptom of it', () => {
    expect(severities([ofPods('a', 'b'), gated('a'), gated('b')])).toEqual(['sched.gated info']);
  });

  test('stands by itself where one pod has nothing to tell', () => {
    expect(severities([ofPods('a', 'b'), gated('a')])).toEqual(['service.no-endpoints warning', 'sched.gated info']);
  });

  test('is a symptom of a fault', () => {
    const found = [ofPods('a', 'b'), gated('a'), candidate('oom.container-limit', pod('b'), 'oom')];
    expect(severities(found)).toEqual(['oom.container-limit critical', 'sched.gated info']);
  });
});

test('two containers with the same code are two problems of one owner only if their pods differ', () => {
  const found = [
    candidate('crash.app-error', pod('a', 'app'), 'exit'),
    candidate('crash.app-error', pod('b', 'proxy'), 'exit'),
  ];
  expect(outline(found)).toEqual(['crash.app-error a |  | ', 'crash.app-error b |  | ']);
});

test('the same fault across owners is one problem', () => {
  const other: Ref = { ...deployment, name: 'api' };
  const found = [
    candidate('image.not-found', pod('a', 'app'), 'image', { fault: 'image:x' }),
    candidate('image.not-found', pod('b', 'main'), 'image', { fault: 'image:x', owner: other }),
  ];
  expect(outline(found)).toEqual(['image.not-found a | b | ']);
});

test('a node that is down swallows what it took down', () => {
  const found = [
    candidate('node.unreachable', node, 'node', { explains: [pod('a'), pod('b')] }),
    candidate('probe.readiness', pod('a', 'app'), 'unready'),
    candidate('evict.node-pressure', pod('b'), 'rejected'),
  ];
  expect(outline(found)).toEqual(['node.unreachable n-1 | a b | evict.node-pressure probe.readiness']);
});

test('a cause that leads none of what it explains is a symptom itself', () => {
  const found = [
    candidate('node.unreachable', node, 'node', { explains: [pod('a')] }),
    candidate('config.secret-missing', secret, 'config', { explains: [pod('a')] }),
  ];
  expect(outline(found)).toEqual(['node.unreachable n-1 | a db | config.secret-missing']);
});

test('a Service without endpoints follows what breaks its pods, though they show nothing of their own', () => {
  const service: Ref = { kind: 'Service', namespace: 'shop', name: 'web' };
  const found = [
    candidate('config.secret-missing', secret, 'config', { explains: [pod('a', 'app')] }),
    candidate('service.no-endpoints', service, 'owner', { explainedBy: [pod('z'), pod('a')] }),
  ];
  expect(outline(found)).toEqual(['config.secret-missing db | a web | service.no-endpoints']);
});

test('information never leads a fault', () => {
  const found = [
    candidate('node.memory-pressure', node, 'node', { severity: 'info', explains: [pod('a')] }),
    candidate('crash.app-error', pod('a', 'app'), 'exit'),
  ];
  expect(outline(found)).toEqual(['crash.app-error a |  | ', 'node.memory-pressure n-1 |  | ']);
});

test('circles of explanations end somewhere', () => {
  const found = [
    candidate('a.a', pod('a'), 'exit', { explainedBy: [pod('b')] }),
    candidate('b.b', pod('b'), 'exit', { explainedBy: [pod('a')] }),
  ];
  expect(outline(found)).toHaveLength(1);
});

test('evidence is numbered through the problem, and ids of problems are stable', () => {
  const found = [
    candidate('probe.readiness', pod('a'), 'unready'),
    candidate('oom.container-limit', pod('a', 'app'), 'oom'),
  ];
  const [problem] = correlate(found);
  expect(problem?.id).toBe('oom.container-limit:shop/deployment/web:app');
  expect(
    [problem?.root, ...(problem?.symptoms ?? [])].flatMap((finding) => finding?.evidence.map(({ id }) => id)),
  ).toEqual(['e1', 'e2']);
});
