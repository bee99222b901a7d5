import type { Evidence, Ref } from '../finding.ts';
import { podRef } from '../objects/pods.ts';
import { podsIn } from '../objects/pods-by-label.ts';
import { refTo } from '../objects/refs.ts';
import { didYouMean } from '../objects/suggest.ts';
import type { View } from '../snapshot.ts';
import type { CreateCode, CreateNeeds } from './create-rules.ts';

/** What keeps pods from being created, as far as it is an object. */
export interface Culprit {
  /** The object that is the root, where it is another one than the workload. */
  readonly root?: Ref;
  readonly hint: string;
  readonly suspects: readonly Ref[];
  readonly evidence: readonly Omit<Evidence, 'id'>[];
  readonly service?: string;
  /** The pods that should answer for a webhook. */
  readonly backends?: readonly Ref[];
}

const none: Culprit = { hint: '', suspects: [], evidence: [] };

export function culpritOf(cluster: View<CreateNeeds>, code: CreateCode, owner: Ref, name: string): Culprit {
  const namespace = owner.namespace ?? '';
  switch (code) {
    case 'create.quota': {
      if (name === '') return none;
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
            backends: backendsOf(cluster, found.service),
            ...(found.service === undefined ? {} : { service: found.service }),
          }
        : { ...none, suspects: [found.ref] };
    }
    default:
      return none;
  }
}

function backendsOf(cluster: View<CreateNeeds>, service: string | undefined): Ref[] {
  const [namespace = '', name = ''] = service?.split('/') ?? [];
  const selector = cluster.get('Service', name, namespace)?.spec?.selector ?? {};
  if (Object.keys(selector).length === 0) return [];
  return podsIn(cluster, namespace)
    .selectedBy(selector)
    .map((pod) => podRef(pod));
}

function webhookConfiguration(cluster: View<CreateNeeds>, name: string) {
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
