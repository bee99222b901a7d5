import type { Evidence, Ref } from '../finding.ts';
import { labelText } from '../objects/labels.ts';
import { conditionOf } from '../objects/pods.ts';
import { refTo } from '../objects/refs.ts';
import type { Labels } from '../objects/selector.ts';
import { inNamespace, type Kinds, type View } from '../snapshot.ts';
import type { ServiceNeeds } from './service-rules.ts';

/** What makes pods for a Service. */
export interface Workload {
  readonly ref: Ref;
  /** The labels of its pods. */
  readonly template: Labels;
  /** Why it is meant to have no running pod: "has been scaled to 0". */
  readonly rests: string | undefined;
  readonly evidence: Omit<Evidence, 'id'>;
}

/** All of a namespace; what another one controls, a ReplicaSet of a Deployment, stands behind it or is left out. */
export const workloadsIn = (cluster: View<ServiceNeeds>, namespace: string): readonly Workload[] => [
  ...inNamespace(cluster.list('Deployment'), namespace).map((set) => withReplicas('Deployment', set)),
  ...inNamespace(cluster.list('StatefulSet'), namespace).map((set) => withReplicas('StatefulSet', set)),
  ...inNamespace(cluster.list('DaemonSet'), namespace).map((set) => {
    const template = set.spec?.template?.metadata?.labels ?? {};
    return workload(refTo('DaemonSet', set), template, undefined);
  }),
  ...inNamespace(cluster.list('ReplicaSet'), namespace)
    .filter(({ metadata }) => metadata?.ownerReferences?.some(({ controller }) => controller === true) !== true)
    .map((set) => withReplicas('ReplicaSet', set)),
  ...inNamespace(cluster.list('CronJob'), namespace).map((cronJob) => {
    const template = cronJob.spec?.jobTemplate?.spec?.template?.metadata?.labels ?? {};
    return workload(refTo('CronJob', cronJob), template, 'has no Job that runs');
  }),
  ...inNamespace(cluster.list('Job'), namespace).map((job) => {
    const template = job.spec?.template?.metadata?.labels ?? {};
    return workload(refTo('Job', job), template, endOf(job));
  }),
];

function withReplicas(
  kind: 'Deployment' | 'StatefulSet' | 'ReplicaSet',
  set: Kinds['Deployment' | 'StatefulSet' | 'ReplicaSet'],
): Workload {
  const ref = refTo(kind, set);
  const { replicas, template } = set.spec ?? {};
  return {
    ...workload(ref, template?.metadata?.labels ?? {}, replicas === 0 ? 'has been scaled to 0' : undefined),
    evidence: { from: ref, where: 'spec.replicas', text: String(replicas ?? 'not set') },
  };
}

const workload = (ref: Ref, template: Labels, rests: string | undefined): Workload => ({
  ref,
  template,
  rests,
  evidence: { from: ref, where: 'labels of its pod template', text: labelText(template) },
});

function endOf(job: Kinds['Job']): string | undefined {
  if (conditionOf(job, 'Complete')?.status === 'True') return 'has completed';
  if (conditionOf(job, 'Failed')?.status === 'True') return 'has failed';
  return job.spec?.suspend === true ? 'is suspended' : undefined;
}
