import { type Draft, defineAnalyzer } from '../analyzer.ts';
import type { Ref } from '../finding.ts';
import type { View } from '../snapshot.ts';
import { culpritOf } from './create-culprit.ts';
import { type Refusal, refusals } from './create-refusals.ts';
import { type CreateCode, type CreateNeeds, createRules } from './create-rules.ts';
import { readRefusal, sentence } from './create-words.ts';

export const workloadCreate = defineAnalyzer<CreateNeeds, CreateCode>({
  id: 'workload-create',
  kind: 'ReplicaSet',
  title: 'Pods that are never created: quotas, limit ranges, Pod Security, service accounts, webhooks',
  needs: [
    'ReplicaSet',
    'Deployment',
    'StatefulSet',
    'DaemonSet',
    'Job',
    'CronJob',
    'Pod',
    'Event',
    'ResourceQuota',
    'LimitRange',
    'ServiceAccount',
    'PriorityClass',
    'ValidatingWebhookConfiguration',
    'MutatingWebhookConfiguration',
    'Service',
  ],
  rules: createRules,
  *analyze(cluster) {
    const told = new Set<string>();
    for (const refusal of refusals(cluster)) {
      const { kind, namespace, name } = refusal.owner;
      const key = `${kind}/${namespace}/${name}`;
      if (told.has(key)) continue;
      const draft = explain(cluster, refusal);
      if (draft === undefined) continue;
      told.add(key);
      yield draft;
    }
  },
});

function explain(cluster: View<CreateNeeds>, { owner, words, evidence }: Refusal): Draft<CreateCode> | undefined {
  const { code, name } = readRefusal(words);
  if (hasCome(cluster, code, name, owner)) return undefined;
  const culprit = culpritOf(cluster, code, owner, name);
  const detail = {
    workload: `${owner.kind}/${owner.name}`,
    namespace: owner.namespace,
    name,
    service: culprit.service,
    by: words.includes('security context constraint') ? 'scc' : undefined,
  };
  return {
    code,
    subject: culprit.root ?? owner,
    message: `${sentence(code, owner, name, words)}${culprit.hint}`,
    evidence: [evidence, ...culprit.evidence],
    suspects: culprit.suspects,
    explains: culprit.root === undefined ? [] : [owner],
    explainedBy: culprit.backends,
    detail,
    since: evidence.at,
    fault:
      culprit.root === undefined
        ? undefined
        : `${culprit.root.kind}/${culprit.root.namespace ?? ''}/${culprit.root.name}`,
  };
}

/** Whether there is now what was missing: things that are applied together come into being one after the other. */
function hasCome(cluster: View<CreateNeeds>, code: CreateCode, name: string, { namespace }: Ref): boolean {
  if (code === 'create.service-account-missing') return cluster.get('ServiceAccount', name, namespace) !== undefined;
  return code === 'create.priority-class-missing' && cluster.get('PriorityClass', name) !== undefined;
}
