import type { View } from '../snapshot.ts';
import { type ConfigRef, requiredConfig } from './config-refs.ts';
import type { EventLine } from './events.ts';
import { containersOf, type Pod } from './pods.ts';

type Needs = 'ConfigMap' | 'Secret';

/** What a volume lacks: a ConfigMap or Secret, or a key of one. */
export interface Missing {
  readonly kind: ConfigRef['kind'];
  readonly name: string;
  readonly key?: string;
}

const UNSYNCED = /object "[^"]*"\/"[^"]*" not registered|failed to sync (secret|configmap) cache/i;
const OBJECT = /(secret|configmap) "([^"]+)" not found/gi;
const KEY = /references non-existent (secret|config) key: ([-.\w]+)/g;
const CONTAINER = /(?:: \[?|, )container ([-a-z0-9]+) not found/;

/** Whether the kubelet has not been told of a ConfigMap or Secret, which passes by itself. */
export const isUnsynced = ({ message }: EventLine): boolean => UNSYNCED.test(message);

/** What a mount event says a volume lacks; a projected volume may lack several things. */
export function missingIn(pod: Pod, { message }: EventLine): Missing[] {
  const missing: Missing[] = [];
  for (const [, kind, name = ''] of message.matchAll(OBJECT)) missing.push({ kind: kindOf(kind), name });
  for (const [, kind, key = ''] of message.matchAll(KEY)) {
    const name = ownerOfKey(pod, message, kindOf(kind), key)?.name;
    if (name !== undefined) missing.push({ kind: kindOf(kind), name, key });
  }
  return missing;
}

export const kindOf = (word: string | undefined): ConfigRef['kind'] =>
  word?.toLowerCase() === 'secret' ? 'Secret' : 'ConfigMap';

/** A key's message names the volume, and not the object: `MountVolume.SetUp failed for volume "conf" : …`. */
function ownerOfKey(pod: Pod, message: string, kind: ConfigRef['kind'], key: string): ConfigRef | undefined {
  const volume = /for volume "([^"]+)"/.exec(message)?.[1];
  const refs = requiredConfig(pod).filter((ref) => ref.kind === kind && ref.path === `spec.volumes[${volume ?? ''}]`);
  return refs.find(({ keys }) => keys.includes(key)) ?? refs[0];
}

/** The container that a downward API volume takes a value from, and that the pod does not have. */
export function absentContainer(pod: Pod, { message }: EventLine): string | undefined {
  const name = CONTAINER.exec(message)?.[1];
  return containersOf(pod).some((container) => container.name === name) ? undefined : name;
}

/** An event about missing or unsynced configuration: not the storage's trouble. */
export const isConfigMount = (pod: Pod, event: EventLine): boolean =>
  isUnsynced(event) || missingIn(pod, event).length > 0 || absentContainer(pod, event) !== undefined;

/** Whether what was missing is there now. */
export function isThere(cluster: View<Needs>, namespace: string, { kind, name, key }: Missing): boolean {
  if (key === undefined) return cluster.get(kind, name, namespace) !== undefined;
  return keysOf(cluster, kind, namespace, name)?.includes(key) ?? false;
}

/** The keys of an object; undefined where it, or its keys, were not read. */
export function keysOf(
  cluster: View<Needs>,
  kind: ConfigRef['kind'],
  namespace: string,
  name: string,
): string[] | undefined {
  if (kind === 'Secret') {
    const secret = cluster.get('Secret', name, namespace);
    return secret?.data === undefined ? undefined : Object.keys(secret.data);
  }
  const map = cluster.get('ConfigMap', name, namespace);
  if (map?.data === undefined && map?.binaryData === undefined) return undefined;
  return [...Object.keys(map.data ?? {}), ...Object.keys(map.binaryData ?? {})];
}
