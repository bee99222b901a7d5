import { defineAnalyzer, type Rule } from '../analyzer.ts';
import { supersededBy } from '../objects/jobs.ts';
import { change, kubectl, kubectlLogs, look } from '../objects/kubectl.ts';
import { conditionOf, podRef } from '../objects/pods.ts';
import { refTo } from '../objects/refs.ts';
import { inNamespace, type Kinds, type View } from '../snapshot.ts';

const CONTROLLER = 'kube-controller-manager (job controller: condition Failed)';

const rules = {
  'workload.job-backoff-limit': {
    severity: 'critical',
    summary: 'A Job has failed as often as it may, and its pods do not say why.',
    source: CONTROLLER,
    stage: 'owner',
    remedy: ({ subject }) => [
      look('See its pods and events.', kubectl('describe', subject)),
      look('Read what its last pod said.', kubectlLogs({ ...subject, name: `job/${subject.name}` }, false)),
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
      const failed = conditionOf(job, 'Failed');
      if (failed?.status !== 'True') continue;
      const subject = refTo('Job', job);
      const deadline = failed.reason === 'DeadlineExceeded';
      yield {
        code: deadline ? 'workload.job-deadline' : 'workload.job-backoff-limit',
        subject,
        message: `Job ${subject.namespace}/${subject.name} has failed${deadline ? ` after its deadline of ${job.spec?.activeDeadlineSeconds ?? 'some'} s` : ''}: ${failed.message ?? failed.reason ?? 'no reason is given'}.`,
        evidence: [
          {
            from: subject,
            where: 'status.conditions[Failed]',
            text: `${failed.reason ?? ''}: ${failed.message ?? ''}`,
            ...(failed.lastTransitionTime === undefined ? {} : { at: failed.lastTransitionTime }),
          },
        ],
        severity: supersededBy(cluster, job) === undefined ? undefined : 'info',
        since: failed.lastTransitionTime,
        explainedBy: podsOf(cluster, job),
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

const lastRun = (at: string | undefined): string =>
  at === undefined ? 'it has never run' : `its last run began at ${at}`;

function podsOf(cluster: View<'Pod'>, job: Kinds['Job']) {
  return inNamespace(cluster.list('Pod'), job.metadata?.namespace ?? '')
    .filter(({ metadata }) =>
      metadata?.ownerReferences?.some(({ kind, name }) => kind === 'Job' && name === job.metadata?.name),
    )
    .map((pod) => podRef(pod));
}
