import { LabelSelector, MetaCondition, ObjectMeta, withHistory, withMeta } from './meta.ts';
import { NodeSelector, Pod, PodSpec, PodTemplateSpec } from './pod-schema.ts';
import {
  bool,
  inline,
  int,
  intOrString,
  json,
  keepEmpty,
  keys,
  lazily,
  list,
  message,
  microTime,
  type Of,
  omitZero,
  one,
  only,
  part,
  quantities,
  string,
  stringList,
  strings,
  time,
} from './schema.ts';

// core/v1

const NodeCondition = message({
  type: string(1),
  status: string(2),
  lastHeartbeatTime: time(3),
  lastTransitionTime: time(4),
  reason: string(5),
  message: string(6),
});

const Node = message({
  metadata: withMeta,
  spec: part(
    2,
    message({
      providerID: string(3),
      unschedulable: omitZero(bool(4)),
      taints: list(5, message({ key: string(1), value: string(2), effect: string(3), timeAdded: time(4) })),
    }),
  ),
  status: part(
    3,
    message({
      capacity: quantities(1),
      allocatable: quantities(2),
      conditions: list(4, NodeCondition),
      nodeInfo: part(
        7,
        message({
          bootID: string(3),
          kernelVersion: string(4),
          osImage: string(5),
          containerRuntimeVersion: string(6),
          kubeletVersion: string(7),
          operatingSystem: string(9),
          architecture: string(10),
        }),
      ),
      volumesInUse: stringList(9),
      volumesAttached: list(10, message({ name: string(1) })),
    }),
  ),
});

const ObjectReference = message({
  kind: string(1),
  namespace: string(2),
  name: string(3),
  uid: string(4),
  apiVersion: string(5),
  fieldPath: string(7),
});

// There are many, and nothing is asked of their labels, annotations or owners.
const EventMeta = only(ObjectMeta, ['name', 'namespace', 'uid', 'creationTimestamp']);

const Event = message({
  metadata: part(1, EventMeta),
  involvedObject: part(2, ObjectReference),
  reason: string(3),
  message: string(4),
  source: part(5, message({ component: string(1), host: string(2) })),
  firstTimestamp: time(6),
  lastTimestamp: time(7),
  count: omitZero(int(8)),
  type: string(9),
  eventTime: microTime(10),
  series: one(11, message({ count: omitZero(int(1)), lastObservedTime: microTime(2) })),
  action: string(12),
  related: one(13, ObjectReference),
  reportingComponent: string(14),
  reportingInstance: string(15),
});

const Namespace = message({
  metadata: withMeta,
  status: part(3, message({ phase: string(1) })),
});

const ConfigMap = message({ metadata: withHistory, data: keys(2), binaryData: keys(3) });
const Secret = message({ metadata: withHistory, data: keys(2), type: string(3) });

const LocalObjectReference = message({ name: string(1) });

const ServiceAccount = message({
  metadata: withMeta,
  imagePullSecrets: list(3, LocalObjectReference),
});

const PersistentVolumeClaim = message({
  metadata: withMeta,
  spec: part(
    2,
    message({
      accessModes: stringList(1),
      resources: part(2, message({ requests: quantities(2) })),
      volumeName: string(3),
      selector: one(4, LabelSelector),
      storageClassName: keepEmpty(string(5)),
      volumeMode: string(6),
    }),
  ),
  status: part(
    3,
    message({
      phase: string(1),
      accessModes: stringList(2),
      capacity: quantities(3),
      conditions: list(
        4,
        message({
          type: string(1),
          status: string(2),
          lastTransitionTime: time(4),
          reason: string(5),
          message: string(6),
        }),
      ),
    }),
  ),
});

const PersistentVolumeSource = message({
  hostPath: one(3, message({ path: string(1), type: string(2) })),
  nfs: one(5, message({ server: string(1), path: string(2) })),
  local: one(20, message({ path: string(1) })),
  csi: one(22, message({ driver: string(1), volumeHandle: string(2) })),
});

const PersistentVolume = message({
  metadata: withMeta,
  spec: part(
    2,
    message(
      {
        capacity: quantities(1),
        accessModes: stringList(3),
        claimRef: one(4, ObjectReference),
        persistentVolumeReclaimPolicy: string(5),
        storageClassName: string(6),
        volumeMode: string(8),
        nodeAffinity: one(9, message({ required: one(1, NodeSelector) })),
      },
      inline(2, PersistentVolumeSource),
    ),
  ),
  status: part(3, message({ phase: string(1), message: string(2), reason: string(3) })),
});

const Service = message({
  metadata: withMeta,
  spec: part(
    2,
    message({
      ports: list(
        1,
        message({
          name: string(1),
          protocol: string(2),
          port: int(3),
          targetPort: omitZero(intOrString(4)),
          nodePort: omitZero(int(5)),
        }),
      ),
      selector: strings(2),
      clusterIP: string(3),
      type: string(4),
      externalName: string(10),
      publishNotReadyAddresses: omitZero(bool(13)),
    }),
  ),
});

const ResourceQuota = message({
  metadata: withMeta,
  spec: part(2, message({ hard: quantities(1) })),
  status: part(3, message({ hard: quantities(1), used: quantities(2) })),
});

const LimitRange = message({
  metadata: withMeta,
  spec: part(
    2,
    message({
      limits: list(
        1,
        message({
          type: string(1),
          max: quantities(2),
          min: quantities(3),
          default: quantities(4),
          defaultRequest: quantities(5),
        }),
      ),
    }),
  ),
});

// apps/v1

const workloadCondition = (transition: number, reason: number, text: number) =>
  message({
    type: string(1),
    status: string(2),
    lastTransitionTime: time(transition),
    reason: string(reason),
    message: string(text),
  });

// Of a template only ReplicaSets have to tell everything: they are the revisions of a Deployment. Other workloads' templates
// are the labels that selectors look for, and the account that pods cannot be made without.
const WorkloadTemplate = message({
  metadata: part(1, only(ObjectMeta, ['labels'])),
  spec: part(2, only(PodSpec, ['serviceAccountName'])),
});

const ReplicaSet = message({
  metadata: withMeta,
  spec: part(
    2,
    message({
      replicas: int(1),
      selector: one(2, LabelSelector),
      template: lazily(part(3, PodTemplateSpec)),
    }),
  ),
  status: part(
    3,
    message({
      replicas: int(1),
      observedGeneration: omitZero(int(3)),
      readyReplicas: omitZero(int(4)),
      availableReplicas: omitZero(int(5)),
      conditions: list(6, workloadCondition(3, 4, 5)),
    }),
  ),
});

const Deployment = message({
  metadata: withMeta,
  spec: part(
    2,
    message({
      replicas: int(1),
      selector: one(2, LabelSelector),
      template: part(3, WorkloadTemplate),
      strategy: part(4, message({ type: string(1) })),
      minReadySeconds: omitZero(int(5)),
      paused: omitZero(bool(7)),
      progressDeadlineSeconds: int(9),
    }),
  ),
  status: part(
    3,
    message({
      observedGeneration: omitZero(int(1)),
      replicas: omitZero(int(2)),
      updatedReplicas: omitZero(int(3)),
      availableReplicas: omitZero(int(4)),
      unavailableReplicas: omitZero(int(5)),
      conditions: list(
        6,
        message({
          type: string(1),
          status: string(2),
          reason: string(4),
          message: string(5),
          lastUpdateTime: time(6),
          lastTransitionTime: time(7),
        }),
      ),
      readyReplicas: omitZero(int(7)),
    }),
  ),
});

const StatefulSet = message({
  metadata: withMeta,
  spec: part(
    2,
    message({
      replicas: int(1),
      selector: one(2, LabelSelector),
      template: part(3, WorkloadTemplate),
      volumeClaimTemplates: list(4, message({ metadata: part(1, ObjectMeta) })),
      serviceName: string(5),
    }),
  ),
  status: part(
    3,
    message({
      observedGeneration: omitZero(int(1)),
      replicas: int(2),
      readyReplicas: omitZero(int(3)),
      currentReplicas: omitZero(int(4)),
      updatedReplicas: omitZero(int(5)),
      currentRevision: string(6),
      updateRevision: string(7),
      conditions: list(10, workloadCondition(3, 4, 5)),
      availableReplicas: int(11),
    }),
  ),
});

const DaemonSet = message({
  metadata: withMeta,
  spec: part(2, message({ selector: one(1, LabelSelector), template: part(2, WorkloadTemplate) })),
  status: part(
    3,
    message({
      currentNumberScheduled: int(1),
      numberMisscheduled: int(2),
      desiredNumberScheduled: int(3),
      numberReady: int(4),
      observedGeneration: omitZero(int(5)),
      updatedNumberScheduled: omitZero(int(6)),
      numberAvailable: omitZero(int(7)),
      numberUnavailable: omitZero(int(8)),
      conditions: list(10, workloadCondition(3, 4, 5)),
    }),
  ),
});

const ControllerRevision = message({ metadata: withMeta, data: json(2), revision: int(3) });

// batch/v1

const JobSpec = message({
  parallelism: int(1),
  completions: int(2),
  activeDeadlineSeconds: int(3),
  selector: one(4, LabelSelector),
  template: part(6, WorkloadTemplate),
  backoffLimit: int(7),
  suspend: bool(10),
});

const Job = message({
  metadata: withMeta,
  spec: part(2, JobSpec),
  status: part(
    3,
    message({
      conditions: list(
        1,
        message({
          type: string(1),
          status: string(2),
          lastProbeTime: time(3),
          lastTransitionTime: time(4),
          reason: string(5),
          message: string(6),
        }),
      ),
      startTime: time(2),
      completionTime: time(3),
      active: omitZero(int(4)),
      succeeded: omitZero(int(5)),
      failed: omitZero(int(6)),
    }),
  ),
});

const CronJob = message({
  metadata: withMeta,
  spec: part(
    2,
    message({
      schedule: string(1),
      startingDeadlineSeconds: int(2),
      concurrencyPolicy: string(3),
      suspend: bool(4),
      jobTemplate: part(5, message({ spec: part(2, only(JobSpec, ['template'])) })),
    }),
  ),
  status: part(
    3,
    message({
      active: list(1, ObjectReference),
      lastScheduleTime: time(4),
      lastSuccessfulTime: time(5),
    }),
  ),
});

// discovery.k8s.io/v1

const EndpointSlice = message({
  metadata: withMeta,
  endpoints: list(
    2,
    message({
      conditions: part(2, message({ ready: bool(1), serving: bool(2), terminating: bool(3) })),
    }),
  ),
  ports: list(3, message({ name: string(1), protocol: string(2), port: int(3) })),
});

// storage.k8s.io/v1

const StorageClass = message({
  metadata: withMeta,
  provisioner: string(2),
  reclaimPolicy: string(4),
  volumeBindingMode: string(7),
});

const VolumeAttachment = message({
  metadata: withMeta,
  spec: part(
    2,
    message({
      attacher: string(1),
      source: part(2, message({ persistentVolumeName: string(1) })),
      nodeName: string(3),
    }),
  ),
  status: part(
    3,
    message({
      attached: bool(1),
      attachError: one(3, message({ time: time(1), message: string(2) })),
      detachError: one(4, message({ time: time(1), message: string(2) })),
    }),
  ),
});

const CSINode = message({
  metadata: withMeta,
  spec: part(
    2,
    message({
      drivers: list(
        1,
        message({
          name: string(1),
          nodeID: string(2),
          allocatable: one(4, message({ count: int(1) })),
        }),
      ),
    }),
  ),
});

// scheduling.k8s.io/v1, node.k8s.io/v1, policy/v1, admissionregistration.k8s.io/v1

const PriorityClass = message({ metadata: withMeta, value: int(2), globalDefault: omitZero(bool(3)) });
const RuntimeClass = message({ metadata: withMeta, handler: string(2) });

const PodDisruptionBudget = message({
  metadata: withMeta,
  spec: part(
    2,
    message({
      minAvailable: intOrString(1),
      selector: one(2, LabelSelector),
      maxUnavailable: intOrString(3),
    }),
  ),
  status: part(
    3,
    message({
      disruptionsAllowed: int(3),
      currentHealthy: int(4),
      desiredHealthy: int(5),
      expectedPods: int(6),
      conditions: list(7, MetaCondition),
    }),
  ),
});

const WebhookService = message({ namespace: string(1), name: string(2), port: int(4) });
const Webhook = message({
  name: string(1),
  clientConfig: part(2, message({ service: one(1, WebhookService), url: string(3) })),
  failurePolicy: string(4),
});
const WebhookConfiguration = message({ metadata: withMeta, webhooks: list(2, Webhook) });

/**
 * Every kind that podlens reads, by its Kubernetes name. A new kind is a row here and one in `cluster/kinds.ts`.
 */
export const messages = {
  Pod,
  Node,
  Event,
  Namespace,
  ConfigMap,
  Secret,
  ServiceAccount,
  PersistentVolumeClaim,
  PersistentVolume,
  Service,
  ResourceQuota,
  LimitRange,
  ReplicaSet,
  Deployment,
  StatefulSet,
  DaemonSet,
  ControllerRevision,
  Job,
  CronJob,
  EndpointSlice,
  StorageClass,
  VolumeAttachment,
  CSINode,
  PriorityClass,
  RuntimeClass,
  PodDisruptionBudget,
  ValidatingWebhookConfiguration: WebhookConfiguration,
  MutatingWebhookConfiguration: WebhookConfiguration,
};

type Messages = typeof messages;

/** The API kinds and their normalised objects. */
export type ApiKinds = { [K in keyof Messages]: Of<Messages[K]> };
export type ApiKind = keyof ApiKinds;

export type Event = ApiKinds['Event'];
export type Node = ApiKinds['Node'];
