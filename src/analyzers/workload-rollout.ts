import { defineAnalyzer, type Rule } from '../analyzer.ts';
import type { Ref } from '../finding.ts';
import { wantedPods } from '../objects/jobs.ts';
import { change, kubectl, look } from '../objects/kubectl.ts';
import { podsByOwner, podsOf, workloadOf } from '../objects/owner.ts';
import { conditionOf, isLiving, type Pod, podRef } from '../objects/pods.ts';
import { objectKey, refTo } from '../objects/refs.ts';
import { secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';

const rules = {
  'workload.rollout-stuck': {
    severity: 'warning',
    summary: 'A Deployment has made no progress within its deadline, and its pods do not say why.',
    source: 'kube-controller-manager (deployment controller: condition Progressing)',
    stage: 'owner',
    isConsequence: true,
    remedy: ({ subject }) => [
      look('See how far it is.', kubectl('rollout status', subject, '--timeout=5s')),
      look('See the pods of the new and the old revision.', kubectl('describe', subject)),
      change('Go back to the revision before.', kubectl('rollout undo', subject)),
    ],
  },
  'workload.replicas-mismatch': {
    severity: 'warning',
    summary: 'A workload has fewer pods than it asks for, and nothing says why.',
    source: 'kube-controller-manager (the counts in the status of StatefulSets, DaemonSets and Jobs)',
    stage: 'owner',
    remedy: ({ subject }) => [look('See what its controller says.', kubectl('describe', subject))],
  },
} satisfies Record<string, Rule>;

const SETTLED_SECONDS = 300;

export const workloadRollout = defineAnalyzer({
  id: 'workload-rollout',
  kind: 'Deployment',
  title: 'Deployments that do not roll out, workloads short of pods',
  needs: ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'Pod'],
  rules,
  *analyze(cluster) {
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
        explainedBy: inTheWay(podsByOwner(cluster).get(objectKey(subject)) ?? []).map((pod) => podRef(pod)),
      };
    }
    for (const { subject, has, wants, where, since, partly } of shortOfPods(cluster)) {
      if ((secondsBetween(since, cluster.takenAt) ?? 0) < SETTLED_SECONDS) continue;
      const pods = podsOf(cluster, subject).map((pod) => podRef(pod));
      // Between two pods of one place there is a moment without any: the old one may still be leaving.
      const none = has === 0 && pods.length === 0;
      if (!none && !partly) continue;
      yield {
        code: 'workload.replicas-mismatch',
        subject,
        message: `${subject.kind} ${subject.namespace}/${subject.name} has ${has} of ${wants} ${wants === 1 ? 'pod' : 'pods'}.`,
        evidence: [{ from: subject, where, text: `${has} of ${wants}` }],
        severity: none ? undefined : 'info',
        // What refuses the pods of a CronJob's Jobs is said of the CronJob.
        explainedBy: [...pods, workloadOf(cluster, subject)],
      };
    }
  },
});

/** The pods that a rollout waits for: those that are not ready, or where there are none, those that have failed. */
function inTheWay(pods: readonly Pod[]): readonly Pod[] {
  const unready = pods.filter((pod) => conditionOf(pod, 'Ready')?.status !== 'True');
  const living = unready.filter(isLiving);
  return living.length > 0 ? living : unready;
}

/** A workload whose controller has seen it, and has made fewer pods than it is to make. */
interface Short {
  readonly subject: Ref;
  readonly has: number;
  readonly wants: number;
  readonly where: string;
  readonly since: string | undefined;
  /** Whether having some of its pods is worth a word: a StatefulSet makes one after the other. */
  readonly partly: boolean;
}

function* shortOfPods(cluster: View<'StatefulSet' | 'DaemonSet' | 'Job'>): Generator<Short> {
  for (const set of cluster.list('StatefulSet')) {
    const wants = set.spec?.replicas ?? 1;
    const { replicas: has = 0, observedGeneration } = set.status ?? {};
    if (has >= wants || observedGeneration !== set.metadata?.generation) continue;
    const since = set.metadata?.creationTimestamp;
    yield { subject: refTo('StatefulSet', set), has, wants, where: 'status.replicas', since, partly: true };
  }
  for (const set of cluster.list('DaemonSet')) {
    const { desiredNumberScheduled: wants = 0, currentNumberScheduled: has = 0, observedGeneration } = set.status ?? {};
    if (has >= wants || observedGeneration !== set.metadata?.generation) continue;
    const since = set.metadata?.creationTimestamp;
    const where = 'status.currentNumberScheduled';
    yield { subject: refTo('DaemonSet', set), has, wants, where, since, partly: false };
  }
  for (const job of cluster.list('Job')) {
    const { active = 0, succeeded = 0, failed = 0, startTime } = job.status ?? {};
    const wants = wantedPods(job);
    if (startTime === undefined || active + succeeded + failed > 0 || wants === 0) continue;
    yield { subject: refTo('Job', job), has: 0, wants, where: 'status.active', since: startTime, partly: false };
  }
}
