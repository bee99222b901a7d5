import { defineAnalyzer, type Rule } from '../analyzer.ts';
import { supersededBy } from '../objects/jobs.ts';
import { change, kubectl, kubectlLogs, look } from '../objects/kubectl.ts';
import type { Condition } from '../objects/meta.ts';
import { podsOf } from '../objects/owner.ts';
import { conditionOf, podRef } from '../objects/pods.ts';
import { refTo } from '../objects/refs.ts';
import type { Kinds, View } from '../snapshot.ts';

const CONTROLLER = 'kube-controller-manager (job controller: conditions Failed and FailureTarget)';

const rules = {
  'workload.job-backoff-limit': {
    severity: 'critical',
    summary: 'A Job has failed as often as it may, and its pods do not say why.',
    source: CONTROLLER,
    stage: 'owner',
    remedy: ({ subject, detail: { pod } }) => [
      look('See its pods and events.', kubectl('describe', subject)),
      // The controller deletes what still runs when it gives up: with restartPolicy OnFailure that is all there was.
      ...(pod === undefined
        ? []
        : [look('Read what its last pod said.', kubectlLogs({ ...subject, name: `job/${subject.name}` }, false))]),
      change('Run it again once it is mended: a Job is replaced, not restarted.'),
    ],
  },
  'workload.job-deadline': {
    severity: 'critical',
    summary: 'A Job ran longer than its activeDeadlineSeconds and was ended.',
    source: CONTROLLER,
    stage: 'owner',
    remedy: ({ subject }) => [
      look('See its pods and events.', kubectl('describe', subject)),
      change('Raise activeDeadlineSeconds where the Job is defined, or make its work faster.'),
    ],
  },
  'workload.cronjob-suspended': {
    severity: 'info',
    summary: 'A CronJob is suspended and starts nothing.',
    source: 'the person or tool that set spec.suspend',
    stage: 'hint',
    remedy: ({ subject }) => [
      look('See who set it and when.', kubectl('get', subject, '-o', 'yaml', '--show-managed-fields')),
      change('Let it run again.', kubectl('patch', subject, '-p', '{"spec":{"suspend":false}}')),
    ],
  },
} satisfies Record<string, Rule>;

export const workloadJob = defineAnalyzer({
  id: 'workload-job',
  kind: 'Job',
  title: 'Jobs that failed, CronJobs that are suspended',
  needs: ['Job', 'CronJob', 'Pod'],
  rules,
  *analyze(cluster) {
    for (const job of cluster.list('Job')) {
      // FailureTarget is set at once, Failed when the last pod has ended.
      const failed = [conditionOf(job, 'Failed'), conditionOf(job, 'FailureTarget')].find(isTrue);
      if (failed === undefined) continue;
      const subject = refTo('Job', job);
      const pods = podsOf(cluster, subject).map((pod) => podRef(pod));
      const deadline = failed.reason === 'DeadlineExceeded';
      yield {
        code: deadline ? 'workload.job-deadline' : 'workload.job-backoff-limit',
        subject,
        message: `Job ${subject.namespace}/${subject.name} has failed${deadline ? ` after its deadline of ${job.spec?.activeDeadlineSeconds ?? 'some'} s` : ''}: ${failed.message ?? failed.reason ?? 'no reason is given'}.${failed.type === 'Failed' ? '' : ' Its pods are being ended.'}`,
        evidence: [
          {
            from: subject,
            where: `status.conditions[${failed.type}]`,
            text: `${failed.reason ?? ''}: ${failed.message ?? ''}`,
            ...(failed.lastTransitionTime === undefined ? {} : { at: failed.lastTransitionTime }),
          },
        ],
        severity: isOver(cluster, job) ? 'info' : undefined,
        detail: { pod: pods[0]?.name },
        since: failed.lastTransitionTime,
        explainedBy: pods,
      };
    }
    for (const cronJob of cluster.list('CronJob')) {
      if (cronJob.spec?.suspend !== true) continue;
      const subject = refTo('CronJob', cronJob);
      yield {
        code: 'workload.cronjob-suspended',
        subject,
        message: `CronJob ${subject.namespace}/${subject.name} is suspended; ${lastRun(cronJob.status?.lastScheduleTime)}.`,
        evidence: [{ from: subject, where: 'spec.suspend', text: 'true' }],
      };
    }
  },
});

/** Whether a failed Job is only history. */
const isOver = (cluster: View<'Job'>, job: Kinds['Job']): boolean =>
  job.metadata?.deletionTimestamp !== undefined || supersededBy(cluster, job) !== undefined;

const lastRun = (at: string | undefined): string =>
  at === undefined ? 'it has never run' : `its last run began at ${at}`;

const isTrue = (condition: Condition | undefined): boolean => condition?.status === 'True';
