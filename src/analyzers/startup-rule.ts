import type { Rule } from '../analyzer.ts';
import { change, kubectlLogs, look } from '../objects/kubectl.ts';
import { describePod, editWorkload } from '../objects/remedies.ts';

/** Of two analyzers: one sees the kubelet kill the container for it, the other sees it run on unready. */
export const startupRule: Rule = {
  severity: 'critical',
  summary: 'The container is not up within the time that its startup probe allows.',
  source: 'kubelet (prober; kuberuntime_manager.go: event Killing; status.containerStatuses[].started)',
  stage: 'probe-kill',
  remedy: (where) => [
    look('See what the probe asks and how long it waits.', describePod(where)),
    look('Read what the application says meanwhile.', kubectlLogs(where.subject, where.detail['run'] === 'previous')),
    change(
      'Raise failureThreshold of the startupProbe, correct what it asks, or make the start faster (CPU limit).',
      editWorkload(where),
    ),
  ],
};
