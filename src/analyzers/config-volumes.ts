import type { Draft } from '../analyzer.ts';
import { absentContainer, isThere, isUnsynced, keysOf, missingIn } from '../objects/config-mounts.ts';
import { requiredConfig } from '../objects/config-refs.ts';
import { type EventLine, eventEvidence } from '../objects/events.ts';
import { conditionOf, containersOf, type Pod, podEvents, podRef, waitsForCreation } from '../objects/pods.ts';
import { sinceVolumes } from '../objects/startup.ts';
import { secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import { detailOf, missing, missingKeyOf, type Needs, TRANSIENT_SECONDS } from './config-missing.ts';
import type { Code } from './config-rules.ts';

// A volume that is missing something is tried again with growing pauses; within the first minute it may still come.
const MOUNT_SECONDS = 60;

/**
 * A volume whose ConfigMap, Secret or key is missing leaves the containers in ContainerCreating; only an event names it.
 * Once that is gone, the references themselves are held against what exists.
 */
export function* waitingVolumes(cluster: View<Needs>, pod: Pod): Generator<Draft<Code>> {
  if (!waitsForVolumes(pod)) return;
  const events = podEvents(cluster, pod);
  const current = sinceVolumes(events);
  const mounts = current.filter(({ reason }) => reason === 'FailedMount');
  if (current !== events && mounts.length === 0) return;
  const from = podRef(pod);
  const age = secondsBetween(pod.status?.startTime ?? pod.metadata?.creationTimestamp, cluster.takenAt) ?? Infinity;
  const named = new Set<string>();
  for (const event of mounts) {
    if (isUnsynced(event)) continue;
    const evidence = [eventEvidence(from, event)];
    for (const lack of missingIn(pod, event)) {
      const { kind, name, key } = lack;
      if (named.has(`${kind}/${name}`) || isThere(cluster, pod.metadata?.namespace ?? '', lack)) continue;
      named.add(`${kind}/${name}`);
      yield key === undefined
        ? missing(cluster, pod, from, kind, name, evidence)
        : missingKeyOf(cluster, pod, from, kind, name, key, evidence);
    }
  }
  yield* absentContainers(cluster, pod, mounts);
  if (age < MOUNT_SECONDS) return;
  for (const ref of requiredConfig(pod)) {
    if (ref.container !== undefined || named.has(`${ref.kind}/${ref.name}`)) continue;
    const namespace = pod.metadata?.namespace ?? '';
    if (!cluster.covers(ref.kind, namespace)) continue;
    const evidence = [{ from, where: ref.path, text: `${ref.kind} ${ref.name}` }];
    if (cluster.get(ref.kind, ref.name, namespace) === undefined) {
      named.add(`${ref.kind}/${ref.name}`);
      yield missing(cluster, pod, from, ref.kind, ref.name, evidence);
      continue;
    }
    const known = keysOf(cluster, ref.kind, namespace, ref.name);
    const absent = known === undefined ? undefined : ref.keys.find((key) => !known.includes(key));
    if (absent !== undefined) yield missingKeyOf(cluster, pod, from, ref.kind, ref.name, absent, evidence);
  }
  if (named.size === 0) yield* unsyncedVolume(cluster, pod);
}

/** A downward API volume that takes a limit or request from a container which the pod does not have. */
function* absentContainers(cluster: View<Needs>, pod: Pod, mounts: readonly EventLine[]): Generator<Draft<Code>> {
  const event = mounts.find((mount) => absentContainer(pod, mount) !== undefined);
  if (event === undefined) return;
  const from = podRef(pod);
  const volume = /for volume "([^"]+)"/.exec(event.message)?.[1];
  yield {
    code: 'config.fieldref',
    subject: from,
    message: `${volume === undefined ? 'A volume' : `Volume "${volume}"`} of pod ${from.name} takes a value from container "${absentContainer(pod, event)}", and the pod has no container of that name.`,
    evidence: [
      eventEvidence(from, event),
      {
        from,
        where: 'spec.containers',
        text: containersOf(pod)
          .map(({ name }) => name)
          .join(', '),
      },
    ],
    detail: detailOf(cluster, pod),
    since: pod.status?.startTime,
  };
}

/** What the kubelet has not received within two minutes does not pass by itself any more. */
function* unsyncedVolume(cluster: View<Needs>, pod: Pod): Generator<Draft<Code>> {
  const [event] = podEvents(cluster, pod).filter(({ reason }) => reason === 'FailedMount');
  if (event === undefined || !(isUnsynced(event) || deniesWhatIsThere(cluster, pod, event))) return;
  if ((secondsBetween(event.firstAt, cluster.takenAt) ?? 0) < TRANSIENT_SECONDS) return;
  const from = podRef(pod);
  yield {
    code: 'config.cache-sync',
    subject: from,
    message: `Pod ${pod.metadata?.name} waits for a volume whose ConfigMap or Secret the kubelet has not received. The kubelet says: "${event.message}".`,
    evidence: [eventEvidence(from, event)],
    detail: detailOf(cluster, pod),
    since: event.firstAt,
  };
}

/** The object was there for a while when the kubelet called it missing. */
const deniesWhatIsThere = (cluster: View<Needs>, pod: Pod, event: EventLine): boolean =>
  missingIn(pod, event).some(({ kind, name, key }) => {
    const created = cluster.get(kind, name, pod.metadata?.namespace ?? '')?.metadata?.creationTimestamp;
    return key === undefined && (secondsBetween(created, event.at) ?? 0) > TRANSIENT_SECONDS;
  });

/** The kubelet has not got as far as the sandbox: all containers still wait for their creation. */
function waitsForVolumes(pod: Pod): boolean {
  if (conditionOf(pod, 'PodReadyToStartContainers')?.status === 'True') return false;
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  if (statuses.length === 0) return false;
  return statuses.every(waitsForCreation);
}
