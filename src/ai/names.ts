import type { Finding, Problem, Ref, Report } from '../finding.ts';
import { parseImage } from '../objects/image.ts';
import { type ApiKind, messages } from '../objects/kinds-schema.ts';
import type { Snapshot } from '../snapshot.ts';
import { secretsOfAnnotations, secretsOfArguments, secretsOfVariable } from './known-secrets.ts';
import { isOwnWord, isPlainTag, isPublicHost, isPublicImage } from './words.ts';

/** What a name names: the first part of its pseudonym. `app` is a name that several kinds of object share. */
export const nameKinds = [
  'app',
  'namespace',
  'pod',
  'node',
  'container',
  'deployment',
  'replicaset',
  'statefulset',
  'daemonset',
  'job',
  'cronjob',
  'service',
  'configmap',
  'secret',
  'claim',
  'volume',
  'storageclass',
  'serviceaccount',
  'webhook',
  'object',
  'image',
  'tag',
  'digest',
  'private-registry',
  'host',
  'ip',
  'email',
  'user',
  'path',
  'uid',
  'cloud-id',
] as const;
export type NameKind = (typeof nameKinds)[number];

/** What must not be sent as it is, from everything that is known of the cluster. */
export interface Names {
  readonly kinds: ReadonlyMap<string, NameKind>;
  /** Values that variables, arguments and annotations call secret: cut out wherever they turn up. Longest first. */
  readonly secrets: readonly string[];
}

const byKind: Readonly<Record<string, NameKind>> = {
  Namespace: 'namespace',
  Pod: 'pod',
  Node: 'node',
  Deployment: 'deployment',
  ReplicaSet: 'replicaset',
  StatefulSet: 'statefulset',
  DaemonSet: 'daemonset',
  Job: 'job',
  CronJob: 'cronjob',
  Service: 'service',
  EndpointSlice: 'service',
  ConfigMap: 'configmap',
  Secret: 'secret',
  PersistentVolumeClaim: 'claim',
  PersistentVolume: 'volume',
  StorageClass: 'storageclass',
  ServiceAccount: 'serviceaccount',
  ValidatingWebhookConfiguration: 'webhook',
  MutatingWebhookConfiguration: 'webhook',
};

/** Fields that hold a name, wherever they stand. */
const byField: Readonly<Record<string, NameKind>> = {
  namespace: 'namespace',
  nodeName: 'node',
  nominatedNodeName: 'node',
  serviceAccountName: 'serviceaccount',
  claimName: 'claim',
  volumeName: 'volume',
  secretName: 'secret',
  storageClassName: 'storageclass',
  schedulerName: 'object',
  priorityClassName: 'object',
  runtimeClassName: 'object',
  resourceClaimName: 'object',
  resourceClaimTemplateName: 'object',
  containerName: 'container',
  serviceName: 'service',
  host: 'host',
  server: 'host',
};

/** What an object called `name` is, by the field it stands in. */
const byParent: Readonly<Record<string, NameKind>> = {
  containers: 'container',
  initContainers: 'container',
  ephemeralContainers: 'container',
  volumes: 'volume',
  volumeMounts: 'volume',
  imagePullSecrets: 'secret',
  secretKeyRef: 'secret',
  secretRef: 'secret',
  configMapKeyRef: 'configmap',
  configMapRef: 'configmap',
  configMap: 'configmap',
  secret: 'secret',
  service: 'service',
  webhooks: 'webhook',
};

type Add = (name: string | undefined, kind: NameKind) => void;

interface Found {
  readonly add: Add;
  readonly secret: (value: string) => void;
}

/** Collects the names and the secret values of a report and of the snapshot it was made from. */
export function namesOf(report: Pick<Report, 'problems'>, snapshot: Snapshot | undefined): Names {
  const kinds = new Map<string, NameKind>();
  const secrets = new Set<string>();
  const found: Found = {
    add(name, kind) {
      if (name === undefined || name.length < 2 || name.length > 253 || isOwnWord(name) || !/[A-Za-z]/.test(name))
        return;
      const known = kinds.get(name);
      if (known === undefined || rank(kind) < 0) kinds.set(name, kind);
      else if (known !== kind && rank(known) >= 0) kinds.set(name, 'app');
    },
    secret(value) {
      const trimmed = value.trim();
      if (trimmed.length > 3 && !isOwnWord(trimmed) && !/^\d{1,5}$/.test(trimmed)) secrets.add(trimmed);
    },
  };
  for (const ref of report.problems.flatMap(refsOf)) {
    found.add(ref.namespace, 'namespace');
    found.add(ref.name, byKind[ref.kind] ?? 'object');
    found.add(ref.container, 'container');
  }
  if (snapshot !== undefined) namesOfSnapshot(snapshot, found);
  return { kinds, secrets: [...secrets].sort((a, b) => b.length - a.length || (a < b ? -1 : 1)) };
}

/** A node keeps its kind whoever shares its name: below zero. */
const rank = (kind: NameKind): number => (kind === 'node' ? -1 : 0);

/** Every object that a problem names. */
export function refsOf(problem: Problem): Ref[] {
  const ofFinding = (finding: Finding) => [
    finding.subject,
    ...finding.suspects,
    ...finding.evidence.map((evidence) => evidence.from),
  ];
  return [
    ...[problem.root, ...problem.symptoms].flatMap(ofFinding),
    ...problem.affects,
    ...(problem.owner === undefined ? [] : [problem.owner]),
    ...[...(problem.changes ?? []), ...(problem.timeline ?? [])].map((moment) => moment.from),
  ];
}

function namesOfSnapshot(snapshot: Snapshot, found: Found): void {
  for (const kind of Object.keys(messages) as ApiKind[]) {
    if (kind === 'Event') continue;
    for (const object of snapshot.list(kind)) {
      const name = object.metadata?.name;
      if (name?.startsWith('system:') !== true) found.add(name, byKind[kind] ?? 'object');
      // The first label of a node's full name is often its own short name.
      if (kind === 'Node' && name?.includes('.')) found.add(name.split('.')[0], 'node');
      walk(object, '', found);
    }
  }
  for (const event of snapshot.list('Event')) {
    found.add(event.involvedObject?.name, byKind[event.involvedObject?.kind ?? ''] ?? 'object');
    found.add(event.source?.host, 'node');
  }
}

type Plain = Readonly<Record<string, unknown>>;

function walk(value: unknown, parent: string, found: Found): void {
  if (Array.isArray(value)) {
    if (parent === 'args' || parent === 'command') argumentsOf(value.map(String), found);
    for (const item of value) if (typeof item === 'object') walk(item, parent, found);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const object = value as Plain;
  if (parent === 'env') variableOf(object, found);
  if (parent === 'ownerReferences') found.add(text(object['name']), byKind[text(object['kind']) ?? ''] ?? 'object');
  if (parent === 'annotations') secretsOfAnnotations(object).forEach(found.secret);
  const named = byParent[parent];
  if (named !== undefined) found.add(text(object['name']), named);
  for (const [field, inner] of Object.entries(object)) {
    if (typeof inner === 'object') walk(inner, field, found);
    else if (typeof inner === 'string') nameOfField(field, inner, found);
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function nameOfField(field: string, value: string, found: Found): void {
  if (field === 'image' || field === 'reference') {
    namesOfImage(value, found.add);
    return;
  }
  const kind = byField[field];
  if (kind === undefined || (kind === 'host' && (isPublicHost(value) || /^[\d.:]+$/.test(value)))) return;
  found.add(value, kind);
}

function namesOfImage(image: string, add: Add): void {
  if (image.startsWith('sha256:')) return;
  const { host, hasHost, repository, tag } = parseImage(image);
  if (hasHost && !isPublicHost(host)) add(host.split(':')[0], 'private-registry');
  if (tag !== undefined && !isPlainTag(tag)) add(tag, 'tag');
  const own = repository.replace(/^library\//, '');
  // What a public registry of Kubernetes itself offers, and the best known images of Docker Hub, tell nothing.
  if (host === 'registry.k8s.io' || (host === 'docker.io' && isPublicImage(own))) return;
  add(own, 'image');
  for (const part of own.split('/')) if (!isPublicImage(part)) add(part, 'image');
}

function variableOf(variable: Plain, { add, secret }: Found): void {
  const [name = '', value] = [text(variable['name']), text(variable['value'])];
  if (value === undefined) return;
  secretsOfVariable(name, value).forEach(secret);
  if (/user(?:_?name)?$/i.test(name)) add(value, 'user');
  if (/(?:^|_)(?:HOST(?:NAME)?S?|ADDR(?:ESS(?:ES)?)?|SERVERS?|BROKERS?)$/i.test(name)) {
    for (const one of value.split(/[,\s]+/)) hostOf(one.replace(/:\d+$/, ''), add);
  }
  accountsOf(value, add);
}

function argumentsOf(list: readonly string[], { add, secret }: Found): void {
  secretsOfArguments(list).forEach(secret);
  for (const argument of list) accountsOf(argument, add);
}

/** The user and the host in a URL. */
function accountsOf(value: string, add: Add): void {
  const [, user, host] = /:\/\/(?:([^\s:@/]*)(?::[^\s]+)?@)?([A-Za-z0-9][\w.-]*)/.exec(value) ?? [];
  add(user, 'user');
  if (host !== undefined) hostOf(host, add);
}

/** A database that is called as its image is tells nothing. */
function hostOf(host: string, add: Add): void {
  if (/^[A-Za-z0-9][\w.-]*$/.test(host) && !isPublicHost(host) && !isPublicImage(host) && !/^[\d.]+$/.test(host))
    add(host, 'host');
}
