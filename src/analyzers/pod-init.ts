import { defineAnalyzer, type Rule } from '../analyzer.ts';
import { INIT_SECONDS } from '../objects/coming-up.ts';
import { kubectl, kubectlLogs, look } from '../objects/kubectl.ts';
import { inSentence, logIsEmpty, logSignal } from '../objects/log-signal.ts';
import { containersOf, isLiving, podRef, troubledPods } from '../objects/pods.ts';
import { humanSeconds, secondsBetween } from '../objects/time.ts';

const rules = {
  'init.stuck': {
    severity: 'critical',
    summary: 'An init container runs and does not end, and the containers behind it wait.',
    source: 'kubelet (status.initContainerStatuses[].state.running)',
    stage: 'init',
    remedy: ({ subject: { container, ...pod } }) => [
      look('Read what it is doing.', kubectlLogs({ ...pod, ...(container === undefined ? {} : { container }) }, false)),
      look('See what it waits for: its command names the host, file or object.', kubectl('describe', pod)),
    ],
  },
} satisfies Record<string, Rule>;

export const podInit = defineAnalyzer({
  id: 'pod-init',
  kind: 'Pod',
  title: 'Init containers that never end',
  needs: ['Pod', 'Log'],
  rules,
  *analyze(cluster) {
    for (const pod of troubledPods(cluster)) {
      if (!isLiving(pod)) continue;
      for (const container of containersOf(pod)) {
        const startedAt = container.status?.state?.running?.startedAt;
        if (container.role !== 'init' || startedAt === undefined) continue;
        const seconds = secondsBetween(startedAt, cluster.takenAt) ?? 0;
        if (seconds < INIT_SECONDS) continue;
        const subject = podRef(pod, container.name);
        const signal = logSignal(cluster, subject, 'current');
        const said = signal === undefined ? '' : ` Its log says: "${inSentence(signal.line.text)}".`;
        const silent = logIsEmpty(cluster, subject) ? ' It wrote no output.' : '';
        yield {
          code: 'init.stuck',
          subject,
          message: `Init container ${container.name} has been running for ${humanSeconds(seconds)}, and the containers behind it wait for its end.${said}${silent}`,
          evidence: [
            {
              from: subject,
              where: `${container.path}.state.running`,
              text: `running since ${startedAt}`,
              at: startedAt,
            },
            {
              from: subject,
              where: `spec.initContainers[${container.name}]`,
              text:
                [...(container.spec.command ?? []), ...(container.spec.args ?? [])].join(' ') ||
                'the command of its image',
            },
            ...(signal === undefined ? [] : [signal.evidence]),
          ],
          confidence: 'likely',
          check: look('See whether its log still grows.', `${kubectlLogs(subject, false)} --since=1m`),
          since: startedAt,
        };
      }
    }
  },
});
