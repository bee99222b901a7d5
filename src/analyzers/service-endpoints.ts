import { type Draft, defineAnalyzer } from '../analyzer.ts';
import { isComingUp } from '../objects/coming-up.ts';
import { labelText } from '../objects/labels.ts';
import { conditionOf, isLiving, type Pod, podRef } from '../objects/pods.ts';
import { type NamespacePods, podsIn } from '../objects/pods-by-label.ts';
import { refTo } from '../objects/refs.ts';
import { secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import { noneLiving, withoutEndpoints } from './service-empty.ts';
import { wrongPort } from './service-port.ts';
import { type Service, type ServiceCode, type ServiceNeeds, serviceRules } from './service-rules.ts';

// Pods that start are given this long, whatever their probes allow.
const SETTLED_SECONDS = 300;

export const serviceEndpoints = defineAnalyzer<ServiceNeeds, ServiceCode>({
  id: 'service-endpoints',
  kind: 'Service',
  title: 'Services without a ready pod, or with the wrong port',
  needs: [
    'Service',
    'Pod',
    'EndpointSlice',
    'Deployment',
    'StatefulSet',
    'DaemonSet',
    'ReplicaSet',
    'Job',
    'CronJob',
    'Event',
  ],
  rules: serviceRules,
  *analyze(cluster) {
    const { served, empty } = readSlices(cluster);
    let pods: NamespacePods | undefined;
    for (const service of cluster.list('Service')) {
      const { selector = {}, type } = service.spec ?? {};
      const { namespace = '', name = '' } = service.metadata ?? {};
      const key = `${namespace}/${name}`;
      if (type === 'ExternalName' || Object.keys(selector).length === 0 || served.has(key)) continue;
      if (!cluster.covers('Pod', namespace)) {
        if (empty.has(key)) yield* withoutEndpoints(cluster, service);
        continue;
      }
      // The Services of a namespace follow each other.
      if (pods?.namespace !== namespace) pods = podsIn(cluster, namespace);
      const selected = pods.selectedBy(selector);
      const living = selected.filter(isLiving);
      if (living.some(isReady)) yield* wrongPort(service, living.filter(isReady));
      else if (living.length > 0) yield* noneReady(cluster, service, living);
      else yield* noneLiving(cluster, service, selected, pods.all.filter(isLiving));
    }
  },
});

const isReady = (pod: Pod): boolean => conditionOf(pod, 'Ready')?.status === 'True';

/** What endpoint slices say of the Services that they belong to. */
interface Slices {
  /** Services that have ready endpoints all the same: made by hand, or by another controller. */
  readonly served: ReadonlySet<string>;
  /** Services for which the controller found no pod with an address. */
  readonly empty: ReadonlySet<string>;
}

function readSlices(cluster: View<ServiceNeeds>): Slices {
  const served = new Set<string>();
  const empty = new Set<string>();
  const filled: string[] = [];
  for (const { metadata, endpoints = [] } of cluster.list('EndpointSlice')) {
    const name = metadata?.labels?.['kubernetes.io/service-name'];
    if (name === undefined) continue;
    const key = `${metadata?.namespace}/${name}`;
    const byHand =
      !metadata?.labels?.['endpointslice.kubernetes.io/managed-by']?.startsWith('endpointslice-controller');
    if (!byHand && endpoints.length === 0) empty.add(key);
    else filled.push(key);
    if (byHand && endpoints.some(({ conditions }) => conditions?.ready !== false)) served.add(key);
  }
  for (const key of filled) empty.delete(key);
  return { served, empty };
}

function* noneReady(
  cluster: View<ServiceNeeds>,
  service: Service,
  living: readonly Pod[],
): Generator<Draft<ServiceCode>> {
  if (service.spec?.publishNotReadyAddresses === true) return;
  const subject = refTo('Service', service);
  const isSettling = (pod: Pod) =>
    (secondsBetween(pod.metadata?.creationTimestamp, cluster.takenAt) ?? 0) < SETTLED_SECONDS ||
    isComingUp(cluster, pod);
  yield {
    code: 'service.no-endpoints',
    subject,
    message: `Service ${subject.namespace}/${subject.name} has no ready pod: it selects ${living.length}, and none of them is ready.`,
    evidence: [
      { from: subject, where: 'spec.selector', text: labelText(service.spec?.selector ?? {}) },
      ...living.slice(0, 3).map((pod) => ({
        from: podRef(pod),
        where: 'status.conditions[Ready]',
        text: `${conditionOf(pod, 'Ready')?.status ?? 'unknown'}: ${conditionOf(pod, 'Ready')?.message ?? pod.status?.phase ?? ''}`,
      })),
    ],
    severity: living.every(isSettling) ? 'info' : undefined,
    explainedBy: living.map((pod) => podRef(pod)),
  };
}
