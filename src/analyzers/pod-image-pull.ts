import { type Draft, defineAnalyzer, type Rule, type Where } from '../analyzer.ts';
import type { Evidence, Ref } from '../finding.ts';
import { eventEvidence } from '../objects/events.ts';
import { parseImage, wellKnownImages } from '../objects/image.ts';
import { change, kubectl, look, shell } from '../objects/kubectl.ts';
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
import { humanSeconds, secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';

type Needs = 'Pod' | 'Event' | 'Node' | 'Secret' | 'ServiceAccount';

const MANAGER = 'kubelet (images/image_manager.go), in the words of the container runtime and the registry';

const pullRule = (summary: string, remedy: Rule['remedy'], severity: Rule['severity'] = 'critical'): Rule => ({
  severity,
  summary,
  source: MANAGER,
  stage: 'image',
  remedy,
});

const rules = {
  'image.rate-limit': pullRule('The registry limits how often images may be pulled.', (w) => [
    look(
      'See which credentials the pod pulls with; an account has a higher limit than anonymous pulls.',
      pullSecrets(w),
    ),
    change('Add a pull secret, or pull through a mirror or pull-through cache.', edit(w)),
    change('Pin the tag and use imagePullPolicy: IfNotPresent, so that nodes do not ask again.'),
  ]),
  'image.qps': pullRule(
    'The kubelet limits its own pulls (registryPullQPS) and tries again by itself.',
    (w) => [
      look('Wait for the next try.', describe(w)),
      change('Raise registryPullQPS in the kubelet configuration if it recurs.'),
    ],
    'warning',
  ),
  'image.platform': pullRule("The image has no variant for the node's platform.", (w) => [
    look(
      'See which architecture the node has.',
      w.detail['node'] &&
        shell('kubectl', 'get', `node/${w.detail['node']}`, '-o', 'jsonpath={.status.nodeInfo.architecture}'),
    ),
    look(
      'See which platforms the image has.',
      w.detail['image'] && shell('docker', 'buildx', 'imagetools', 'inspect', w.detail['image']),
    ),
    change('Build the image for that architecture too, or select nodes by kubernetes.io/arch.', edit(w)),
  ]),
  'image.manifest-schema': pullRule(
    'The image has a manifest format that the runtime no longer reads (Docker schema 1).',
    (w) => [look('See which image it is.', images(w)), change('Push it again with a current builder.')],
  ),
  'image.tls-expired': pullRule("The registry's certificate is not valid at the node's time.", (w) => [
    look("See the certificate's dates.", certificate(w)),
    look('If the dates are right, the clock of the node is wrong: on the node, look at it.', 'timedatectl'),
    change('Renew the certificate, or set the clock.'),
  ]),
  'image.tls-name': pullRule("The registry's certificate is for another host name.", (w) => [
    look('See for which names it is.', certificate(w)),
    change('Use a name that the certificate has, or issue one for this name.', edit(w)),
  ]),
  'image.tls-ca': pullRule("The registry's certificate is signed by an authority that the node does not know.", (w) => [
    look('See who signed it.', certificate(w)),
    change(
      "Install that CA on the nodes for this host: containerd's certs.d/<host>/hosts.toml, CRI-O's /etc/containers/certs.d.",
    ),
  ]),
  'image.tls-http': pullRule('The registry speaks plain HTTP where the node expects HTTPS.', (w) => [
    look('See what the registry speaks.', w.detail['host'] && shell('curl', '-sSI', `http://${w.detail['host']}/v2/`)),
    change(
      'Serve it over TLS, or declare it as a plain-HTTP registry in the configuration of the runtime on each node.',
    ),
    look('Check that the host and port in the image are meant.', images(w)),
  ]),
  'image.dns': pullRule("The registry's host name cannot be resolved on the node.", (w) => [
    look('Check the spelling of the host in the image.', images(w)),
    look('On the node, ask its resolver.', w.detail['hostname'] && shell('nslookup', w.detail['hostname'])),
    change('Correct the image, or mend the DNS of the node.', edit(w)),
  ]),
  'image.disk-full': pullRule('The node has no room left for the image.', (w) => [
    look('See the conditions of the node.', node(w)),
    change('On the node, remove images that nothing uses.', 'crictl rmi --prune'),
    change(
      'Give the node a larger disk, or keep pods off it while it is freed.',
      w.detail['node'] && shell('kubectl', 'cordon', w.detail['node']),
    ),
  ]),
  'image.pull-timeout': pullRule('The pull made no progress for so long that the runtime gave it up.', (w) => [
    look('On the node, pull it by hand to see how fast it is.', crictl(w)),
    change("Raise containerd's image_pull_progress_timeout, pull beforehand, or make the image smaller."),
  ]),
  'image.registry-unreachable': pullRule('The node cannot reach the registry.', (w) => [
    look(
      'On the node, see whether the registry answers.',
      w.detail['host'] && shell('curl', '-v', `https://${w.detail['host']}/v2/`),
    ),
    look('See which nodes are affected.', describe(w)),
    change('Open the way (firewall, proxy), or pull through a mirror that the nodes can reach.'),
  ]),
  'image.auth': pullRule('The registry refuses the credentials, or there are none.', (w) => [
    look('See which pull secrets the pod names.', pullSecrets(w)),
    look('See that they exist in this namespace and are of type kubernetes.io/dockerconfigjson.', secrets(w)),
    change(
      'Create the secret for this registry and name it in imagePullSecrets of the pod or its service account.',
      edit(w),
    ),
  ]),
  'image.auth-or-missing': pullRule(
    'The registry says neither whether the image exists nor whether it may be pulled.',
    (w) => [
      look('Check the spelling of the image.', images(w)),
      look('If it is private, see which pull secrets the pod names.', pullSecrets(w)),
      change('Correct the image, or name a pull secret for this registry.', edit(w)),
    ],
  ),
  'image.not-found': pullRule('The registry has no such repository, tag or digest.', (w) => [
    look('Check repository and tag.', images(w)),
    look(
      'On a machine with access, see whether it is there.',
      w.detail['image'] && shell('docker', 'manifest', 'inspect', w.detail['image']),
    ),
    change('Correct the image, or push the missing tag.', edit(w)),
  ]),
  'image.short-name': pullRule('CRI-O cannot tell which registry a name without one belongs to.', (w) => [
    look('See the image.', images(w)),
    change('Write the registry in front of the name.', edit(w)),
  ]),
  'image.corrupt': pullRule('The image was loaded but cannot be unpacked.', (w) => [
    look('On the node, look for disk errors.', 'dmesg'),
    change(
      'On the node, remove what is cached of it; the kubelet pulls it again.',
      w.detail['image'] && shell('crictl', 'rmi', w.detail['image']),
    ),
    change('If other nodes fail too, build and push the image again.'),
  ]),
  'image.invalid-name': pullRule('The image is not a valid reference.', (w) => [
    look('See the image: lower case only, no blanks, no scheme in front.', images(w)),
    change('Correct it.', edit(w)),
  ]),
  'image.never-pull': pullRule('The pull policy is Never and the image is not usable on the node.', (w) => [
    look('On the node, see whether it is there.', 'crictl images'),
    change('Use imagePullPolicy: IfNotPresent, or load the image on every node.', edit(w)),
    change('If it is there, give the pod the pull secret it was pulled with: newer kubelets ask for it.'),
  ]),
  'image.inspect': pullRule('The runtime cannot look at the image on the node.', (w) => [
    look('See whether the node has other trouble.', node(w)),
    look('On the node, ask the runtime itself.', w.detail['image'] && shell('crictl', 'inspecti', w.detail['image'])),
    change(
      'Restart the runtime on the node; if its store is damaged, remove the image.',
      'systemctl restart containerd',
    ),
  ]),
  'image.signature': pullRule("The image fails the node's signature policy.", (w) => [
    look('See the image.', images(w)),
    change('Sign it, or correct /etc/containers/policy.json on the nodes.'),
  ]),
  'image.slow': pullRule(
    'The pull is still running.',
    (w) => [look('Watch it.', describe(w)), look('On the node, pull it by hand to see how fast it is.', crictl(w))],
    'info',
  ),
  'image.unknown': pullRule('The image cannot be pulled, for a reason podlens does not know.', (w) => [
    look('Read what the runtime says.', describe(w)),
    look('On the node, pull it by hand.', crictl(w)),
  ]),
} satisfies Record<string, Rule>;

type Code = keyof typeof rules;

const subjectOnly = ({ subject }: Where): Ref => {
  const { container: _, ...pod } = subject;
  return pod;
};
const describe = (w: Where): string => kubectl('describe', subjectOnly(w));
/** Of a pod the image can be changed where it stands; the template of a Job cannot. */
const edit = (w: Where): string =>
  kubectl('edit', w.owner === undefined || w.owner.kind === 'Job' ? subjectOnly(w) : w.owner);
const images = (w: Where): string => kubectl('get', subjectOnly(w), '-o', 'jsonpath={..image}');
const pullSecrets = (w: Where): string => kubectl('get', subjectOnly(w), '-o', 'jsonpath={.spec.imagePullSecrets}');
const secrets = ({ subject }: Where): string =>
  shell(
    'kubectl',
    'get',
    'secrets',
    '-n',
    subject.namespace ?? 'default',
    '-o',
    'custom-columns=NAME:.metadata.name,TYPE:.type',
  );
const node = (w: Where): string | undefined =>
  w.detail['node'] && shell('kubectl', 'describe', `node/${w.detail['node']}`);
const crictl = (w: Where): string | undefined => w.detail['image'] && shell('crictl', 'pull', w.detail['image']);
const certificate = ({ detail: { host } }: Where): string | undefined =>
  host === undefined
    ? undefined
    : `openssl s_client -connect ${shell(host.includes(':') ? host : `${host}:443`)} </dev/null | openssl x509 -noout -dates -issuer -ext subjectAltName`;

/**
 * The runtime's and the registry's words, most telling first: containerd reports a missing platform as NotFound, and an
 * unreachable token server as a failed authorization.
 */
const causes: readonly (readonly [Code, RegExp])[] = [
  ['image.rate-limit', /toomanyrequests|429 too many requests|pull rate limit|too many requests to registry/i],
  ['image.qps', /pull QPS exceeded/i],
  [
    'image.platform',
    /no match for platform in manifest|no image found in (manifest list|image index) for architecture|no matching manifest for/i,
  ],
  ['image.manifest-schema', /media type .* is no longer supported since containerd v2\.0/i],
  ['image.tls-expired', /certificate has expired or is not yet valid/i],
  ['image.tls-name', /certificate is valid for|certificate is not valid for any names/i],
  ['image.tls-ca', /x509: |failed to verify certificate/i],
  ['image.tls-http', /server gave HTTP response to HTTPS client/i],
  ['image.dns', /no such host|server misbehaving|lookup .*: i\/o timeout|Temporary failure in name resolution/i],
  ['image.disk-full', /no space left on device|disk quota exceeded/i],
  ['image.pull-timeout', /code = Canceled.*context canceled|cancel pulling image/i],
  [
    'image.registry-unreachable',
    /connection refused|no route to host|i\/o timeout|TLS handshake timeout|connection reset by peer|network is unreachable|proxyconnect|context deadline exceeded|unexpected EOF| 50[0234] /i,
  ],
  [
    'image.auth-or-missing',
    /pull access denied, repository does not exist or may require|insufficient_scope|requested access to the resource is denied|repository .* not found: does not exist or no pull access/i,
  ],
  [
    'image.auth',
    /unauthorized|authentication required|no basic auth credentials|\b401\b|403 Forbidden|invalid username\/password|denied:|authorization failed|AccessDenied|not authorized/i,
  ],
  [
    'image.not-found',
    /: not found|manifest unknown|manifest for .* not found|MANIFEST_UNKNOWN|NAME_UNKNOWN|name unknown/i,
  ],
  ['image.short-name', /short-name .* did not resolve|short name mode is enforcing/i],
  [
    'image.corrupt',
    /failed to extract layer|unexpected commit digest|failed size validation|archive\/tar: invalid|input\/output error|failed to unpack/i,
  ],
];

/** What a failed pull says about its cause. */
const causeOfPull = (message: string): Code =>
  causes.find(([, pattern]) => pattern.test(message))?.[0] ?? 'image.unknown';

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

const SLOW_PULL_SECONDS = 600;

export const podImagePull = defineAnalyzer<Needs, Code>({
  id: 'pod-image-pull',
  kind: 'Pod',
  title: 'Images that cannot be pulled, and why',
  needs: ['Pod', 'Event', 'Node', 'Secret', 'ServiceAccount'],
  rules,
  *analyze(cluster) {
    for (const pod of troubledPods(cluster)) {
      if (!isLiving(pod)) continue;
      for (const container of containersOf(pod)) {
        const reason = container.status?.state?.waiting?.reason ?? '';
        if (pulls.has(reason)) yield failedPull(cluster, pod, container, reason);
        else yield* slowPull(cluster, pod, container);
      }
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
  const image = container.spec.image ?? container.status?.image ?? '';
  const { text, evidence } = wordsOf(cluster, pod, container, reason);
  const code = byReason[reason] ?? causeOfPull(text);
  const { host, hasHost } = parseImage(image);
  const asked = onTheWay.has(code) ? (hostAsked(text) ?? host) : host;
  const credentials =
    code === 'image.auth' || code === 'image.auth-or-missing' ? credentialsOf(cluster, pod) : undefined;
  const meant =
    code === 'image.auth-or-missing' && !hasHost ? didYouMean(image.split(':')[0] ?? '', wellKnownImages) : [];
  return {
    code,
    subject,
    message: `Container ${container.name} cannot get its image "${image}": ${sentences[code](asked)}${
      meant.length > 0 ? ` Did you mean "${meant[0]}"?` : ''
    }${credentials?.sentence ?? ''}`,
    evidence: [...evidence, ...(credentials?.evidence ?? []), ...platform(cluster, pod, code)],
    severity: container.role === 'ephemeral' ? 'info' : undefined,
    confidence: code === 'image.auth-or-missing' || code === 'image.unknown' ? 'likely' : 'certain',
    check:
      code === 'image.auth-or-missing'
        ? look('See whether the image exists at all.', shell('docker', 'manifest', 'inspect', image))
        : code === 'image.unknown'
          ? look('On the node, pull it by hand.', shell('crictl', 'pull', image))
          : undefined,
    suspects: credentials?.suspects,
    detail: { image, host: asked, hostname: asked.split(':')[0], node: pod.spec?.nodeName },
    since: pod.status?.startTime,
    fault: ofRegistry.has(code) ? `registry:${host}` : `image:${image}`,
  };
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
function wordsOf(cluster: View<Needs>, pod: Pod, { name, status, path }: ContainerView, reason: string) {
  const message = status?.state?.waiting?.message ?? '';
  const evidence: Omit<Evidence, 'id'>[] = [
    {
      from: podRef(pod, name),
      where: `${path}.state.waiting`,
      text: message === '' ? reason : `${reason}: ${message}`,
    },
  ];
  if (byReason[reason] !== undefined || (message !== '' && !/^Back-off pulling image "[^"]*"$/.test(message))) {
    return { text: message, evidence };
  }
  const failed = podEvents(cluster, pod).find(
    (event) =>
      event.reason === 'Failed' &&
      event.message.startsWith('Failed to pull image') &&
      (event.container === undefined || event.container === name),
  );
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

/** A pull that neither failed nor ended: the newest word on the container is `Pulling`. */
function* slowPull(cluster: View<Needs>, pod: Pod, container: ContainerView): Generator<Draft<Code>> {
  if (container.status?.state?.waiting === undefined || container.status.restartCount) return;
  const newest = podEvents(cluster, pod).find((event) => event.container === container.name);
  if (newest?.reason !== 'Pulling') return;
  const seconds = secondsBetween(newest.at, cluster.takenAt) ?? 0;
  if (seconds < SLOW_PULL_SECONDS) return;
  const image = container.spec.image ?? '';
  yield {
    code: 'image.slow',
    subject: podRef(pod, container.name),
    message: `Container ${container.name} has been pulling "${image}" for ${humanSeconds(seconds)}.`,
    evidence: [eventEvidence(podRef(pod, container.name), newest)],
    severity: seconds > 3 * SLOW_PULL_SECONDS ? 'warning' : undefined,
    detail: { image, node: pod.spec?.nodeName },
    since: newest.at,
    fault: `image:${image}`,
  };
}
