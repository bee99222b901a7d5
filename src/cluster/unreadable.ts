import { PodlensError } from '../errors.ts';
import type { ApiKind } from '../objects/kinds-schema.ts';
import { ApiError, answered, ConnectionError } from './errors.ts';
import { resources } from './kinds.ts';
import type { Reader } from './list.ts';

/**
 * Why one kind could not be read, for a gap: 'forbidden: user "jane" lacks the right to list at the cluster scope'. It
 * does not name the kind, so that kinds with the same reason make one gap. Undefined where the whole cluster is
 * concerned, and nothing that was read may be reported.
 */
export function whyUnreadable(
  error: unknown,
  kind: ApiKind,
  namespace: string | undefined,
  { transport, signal }: Pick<Reader, 'transport' | 'signal'>,
): string | undefined {
  if (signal.aborted) return undefined;
  if (error instanceof ConnectionError) {
    // Some lists take a server longer than others; a server that never answered is another matter.
    const slow = error.trouble === 'timeout' && transport.traffic.answered;
    return slow ? `no whole answer came: ${error.message}` : undefined;
  }
  if (error instanceof PodlensError && error.code === 'bad-response') return error.message;
  if (!(error instanceof ApiError) || error.status === 401) return undefined;
  if (error.status === 403) return `forbidden: ${userIn(error)} lacks the right to list ${where(namespace)}`;
  // The core group is everywhere: without it, this is no API server, or another path of one.
  if (error.status === 404 && resources[kind].groupVersion === 'v1') return undefined;
  if (error.status === 404) return `the API server does not offer ${resources[kind].groupVersion}`;
  return answered(error);
}

// 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope'
const userIn = ({ message }: ApiError): string => {
  const user = /User "([^"]+)"/.exec(message)?.[1];
  return user === undefined ? 'this user' : `user "${user}"`;
};

const where = (namespace: string | undefined): string =>
  namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;

/**
 * Whether the cluster has no API group for the kind at all, so that there are no such objects. A group that is there in
 * other versions may well have some.
 */
export async function isAbsentGroup(error: unknown, kind: ApiKind, reader: Reader): Promise<boolean> {
  const [group, version] = resources[kind].groupVersion.split('/');
  if (!(error instanceof ApiError) || error.status !== 404 || version === undefined) return false;
  try {
    await reader.transport.get(`/apis/${group}`, {
      accept: 'application/json',
      signal: reader.signal,
      onBytes: () => undefined,
    });
    return false;
  } catch (failure) {
    return failure instanceof ApiError && failure.status === 404;
  }
}
