import type { Draft } from '../analyzer.ts';
import { look, shell } from '../objects/kubectl.ts';
import { type Container, type Pod, podRef } from '../objects/pods.ts';
import { refTo } from '../objects/refs.ts';
import type { Service, ServiceCode } from './service-rules.ts';

type Port = NonNullable<Container['ports']>[number];

/**
 * A port by name that no container has is certain. A number need not be declared: it counts only if every container
 * declares its ports and none is it.
 */
export function* wrongPort(service: Service, ready: readonly Pod[]): Generator<Draft<ServiceCode>> {
  const subject = refTo('Service', service);
  for (const port of service.spec?.ports ?? []) {
    const target = port.targetPort ?? port.port;
    if (target === undefined || ready.some((pod) => mayListen(pod, target))) continue;
    const [pod] = ready;
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
