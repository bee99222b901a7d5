import type { Evidence, Finding, Problem, Ref, Report } from '../../../src/finding.ts';
import { change, kubectl, kubectlLogs, look } from '../../../src/objects/kubectl.ts';

const evidence = (from: Ref, where: string, text: string, id: string): Evidence => ({
  id,
  from,
  where,
  text,
  at: '2026-11-21T02:00:00Z',
});

export interface Crash {
  readonly namespace?: string;
  readonly name?: string;
  readonly hash?: string;
  readonly container?: string;
  readonly image?: string;
  readonly log?: string;
  readonly message?: string;
  readonly replicas?: number;
  readonly exitCode?: number;
}

/** A Deployment whose pods end with an exit code, as the rules report it. */
export function crash({
  namespace = 'shop',
  name = 'web',
  hash = '7f9c8b6d5-x2lqp',
  container = 'server',
  image = 'hub.acme.net/team/base:v2',
  log = 'Error: connect ECONNREFUSED 10.0.0.7:5432',
  message,
  replicas = 1,
  exitCode = 1,
}: Crash = {}): Problem {
  const pod: Ref = { kind: 'Pod', namespace, name: `${name}-${hash}`, container };
  const owner: Ref = { kind: 'Deployment', namespace, name };
  const root: Finding = {
    code: 'crash.app-error',
    severity: 'critical',
    subject: pod,
    message:
      message ??
      `Container ${container} of image ${image} ends with exit code ${exitCode}, ${3 * replicas} times by now.`,
    evidence: [
      evidence(
        pod,
        `status.containerStatuses[${container}].lastState.terminated`,
        `Error, exit code ${exitCode}`,
        'e1',
      ),
      evidence(pod, 'log', log, 'e2'),
    ],
    suspects: [],
    remedy: [
      look('Read what it said before it ended.', kubectlLogs(pod, true)),
      change('Correct it.', kubectl('edit', owner)),
    ],
    confidence: 'certain',
    since: '2026-11-21T01:00:00Z',
  };
  const affects = Array.from(
    { length: replicas - 1 },
    (_, i): Ref => ({ kind: 'Pod', namespace, name: `${name}-${hash.slice(0, -5)}abcd${i}` }),
  );
  return { id: `crash.app-error:${namespace}/deployment/${name}:${container}`, root, symptoms: [], affects, owner };
}

export const reportOf = (...problems: readonly Problem[]): Report => ({
  schemaVersion: 1,
  takenAt: '2026-11-21T02:07:38Z',
  scope: {},
  problems,
  gaps: [],
  stats: { objects: {}, namespaces: 1, analyzers: 1 },
});
