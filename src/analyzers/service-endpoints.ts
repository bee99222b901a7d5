import { type Draft, defineAnalyzer, type Rule, type Where } from '../analyzer.ts';
import type { Ref } from '../finding.ts';
import { change, kubectl, look, shell } from '../objects/kubectl.ts';
import { labelText, matchesLabels } from '../objects/labels.ts';
import { type Container, conditionOf, isLiving, type Pod, podRef } from '../objects/pods.ts';
import { type NamespacePods, podsIn } from '../objects/pods-by-label.ts';
import { refTo, shortName } from '../objects/refs.ts';
import { secondsBetween } from '../objects/time.ts';
import { inNamespace, type Kinds, type View } from '../snapshot.ts';

type Needs = 'Service' | 'Pod' | 'EndpointSlice' | 'Deployment' | 'StatefulSet' | 'DaemonSet';
type Service = Kinds['Service'];
type Labels = Readonly<Record<string, string>>;
type Port = NonNullable<Container['ports']>[number];

const CONTROLLER =
  'kube-controller-manager (endpointslice controller), from spec.selector and the labels and readiness of pods';

const rule = (summary: string, remedy: Rule['remedy']): Rule => ({
  severity: 'warning',
  summary,
  source: CONTROLLER,
  stage: 'owner',
  remedy,
});

const labels = (w: Where) =>
  look(
    'See the labels of the pods.',
    shell('kubectl', 'get', 'pods', '-n', w.subject.namespace ?? 'default', '--show-labels'),
  );

const rules = {
  'service.selector-mismatch': rule(
    'The selector of a Service fits no pod, though something in its namespace nearly does.',
    (w) => [labels(w), change('Correct the selector, or the labels of the pod template.', kubectl('edit', w.subject))],
  ),
  'service.no-endpoints': rule('A Service has no ready pod behind it.', (w) => [
    labels(w),
    look(
      'See its endpoints.',
      shell(
        'kubectl',
        'get',
        'endpointslices',
        '-n',
        w.subject.namespace ?? 'default',
        '-l',
        `kubernetes.io/service-name=${w.subject.name}`,
      ),
    ),
    change('Make its pods ready, correct its selector, or delete it if nothing needs it.', kubectl('edit', w.subject)),
  ]),
  'service.target-port': rule('A Service sends traffic to a port on which its pods do not listen.', (w) => [
    look('See the ports of Service and pods.', kubectl('describe', w.subject)),
    change('Correct targetPort of the Service.', kubectl('edit', w.subject)),
  ]),
} satisfies Record<string, Rule>;

type Code = keyof typeof rules;

// Pods that start, and services that are made before their workload, are given this long.
const SETTLED_SECONDS = 300;

export const serviceEndpoints = defineAnalyzer<Needs, Code>({
  id: 'service-endpoints',
  kind: 'Service',
  title: 'Services without a ready pod, or with the wrong port',
  needs: ['Service', 'Pod', 'EndpointSlice', 'Deployment', 'StatefulSet', 'DaemonSet'],
  rules,
  *analyze(cluster) {
    const served = servedElsewhere(cluster);
    let pods: NamespacePods | undefined;
    for (const service of cluster.list('Service')) {
      const { selector = {}, type } = service.spec ?? {};
      const { namespace = '', name = '' } = service.metadata ?? {};
      if (type === 'ExternalName' || Object.keys(selector).length === 0 || served.has(`${namespace}/${name}`)) continue;
      if (!cluster.covers('Pod', namespace)) continue;
      // The Services of a namespace follow each other.
      if (pods?.namespace !== namespace) pods = podsIn(cluster, namespace);
      const selected = pods.selectedBy(selector);
      if (selected.some(isServing)) yield* wrongPort(service, selected);
      else if (selected.some(isLiving)) yield* noneReady(cluster, service, selected.filter(isLiving));
      else yield* selectsNothing(cluster, service, selector, pods.all.filter(isLiving));
    }
  },
});

const isServing = (pod: Pod): boolean => isLiving(pod) && conditionOf(pod, 'Ready')?.status === 'True';

/** Services that have ready endpoints all the same: made by hand, or by another controller. */
function servedElsewhere(cluster: View<Needs>): Set<string> {
  const served = new Set<string>();
  for (const { metadata, endpoints } of cluster.list('EndpointSlice')) {
    const name = metadata?.labels?.['kubernetes.io/service-name'];
    const byHand =
      !metadata?.labels?.['endpointslice.kubernetes.io/managed-by']?.startsWith('endpointslice-controller');
    if (name !== undefined && byHand && endpoints?.some(({ conditions }) => conditions?.ready !== false)) {
      served.add(`${metadata?.namespace}/${name}`);
    }
  }
  return served;
}

function* selectsNothing(
  cluster: View<Needs>,
  service: Service,
  selector: Labels,
  pods: readonly Pod[],
): Generator<Draft<Code>> {
  const subject = refTo('Service', service);
  const where = `${subject.namespace}/${subject.name}`;
  const evidence = [{ from: subject, where: 'spec.selector', text: labelText(selector) }];
  const asleep = workloads(cluster, subject.namespace).find(({ template }) => matchesLabels(selector, template));
  if (asleep !== undefined) {
    // Its pods are about to come, cannot be created (which is reported of the workload), or are not wanted.
    yield {
      code: 'service.no-endpoints',
      subject,
      message: `Service ${where} has no pod: ${shortName(asleep.ref)} behind it has ${asleep.replicas === 0 ? 'been scaled to 0' : 'no pods'}.`,
      evidence: [...evidence, { from: asleep.ref, where: 'spec.replicas', text: String(asleep.replicas ?? 'not set') }],
      severity: 'info',
      explainedBy: [asleep.ref],
    };
    return;
  }
  if ((secondsBetween(service.metadata?.creationTimestamp, cluster.takenAt) ?? Infinity) < 60) return;
  const nearest = nearestLabels(selector, [
    ...pods.map((pod) => ({ ref: podRef(pod), labels: pod.metadata?.labels ?? {} })),
    ...workloads(cluster, subject.namespace).map(({ ref, template }) => ({ ref, labels: template })),
  ]);
  if (nearest === undefined) {
    yield {
      code: 'service.no-endpoints',
      subject,
      message: `Service ${where} selects no pod: none in the namespace has ${labelText(selector)}.`,
      evidence,
    };
    return;
  }
  const differs = Object.keys(selector).filter((key) => nearest.labels[key] !== selector[key]);
  yield {
    code: 'service.selector-mismatch',
    subject,
    message: `Service ${where} selects no pod: it asks for ${labelText(pick(selector, differs))}, and ${shortName(nearest.ref)} has ${labelText(pick(nearest.labels, differs)) || 'no such label'}.`,
    evidence: [...evidence, { from: nearest.ref, where: 'metadata.labels', text: labelText(nearest.labels) }],
    suspects: [nearest.ref],
  };
}

const pick = (labels: Labels, keys: readonly string[]): Labels =>
  Object.fromEntries(keys.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]])));

interface Workload {
  readonly ref: Ref;
  readonly template: Labels;
  readonly replicas: number | undefined;
}

function workloads(cluster: View<Needs>, namespace = ''): Workload[] {
  return (['Deployment', 'StatefulSet', 'DaemonSet'] as const).flatMap((kind) =>
    inNamespace(cluster.list(kind), namespace).map((workload) => ({
      ref: refTo(kind, workload),
      template: workload.spec?.template?.metadata?.labels ?? {},
      replicas: kind === 'DaemonSet' ? undefined : ((workload as Kinds['Deployment']).spec?.replicas ?? 1),
    })),
  );
}

interface Labelled {
  readonly ref: Ref;
  readonly labels: Labels;
}

/** The object that meets most of the selector, if it meets any of it or has the same keys with other values. */
function nearestLabels(selector: Labels, candidates: readonly Labelled[]): Labelled | undefined {
  let best: Labelled | undefined;
  let most = 0;
  for (const candidate of candidates) {
    let score = 0;
    for (const [key, value] of Object.entries(selector)) {
      if (candidate.labels[key] === value) score += 2;
      else if (candidate.labels[key] !== undefined && isLike(value, candidate.labels[key])) score += 1;
    }
    if (score > most) {
      most = score;
      best = candidate;
    }
  }
  return best;
}

/** Shares its first letters, or contains the other: "web" and "web-v1", "payments" and "payment". */
const isLike = (a: string, b: string): boolean =>
  a.includes(b) || b.includes(a) || (a.length > 3 && a.slice(0, 3) === b.slice(0, 3));

function* noneReady(cluster: View<Needs>, service: Service, selected: readonly Pod[]): Generator<Draft<Code>> {
  if (service.spec?.publishNotReadyAddresses === true) return;
  const subject = refTo('Service', service);
  const oldest = Math.max(
    ...selected.map((pod) => secondsBetween(pod.metadata?.creationTimestamp, cluster.takenAt) ?? 0),
  );
  yield {
    code: 'service.no-endpoints',
    subject,
    message: `Service ${subject.namespace}/${subject.name} has no ready pod: it selects ${selected.length}, and none of them is ready.`,
    evidence: [
      { from: subject, where: 'spec.selector', text: labelText(service.spec?.selector ?? {}) },
      ...selected.slice(0, 3).map((pod) => ({
        from: podRef(pod),
        where: 'status.conditions[Ready]',
        text: `${conditionOf(pod, 'Ready')?.status ?? 'unknown'}: ${conditionOf(pod, 'Ready')?.message ?? pod.status?.phase ?? ''}`,
      })),
    ],
    severity: oldest < SETTLED_SECONDS ? 'info' : undefined,
    explainedBy: selected.map((pod) => podRef(pod)),
  };
}

/**
 * A port by name that no container has is certain. A number need not be declared: it counts only if every container
 * declares its ports and none is it.
 */
function* wrongPort(service: Service, pods: readonly Pod[]): Generator<Draft<Code>> {
  const subject = refTo('Service', service);
  for (const port of service.spec?.ports ?? []) {
    const target = port.targetPort ?? port.port;
    if (target === undefined || pods.some((pod) => isServing(pod) && mayListen(pod, target))) continue;
    const pod = pods.find(isServing);
    if (pod === undefined) return;
    const declared = portsOf(pod).map(({ name, containerPort }) =>
      name === undefined ? String(containerPort) : `${name} (${containerPort})`,
    );
    yield {
      code: 'service.target-port',
      subject,
      message: `Service ${subject.namespace}/${subject.name} sends port ${port.port} to ${typeof target === 'string' ? `the port named "${target}"` : `port ${target}`}, and its pods have ${declared.length === 0 ? 'no port of that name' : `port ${declared.join(', ')}`}.`,
      evidence: [
        { from: subject, where: `spec.ports[${port.name ?? port.port}].targetPort`, text: String(target) },
        { from: podRef(pod), where: 'spec.containers[].ports', text: declared.join(', ') || '(none)' },
      ],
      confidence: typeof target === 'string' ? 'certain' : 'likely',
      check:
        typeof target === 'string'
          ? undefined
          : look(
              'See whether anything answers there.',
              shell(
                'kubectl',
                'port-forward',
                `pod/${pod.metadata?.name}`,
                '-n',
                subject.namespace ?? 'default',
                String(target),
              ),
            ),
      suspects: [podRef(pod)],
    };
    return;
  }
}

const portsOf = (pod: Pod): readonly Port[] => (pod.spec?.containers ?? []).flatMap(({ ports }) => ports ?? []);

function mayListen(pod: Pod, target: number | string): boolean {
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  const has = (is: (port: Port) => boolean) =>
    containers.some(({ ports }) => ports?.some(is)) || initContainers.some(({ ports }) => ports?.some(is));
  if (typeof target === 'string' && !/^\d+$/.test(target)) return has(({ name }) => name === target);
  if (containers.some(({ ports = [] }) => ports.length === 0)) return true;
  return has(({ containerPort }) => containerPort === Number(target));
}
