import type { Rule, Where } from '../analyzer.ts';
import type { Ref } from '../finding.ts';
import { change, kubectl, look, shell } from '../objects/kubectl.ts';
import { editWorkload } from '../objects/remedies.ts';

export type CreateNeeds =
  | 'ReplicaSet'
  | 'Deployment'
  | 'StatefulSet'
  | 'DaemonSet'
  | 'Job'
  | 'CronJob'
  | 'Pod'
  | 'Event'
  | 'ResourceQuota'
  | 'LimitRange'
  | 'ServiceAccount'
  | 'PriorityClass'
  | 'ValidatingWebhookConfiguration'
  | 'MutatingWebhookConfiguration'
  | 'Service';

const SOURCE = 'API server (admission), quoted by the controller in condition ReplicaFailure and event FailedCreate';

const rule = (summary: string, remedy: Rule['remedy']): Rule => ({
  severity: 'critical',
  summary,
  source: SOURCE,
  stage: 'rejected',
  remedy,
});

const workload = (w: Where): Ref => {
  const [kind = '', name = ''] = (w.detail['workload'] ?? '').split('/');
  return { kind, name, ...(w.detail['namespace'] === undefined ? {} : { namespace: w.detail['namespace'] }) };
};
const edit = (w: Where): string | undefined => editWorkload({ ...w, owner: workload(w) });
const describe = (w: Where) => look('Read the events of the workload.', kubectl('describe', workload(w)));
const inNamespace = (w: Where, ...words: string[]): string =>
  shell('kubectl', ...words, '-n', w.detail['namespace'] ?? 'default');

export const createRules = {
  'create.quota': rule('A resource quota of the namespace is used up, so that pods are not created.', (w) => [
    look('See what is used and what is allowed.', inNamespace(w, 'describe', 'resourcequota')),
    change('Lower the requests or replicas of something in the namespace.', edit(w)),
    w.subject.kind === 'ResourceQuota'
      ? change('Or raise the quota.', kubectl('edit', w.subject))
      : change('Or create a quota for the scopes that are named.'),
  ]),
  'create.quota-needs-limits': rule('A resource quota demands requests or limits that the pods do not set.', (w) => [
    look('See what the quota counts.', inNamespace(w, 'describe', 'resourcequota')),
    change('Set requests and limits on every container, or give the namespace defaults with a LimitRange.', edit(w)),
  ]),
  'create.limit-range': rule('The pods ask for more or less than a LimitRange of the namespace allows.', (w) => [
    look('See what it allows.', inNamespace(w, 'describe', 'limitrange')),
    change('Bring requests and limits within it.', edit(w)),
  ]),
  'create.pod-security': rule('Pod Security Admission forbids the pods in this namespace.', (w) => [
    w.detail['by'] === 'scc'
      ? look('See which security context constraints there are, and for whom.', 'kubectl get scc -o wide')
      : look(
          'See which level the namespace enforces.',
          shell('kubectl', 'get', 'namespace', w.detail['namespace'] ?? 'default', '--show-labels'),
        ),
    change('Set the securityContext that it asks for.', edit(w)),
  ]),
  'create.service-account-missing': rule('The service account of the pods does not exist.', (w) => [
    look('See which exist.', inNamespace(w, 'get', 'serviceaccounts')),
    change(
      'Create it, or correct serviceAccountName.',
      w.detail['name'] && inNamespace(w, 'create', 'serviceaccount', w.detail['name']),
    ),
  ]),
  'create.priority-class-missing': rule('The priority class of the pods does not exist.', (w) => [
    look('See which exist.', 'kubectl get priorityclasses'),
    change('Correct priorityClassName.', edit(w)),
  ]),
  'create.policy-denied': rule('A ValidatingAdmissionPolicy denies the pods.', (w) => [
    look('See what it demands.', shell('kubectl', 'describe', 'validatingadmissionpolicy', w.detail['name'] ?? '')),
    change('Change the pods so that the policy accepts them, or the policy.', edit(w)),
  ]),
  'create.webhook-denied': rule('An admission webhook denies the pods.', (w) => [
    look('See which webhooks there are.', 'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations'),
    change('Change the pods so that the policy accepts them, or the policy.', edit(w)),
  ]),
  'create.webhook-failed': rule('An admission webhook cannot be called, so that pods are not created.', (w) => [
    look(
      'See where it is called.',
      w.subject.kind.endsWith('WebhookConfiguration')
        ? kubectl('describe', w.subject)
        : 'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations',
    ),
    look(
      'See whether the pods behind it run.',
      w.detail['service'] && shell('kubectl', 'get', 'pods', '-n', w.detail['service'].split('/')[0] ?? ''),
    ),
    change(
      'Mend its service; if it is gone for good, delete the configuration or set failurePolicy: Ignore.',
      w.subject.kind.endsWith('WebhookConfiguration') ? kubectl('edit', w.subject) : undefined,
    ),
  ]),
  'create.namespace-terminating': rule('The namespace is being deleted, so that nothing new is created in it.', (w) => [
    look(
      'See what holds the namespace up.',
      shell('kubectl', 'get', 'namespace', w.detail['namespace'] ?? 'default', '-o', 'jsonpath={.status.conditions}'),
    ),
    change('Wait for its end, or move the workload to another namespace.'),
  ]),
  'sandbox.runtimeclass': rule('The RuntimeClass of the pods does not exist.', (w) => [
    look('See which exist.', 'kubectl get runtimeclasses'),
    change('Correct runtimeClassName, or install the runtime and its RuntimeClass.', edit(w)),
  ]),
  'create.unknown': rule('The controller cannot create the pods, for a reason podlens does not know.', (w) => [
    describe(w),
  ]),
} satisfies Record<string, Rule>;

export type CreateCode = keyof typeof createRules;
