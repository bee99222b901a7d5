import { type Draft, defineAnalyzer } from '../analyzer.ts';
import type { Evidence, Ref } from '../finding.ts';
import { eventEvidence } from '../objects/events.ts';
import { fullName, parseImage, wellKnownImages } from '../objects/image.ts';
import { look, shell } from '../objects/kubectl.ts';
import {
  type ContainerView,
  containersOf,
  isLiving,
  type Pod,
  podEvents,
  podRef,
  troubledPods,
} from '../objects/pods.ts';
import { didYouMean } from '../objects/suggest.ts';
import { secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';
import { causeOfPull } from './image-causes.ts';
import { type Code, rules } from './image-rules.ts';
import { slowPulls } from './image-slow.ts';

type Needs = 'Pod' | 'Event' | 'Node' | 'Secret' | 'ServiceAccount' | 'Deployment' | 'ReplicaSet' | 'Job';

// One waiting reason, one cause. ErrImagePull and its back-off say more in their message.
const byReason: Readonly<Record<string, Code | undefined>> = {
  RegistryUnavailable: 'image.registry-unreachable',
  SignatureValidationFailed: 'image.signature',
  ErrImageNeverPull: 'image.never-pull',
  ImageInspectError: 'image.inspect',
  InvalidImageName: 'image.invalid-name',
};

const pulls = new Set(['ErrImagePull', 'ImagePullBackOff', 'ImagePullError', ...Object.keys(byReason)]);

/** Causes that lie with the registry or the way to it: all its images fail alike. */
const ofRegistry = new Set<Code>([
  'image.rate-limit',
  'image.tls-expired',
  'image.tls-name',
  'image.tls-ca',
  'image.tls-http',
  'image.dns',
  'image.registry-unreachable',
]);

export const podImagePull = defineAnalyzer<Needs, Code>({
  id: 'pod-image-pull',
  kind: 'Pod',
  title: 'Images that cannot be pulled, and why',
  needs: ['Pod', 'Event', 'Node', 'Secret', 'ServiceAccount', 'Deployment', 'ReplicaSet', 'Job'],
  rules,
  *analyze(cluster) {
    for (const pod of troubledPods(cluster)) {
      if (!isLiving(pod)) continue;
      for (const container of containersOf(pod)) {
        const reason = container.status?.state?.waiting?.reason ?? '';
        if (pulls.has(reason)) yield failedPull(cluster, pod, container, reason);
      }
      yield* slowPulls(cluster, pod);
    }
  },
});

// The registry of an image may send the runtime to other hosts, for a token or for the layers.
const onTheWay = new Set<Code>([
  'image.dns',
  'image.registry-unreachable',
  'image.tls-expired',
  'image.tls-name',
  'image.tls-ca',
  'image.tls-http',
]);

/** The host of the request that failed: `Get "https://auth.docker.io/token?…": dial tcp: …`. */
const hostAsked = (text: string): string | undefined => /\b(?:Get|Head|Post) "https?:\/\/([^/"\s]+)/.exec(text)?.[1];

function failedPull(cluster: View<Needs>, pod: Pod, container: ContainerView, reason: string): Draft<Code> {
  const subject = podRef(pod, container.name);
  const { text, evidence } = wordsOf(cluster, pod, container, reason);
  const { image, volume } = wantedImage(pod, container, text);
  const code = byReason[reason] ?? causeOfPull(text, image);
  const { host, hasHost } = parseImage(image);
  const asked = onTheWay.has(code) ? (hostAsked(text) ?? host) : host;
  const credentials =
    code === 'image.auth' || code === 'image.auth-or-missing' ? credentialsOf(cluster, pod) : undefined;
  const meant =
    code === 'image.auth-or-missing' && !hasHost ? didYouMean(image.split(':')[0] ?? '', wellKnownImages) : [];
  return {
    code,
    subject,
    message: `Container ${container.name} cannot get ${volume === undefined ? `its image "${image}"` : `the image "${image}" of its volume ${volume}`}: ${sentences[code](asked)}${
      meant.length > 0 ? ` Did you mean "${meant[0]}"?` : ''
    }${credentials?.sentence ?? ''}`,
    evidence: [...evidence, ...(credentials?.evidence ?? []), ...platform(cluster, pod, code)],
    severity: container.role === 'ephemeral' || (code === 'image.qps' && isYoung(cluster, pod)) ? 'info' : undefined,
    confidence: code === 'image.auth-or-missing' || code === 'image.unknown' ? 'likely' : 'certain',
    check:
      code === 'image.auth-or-missing'
        ? look('See whether the image exists at all.', shell('docker', 'manifest', 'inspect', image))
        : code === 'image.unknown'
          ? look('On the node, pull it by hand.', shell('crictl', 'pull', image))
          : undefined,
    suspects: credentials?.suspects,
    detail: {
      image,
      volume,
      host: asked,
      hostname: asked.split(':')[0],
      node: pod.spec?.nodeName,
      manifestOn: isStatic(pod) ? pod.spec?.nodeName : undefined,
    },
    since: pod.status?.startTime,
    fault: ofRegistry.has(code) ? `registry:${host}` : `image:${image}`,
  };
}

// Many pods at once are more than the kubelet pulls at once, for a while.
const MANY_PULLS_SECONDS = 120;

const isYoung = (cluster: View<Needs>, pod: Pod): boolean =>
  (secondsBetween(pod.metadata?.creationTimestamp, cluster.takenAt) ?? Infinity) < MANY_PULLS_SECONDS;

const isStatic = (pod: Pod): boolean => pod.metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined;

/** A container also waits for the images of its volumes. The words of the pull quote the one that fails. */
function wantedImage(pod: Pod, { spec, status }: ContainerView, text: string): { image: string; volume?: string } {
  const own = spec.image ?? status?.image ?? '';
  for (const { name, image } of pod.spec?.volumes ?? []) {
    const { reference = '' } = image ?? {};
    if (reference === '' || reference === own) continue;
    if ([reference, fullName(reference)].some((known) => text.includes(`"${known}"`)))
      return { image: reference, volume: name ?? '' };
  }
  return { image: own };
}

const sentences: Readonly<Record<Code, (host: string) => string>> = {
  'image.rate-limit': (host) => `${host} has reached its pull rate limit.`,
  'image.qps': () => 'the kubelet is pulling too many images at once and will try again.',
  'image.platform': () => "it has no variant for this node's platform.",
  'image.manifest-schema': () => 'its manifest format (Docker schema 1) is no longer supported.',
  'image.tls-expired': (host) => `the certificate of ${host} has expired or is not yet valid at the node's time.`,
  'image.tls-name': (host) => `the certificate of ${host} is for another name.`,
  'image.tls-ca': (host) => `the certificate of ${host} is signed by an authority the node does not know.`,
  'image.tls-http': (host) => `${host} answers in plain HTTP, and the node expects HTTPS.`,
  'image.dns': (host) => `the host ${host} cannot be resolved.`,
  'image.disk-full': () => 'the disk of the node is full.',
  'image.pull-timeout': () => 'the pull was given up because it made no progress.',
  'image.registry-unreachable': (host) => `${host} cannot be reached from the node.`,
  'image.auth': (host) => `${host} refuses the pull for want of valid credentials.`,
  'image.auth-or-missing': (host) => `${host} says that it does not exist or needs credentials.`,
  'image.not-found': (host) => `${host} has no such repository, tag or digest.`,
  'image.short-name': () => 'it names no registry, and none of those configured is chosen.',
  'image.corrupt': () => 'it cannot be unpacked.',
  'image.invalid-name': () => 'it is not a valid image reference.',
  'image.never-pull': () => 'the pull policy is Never, and it is not usable on the node.',
  'image.inspect': () => 'the runtime cannot inspect it on the node.',
  'image.signature': () => "its signature does not satisfy the node's policy.",
  'image.slow': () => 'it is still being pulled.',
  'image.unknown': () => 'the pull fails.',
};

/**
 * The words of the failed pull. Up to 1.31, and after a kubelet restart, ImagePullBackOff carries none: then they are
 * in the newest event `Failed`.
 */
// The kubelet did not even ask: what an earlier try said is still so.
const OF_THE_MOMENT = /pull QPS exceeded/i;

function wordsOf(cluster: View<Needs>, pod: Pod, { name, status, path }: ContainerView, reason: string) {
  const message = status?.state?.waiting?.message ?? '';
  const evidence: Omit<Evidence, 'id'>[] = [
    {
      from: podRef(pod, name),
      where: `${path}.state.waiting`,
      text: message === '' ? reason : `${reason}: ${message}`,
    },
  ];
  const saysWhy = message !== '' && !/^Back-off pulling image "[^"]*"$/.test(message) && !OF_THE_MOMENT.test(message);
  if (byReason[reason] !== undefined || saysWhy) return { text: message, evidence };
  const failures = podEvents(cluster, pod).filter(
    (event) =>
      event.reason === 'Failed' &&
      event.message.startsWith('Failed to pull image') &&
      (event.container === undefined || event.container === name),
  );
  const failed = failures.find((event) => !OF_THE_MOMENT.test(event.message)) ?? failures[0];
  if (failed === undefined) return { text: message, evidence };
  return { text: failed.message, evidence: [...evidence, eventEvidence(podRef(pod, name), failed)] };
}

interface Credentials {
  readonly sentence: string;
  readonly evidence: readonly Omit<Evidence, 'id'>[];
  readonly suspects: readonly Ref[];
}

const DOCKER_TYPES = new Set(['kubernetes.io/dockerconfigjson', 'kubernetes.io/dockercfg']);

/** Which pull secrets the pod names, itself or through its service account, and what is wrong with them. */
function credentialsOf(cluster: View<Needs>, pod: Pod): Credentials {
  const namespace = pod.metadata?.namespace ?? '';
  const names = pod.spec?.imagePullSecrets?.map(({ name = '' }) => name) ?? [];
  const from = podRef(pod);
  const failed = podEvents(cluster, pod).find((event) => event.reason === 'FailedToRetrieveImagePullSecret');
  const evidence = failed === undefined ? [] : [eventEvidence(from, failed)];
  if (names.length === 0) {
    return {
      sentence: ' The pod names no pull secret.',
      evidence: [{ from, where: 'spec.imagePullSecrets', text: '(none)' }, ...evidence],
      suspects: [],
    };
  }
  const suspects = names.map((name): Ref => ({ kind: 'Secret', namespace, name }));
  const listed = { from, where: 'spec.imagePullSecrets', text: names.join(', ') };
  for (const secret of suspects) {
    const found = cluster.get('Secret', secret.name, namespace);
    const missing =
      found === undefined && (cluster.covers('Secret', namespace) || failed?.message.includes(secret.name));
    if (missing) {
      const near = didYouMean(
        secret.name,
        cluster
          .list('Secret')
          .filter((s) => s.metadata?.namespace === namespace)
          .map((s) => s.metadata?.name ?? ''),
      );
      const hint = near.length > 0 ? ` Did you mean "${near[0]}"?` : '';
      return {
        sentence: ` Its pull secret "${secret.name}" does not exist in ${namespace}.${hint}`,
        evidence: [listed, ...evidence],
        suspects: [secret],
      };
    }
    if (found?.type !== undefined && !DOCKER_TYPES.has(found.type)) {
      return {
        sentence: ` Its pull secret "${secret.name}" has the type ${found.type}, not kubernetes.io/dockerconfigjson.`,
        evidence: [listed, { from: secret, where: 'type', text: found.type }, ...evidence],
        suspects: [secret],
      };
    }
  }
  return { sentence: '', evidence: [listed, ...evidence], suspects };
}

function platform(cluster: View<Needs>, pod: Pod, code: Code): Omit<Evidence, 'id'>[] {
  const name = pod.spec?.nodeName;
  if (code !== 'image.platform' || name === undefined) return [];
  const info = cluster.get('Node', name)?.status?.nodeInfo;
  if (info?.architecture === undefined) return [];
  return [
    {
      from: { kind: 'Node', name },
      where: 'status.nodeInfo',
      text: `${info.operatingSystem ?? 'linux'}/${info.architecture}`,
    },
  ];
}
