import { ObjectMeta } from '../objects/meta.ts';
import {
  Affinity,
  Container,
  ContainerStatus,
  Pod,
  PodCondition,
  PodSpec,
  PodStatus,
  Volume,
  VolumeSource,
} from '../objects/pod-schema.ts';
import { inline, list, type Message, message, type Of, one, only, part } from '../objects/schema.ts';

// Almost every pod of a large cluster is healthy, and nothing is asked of such a pod but what it means to others: to its
// owner, to Services and claims, and to the pods that want a place on its node. Only that is kept.

const keptContainer = only(Container, ['name', 'image', 'ports', 'resources', 'restartPolicy']);
const keptVolume = message(
  only(Volume, ['name']).fields,
  inline(2, only(VolumeSource, ['persistentVolumeClaim', 'ephemeral'])),
);
const isClaim = (volume: unknown): boolean => {
  const { persistentVolumeClaim, ephemeral } = volume as Of<typeof Volume>;
  return persistentVolumeClaim !== undefined || ephemeral !== undefined;
};

/** What is kept of a certainly healthy pod, without its status, and what none has that is healthy. */
const keptOfHealthy: Message = message({
  metadata: part(
    1,
    only(ObjectMeta, [
      'name',
      'namespace',
      'uid',
      'creationTimestamp',
      'labels',
      'ownerReferences',
      'deletionTimestamp',
    ]),
  ),
  spec: part(
    2,
    message({
      ...only(PodSpec, ['nodeName', 'hostNetwork', 'priorityClassName', 'priority', 'overhead']).fields,
      ...only(PodSpec, ['schedulerName', 'resourceClaims', 'resources', 'schedulingGates']).fields,
      volumes: { ...list(1, keptVolume), where: isClaim },
      containers: list(2, keptContainer),
      affinity: one(18, only(Affinity, ['podAntiAffinity'])),
      initContainers: list(20, keptContainer),
    }),
  ),
});

type Status = NonNullable<Pod['status']>;

// Its status says only what all of them say, so they share it.
const isTrue = (type: string) => Object.freeze({ type, status: 'True' });
const statusWith = (phase: string, ...types: string[]): Status =>
  Object.freeze({ phase, ...(types.length === 0 ? {} : { conditions: Object.freeze(types.map(isTrue)) }) });

const running = statusWith('Running', 'Ready');
const runningWhereScheduled = statusWith('Running', 'PodScheduled', 'Ready');
const succeeded = statusWith('Succeeded');
const succeededWhereScheduled = statusWith('Succeeded', 'PodScheduled');

/**
 * Reads a pod, given what reads the fields of a table from it: a healthy one as it is kept, any other whole. `runs` says
 * that its status is known to be that of an ordinary running pod.
 */
export function readPod(read: (message: Message) => Pod, runs = false): Pod {
  if (runs) {
    const pod = read(keptOfHealthy);
    return isPlaced(pod) ? kept(pod, runningWhereScheduled) : read(Pod);
  }
  const seen = read(forHealth);
  if (!isCertainlyHealthy(seen)) return read(Pod);
  return kept(read(keptOfHealthy), keptStatus(seen.status));
}

/** Whether it is on a node, to stay there. */
const isPlaced = ({ metadata, spec }: Pod): boolean =>
  metadata?.deletionTimestamp === undefined && spec?.nodeName !== undefined && spec.schedulingGates === undefined;

const kept = ({ metadata = {}, spec = {} }: Pod, status: Status): Pod => Object.freeze({ metadata, spec, status });

function keptStatus({ phase, conditions }: Status = {}): Status {
  const scheduled = conditions?.some(({ type, status }) => type === 'PodScheduled' && status === 'True') === true;
  if (phase === 'Succeeded') return scheduled ? succeededWhereScheduled : succeeded;
  return scheduled ? runningWhereScheduled : running;
}

const containerForHealth = only(ContainerStatus, [
  'state',
  'lastState',
  'ready',
  'restartCount',
  'started',
  'allocatedResourcesStatus',
]);

/** What `isCertainlyHealthy` looks at. */
const forHealth: Message = message({
  metadata: part(1, only(ObjectMeta, ['deletionTimestamp'])),
  spec: part(2, only(PodSpec, ['nodeName', 'schedulingGates'])),
  status: part(
    3,
    message({
      ...only(PodStatus, ['phase', 'message', 'reason', 'nominatedNodeName', 'resize']).fields,
      conditions: list(2, only(PodCondition, ['type', 'status'])),
      containerStatuses: list(8, containerForHealth),
      initContainerStatuses: list(10, containerForHealth),
      ephemeralContainerStatuses: list(13, only(ContainerStatus, ['ready'])),
    }),
  ),
});

/**
 * Whether nothing is or was the matter with the pod, as far as the API server knows. Any doubt is a no: such a pod is
 * kept whole.
 */
function isCertainlyHealthy(pod: Pod): boolean {
  const { status = {} } = pod;
  if (!isPlaced(pod)) return false;
  const { reason, message, nominatedNodeName, resize, ephemeralContainerStatuses } = status;
  if ((reason ?? message ?? nominatedNodeName ?? resize ?? ephemeralContainerStatuses) !== undefined) return false;
  if (status.phase === 'Succeeded') return hasSucceeded(status);
  return status.phase === 'Running' && isRunning(status);
}

// DisruptionTarget, a pending resize and readiness gates that are not met are none of these, or not True.
const PLAIN = new Set(['Ready', 'ContainersReady', 'Initialized', 'PodScheduled', 'PodReadyToStartContainers']);

function isRunning({ conditions = [], containerStatuses = [], initContainerStatuses = [] }: Status): boolean {
  let isReady = false;
  for (const { type = '', status } of conditions) {
    if (status !== 'True' || !(PLAIN.has(type) || type.includes('/'))) return false;
    if (type === 'Ready') isReady = true;
  }
  return isReady && containerStatuses.every(runs) && initContainerStatuses.every((init) => runs(init) || isDone(init));
}

function hasSucceeded({ conditions = [], containerStatuses = [], initContainerStatuses = [] }: Status): boolean {
  if (conditions.some(({ type = '' }) => !PLAIN.has(type))) return false;
  return containerStatuses.every(isDone) && initContainerStatuses.every(isDone);
}

const runs = (container: ContainerStatus): boolean =>
  isSteady(container) &&
  container.ready === true &&
  container.started !== false &&
  container.state?.running !== undefined;

const isDone = (container: ContainerStatus): boolean =>
  isSteady(container) && container.state?.terminated?.exitCode === 0 && container.state.terminated.signal === undefined;

const isSteady = ({ restartCount, lastState, allocatedResourcesStatus }: ContainerStatus): boolean =>
  !restartCount && lastState === undefined && allocatedResourcesStatus === undefined;
