import type { ApiObject } from './api-server.ts';

const uid = (kind: string, namespace: string, name: string) => `uid-${kind}-${namespace}-${name}`;

/** An object of any kind. */
export const object = (kind: string, namespace: string | undefined, name: string, fields: object = {}): ApiObject => ({
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid: uid(kind, namespace ?? '', name) },
  ...fields,
});

/** A pod with one container, "app", that runs and is ready. */
export const healthyPod = (namespace: string, name: string): ApiObject =>
  object('Pod', namespace, name, {
    spec: { nodeName: 'lab-1', containers: [{ name: 'app', image: 'nginx:1.29' }] },
    status: {
      phase: 'Running',
      containerStatuses: [
        { name: 'app', ready: true, restartCount: 0, state: { running: { startedAt: '2026-11-21T01:00:00Z' } } },
      ],
    },
  });

/** A pod whose container exits with 1 and is started again and again. */
export const crashingPod = (namespace: string, name: string): ApiObject =>
  object('Pod', namespace, name, {
    spec: { nodeName: 'lab-1', containers: [{ name: 'app', image: 'nginx:1.29' }] },
    status: {
      phase: 'Running',
      containerStatuses: [
        {
          name: 'app',
          ready: false,
          restartCount: 7,
          state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s restarting failed container' } },
          lastState: {
            terminated: { exitCode: 1, reason: 'Error', finishedAt: '2026-11-21T01:59:00Z' },
          },
        },
      ],
    },
  });

/** So many of something, named so that they sort by number. */
export const many = <T>(count: number, make: (name: string) => T, prefix = 'pod'): T[] =>
  Array.from({ length: count }, (_, index) => make(`${prefix}-${String(index).padStart(6, '0')}`));
