import { PodlensError } from '../errors.ts';
import { didYouMean } from '../objects/suggest.ts';
import { ApiError } from './errors.ts';
import { resources } from './kinds.ts';
import { type Reader, readList, resourcePath } from './list.ts';
import { retrying } from './retry.ts';

/**
 * Throws a PodlensError for a namespace that does not exist: the API server answers lists in it with nothing, which
 * would look healthy. Returns those of which the person may not know whether they exist.
 */
export async function checkNamespaces(
  reader: Reader,
  namespaces: readonly string[],
  source: 'asked' | 'context' = 'asked',
): Promise<readonly string[]> {
  const exist = await Promise.all(namespaces.map((namespace) => exists(namespace, reader)));
  const missing = namespaces.filter((_, index) => exist[index] === false);
  const [name] = missing;
  if (name === undefined) return namespaces.filter((_, index) => exist[index] === undefined);
  const others = await names(reader);
  const near = didYouMean(name, others);
  const hint =
    near.length > 0
      ? `Did you mean ${near.map((n) => `"${n}"`).join(' or ')}?`
      : others.length > 0 && others.length <= 20
        ? `Namespaces: ${others.join(', ')}.`
        : 'kubectl get namespaces lists them.';
  const named = missing.map((namespace) => `"${namespace}"`).join(', ');
  const message =
    source === 'context'
      ? `The context's namespace ${named} does not exist, and the cluster may not be read as a whole.`
      : `No namespace named ${named} in the cluster ${reader.transport.server}.`;
  throw new PodlensError('namespace-not-found', message, { hint });
}

/** Undefined where the person may not know. */
async function exists(namespace: string, { transport, signal, pace, ...reader }: Reader): Promise<boolean | undefined> {
  const path = `${resourcePath(resources.Namespace)}/${encodeURIComponent(namespace)}`;
  const get = () =>
    transport.get(path, {
      accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
      signal,
      onResponse: reader.onResponse,
      onBytes: () => undefined,
    });
  try {
    await retrying(get, { pace, signal, answered: () => transport.traffic.answered, onRetry: reader.onRetry });
    return true;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 401) throw error;
    return error.status === 404 ? false : undefined;
  }
}

async function names(reader: Reader): Promise<string[]> {
  try {
    const namespaces = await readList('Namespace', undefined, reader, () => undefined);
    return namespaces.map(({ metadata }) => metadata?.name ?? '').sort();
  } catch (error) {
    if (error instanceof ApiError) return [];
    throw error;
  }
}
