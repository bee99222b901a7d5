import { LabelSelector, ObjectMeta } from './meta.ts';
import {
  bool,
  inline,
  int,
  intOrString,
  list,
  message,
  type Of,
  omitZero,
  one,
  part,
  quantities,
  quantity,
  string,
  stringList,
  strings,
  time,
} from './schema.ts';

// core/v1: Pod and what it is made of

const LocalObjectReference = message({ name: string(1) });

const KeySelector = message({ key: string(2), optional: bool(3) }, inline(1, LocalObjectReference));

const EnvVarSource = message({
  fieldRef: one(1, message({ apiVersion: string(1), fieldPath: string(2) })),
  resourceFieldRef: one(2, message({ containerName: string(1), resource: string(2) })),
  configMapKeyRef: one(3, KeySelector),
  secretKeyRef: one(4, KeySelector),
  fileKeyRef: one(5, message({ volumeName: string(1), path: string(2), key: string(3), optional: bool(4) })),
});

const EnvVar = message({ name: string(1), value: string(2), valueFrom: one(3, EnvVarSource) });

const EnvSource = message({ optional: bool(2) }, inline(1, LocalObjectReference));

const EnvFromSource = message({
  prefix: string(1),
  configMapRef: one(2, EnvSource),
  secretRef: one(3, EnvSource),
});

const HttpGet = message({
  path: string(1),
  port: intOrString(2),
  host: string(3),
  scheme: string(4),
});

const Exec = message({ command: stringList(1) });

const handler = {
  exec: one(1, Exec),
  httpGet: one(2, HttpGet),
  tcpSocket: one(3, message({ port: intOrString(1), host: string(2) })),
};

const ProbeHandler = message({ ...handler, grpc: one(4, message({ port: int(1), service: string(2) })) });

export const Probe = message(
  {
    initialDelaySeconds: omitZero(int(2)),
    timeoutSeconds: omitZero(int(3)),
    periodSeconds: omitZero(int(4)),
    successThreshold: omitZero(int(5)),
    failureThreshold: omitZero(int(6)),
    terminationGracePeriodSeconds: int(7),
  },
  inline(1, ProbeHandler),
);

const LifecycleHandler = message({
  ...handler,
  sleep: one(4, message({ seconds: int(1) })),
});

const ContainerPort = message({
  name: string(1),
  hostPort: omitZero(int(2)),
  containerPort: int(3),
  protocol: string(4),
  hostIP: string(5),
});

const VolumeMount = message({
  name: string(1),
  readOnly: omitZero(bool(2)),
  mountPath: string(3),
  subPath: string(4),
  subPathExpr: string(6),
});

const ResourceRequirements = message({
  limits: quantities(1),
  requests: quantities(2),
  claims: list(3, message({ name: string(1), request: string(2) })),
});

const SecurityContext = message({
  privileged: bool(2),
  runAsUser: int(4),
  runAsNonRoot: bool(5),
  readOnlyRootFilesystem: bool(6),
});

export const Container = message({
  name: string(1),
  image: string(2),
  command: stringList(3),
  args: stringList(4),
  workingDir: string(5),
  ports: list(6, ContainerPort),
  env: list(7, EnvVar),
  resources: part(8, ResourceRequirements),
  volumeMounts: list(9, VolumeMount),
  livenessProbe: one(10, Probe),
  readinessProbe: one(11, Probe),
  lifecycle: one(12, message({ postStart: one(1, LifecycleHandler), preStop: one(2, LifecycleHandler) })),
  imagePullPolicy: string(14),
  securityContext: one(15, SecurityContext),
  envFrom: list(19, EnvFromSource),
  volumeDevices: list(21, message({ name: string(1), devicePath: string(2) })),
  startupProbe: one(22, Probe),
  restartPolicy: string(24),
  restartPolicyRules: list(
    25,
    message({
      action: string(1),
      exitCodes: one(2, message({ operator: string(1) })),
    }),
  ),
});

const KeyToPath = message({ key: string(1), path: string(2) });

const NamedItems = message({ items: list(2, KeyToPath), optional: bool(4) }, inline(1, LocalObjectReference));

export const Projection = message({ secret: one(1, NamedItems), configMap: one(3, NamedItems) });

export const VolumeSource = message({
  hostPath: one(1, message({ path: string(1), type: string(2) })),
  emptyDir: one(2, message({ medium: string(1), sizeLimit: quantity(2) })),
  secret: one(6, message({ secretName: string(1), items: list(2, KeyToPath), optional: bool(4) })),
  nfs: one(7, message({ server: string(1), path: string(2) })),
  persistentVolumeClaim: one(10, message({ claimName: string(1), readOnly: omitZero(bool(2)) })),
  configMap: one(19, NamedItems),
  projected: one(26, message({ sources: list(1, Projection) })),
  csi: one(28, message({ driver: string(1) })),
  ephemeral: one(29, message({ volumeClaimTemplate: one(1, message({ metadata: part(1, ObjectMeta) })) })),
  image: one(30, message({ reference: string(1), pullPolicy: string(2) })),
});

export const Volume = message({ name: string(1) }, inline(2, VolumeSource));
export type Volume = Of<typeof Volume>;

const NodeSelectorRequirement = message({ key: string(1), operator: string(2), values: stringList(3) });

export const NodeSelectorTerm = message({
  matchExpressions: list(1, NodeSelectorRequirement),
  matchFields: list(2, NodeSelectorRequirement),
});

export const NodeSelector = message({ nodeSelectorTerms: list(1, NodeSelectorTerm) });

const PodAffinityTerm = message({
  labelSelector: one(1, LabelSelector),
  namespaces: stringList(2),
  topologyKey: string(3),
  namespaceSelector: one(4, LabelSelector),
});

export const Affinity = message({
  nodeAffinity: one(1, message({ requiredDuringSchedulingIgnoredDuringExecution: one(1, NodeSelector) })),
  podAffinity: one(2, message({ requiredDuringSchedulingIgnoredDuringExecution: list(1, PodAffinityTerm) })),
  podAntiAffinity: one(3, message({ requiredDuringSchedulingIgnoredDuringExecution: list(1, PodAffinityTerm) })),
});

const Toleration = message({
  key: string(1),
  operator: string(2),
  value: string(3),
  effect: string(4),
  tolerationSeconds: int(5),
});

const TopologySpreadConstraint = message({
  maxSkew: int(1),
  topologyKey: string(2),
  whenUnsatisfiable: string(3),
  labelSelector: one(4, LabelSelector),
  minDomains: int(5),
  nodeAffinityPolicy: string(6),
  nodeTaintsPolicy: string(7),
  matchLabelKeys: stringList(8),
});

export const PodSpec = message({
  volumes: list(1, Volume),
  containers: list(2, Container),
  restartPolicy: string(3),
  terminationGracePeriodSeconds: int(4),
  activeDeadlineSeconds: int(5),
  nodeSelector: strings(7),
  serviceAccountName: string(8),
  nodeName: string(10),
  hostNetwork: omitZero(bool(11)),
  securityContext: one(14, message({ runAsUser: int(2), runAsNonRoot: bool(3) })),
  imagePullSecrets: list(15, LocalObjectReference),
  affinity: one(18, Affinity),
  schedulerName: string(19),
  initContainers: list(20, Container),
  tolerations: list(22, Toleration),
  priorityClassName: string(24),
  priority: int(25),
  readinessGates: list(28, message({ conditionType: string(1) })),
  runtimeClassName: string(29),
  preemptionPolicy: string(31),
  overhead: quantities(32),
  topologySpreadConstraints: list(33, TopologySpreadConstraint),
  ephemeralContainers: list(34, message({ targetContainerName: string(2) }, inline(1, Container))),
  schedulingGates: list(38, message({ name: string(1) })),
  resourceClaims: list(
    39,
    message({ name: string(1), resourceClaimName: string(3), resourceClaimTemplateName: string(4) }),
  ),
  resources: one(40, ResourceRequirements),
});
export type PodSpec = Of<typeof PodSpec>;

export const PodTemplateSpec = message({ metadata: part(1, ObjectMeta), spec: part(2, PodSpec) });

export const ContainerState = message({
  waiting: one(1, message({ reason: string(1), message: string(2) })),
  running: one(2, message({ startedAt: time(1) })),
  terminated: one(
    3,
    message({
      exitCode: int(1),
      signal: omitZero(int(2)),
      reason: string(3),
      message: string(4),
      startedAt: time(5),
      finishedAt: time(6),
    }),
  ),
});

export const ContainerStatus = message({
  name: string(1),
  state: part(2, ContainerState),
  lastState: part(3, ContainerState),
  ready: bool(4),
  restartCount: int(5),
  image: string(6),
  imageID: string(7),
  started: bool(9),
  allocatedResourcesStatus: list(
    14,
    message({
      name: string(1),
      resources: list(2, message({ resourceID: string(1), health: string(2), message: string(6) })),
    }),
  ),
});

export const PodCondition = message({
  type: string(1),
  status: string(2),
  lastProbeTime: time(3),
  lastTransitionTime: time(4),
  reason: string(5),
  message: string(6),
});

export const PodStatus = message({
  phase: string(1),
  conditions: list(2, PodCondition),
  message: string(3),
  reason: string(4),
  startTime: time(7),
  containerStatuses: list(8, ContainerStatus),
  qosClass: string(9),
  initContainerStatuses: list(10, ContainerStatus),
  nominatedNodeName: string(11),
  ephemeralContainerStatuses: list(13, ContainerStatus),
  resize: string(14),
  resourceClaimStatuses: list(15, message({ name: string(1), resourceClaimName: string(2) })),
});

export const Pod = message({ metadata: part(1, ObjectMeta), spec: part(2, PodSpec), status: part(3, PodStatus) });

export type Pod = Of<typeof Pod>;
export type Container = Of<typeof Container>;
export type ContainerStatus = Of<typeof ContainerStatus>;
export type Probe = Of<typeof Probe>;
