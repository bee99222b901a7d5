import type { ApiServerOptions } from './api-server.ts';
import { type Answer, status, text } from './api-server-answers.ts';
import type { Place } from './api-server-paths.ts';

interface PodLike {
  readonly spec?: {
    readonly containers?: readonly { readonly name: string }[];
    readonly initContainers?: readonly { readonly name: string }[];
  };
  readonly status?: {
    readonly containerStatuses?: readonly Status[];
    readonly initContainerStatuses?: readonly Status[];
  };
}

interface Status {
  readonly name: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string };
    readonly running?: object;
    readonly terminated?: object;
  };
  readonly lastState?: { readonly terminated?: object };
}

/** A container's log, cut as the query asks, or why there is none. */
export function logAnswer(place: Place, query: URLSearchParams, { objects, logs = {} }: ApiServerOptions): Answer {
  const { name = '', namespace } = place;
  const object = objects.find(
    ({ kind, metadata }) => kind === 'Pod' && metadata.name === name && metadata.namespace === namespace,
  );
  if (object === undefined) return status(404, `pods "${name}" not found`, { name, kind: 'pods' });
  const { spec, status: state } = object as PodLike;
  const names = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map((container) => container.name);
  const container = query.get('container') ?? names[0] ?? '';
  if (!names.includes(container)) return status(400, `container ${container} is not valid for pod ${name}`);
  const statuses = [...(state?.containerStatuses ?? []), ...(state?.initContainerStatuses ?? [])];
  const own = statuses.find((one) => one.name === container);
  const previous = query.get('previous') === 'true';
  if (previous && own?.lastState?.terminated === undefined) {
    return status(400, `previous terminated container "${container}" in pod "${name}" not found`);
  }
  const waiting = own?.state?.waiting;
  if (!previous && waiting !== undefined && own?.lastState?.terminated === undefined) {
    const reason = waiting.reason ?? 'ContainerCreating';
    return status(400, `container "${container}" in pod "${name}" is waiting to start: ${reason}`);
  }
  // Between two runs the last one's log is the current one.
  const last = previous || waiting !== undefined;
  const lines = logs[`${namespace}/${name}/${container}${last ? '/previous' : ''}`] ?? '';
  return { ...text(cut(lines, query), 200, 'text/plain'), stream: true };
}

function cut(log: string, query: URLSearchParams): string {
  const tail = query.get('tailLines');
  const limit = query.get('limitBytes');
  let lines = log.split('\n').filter((line) => line !== '');
  if (tail !== null) lines = Number(tail) === 0 ? [] : lines.slice(-Number(tail));
  if (query.get('timestamps') !== 'true') lines = lines.map((line) => line.replace(/^\S+Z /, ''));
  const whole = lines.map((line) => `${line}\n`).join('');
  return limit === null ? whole : Buffer.from(whole).subarray(0, Number(limit)).toString();
}
