import { type Draft, defineAnalyzer } from '../analyzer.ts';
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
    'Event',
    'ResourceQuota',
    'LimitRange',
    'ServiceAccount',
    'PriorityClass',
    'ValidatingWebhookConfiguration',
    'MutatingWebhookConfiguration',
  ],
  rules: createRules,
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

function explain(cluster: View<CreateNeeds>, { owner, words, evidence }: Refusal): Draft<CreateCode> {
  const { code, name } = readRefusal(words);
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
