import { wellKnownImages } from '../objects/image.ts';

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/**
 * Names that are Kubernetes' own, and words of its messages. An object that is called so keeps its name: it tells
 * nothing about whose cluster it is, and the sentences around it stay readable.
 */
const ownWords = new Set([
  ...words(`default kube-system kube-public kube-node-lease kubernetes kube-root-ca.crt
    coredns kube-dns kube-proxy kube-scheduler kube-controller-manager kube-apiserver kubelet kubectl etcd containerd
    cri-o docker runc crun metrics-server default-scheduler cluster-autoscaler karpenter calico-node cilium
    cilium-agent aws-node kube-flannel flannel weave-net istio-proxy istio-init linkerd-proxy envoy pause
    node-problem-detector local-path-provisioner system-node-critical system-cluster-critical hostpath`),
  ...words(`ms us ns mi gi ki mb gb kb
    pod pods container containers node nodes image images secret secrets configmap configmaps service services
    deployment deployments replicaset replicasets statefulset statefulsets daemonset daemonsets job jobs cronjob
    cronjobs namespace namespaces volume volumes claim claims persistentvolumeclaim persistentvolume storageclass
    serviceaccount endpoint endpoints event events ingress webhook quota limit limits request requests label labels
    annotation annotations selector selectors taint taints toleration tolerations affinity probe probes liveness
    readiness startup log logs status spec state metadata name names reason message type kind value values key keys
    env command args port ports host tag digest manifest mount path file directory library latest cluster local svc
    cpu memory ephemeral-storage disk gpu process system kernel runtime sandbox plugin driver admission condition
    phase owner replicas replica template rollout restart restarts exit code signal containerstatuses`),
  ...words(`a an and app are as at back-off be been before being but by can cannot cause connect connection context could
    create created crash deadline delete denied did do does done down due during each error errors even exceeded exec
    exist exists expected expired fail failed failing failure fatal for found from get go got had has have http https
    if in init insufficient into invalid io is it its kill killed last level line lookup may me missing must no none
    not null of off ok on one only or other out over permission pull pulled pulling read ready refused restarting root
    run running same see set should so start started starting still stop stopped such tcp terminated than that the
    their them then there they this time timed timeout times to too true false try two udp unable under unhealthy
    unknown until up use used using via wait waiting warning was we were what when where which while why will with
    within without write yes you your`),
]);

const commonWords = new Set(
  words(`admin api auth backup base cache client config core data database db dns gateway html id json main proxy queue
    redis server sql ssl storage test tls ui url user users worker xml yaml`),
);

/** A word that sentences have in capitals: an object called "api" is not what "the API server" speaks of. */
export const isCommonWord = (name: string): boolean => commonWords.has(name);

/** One of them by itself, to split a text at. */
export const aCommonWord = new RegExp(`(?<![\\w.-])(${[...commonWords].join('|')})(?![\\w-]|\\.\\w)`, 'i');

export const isOwnWord = (name: string): boolean => ownWords.has(name) || /^\d+$/.test(name);

/** Domains whose names are API groups, labels, resources and drivers: "node.kubernetes.io", "nvidia.com", "ebs.csi.aws.com". */
const apiDomains =
  /^(?:OutOf)?(?:[\w-]+\.)*(?:kubernetes\.io|k8s\.(?:io|aws)|x-k8s\.io|nvidia\.com|amd\.com|intel\.com|csi\.(?:aws|azure)\.com|gke\.io|cloud\.google\.com|eks\.amazonaws\.com|kubernetes\.azure\.com|openshift\.io|coreos\.com|istio\.io|linkerd\.io|cilium\.io|projectcalico\.org|cert-manager\.io|karpenter\.sh|keda\.sh|helm\.sh|argoproj\.io|fluxcd\.io|kyverno\.io|gatekeeper\.sh|longhorn\.io|openebs\.io|rook\.io|ceph\.com)$/i;

const registries =
  /^(?:(?:index\.|registry-1\.|auth\.|registry\.|hub\.)?docker\.(?:io|com)|(?:registry\.)?k8s\.(?:io|gcr\.io)|quay\.io|ghcr\.io|(?:[a-z]+\.)?gcr\.io|mcr\.microsoft\.com|public\.ecr\.aws|github\.com|localhost)$/i;

/** Hosts that everybody knows. */
export const isPublicHost = (host: string): boolean => apiDomains.test(host) || registries.test(host);

/** Whether what follows the slash is the name of a label, taint or resource, and no image. */
export const isApiDomain = (host: string): boolean => apiDomains.test(host) && !registries.test(host);

/** Parts of URL paths that say what was asked for, not where. */
const ownSegments = new Set(
  words(`v1 v2 v3 api apis manifests blobs tags token library latest health healthz healthcheck livez readyz ready
    live status ping metrics actuator namespaces pods services nodes secrets configmaps _catalog resolve`),
);

export const isOwnSegment = (segment: string): boolean =>
  ownSegments.has(segment.toLowerCase()) || isPublicHost(segment) || wellKnown.has(segment);

const wellKnown = new Set(wellKnownImages);

/** Whether an image of Docker Hub is one that everybody knows. */
export const isPublicImage = (repository: string): boolean => wellKnown.has(repository);

/** Tags that are nothing but a version. */
export const isPlainTag = (tag: string): boolean =>
  /^(?:latest|stable|edge|main|v?\d{1,4}(?:\.\d{1,4}){0,3}(?:-(?:alpine|slim|bookworm|bullseye|jammy|noble|debian|ubuntu|rc\d*|beta\d*|alpha\d*))?)$/.test(
    tag,
  );
