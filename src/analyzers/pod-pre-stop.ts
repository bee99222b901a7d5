import { defineAnalyzer, type Rule } from '../analyzer.ts';
import { eventEvidence } from '../objects/events.ts';
import { change, kubectl, kubectlLogs, look } from '../objects/kubectl.ts';
import { podEvents, podRef, troubledPods } from '../objects/pods.ts';
import { secondsBetween } from '../objects/time.ts';

const rules = {
  'hook.pre-stop': {
    severity: 'warning',
    summary: 'The preStop hook of a container fails, so that it is stopped without its preparation.',
    source: 'kubelet (lifecycle/handlers.go: event FailedPreStopHook)',
    stage: 'hint',
    remedy: ({ subject: { container, ...pod }, owner }) => [
      look('See the hook.', kubectl('get', pod, '-o', 'jsonpath={.spec.containers[*].lifecycle.preStop}')),
      look(
        'Read what the container says.',
        kubectlLogs({ ...pod, ...(container === undefined ? {} : { container }) }, false),
      ),
      change('Correct the hook, or drop it.', kubectl('edit', owner ?? pod)),
    ],
  },
} satisfies Record<string, Rule>;

const RECENT_SECONDS = 3600;

export const podPreStop = defineAnalyzer({
  id: 'pod-pre-stop',
  kind: 'Pod',
  title: 'preStop hooks that fail',
  needs: ['Pod', 'Event'],
  rules,
  *analyze(cluster) {
    for (const pod of troubledPods(cluster)) {
      const seen = new Set<string | undefined>();
      for (const event of podEvents(cluster, pod)) {
        if (event.reason !== 'FailedPreStopHook' || seen.has(event.container)) continue;
        if ((secondsBetween(event.at, cluster.takenAt) ?? 0) > RECENT_SECONDS) continue;
        seen.add(event.container);
        const subject = podRef(pod, event.container);
        yield {
          code: 'hook.pre-stop',
          subject,
          message: `The preStop hook of container ${event.container ?? '(unnamed)'} in pod ${subject.name} fails; the kubelet stops the container without it.`,
          evidence: [eventEvidence(subject, event)],
          since: event.firstAt,
        };
      }
    }
  },
});
