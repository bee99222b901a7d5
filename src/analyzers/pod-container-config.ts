import { type Draft, defineAnalyzer } from '../analyzer.ts';
import type { Evidence, Ref } from '../finding.ts';
import { kindOf } from '../objects/config-mounts.ts';
import { type EventLine, eventEvidence } from '../objects/events.ts';
import { containersOf, isLiving, type Pod, podEvents, podRef, troubledPods } from '../objects/pods.ts';
import { secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import { detailOf, missing, missingKeyOf, type Needs, TRANSIENT_SECONDS } from './config-missing.ts';
import { type Code, rules } from './config-rules.ts';
import { waitingVolumes } from './config-volumes.ts';

const FRESH_SECONDS = 15;

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
