import { type Draft, defineAnalyzer, type Rule, type Where } from '../analyzer.ts';
import type { Evidence, Ref } from '../finding.ts';
import { eventEvidence, eventsOf } from '../objects/events.ts';
import { change, kubectl, look, shell } from '../objects/kubectl.ts';
import { workloadOf } from '../objects/owner.ts';
import { conditionOf } from '../objects/pods.ts';
import { refTo } from '../objects/refs.ts';
import { editWorkload } from '../objects/remedies.ts';
import { didYouMean } from '../objects/suggest.ts';
import { secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';

type Needs =
  | 'ReplicaSet'
  | 'Deployment'
  | 'StatefulSet'
  | 'DaemonSet'
  | 'Job'
  | 'Event'
  | 'ResourceQuota'
  | 'LimitRange'
  | 'ServiceAccount'
  | 'PriorityClass'
  | 'ValidatingWebhookConfiguration'
  | 'MutatingWebhookConfiguration';

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

const rules = {
  'create.quota': rule('A resource quota of the namespace is used up, so that pods are not created.', (w) => [
    look('See what is used and what is allowed.', inNamespace(w, 'describe', 'resourcequota')),
    change('Lower the requests or replicas of something in the namespace.', edit(w)),
    change('Or raise the quota.', w.subject.kind === 'ResourceQuota' ? kubectl('edit', w.subject) : undefined),
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
    look(
      'See which level the namespace enforces.',
      shell('kubectl', 'get', 'namespace', w.detail['namespace'] ?? 'default', '--show-labels'),
    ),
    change('Set the securityContext that it asks for.', edit(w)),
  ]),
  'create.service-account-missing': rule('The service account of the pods does not exist.', (w) => [
    look('See which exist.', inNamespace(w, 'get', 'serviceaccounts')),
    change(
      'Create it, or correct serviceAccountName.',
      w.detail['account'] && inNamespace(w, 'create', 'serviceaccount', w.detail['account']),
    ),
  ]),
  'create.priority-class-missing': rule('The priority class of the pods does not exist.', (w) => [
    look('See which exist.', 'kubectl get priorityclasses'),
    change('Correct priorityClassName.', edit(w)),
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

type Code = keyof typeof rules;

// The controller retries with growing pauses; what it said an hour ago may be history, and events do not live longer.
const RECENT_SECONDS = 3600;
// Things that are applied together come into being one after the other.
const SEEN_SECONDS = 60;

export const workloadCreate = defineAnalyzer<Needs, Code>({
  id: 'workload-create',
  kind: 'ReplicaSet',
  title: 'Pods that are never created: quotas, limit ranges, Pod Security, service accounts, webhooks',
  needs: [
    'ReplicaSet',
    'Deployment',
    'StatefulSet',
    'DaemonSet',
    'Job',
    'Event',
    'ResourceQuota',
    'LimitRange',
    'ServiceAccount',
    'PriorityClass',
    'ValidatingWebhookConfiguration',
    'MutatingWebhookConfiguration',
  ],
  rules,
  *analyze(cluster) {
    const told = new Set<string>();
    for (const refusal of refusals(cluster)) {
      const { kind, namespace, name } = refusal.owner;
      const key = `${kind}/${namespace}/${name}`;
      if (told.has(key)) continue;
      told.add(key);
      yield explain(cluster, refusal);
    }
  },
});

/** The API server's words on why a workload's pods are not created. */
interface Refusal {
  /** The workload on top. */
  readonly owner: Ref;
  readonly words: string;
  readonly evidence: Omit<Evidence, 'id'>;
}

/** From conditions first, which stay; from events where the kind has no such condition. */
function* refusals(cluster: View<Needs>): Generator<Refusal> {
  for (const set of cluster.list('ReplicaSet')) {
    const failure = conditionOf(set, 'ReplicaFailure');
    if (failure?.status !== 'True' || (set.spec?.replicas ?? 1) <= (set.status?.replicas ?? 0)) continue;
    yield fromCondition(cluster, refTo('ReplicaSet', set), 'ReplicaFailure', failure);
  }
  for (const deployment of cluster.list('Deployment')) {
    const failure = conditionOf(deployment, 'ReplicaFailure');
    if (failure?.status === 'True')
      yield fromCondition(cluster, refTo('Deployment', deployment), 'ReplicaFailure', failure);
    const progress = conditionOf(deployment, 'Progressing');
    if (progress?.reason === 'ReplicaSetCreateError')
      yield fromCondition(cluster, refTo('Deployment', deployment), 'Progressing', progress);
  }
  for (const short of shortOfPods(cluster)) {
    const event = eventsOf(cluster, short).find(({ reason }) => reason === 'FailedCreate');
    if (event !== undefined && (secondsBetween(event.at, cluster.takenAt) ?? 0) <= RECENT_SECONDS) {
      yield { owner: workloadOf(cluster, short), words: event.message, evidence: eventEvidence(short, event) };
      continue;
    }
    const refusal = withoutAccount(cluster, short);
    if (refusal !== undefined) yield refusal;
  }
}

/** Admission refuses every pod whose service account does not exist: that much is certain without its words. */
function withoutAccount(cluster: View<Needs>, short: Ref): Refusal | undefined {
  if (short.kind !== 'StatefulSet' && short.kind !== 'DaemonSet' && short.kind !== 'Job') return undefined;
  const namespace = short.namespace ?? '';
  const object = cluster.get(short.kind, short.name, namespace);
  const name = object?.spec?.template?.spec?.serviceAccountName;
  if (name === undefined || (secondsBetween(object?.metadata?.creationTimestamp, cluster.takenAt) ?? 0) < SEEN_SECONDS)
    return undefined;
  if (!cluster.covers('ServiceAccount', namespace) || cluster.get('ServiceAccount', name, namespace) !== undefined)
    return undefined;
  return {
    owner: workloadOf(cluster, short),
    words: `serviceaccount "${name}" not found`,
    evidence: { from: short, where: 'spec.template.spec.serviceAccountName', text: name },
  };
}

function fromCondition(
  cluster: View<Needs>,
  ref: Ref,
  type: string,
  condition: { readonly message?: string; readonly lastTransitionTime?: string },
): Refusal {
  return {
    owner: workloadOf(cluster, ref),
    words: condition.message ?? '',
    evidence: {
      from: ref,
      where: `status.conditions[${type}].message`,
      text: condition.message ?? '',
      ...(condition.lastTransitionTime === undefined ? {} : { at: condition.lastTransitionTime }),
    },
  };
}

/** Workloads that want more pods than they have, and say so only by events. */
function* shortOfPods(cluster: View<Needs>): Generator<Ref> {
  for (const set of cluster.list('StatefulSet')) {
    if ((set.spec?.replicas ?? 1) > (set.status?.replicas ?? 0)) yield refTo('StatefulSet', set);
  }
  for (const set of cluster.list('DaemonSet')) {
    const { desiredNumberScheduled = 0, currentNumberScheduled = 0 } = set.status ?? {};
    if (desiredNumberScheduled > currentNumberScheduled) yield refTo('DaemonSet', set);
  }
  for (const job of cluster.list('Job')) {
    const done = ['Complete', 'Failed'].some((type) => conditionOf(job, type)?.status === 'True');
    if (!done && job.spec?.suspend !== true && (job.status?.active ?? 0) < (job.spec?.parallelism ?? 1))
      yield refTo('Job', job);
  }
  for (const set of cluster.list('ReplicaSet')) {
    if ((set.spec?.replicas ?? 1) > (set.status?.replicas ?? 0)) yield refTo('ReplicaSet', set);
  }
}

const patterns: readonly (readonly [Code, RegExp])[] = [
  ['create.quota', /exceeded quota: ([^,]+),/],
  ['create.quota-needs-limits', /failed quota: ([^:]+): must specify/],
  ['create.webhook-failed', /failed calling webhook "([^"]+)"/],
  ['create.webhook-denied', /admission webhook "([^"]+)" denied the request/],
  [
    'create.pod-security',
    /violates PodSecurity "([^"]+)"|unable to validate against any (pod security policy|security context constraint)/,
  ],
  ['create.service-account-missing', /serviceaccount "([^"]+)" not found/],
  ['create.priority-class-missing', /no PriorityClass with name (\S+) was found/],
  ['create.namespace-terminating', /because it is being terminated/],
  ['sandbox.runtimeclass', /RuntimeClass "([^"]+)" not found/],
  // A LimitRange's default limit below the request makes the pod invalid.
  [
    'create.limit-range',
    /must be less than or equal to \S+ limit|(maximum|minimum) \S+ usage per (Container|Pod|PersistentVolumeClaim)|max limit to request ratio/,
  ],
];

function explain(cluster: View<Needs>, { owner, words, evidence }: Refusal): Draft<Code> {
  const found = patterns
    .map(([code, pattern]) => ({ code, match: pattern.exec(words) }))
    .find(({ match }) => match !== null);
  const code = found?.code ?? 'create.unknown';
  const name = found?.match?.[1] ?? '';
  const culprit = culpritOf(cluster, code, owner, name);
  const detail = {
    workload: `${owner.kind}/${owner.name}`,
    namespace: owner.namespace,
    account: name,
    service: culprit.service,
  };
  return {
    code,
    subject: culprit.root ?? owner,
    message: `${sentence(code, owner, name, words)}${culprit.hint}`,
    evidence: [evidence, ...culprit.evidence],
    suspects: culprit.suspects,
    explains: culprit.root === undefined ? [] : [owner],
    detail,
    since: evidence.at,
    fault:
      culprit.root === undefined
        ? undefined
        : `${culprit.root.kind}/${culprit.root.namespace ?? ''}/${culprit.root.name}`,
  };
}

function sentence(code: Code, { kind, name, namespace }: Ref, culprit: string, words: string): string {
  const who = `${kind} ${namespace}/${name}`;
  switch (code) {
    case 'create.quota':
      return `Quota "${culprit}" of namespace ${namespace} is used up, so ${who} cannot create its pods: ${words.slice(words.indexOf('requested:')).replace(/^requested: /, 'requested ')}.`;
    case 'create.quota-needs-limits':
      return `Quota "${culprit}" of namespace ${namespace} demands ${words.slice(words.indexOf('must specify')).replace('must specify ', '')}, and the pods of ${who} do not set it.`;
    case 'create.limit-range':
      return `A LimitRange of namespace ${namespace} forbids the pods of ${who}: ${reasonIn(words)}.`;
    case 'create.pod-security':
      return `Namespace ${namespace} does not admit the pods of ${who}: ${reasonIn(words)}.`;
    case 'create.service-account-missing':
      return `Service account "${culprit}" does not exist in namespace ${namespace}, so ${who} cannot create its pods.`;
    case 'create.priority-class-missing':
      return `Priority class "${culprit}" does not exist, so ${who} cannot create its pods.`;
    case 'create.webhook-denied':
      return `Admission webhook "${culprit}" denies the pods of ${who}: ${words.slice(words.indexOf('denied the request')).replace(/^denied the request:? ?/, '')}.`;
    case 'create.webhook-failed':
      return `Admission webhook "${culprit}" cannot be called, so ${who} cannot create its pods: ${words.slice(words.indexOf('failed calling webhook')).replace(/^failed calling webhook "[^"]+": /, '')}.`;
    case 'create.namespace-terminating':
      return `Namespace ${namespace} is being deleted, so ${who} cannot create its pods.`;
    case 'sandbox.runtimeclass':
      return `RuntimeClass "${culprit}" does not exist, so ${who} cannot create its pods.`;
    case 'create.unknown':
      return `${who} cannot create its pods: "${words}".`;
    default:
      return code satisfies never;
  }
}

/** What follows "is forbidden: " or "is invalid: ". */
const reasonIn = (words: string): string => /is (?:forbidden|invalid): (.+)$/s.exec(words)?.[1] ?? words;

interface Culprit {
  /** The object that is the root, where it is another one than the workload. */
  readonly root?: Ref;
  readonly hint: string;
  readonly suspects: readonly Ref[];
  readonly evidence: readonly Omit<Evidence, 'id'>[];
  readonly service?: string;
}

const none: Culprit = { hint: '', suspects: [], evidence: [] };

function culpritOf(cluster: View<Needs>, code: Code, owner: Ref, name: string): Culprit {
  const namespace = owner.namespace ?? '';
  switch (code) {
    case 'create.quota': {
      const root: Ref = { kind: 'ResourceQuota', namespace, name };
      const quota = cluster.get('ResourceQuota', name, namespace);
      const { hard = {}, used = {} } = quota?.status ?? {};
      const text = Object.keys(hard).map((resource) => `${resource}: ${used[resource] ?? '0'} of ${hard[resource]}`);
      return {
        ...none,
        root,
        evidence: text.length === 0 ? [] : [{ from: root, where: 'status', text: text.join(', ') }],
      };
    }
    case 'create.quota-needs-limits':
      return { ...none, suspects: [{ kind: 'ResourceQuota', namespace, name }] };
    case 'create.limit-range':
      return {
        ...none,
        suspects: cluster
          .list('LimitRange')
          .filter(({ metadata }) => metadata?.namespace === namespace)
          .map((range) => refTo('LimitRange', range)),
      };
    case 'create.service-account-missing': {
      const here = cluster.list('ServiceAccount').filter(({ metadata }) => metadata?.namespace === namespace);
      const [meant] = didYouMean(
        name,
        here.map(({ metadata }) => metadata?.name ?? ''),
      );
      return {
        ...none,
        root: { kind: 'ServiceAccount', namespace, name },
        hint: meant === undefined ? '' : ` Did you mean "${meant}"?`,
      };
    }
    case 'create.priority-class-missing': {
      const [meant] = didYouMean(
        name,
        cluster.list('PriorityClass').map(({ metadata }) => metadata?.name ?? ''),
      );
      return {
        ...none,
        suspects: [{ kind: 'PriorityClass', name }],
        hint: meant === undefined ? '' : ` Did you mean "${meant}"?`,
      };
    }
    case 'create.webhook-denied':
    case 'create.webhook-failed': {
      const found = webhookConfiguration(cluster, name);
      if (found === undefined) return none;
      return code === 'create.webhook-failed'
        ? {
            ...none,
            root: found.ref,
            evidence: found.evidence,
            ...(found.service === undefined ? {} : { service: found.service }),
          }
        : { ...none, suspects: [found.ref] };
    }
    default:
      return none;
  }
}

function webhookConfiguration(cluster: View<Needs>, name: string) {
  for (const kind of ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'] as const) {
    for (const configuration of cluster.list(kind)) {
      const webhook = configuration.webhooks?.find((hook) => hook.name === name);
      if (webhook === undefined) continue;
      const { service, url } = webhook.clientConfig ?? {};
      const target = service === undefined ? url : `${service.namespace}/${service.name}`;
      const ref = refTo(kind, configuration);
      const text = `calls ${target ?? 'an unknown service'}, failurePolicy ${webhook.failurePolicy ?? 'Fail'}`;
      return {
        ref,
        service: service === undefined ? undefined : target,
        evidence: [{ from: ref, where: `webhooks[${name}]`, text }],
      };
    }
  }
  return undefined;
}
