import type { Rule, Where } from '../analyzer.ts';
import type { Step } from '../finding.ts';
import { change, kubectl, look, shell } from '../objects/kubectl.ts';
import { describePod as describe, editWorkload, describeNode as node, podOf } from '../objects/remedies.ts';

const MANAGER = 'kubelet (images/image_manager.go), in the words of the container runtime and the registry';

const pullRule = (summary: string, remedy: Rule['remedy'], severity: Rule['severity'] = 'critical'): Rule => ({
  severity,
  summary,
  source: MANAGER,
  stage: 'image',
  remedy,
});

/** Why an image cannot be pulled. */
export const rules = {
  'image.rate-limit': pullRule('The registry limits how often images may be pulled.', (w) => [
    look(
      'See which credentials the pod pulls with; an account has a higher limit than anonymous pulls.',
      pullSecrets(w),
    ),
    changePod(w, 'Add a pull secret, or pull through a mirror or pull-through cache.'),
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
    changePod(w, 'Build the image for that architecture too, or select nodes by kubernetes.io/arch.'),
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
    changeImage(w, 'Use a name that the certificate has, or issue one for this name.'),
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
    changeImage(w, 'Correct the image, or mend the DNS of the node.'),
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
    changePod(
      w,
      'Create the secret for this registry and name it in imagePullSecrets of the pod or its service account.',
    ),
  ]),
  'image.auth-or-missing': pullRule(
    'The registry says neither whether the image exists nor whether it may be pulled.',
    (w) => [
      look('Check the spelling of the image.', images(w)),
      look('If it is private, see which pull secrets the pod names.', pullSecrets(w)),
      changeImage(w, 'Correct the image, or name a pull secret for this registry.'),
    ],
  ),
  'image.not-found': pullRule('The registry has no such repository, tag or digest.', (w) => [
    look('Check repository and tag.', images(w)),
    look(
      'On a machine with access, see whether it is there.',
      w.detail['image'] && shell('docker', 'manifest', 'inspect', w.detail['image']),
    ),
    changeImage(w, 'Correct the image, or push the missing tag.'),
  ]),
  'image.short-name': pullRule('CRI-O cannot tell which registry a name without one belongs to.', (w) => [
    look('See the image.', images(w)),
    changeImage(w, 'Write the registry in front of the name.'),
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
    changeImage(w, 'Correct it.'),
  ]),
  'image.never-pull': pullRule('The pull policy is Never and the image is not usable on the node.', (w) => [
    look('On the node, see whether it is there.', 'crictl images'),
    changePod(w, 'Use imagePullPolicy: IfNotPresent, or load the image on every node.'),
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
    'The pull has been running for more than ten minutes, or longer than the rollout may take.',
    (w) => [look('Watch it.', describe(w)), look('On the node, pull it by hand to see how fast it is.', crictl(w))],
    'warning',
  ),
  'image.unknown': pullRule('The image cannot be pulled, for a reason podlens does not know.', (w) => [
    look('Read what the runtime says.', describe(w)),
    look('On the node, pull it by hand.', crictl(w)),
  ]),
} satisfies Record<string, Rule>;

export type Code = keyof typeof rules;

/** What else than its image belongs to a pod can be changed in the workload only. */
const changePod = (w: Where, text: string): Step => inManifest(w, text) ?? change(text, editWorkload(w));
/** Of a pod without workload, and of a Job's, the image of a container can be changed where it stands; a volume's cannot. */
const changeImage = (w: Where, text: string): Step => {
  const inPod = w.owner === undefined || w.owner.kind === 'Job';
  return inPod && w.detail['volume'] === undefined
    ? (inManifest(w, text) ?? change(text, kubectl('edit', podOf(w))))
    : changePod(w, text);
};
/** `detail.manifestOn` is the node that a static pod's manifest lies on. */
const inManifest = ({ detail: { manifestOn } }: Where, text: string): Step | undefined =>
  manifestOn === undefined
    ? undefined
    : change(`${text} The pod is static: it can be changed only in its manifest on node ${manifestOn}.`);
const images = (w: Where): string => kubectl('get', podOf(w), '-o', 'jsonpath={..image}');
const pullSecrets = (w: Where): string => kubectl('get', podOf(w), '-o', 'jsonpath={.spec.imagePullSecrets}');
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
const crictl = (w: Where): string | undefined => w.detail['image'] && shell('crictl', 'pull', w.detail['image']);
const certificate = ({ detail: { host } }: Where): string | undefined =>
  host === undefined
    ? undefined
    : `openssl s_client -connect ${shell(host.includes(':') ? host : `${host}:443`)} </dev/null | openssl x509 -noout -dates -issuer -ext subjectAltName`;
