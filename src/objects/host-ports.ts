import type { Container, Pod } from './pod-schema.ts';

export interface HostPort {
  readonly port: number;
  readonly protocol: string;
  readonly ip: string;
}

/** The ports of its host that a pod asks for. */
export function hostPortsOf({ spec }: Pod): readonly HostPort[] {
  const ports: HostPort[] = [];
  for (const container of spec?.containers ?? []) addHostPorts(ports, container);
  for (const container of spec?.initContainers ?? []) if (isSidecar(container)) addHostPorts(ports, container);
  return ports;
}

function addHostPorts(into: HostPort[], container: Container): void {
  for (const { hostPort, protocol = 'TCP', hostIP = '' } of container.ports ?? []) {
    if (hostPort !== undefined && hostPort > 0) into.push({ port: hostPort, protocol, ip: hostIP });
  }
}

const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always';

const isAny = (ip: string): boolean => ip === '' || ip === '0.0.0.0' || ip === '::';

export const collide = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (isAny(a.ip) || isAny(b.ip) || a.ip === b.ip);
