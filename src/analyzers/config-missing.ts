import type { Draft } from '../analyzer.ts';
import type { Evidence, Ref } from '../finding.ts';
import { keysOf } from '../objects/config-mounts.ts';
import { type ConfigRef, requiredConfig } from '../objects/config-refs.ts';
import { ownerOf } from '../objects/owner.ts';
import type { Pod } from '../objects/pods.ts';
import { didYouMean } from '../objects/suggest.ts';
import type { View } from '../snapshot.ts';
import type { Code } from './config-rules.ts';

export type Needs = 'Pod' | 'ReplicaSet' | 'Job' | 'Event' | 'ConfigMap' | 'Secret';

/** For so long the kubelet may still be receiving an object that exists. */
export const TRANSIENT_SECONDS = 120;

/** For remedies: the pod and its workload. */
export function detailOf(cluster: View<Needs>, pod: Pod) {
  const owner = ownerOf(cluster, pod);
  return { pod: `Pod/${pod.metadata?.name ?? ''}`, workload: owner && `${owner.kind}/${owner.name}` };
}

/** That a ConfigMap or Secret does not exist, which `from`, a pod or container, needs. */
export function missing(
  cluster: View<Needs>,
  pod: Pod,
  from: Ref,
  kind: ConfigRef['kind'],
  name: string,
  evidence: readonly Omit<Evidence, 'id'>[],
): Draft<Code> {
  const namespace = pod.metadata?.namespace ?? '';
  const subject: Ref = { kind, namespace, name };
  const refs = requiredConfig(pod).filter((ref) => ref.kind === kind && ref.name === name);
  return {
    code: kind === 'Secret' ? 'config.secret-missing' : 'config.configmap-missing',
    subject,
    message: `${kind} "${name}" does not exist in namespace ${namespace}, and ${from.container === undefined ? `pod ${from.name}` : `container ${from.container}`} cannot start without it.${near(cluster, kind, namespace, name)}`,
    evidence: [
      ...evidence,
      ...refs.slice(0, 2).map((ref) => ({
        from,
        where: ref.path,
        text: `${kind} ${name}${ref.keys.length === 0 ? '' : `, key ${ref.keys.join(', ')}`}`,
      })),
    ],
    detail: detailOf(cluster, pod),
    explains: [from],
    since: pod.status?.startTime,
  };
}

/** " Did you mean …" for a name in the same namespace, else for the same name in another one. */
function near(cluster: View<Needs>, kind: ConfigRef['kind'], namespace: string, name: string): string {
  const objects = cluster.list(kind);
  const here = objects
    .filter(({ metadata }) => metadata?.namespace === namespace)
    .map(({ metadata }) => metadata?.name ?? '');
  const [meant] = didYouMean(
    name,
    here.filter((other) => other !== 'kube-root-ca.crt'),
  );
  if (meant !== undefined) return ` Did you mean "${meant}"?`;
  const elsewhere = objects.filter(({ metadata }) => metadata?.name === name && metadata.namespace !== namespace);
  if (elsewhere.length === 0) return '';
  return ` One of that name exists in ${elsewhere
    .slice(0, 3)
    .map(({ metadata }) => metadata?.namespace)
    .join(', ')}.`;
}

/** That a ConfigMap or Secret has no such key. */
export function missingKeyOf(
  cluster: View<Needs>,
  pod: Pod,
  from: Ref,
  kind: ConfigRef['kind'],
  name: string,
  key: string,
  evidence: readonly Omit<Evidence, 'id'>[],
): Draft<Code> {
  const namespace = pod.metadata?.namespace ?? '';
  const known = keysOf(cluster, kind, namespace, name);
  const [meant] = didYouMean(key, known ?? []);
  const subject: Ref = { kind, namespace, name };
  return {
    code: 'config.key-missing',
    subject,
    message: `${kind} ${namespace}/${name} has no key "${key}", and ${from.container === undefined ? `pod ${from.name}` : `container ${from.container}`} cannot start without it.${meant === undefined ? '' : ` Did you mean "${meant}"?`}`,
    evidence: [
      ...evidence,
      ...(known === undefined ? [] : [{ from: subject, where: 'data (keys)', text: known.join(', ') || '(none)' }]),
    ],
    detail: detailOf(cluster, pod),
    explains: [from],
    fault: `${kind}/${namespace}/${name}/${key}`,
    since: pod.status?.startTime,
  };
}
