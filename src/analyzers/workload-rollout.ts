import { defineAnalyzer, type Rule } from '../analyzer.ts';
import type { Ref } from '../finding.ts';
import { change, kubectl, look } from '../objects/kubectl.ts';
import { podsByOwner } from '../objects/owner.ts';
import { conditionOf, podRef } from '../objects/pods.ts';
import { objectKey, refTo } from '../objects/refs.ts';
import { secondsBetween } from '../objects/time.ts';

const rules = {
  'workload.rollout-stuck': {
    severity: 'warning',
    summary: 'A Deployment has made no progress within its deadline, and its pods do not say why.',
    source: 'kube-controller-manager (deployment controller: condition Progressing)',
    stage: 'owner',
    remedy: ({ subject }) => [
      look('See how far it is.', kubectl('rollout status', subject, '--timeout=5s')),
      look('See the pods of the new and the old revision.', kubectl('describe', subject)),
      change('Go back to the revision before.', kubectl('rollout undo', subject)),
    ],
  },
  'workload.replicas-mismatch': {
    severity: 'info',
    summary: 'A workload has fewer pods than it asks for, and nothing says why.',
    source: 'kube-controller-manager (status.replicas against spec.replicas)',
    stage: 'owner',
    remedy: ({ subject }) => [look('See what its controller says.', kubectl('describe', subject))],
  },
} satisfies Record<string, Rule>;

const SETTLED_SECONDS = 300;

export const workloadRollout = defineAnalyzer({
  id: 'workload-rollout',
  kind: 'Deployment',
  title: 'Deployments that do not roll out, workloads short of pods',
  needs: ['Deployment', 'StatefulSet', 'ReplicaSet', 'Job', 'Pod'],
  rules,
  *analyze(cluster) {
    const pods = podsByOwner(cluster);
    const podsOf = (ref: Ref) => (pods.get(objectKey(ref)) ?? []).map((pod) => podRef(pod));
    for (const deployment of cluster.list('Deployment')) {
      const progress = conditionOf(deployment, 'Progressing');
      if (progress?.status !== 'False' || progress.reason !== 'ProgressDeadlineExceeded') continue;
      const subject = refTo('Deployment', deployment);
      const { updatedReplicas = 0, availableReplicas = 0 } = deployment.status ?? {};
      const seconds = deployment.spec?.progressDeadlineSeconds ?? 600;
      yield {
        code: 'workload.rollout-stuck',
        subject,
        message: `Deployment ${subject.namespace}/${subject.name} has made no progress for ${seconds} s: ${updatedReplicas} of ${deployment.spec?.replicas ?? 1} pods are of the new revision, ${availableReplicas} are available.`,
        evidence: [
          {
            from: subject,
            where: 'status.conditions[Progressing]',
            text: `${progress.reason}: ${progress.message ?? ''}`,
            ...(progress.lastTransitionTime === undefined ? {} : { at: progress.lastTransitionTime }),
          },
        ],
        since: progress.lastTransitionTime,
        explainedBy: podsOf(subject),
      };
    }
    for (const set of cluster.list('StatefulSet')) {
      const wanted = set.spec?.replicas ?? 1;
      const { replicas = 0, observedGeneration } = set.status ?? {};
      const age = secondsBetween(set.metadata?.creationTimestamp, cluster.takenAt) ?? 0;
      if (replicas >= wanted || age < SETTLED_SECONDS || observedGeneration !== set.metadata?.generation) continue;
      const subject = refTo('StatefulSet', set);
      yield {
        code: 'workload.replicas-mismatch',
        subject,
        message: `StatefulSet ${subject.namespace}/${subject.name} has ${replicas} of ${wanted} pods.`,
        evidence: [{ from: subject, where: 'status.replicas', text: `${replicas} of ${wanted}` }],
        explainedBy: podsOf(subject),
      };
    }
  },
});
