import { type Draft, defineAnalyzer, type Rule, type Where } from '../analyzer.ts';
import type { Evidence, Ref } from '../finding.ts';
import { absentContainer, isThere, isUnsynced, keysOf, kindOf, missingIn } from '../objects/config-mounts.ts';
import { type ConfigRef, requiredConfig } from '../objects/config-refs.ts';
import { type EventLine, eventEvidence } from '../objects/events.ts';
import { change, kubectl, look, shell } from '../objects/kubectl.ts';
import { ownerOf } from '../objects/owner.ts';
import { conditionOf, containersOf, isLiving, type Pod, podEvents, podRef, troubledPods } from '../objects/pods.ts';
import { editWorkload, podOf } from '../objects/remedies.ts';
import { sinceVolumes } from '../objects/startup.ts';
import { didYouMean } from '../objects/suggest.ts';
import { secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';

type Needs = 'Pod' | 'ReplicaSet' | 'Job' | 'Event' | 'ConfigMap' | 'Secret';

const KUBELET = 'kubelet (kubelet_pods.go, reason CreateContainerConfigError)';
const MOUNT = 'kubelet (CreateContainerConfigError; for volumes event FailedMount of the volume manager)';

const rule = (
  summary: string,
  source: string,
  remedy: Rule['remedy'],
  severity: Rule['severity'] = 'critical',
): Rule => ({
  severity,
  summary,
  source,
  stage: 'config',
  remedy,
});

const refIn = (w: Where, detail: 'pod' | 'workload'): Ref | undefined => {
  const [kind = '', name] = (w.detail[detail] ?? '').split('/');
  if (name === undefined) return undefined;
  return { kind, name, ...(w.subject.namespace === undefined ? {} : { namespace: w.subject.namespace }) };
};
/** The subject may be the object that is missing: then the workload is the one of the pod that misses it. */
const edit = (w: Where): string | undefined => {
  const owner = w.owner ?? refIn(w, 'workload');
  return editWorkload({ ...w, ...(owner === undefined ? {} : { owner }) });
};
const describe = (w: Where): string | undefined => {
  const pod = refIn(w, 'pod');
  return pod && kubectl('describe', pod);
};
const listed = (plural: string) => (w: Where) => [
  look(
    `See which ${plural} the namespace has.`,
    shell('kubectl', 'get', plural, '-n', w.subject.namespace ?? 'default'),
  ),
  look('See where the pod refers to it.', describe(w)),
  change(
    'Create it, or correct the name in the pod; the container then starts by itself. If it may be absent, set optional: true.',
    edit(w),
  ),
];

const rules = {
  'config.secret-missing': rule('A Secret that the pod needs does not exist.', MOUNT, listed('secrets')),
  'config.configmap-missing': rule('A ConfigMap that the pod needs does not exist.', MOUNT, listed('configmaps')),
  'config.key-missing': rule('A Secret or ConfigMap exists, but not the key that the pod needs of it.', MOUNT, (w) => [
    look('See which keys it has (values are not shown).', kubectl('describe', w.subject)),
    change('Add the key, or correct it in the pod.', edit(w)),
  ]),
  'config.cache-sync': rule(
    'The kubelet has not received a Secret or ConfigMap yet; it passes by itself.',
    KUBELET,
    (w) => [look('Look again; if it lasts, the kubelet cannot reach the API server.', describe(w))],
    'warning',
  ),
  'config.subpath': rule('A subPath cannot be prepared.', KUBELET, (w) => [
    look('See volumeMounts and volumes of the pod.', describe(w)),
    change('Correct the subPath: relative, without "..", and there in the volume.', edit(w)),
  ]),
  'config.volume-ref': rule(
    'A container mounts a volume that the pod does not have, or in a way that it cannot be mounted.',
    KUBELET,
    (w) => [
      look('See volumeMounts and volumes of the pod.', describe(w)),
      change('Correct volumeMounts or volumes.', edit(w)),
    ],
  ),
  'config.env-file': rule('An environment file cannot be read (fileKeyRef).', KUBELET, (w) => [
    look('See env of the container.', describe(w)),
    change('Correct the file that the init container writes, or the key.', edit(w)),
  ]),
  'config.fieldref': rule(
    'A value from the pod itself (fieldRef, resourceFieldRef) cannot be resolved.',
    KUBELET,
    (w) => [
      look('See env of the container and the volumes of the pod.', describe(w)),
      change('Correct the field path or the container name.', edit(w)),
    ],
  ),
  'config.unknown': rule('The container cannot be configured, for a reason podlens does not know.', KUBELET, (w) => [
    look('Read what the kubelet says.', describe(w)),
    change('Correct the pod.', edit(w)),
  ]),
  'security.run-as-root': rule(
    'A container must not run as root, and its runAsUser or its image is root, or may be.',
    'kubelet (kuberuntime/security_context_others.go)',
    (w) => [
      look('See securityContext of pod and container.', kubectl('get', podOf(w), '-o', 'jsonpath={..securityContext}')),
      change('Set a numeric runAsUser other than 0, or build the image with a numeric USER.', edit(w)),
    ],
  ),
} satisfies Record<string, Rule>;

type Code = keyof typeof rules;

const FRESH_SECONDS = 15;
const TRANSIENT_SECONDS = 120;
// A volume that is missing something is tried again with growing pauses; within the first minute it may still come.
const MOUNT_SECONDS = 60;

const waits = new Set(['CreateContainerConfigError', 'VerifyNonRootError']);

export const podContainerConfig = defineAnalyzer<Needs, Code>({
  id: 'pod-container-config',
  kind: 'Pod',
  title: 'Containers that cannot be configured: missing Secrets, ConfigMaps and keys, users, mounts',
  needs: ['Pod', 'ReplicaSet', 'Job', 'Event', 'ConfigMap', 'Secret'],
  rules,
  *analyze(cluster) {
    for (const pod of troubledPods(cluster)) {
      if (!isLiving(pod) || pod.spec?.nodeName === undefined) continue;
      if ((secondsBetween(pod.metadata?.creationTimestamp, cluster.takenAt) ?? Infinity) < FRESH_SECONDS) continue;
      yield* waitingContainers(cluster, pod);
      yield* waitingVolumes(cluster, pod);
    }
  },
});

function* waitingContainers(cluster: View<Needs>, pod: Pod): Generator<Draft<Code>> {
  for (const container of containersOf(pod)) {
    const waiting = container.status?.state?.waiting;
    if (waiting === undefined || !waits.has(waiting.reason ?? '')) continue;
    const text = waiting.message ?? '';
    const from = podRef(pod, container.name);
    const evidence = [{ from, where: `${container.path}.state.waiting`, text: `${waiting.reason}: ${text}` }];
    const earlier = transient.test(text) ? definiteBefore(cluster, pod, container.name) : undefined;
    const draft =
      earlier === undefined
        ? explain(cluster, pod, from, text, evidence)
        : explain(cluster, pod, from, earlier.message, [...evidence, eventEvidence(from, earlier)]);
    yield container.role === 'ephemeral' ? { ...draft, severity: 'info' } : draft;
  }
}

/** What an earlier try said for certain of an object that is still not there, when the kubelet now only waits for news. */
const definiteBefore = (cluster: View<Needs>, pod: Pod, name: string): EventLine | undefined =>
  podEvents(cluster, pod).find(({ reason, message, container }) => {
    const [, kind, object = ''] = (reason === 'Failed' && container === name && missingObject.exec(message)) || [];
    return kind !== undefined && cluster.get(kindOf(kind), object, pod.metadata?.namespace ?? '') === undefined;
  });

const ROOT_USER = "container's runAsUser breaks non-root policy";

/** Words of the kubelet that name the cause, whichever way the object is used. */
const missingObject = /(secret|configmap) "([^"]+)" not found/i;
const missingKey = /couldn't find key (\S+) in (Secret|ConfigMap) (?:([^/\s]+)\/)?(\S+)/;
const transient =
  /failed to sync (secret|configmap) cache|object "[^"]*"\/"[^"]*" not registered|services have not yet been read/;

const sentences: readonly (readonly [Code, RegExp])[] = [
  ['config.cache-sync', transient],
  ['security.run-as-root', /runAsNonRoot|breaks non-root policy|image will run as root/],
  ['config.env-file', /env file|environment variable key .* not found in file|referenced by FileKeyRef/],
  ['config.subpath', /subPath|^missing value for /i],
  ['config.volume-ref', /cannot find volume|DevicePath|recursive read-only/],
  [
    'config.fieldref',
    /fieldPath|fieldRef|resourceFieldRef|unsupported (field|container resource)|container .* not found|unable to find target container/i,
  ],
];

const plain: Readonly<Partial<Record<Code, string>>> = {
  'security.run-as-root': 'it must not run as root, and its image would, or may',
  'config.cache-sync': 'the kubelet has not received a Secret or ConfigMap yet',
  'config.subpath': 'a subPath of its volumes cannot be prepared',
  'config.volume-ref': 'it mounts a volume that the pod does not offer that way',
  'config.env-file': 'its environment file cannot be read',
  'config.fieldref': 'a value taken from the pod itself cannot be resolved',
  'config.unknown': 'its configuration is refused',
};

function explain(
  cluster: View<Needs>,
  pod: Pod,
  from: Ref,
  text: string,
  evidence: Omit<Evidence, 'id'>[],
): Draft<Code> {
  const object = missingObject.exec(text);
  if (object !== null && !transient.test(text)) {
    return missing(cluster, pod, from, kindOf(object[1]), object[2] ?? '', evidence);
  }
  const key = missingKey.exec(text);
  if (key !== null) return missingKeyOf(cluster, pod, from, kindOf(key[2]), key[4] ?? '', key[1] ?? '', evidence);
  const code = sentences.find(([, words]) => words.test(text))?.[0] ?? 'config.unknown';
  const age = secondsBetween(pod.metadata?.creationTimestamp, cluster.takenAt) ?? 0;
  return {
    code,
    subject: from,
    message: `Container ${from.container} cannot be created: ${text.startsWith(ROOT_USER) ? 'it must not run as root, and its runAsUser is 0' : plain[code]}. The kubelet says: "${text}".`,
    evidence,
    severity: code === 'config.cache-sync' && age < TRANSIENT_SECONDS ? 'info' : undefined,
    detail: detailOf(cluster, pod),
    since: pod.status?.startTime,
  };
}

function detailOf(cluster: View<Needs>, pod: Pod) {
  const owner = ownerOf(cluster, pod);
  return { pod: `Pod/${pod.metadata?.name ?? ''}`, workload: owner && `${owner.kind}/${owner.name}` };
}

function missing(
  cluster: View<Needs>,
  pod: Pod,
  from: Ref,
  kind: ConfigRef['kind'],
  name: string,
  evidence: readonly Omit<Evidence, 'id'>[],
): Draft<Code> {
  const namespace = pod.metadata?.namespace ?? '';
  const subject: Ref = { kind, namespace, name };
  const refs = requiredConfig(pod).filter((ref) => ref.kind === kind && ref.name === name);
  return {
    code: kind === 'Secret' ? 'config.secret-missing' : 'config.configmap-missing',
    subject,
    message: `${kind} "${name}" does not exist in namespace ${namespace}, and ${from.container === undefined ? `pod ${from.name}` : `container ${from.container}`} cannot start without it.${near(cluster, kind, namespace, name)}`,
    evidence: [
      ...evidence,
      ...refs.slice(0, 2).map((ref) => ({
        from,
        where: ref.path,
        text: `${kind} ${name}${ref.keys.length === 0 ? '' : `, key ${ref.keys.join(', ')}`}`,
      })),
    ],
    detail: detailOf(cluster, pod),
    explains: [from],
    since: pod.status?.startTime,
  };
}

/** " Did you mean …" for a name in the same namespace, else for the same name in another one. */
function near(cluster: View<Needs>, kind: ConfigRef['kind'], namespace: string, name: string): string {
  const objects = cluster.list(kind);
  const here = objects
    .filter(({ metadata }) => metadata?.namespace === namespace)
    .map(({ metadata }) => metadata?.name ?? '');
  const [meant] = didYouMean(
    name,
    here.filter((other) => other !== 'kube-root-ca.crt'),
  );
  if (meant !== undefined) return ` Did you mean "${meant}"?`;
  const elsewhere = objects.filter(({ metadata }) => metadata?.name === name && metadata.namespace !== namespace);
  if (elsewhere.length === 0) return '';
  return ` One of that name exists in ${elsewhere
    .slice(0, 3)
    .map(({ metadata }) => metadata?.namespace)
    .join(', ')}.`;
}

function missingKeyOf(
  cluster: View<Needs>,
  pod: Pod,
  from: Ref,
  kind: ConfigRef['kind'],
  name: string,
  key: string,
  evidence: readonly Omit<Evidence, 'id'>[],
): Draft<Code> {
  const namespace = pod.metadata?.namespace ?? '';
  const known = keysOf(cluster, kind, namespace, name);
  const [meant] = didYouMean(key, known ?? []);
  const subject: Ref = { kind, namespace, name };
  return {
    code: 'config.key-missing',
    subject,
    message: `${kind} ${namespace}/${name} has no key "${key}", and ${from.container === undefined ? `pod ${from.name}` : `container ${from.container}`} cannot start without it.${meant === undefined ? '' : ` Did you mean "${meant}"?`}`,
    evidence: [
      ...evidence,
      ...(known === undefined ? [] : [{ from: subject, where: 'data (keys)', text: known.join(', ') || '(none)' }]),
    ],
    detail: detailOf(cluster, pod),
    explains: [from],
    fault: `${kind}/${namespace}/${name}/${key}`,
    since: pod.status?.startTime,
  };
}

/**
 * A volume whose ConfigMap, Secret or key is missing leaves the containers in ContainerCreating; only an event names it.
 * Once that is gone, the references themselves are held against what exists.
 */
function* waitingVolumes(cluster: View<Needs>, pod: Pod): Generator<Draft<Code>> {
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
  return statuses.every(({ state }) => ['ContainerCreating', 'PodInitializing'].includes(state?.waiting?.reason ?? ''));
}
