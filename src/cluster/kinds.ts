import type { ApiKind } from '../objects/kinds-schema.ts';

/** Where the API server offers a kind. */
export interface Resource {
  /** "v1", "apps/v1": a folder below /api or /apis. */
  readonly groupVersion: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** What kubectl accepts beside kind and plural. */
  readonly shortNames: readonly string[];
  /**
   * Objects that seldom come or go, so that the API server may answer from its cache, which may lag behind by moments:
   * without a look into etcd, and in one piece, since it pages nothing that comes from there.
   */
  readonly cached: boolean;
}

const row = (groupVersion: string, plural: string, namespaced: boolean, ...shortNames: string[]): Resource => ({
  groupVersion,
  plural,
  namespaced,
  shortNames,
  cached: false,
});

const cached = (resource: Resource): Resource => ({ ...resource, cached: true });

/** One row per kind: how it is listed, and what people call it. */
export const resources: Readonly<Record<ApiKind, Resource>> = {
  Pod: row('v1', 'pods', true, 'po'),
  Node: cached(row('v1', 'nodes', false, 'no')),
  Event: row('v1', 'events', true, 'ev'),
  Namespace: cached(row('v1', 'namespaces', false, 'ns')),
  ConfigMap: row('v1', 'configmaps', true, 'cm'),
  Secret: row('v1', 'secrets', true),
  ServiceAccount: row('v1', 'serviceaccounts', true, 'sa'),
  PersistentVolumeClaim: row('v1', 'persistentvolumeclaims', true, 'pvc'),
  PersistentVolume: row('v1', 'persistentvolumes', false, 'pv'),
  Service: row('v1', 'services', true, 'svc'),
  ResourceQuota: row('v1', 'resourcequotas', true, 'quota'),
  LimitRange: row('v1', 'limitranges', true, 'limits'),
  ReplicaSet: row('apps/v1', 'replicasets', true, 'rs'),
  Deployment: row('apps/v1', 'deployments', true, 'deploy'),
  StatefulSet: row('apps/v1', 'statefulsets', true, 'sts'),
  DaemonSet: row('apps/v1', 'daemonsets', true, 'ds'),
  ControllerRevision: row('apps/v1', 'controllerrevisions', true),
  Job: row('batch/v1', 'jobs', true),
  CronJob: row('batch/v1', 'cronjobs', true, 'cj'),
  EndpointSlice: row('discovery.k8s.io/v1', 'endpointslices', true),
  StorageClass: cached(row('storage.k8s.io/v1', 'storageclasses', false, 'sc')),
  VolumeAttachment: row('storage.k8s.io/v1', 'volumeattachments', false),
  CSINode: cached(row('storage.k8s.io/v1', 'csinodes', false)),
  PriorityClass: cached(row('scheduling.k8s.io/v1', 'priorityclasses', false, 'pc')),
  RuntimeClass: cached(row('node.k8s.io/v1', 'runtimeclasses', false)),
  PodDisruptionBudget: row('policy/v1', 'poddisruptionbudgets', true, 'pdb'),
  ValidatingWebhookConfiguration: cached(
    row('admissionregistration.k8s.io/v1', 'validatingwebhookconfigurations', false),
  ),
  MutatingWebhookConfiguration: cached(row('admissionregistration.k8s.io/v1', 'mutatingwebhookconfigurations', false)),
};

export const isApiKind = (kind: string): kind is ApiKind => Object.hasOwn(resources, kind);
