import type { Rule, Where } from '../analyzer.ts';
import { change, kubectl, look, shell } from '../objects/kubectl.ts';
import type { Kinds } from '../snapshot.ts';

export type ServiceNeeds =
  | 'Service'
  | 'Pod'
  | 'EndpointSlice'
  | 'Deployment'
  | 'StatefulSet'
  | 'DaemonSet'
  | 'ReplicaSet'
  | 'Job'
  | 'CronJob'
  | 'Event';

export type Service = Kinds['Service'];

const CONTROLLER =
  'kube-controller-manager (endpointslice controller), from spec.selector and the labels and readiness of pods';

const rule = (summary: string, remedy: Rule['remedy']): Rule => ({
  severity: 'warning',
  summary,
  source: CONTROLLER,
  stage: 'owner',
  remedy,
});

const labels = (w: Where) =>
  look(
    'See the labels of the pods.',
    shell('kubectl', 'get', 'pods', '-n', w.subject.namespace ?? 'default', '--show-labels'),
  );

export const serviceRules = {
  'service.selector-mismatch': rule(
    'The selector of a Service fits no pod, though something in its namespace nearly does.',
    (w) => [labels(w), change('Correct the selector, or the labels of the pod template.', kubectl('edit', w.subject))],
  ),
  'service.no-endpoints': {
    ...rule('A Service has no ready pod behind it.', (w) => [
      labels(w),
      look(
        'See its endpoints.',
        shell(
          'kubectl',
          'get',
          'endpointslices',
          '-n',
          w.subject.namespace ?? 'default',
          '-l',
          `kubernetes.io/service-name=${w.subject.name}`,
        ),
      ),
      change(
        'Make its pods ready, correct its selector, or delete it if nothing needs it.',
        kubectl('edit', w.subject),
      ),
    ]),
    isConsequence: true,
  },
  'service.target-port': rule('A Service sends traffic to a port on which its pods do not listen.', (w) => [
    look('See the ports of Service and pods.', kubectl('describe', w.subject)),
    change('Correct targetPort of the Service.', kubectl('edit', w.subject)),
  ]),
} satisfies Record<string, Rule>;

export type ServiceCode = keyof typeof serviceRules;
