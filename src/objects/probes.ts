import type { Probe } from './pod-schema.ts';
import type { Container, ContainerView, Pod } from './pods.ts';

// Defaults of the API (core/v1 Probe).
const delay = (probe: Probe): number => probe.initialDelaySeconds ?? 0;
const period = (probe: Probe): number => probe.periodSeconds || 10;
const timeout = (probe: Probe): number => probe.timeoutSeconds || 1;
const threshold = (probe: Probe): number => probe.failureThreshold || 3;

/** Seconds after which a probe that never succeeds gives up: initialDelay + period × failureThreshold. */
export const budgetSeconds = (probe: Probe): number => delay(probe) + period(probe) * threshold(probe);

/** Seconds that a container may stay unready after its start before that means anything. */
export const readyBudgetSeconds = (container: Container): number =>
  (container.startupProbe === undefined ? 0 : budgetSeconds(container.startupProbe)) + readinessSeconds(container);

/** The part of them that comes after the startup probe has succeeded. */
export const readinessSeconds = ({ readinessProbe: probe }: Container): number =>
  probe === undefined ? 30 : Math.max(30, delay(probe) + 3 * period(probe));

/** How long the kubelet waits between SIGTERM and SIGKILL when this probe fails. */
export const graceSeconds = (pod: Pod, probe?: Probe): number =>
  probe?.terminationGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30;

/**
 * Whether a run of `seconds` that ended with SIGKILL (`killed`) or on SIGTERM lasted just as long as the kubelet lets a
 * container live whose probe never succeeds.
 */
export function lastedAsLongAsProbe(pod: Pod, probe: Probe, seconds: number, killed: boolean): boolean {
  const wait = killed ? graceSeconds(pod, probe) : 0;
  const first = delay(probe) + period(probe) * (threshold(probe) - 1);
  return seconds >= first + wait - 1 && seconds <= longestUnderProbe(pod, probe, killed);
}

/** The most seconds for which the kubelet lets a container live whose probe never succeeds. */
export function longestUnderProbe(pod: Pod, probe: Probe, killed: boolean): number {
  const last = delay(probe) + (period(probe) + timeout(probe)) * threshold(probe) + period(probe);
  // An application that goes on SIGTERM takes some part of the grace period, mostly a small one.
  return last + (killed ? graceSeconds(pod, probe) + 3 : Math.min(10, graceSeconds(pod, probe)));
}

/** "httpGet :8080/healthz", "tcpSocket :5432", "exec pg_isready". */
export function describeProbe(probe: Probe): string {
  if (probe.httpGet !== undefined) {
    const { scheme, port, path = '/' } = probe.httpGet;
    return `httpGet ${scheme === 'HTTPS' ? 'https ' : ''}:${port ?? ''}${path}`;
  }
  if (probe.tcpSocket !== undefined) return `tcpSocket :${probe.tcpSocket.port ?? ''}`;
  if (probe.grpc !== undefined) return `grpc :${probe.grpc.port ?? ''}`;
  if (probe.exec !== undefined) return `exec ${(probe.exec.command ?? []).join(' ')}`.slice(0, 120);
  return 'no handler';
}

/** The port that a probe asks, as a number where it is known. */
export function probePort(probe: Probe, container: Container): number | undefined {
  const port = probe.httpGet?.port ?? probe.tcpSocket?.port ?? probe.grpc?.port;
  if (typeof port === 'number') return port;
  if (port === undefined) return undefined;
  if (/^\d+$/.test(port)) return Number(port);
  return container.ports?.find(({ name }) => name === port)?.containerPort;
}

/** The name of a port that a probe asks and the container does not have: the kubelet cannot carry such a probe out. */
export function undeclaredPort(probe: Probe, container: Container): string | undefined {
  const port = probe.httpGet?.port ?? probe.tcpSocket?.port;
  if (typeof port !== 'string' || /^\d+$/.test(port)) return undefined;
  return container.ports?.some(({ name }) => name === port) ? undefined : port;
}

/** The ports that the container declares, and "the container declares port 80" for a sentence. */
function declaredPorts({ spec }: ContainerView): number[] {
  return (spec.ports ?? []).map(({ containerPort }) => containerPort).filter((port) => port !== undefined);
}

/**
 * What the output of a failed probe means (pkg/probe/{http,tcp,grpc,exec}); undefined where it says no more than it says.
 */
export function readProbeOutput(
  output: string,
  probe: Probe | undefined,
  container: ContainerView,
): string | undefined {
  const port = probe === undefined ? undefined : probePort(probe, container.spec);
  const declared = declaredPorts(container);
  if (/connection refused/.test(output)) {
    const other =
      port !== undefined && declared.length > 0 && !declared.includes(port)
        ? `; the container declares port ${declared.join(', ')}`
        : '';
    return `nothing listens on port ${port ?? 'asked'}${other}`;
  }
  if (/context deadline exceeded|Client\.Timeout|request canceled|timed out after|i\/o timeout/.test(output)) {
    return `no answer within ${probe === undefined ? 'the time limit' : `${timeout(probe)} s`}`;
  }
  if (/no route to host|network is unreachable/.test(output)) return 'the pod cannot be reached from its node';
  if (/server gave HTTP response to HTTPS client/.test(output)) return 'the probe uses HTTPS and the server plain HTTP';
  if (/malformed HTTP response/.test(output)) return 'the probe uses plain HTTP and the server something else';
  if (/connection reset by peer|\bEOF\b/.test(output)) return 'the server closed the connection';
  if (/NOT_SERVING/.test(output)) return 'the service says that it is not serving';
  const status = /statuscode: (\d+)/.exec(output)?.[1];
  if (status === undefined) return undefined;
  const path = probe?.httpGet?.path ?? '/';
  if (status === '404') return `the server has no ${path}`;
  if (status === '401' || status === '403') return `the server asks for credentials at ${path}`;
  if (status.startsWith('5')) return `the server answers ${status} at ${path}: it, or something it depends on, fails`;
  const secure = status === '400' && probe?.httpGet?.scheme !== 'HTTPS' ? ', as one does that expects HTTPS' : '';
  return `the server answers ${status} at ${path}${secure}`;
}
