import type { Container, Pod } from './pods.ts';

/** A ConfigMap or Secret that a pod refers to. */
export interface ConfigRef {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  /** The keys it must have; none where all of it is taken. */
  readonly keys: readonly string[];
  /** Where the pod names it: "spec.containers[app].env[DB_PASSWORD]". */
  readonly path: string;
  /** The container whose environment needs it; undefined for a volume. */
  readonly container: string | undefined;
  /** Whether the pod starts without it. */
  readonly optional: boolean;
}

/** What the pod cannot start without. */
export const requiredConfig = (pod: Pod): ConfigRef[] => configRefs(pod).filter(({ optional }) => !optional);

/** What the pod's containers and volumes refer to. */
export function configRefs(pod: Pod): ConfigRef[] {
  const { spec } = pod;
  return [
    ...(spec?.initContainers ?? []).flatMap((container) => fromContainer(container, 'initContainers')),
    ...(spec?.containers ?? []).flatMap((container) => fromContainer(container, 'containers')),
    ...fromVolumes(pod),
  ];
}

function fromContainer(container: Container, list: string): ConfigRef[] {
  const refs: ConfigRef[] = [];
  const path = `spec.${list}[${container.name ?? ''}]`;
  for (const { name, valueFrom } of container.env ?? []) {
    if (valueFrom === undefined) continue;
    const where = { path: `${path}.env[${name ?? ''}]`, container: container.name };
    add(refs, 'ConfigMap', valueFrom.configMapKeyRef, where);
    add(refs, 'Secret', valueFrom.secretKeyRef, where);
  }
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    const where = { path: `${path}.envFrom`, container: container.name };
    add(refs, 'ConfigMap', configMapRef, where);
    add(refs, 'Secret', secretRef, where);
  }
  return refs;
}

function fromVolumes(pod: Pod): ConfigRef[] {
  const refs: ConfigRef[] = [];
  for (const volume of pod.spec?.volumes ?? []) {
    const where = { path: `spec.volumes[${volume.name ?? ''}]`, container: undefined };
    add(refs, 'ConfigMap', volume.configMap, where);
    const { secret } = volume;
    if (secret !== undefined) add(refs, 'Secret', { ...secret, name: secret.secretName ?? '' }, where);
    for (const source of volume.projected?.sources ?? []) {
      add(refs, 'ConfigMap', source.configMap, where);
      add(refs, 'Secret', source.secret, where);
    }
  }
  return refs;
}

interface Selector {
  readonly name?: string;
  readonly key?: string;
  readonly items?: readonly { readonly key?: string }[];
  readonly optional?: boolean;
}

function add(
  refs: ConfigRef[],
  kind: ConfigRef['kind'],
  selector: Selector | undefined,
  where: Pick<ConfigRef, 'path' | 'container'>,
): void {
  if (selector?.name === undefined || selector.name === '') return;
  const keys = [selector.key, ...(selector.items ?? []).map(({ key }) => key)].filter((key) => key !== undefined);
  refs.push({ kind, name: selector.name, keys, optional: selector.optional === true, ...where });
}
