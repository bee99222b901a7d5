import type { Draft } from '../analyzer.ts';
import { look, shell } from '../objects/kubectl.ts';
import { type Container, type Pod, podRef } from '../objects/pods.ts';
import { refTo } from '../objects/refs.ts';
import type { Service, ServiceCode } from './service-rules.ts';

type Port = NonNullable<Container['ports']>[number];
type ServicePort = NonNullable<NonNullable<Service['spec']>['ports']>[number];

/**
 * A port by name that no container has is certain. A number need not be declared: it counts only if every container
 * declares its ports and none is it.
 */
export function* wrongPort(service: Service, ready: readonly Pod[]): Generator<Draft<ServiceCode>> {
  const { ports = [], clusterIP } = service.spec ?? {};
  // The names of a headless Service lead to its pods, whatever port it gives.
  if (clusterIP === 'None') return;
  const wrong = ports.filter((port) => !ready.some((pod) => mayListen(pod, port)));
  const port = wrong.find((one) => nameOf(one) !== undefined) ?? wrong[0];
  const [pod] = ready;
  const target = port?.targetPort ?? port?.port;
  if (port === undefined || pod === undefined || target === undefined) return;
  const subject = refTo('Service', service);
  const byName = nameOf(port) !== undefined;
  const declared = portsOf(pod)
    .map((one) => describe(one, port))
    .join(', ');
  yield {
    code: 'service.target-port',
    subject,
    message: `Service ${subject.namespace}/${subject.name} sends port ${port.port}${protocolOf(port) === 'TCP' ? '' : `/${protocolOf(port)}`} to ${byName ? `the port named "${target}"` : `port ${target}`}, and its pods have ${declared === '' ? 'no port of that name' : `port ${declared}`}.`,
    evidence: [
      { from: subject, where: `spec.ports[${port.name ?? port.port}].targetPort`, text: String(target) },
      { from: podRef(pod), where: 'spec.containers[].ports', text: declared || '(none)' },
    ],
    // Whoever declares some ports may have left out those for metrics and the like.
    severity: byName || wrong.length === ports.length ? undefined : 'info',
    confidence: byName ? 'certain' : 'likely',
    check: byName
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
}

const portsOf = (pod: Pod): readonly Port[] => (pod.spec?.containers ?? []).flatMap(({ ports }) => ports ?? []);

const protocolOf = ({ protocol }: Port | ServicePort): string => protocol ?? 'TCP';

/** "http (80)", with its protocol where that is not the usual one or not the one asked for. */
function describe(port: Port, asked: ServicePort): string {
  const protocol = protocolOf(port);
  const number = `${port.containerPort}${protocol === 'TCP' && protocolOf(asked) === 'TCP' ? '' : `/${protocol}`}`;
  return port.name === undefined ? number : `${port.name} (${number})`;
}

/** The name by which a Service looks for the port of its pods. */
const nameOf = ({ targetPort }: ServicePort): string | undefined =>
  typeof targetPort === 'string' && !/^\d+$/.test(targetPort) ? targetPort : undefined;

function mayListen(pod: Pod, asked: ServicePort): boolean {
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  const target = asked.targetPort ?? asked.port;
  if (target === undefined) return true;
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always');
  const has = (is: (port: Port) => boolean) => [...containers, ...sidecars].some(({ ports }) => ports?.some(is));
  const name = nameOf(asked);
  // As podutil.FindPort looks for it.
  if (name !== undefined) return has((port) => port.name === name && protocolOf(port) === protocolOf(asked));
  if (containers.some(({ ports = [] }) => ports.length === 0)) return true;
  return has(({ containerPort }) => containerPort === Number(target));
}
