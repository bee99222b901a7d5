import type { ApiKind } from '../../src/objects/kinds-schema.ts';

export interface ClusterOptions {
  readonly pods: number;
  /** Share of pods that are broken: 0.02. */
  readonly broken: number;
  readonly seed: number;
}

export interface SyntheticObject {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

export const AT = '2026-11-21T02:00:00Z';
const at = (secondsAgo: number): string =>
  `${new Date(Date.parse(AT) - secondsAgo * 1000).toISOString().slice(0, 19)}Z`;

/** The same numbers for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// Environment variables of a pod, so that it has about 8 kB as JSON.
const SETTINGS = 20;
const PER_WORKLOAD = 20;
const PER_NAMESPACE = 10; // workloads
const PER_NODE = 50;

/** A cluster of Deployments with 20 replicas each, with all that comes along, some of whose pods are broken. */
export class SyntheticCluster {
  readonly options: ClusterOptions;
  private readonly random: () => number;

  constructor(options: ClusterOptions) {
    this.options = options;
    this.random = randomFrom(options.seed);
  }

  private text(length: number): string {
    const letters = 'bcdfghjklmnpqrstvwxz2456789';
    let text = '';
    while (text.length < length) text += letters[Math.floor(this.random() * letters.length)];
    return text;
  }

  private uid(): string {
    const hex = () =>
      Math.floor(this.random() * 0x100000000)
        .toString(16)
        .padStart(8, '0');
    const all = hex() + hex() + hex() + hex();
    return [all.slice(0, 8), all.slice(8, 12), all.slice(12, 16), all.slice(16, 20), all.slice(20)].join('-');
  }

  get workloads(): number {
    return Math.ceil(this.options.pods / PER_WORKLOAD);
  }

  get nodes(): number {
    return Math.ceil(this.options.pods / PER_NODE);
  }

  namespaceOf = (workload: number): string => `team-${String(Math.floor(workload / PER_NAMESPACE)).padStart(4, '0')}`;
  nameOf = (workload: number): string => `service-${String(workload).padStart(5, '0')}`;

  private meta(name: string, namespace: string | undefined, more: object = {}) {
    return {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: this.uid(),
      resourceVersion: String(1_000_000 + Math.floor(this.random() * 9_000_000)),
      creationTimestamp: at(86_400 + Math.floor(this.random() * 1000)),
      ...more,
    };
  }

  /** All objects, kind by kind. */
  *objects(): Generator<readonly [ApiKind, Iterable<SyntheticObject>]> {
    const events: SyntheticObject[] = [];
    yield ['Namespace', this.namespaces()];
    yield ['Node', this.nodeObjects()];
    yield ['Pod', this.pods(events)];
    yield ['Event', events];
    yield ['Deployment', this.perWorkload((name, namespace, i) => this.deployment(name, namespace, i))];
    yield ['ReplicaSet', this.perWorkload((name, namespace, i) => this.replicaSet(name, namespace, i))];
    yield ['Service', this.perWorkload((name, namespace) => this.service(name, namespace))];
    yield ['EndpointSlice', this.perWorkload((name, namespace, i) => this.endpointSlice(name, namespace, i))];
    yield ['ConfigMap', this.perWorkload((name, namespace) => this.config(name, namespace))];
    yield ['Secret', this.perWorkload((name, namespace) => ({ ...this.config(name, namespace), type: 'Opaque' }))];
    yield ['ServiceAccount', this.perWorkload((name, namespace) => ({ metadata: this.meta(name, namespace) }))];
    yield ['PodDisruptionBudget', this.perWorkload((name, namespace) => this.budget(name, namespace))];
  }

  private *perWorkload(
    make: (name: string, namespace: string, index: number) => SyntheticObject,
  ): Generator<SyntheticObject> {
    for (let i = 0; i < this.workloads; i++) yield make(this.nameOf(i), this.namespaceOf(i), i);
  }

  private *namespaces(): Generator<SyntheticObject> {
    const count = Math.ceil(this.workloads / PER_NAMESPACE);
    for (let i = 0; i < count; i++) {
      yield { metadata: this.meta(this.namespaceOf(i * PER_NAMESPACE), undefined), status: { phase: 'Active' } };
    }
  }

  private *nodeObjects(): Generator<SyntheticObject> {
    const resources = { cpu: '63770m', memory: '260000000Ki', pods: '110', 'ephemeral-storage': '100000000Ki' };
    const condition = (type: string, status: string, reason: string) => ({
      type,
      status,
      lastHeartbeatTime: at(20),
      lastTransitionTime: at(80_000),
      reason,
      message: reason,
    });
    for (let i = 0; i < this.nodes; i++) {
      yield {
        metadata: this.meta(nodeName(i), undefined, {
          labels: { 'kubernetes.io/hostname': nodeName(i), 'topology.kubernetes.io/zone': `zone-${i % 3}` },
        }),
        spec: { providerID: `example://${nodeName(i)}` },
        status: {
          capacity: resources,
          allocatable: resources,
          conditions: [
            condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
            condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'),
            condition('PIDPressure', 'False', 'KubeletHasSufficientPID'),
            condition('Ready', 'True', 'KubeletReady'),
          ],
          nodeInfo: {
            kernelVersion: '6.8.0',
            kubeletVersion: 'v1.36.1',
            operatingSystem: 'linux',
            architecture: 'amd64',
          },
        },
      };
    }
  }

  hashOf = (workload: number): string => (0x5a000 + workload * 7919).toString(27).slice(-10);

  private *pods(events: SyntheticObject[]): Generator<SyntheticObject> {
    for (let i = 0; i < this.options.pods; i++) {
      const workload = Math.floor(i / PER_WORKLOAD);
      // Faults come by workload, as they do in life: some of its replicas, or a stray one.
      const fault = this.random() < this.options.broken ? faults[Math.floor(this.random() * faults.length)] : undefined;
      const pod = this.pod(i, workload, fault);
      if (fault !== undefined) events.push(this.event(pod, fault));
      else if (this.random() < 0.03)
        events.push(this.event(pod, { event: 'Started', text: 'Container started' }, 'Normal'));
      yield pod;
    }
  }

  private event(
    pod: SyntheticObject,
    { event, text }: Pick<Fault, 'event' | 'text'>,
    type = 'Warning',
  ): SyntheticObject {
    const { name, namespace = '' } = pod.metadata;
    return {
      metadata: this.meta(`${name}.${this.text(16)}`, namespace, {
        managedFields: [managed('kubelet', 'Update', eventFields)],
      }),
      involvedObject: {
        kind: 'Pod',
        namespace,
        name,
        uid: (pod.metadata as { uid?: string }).uid,
        apiVersion: 'v1',
        fieldPath: 'spec.containers{app}',
      },
      reason: event,
      message: text,
      source: { component: 'kubelet', host: 'node-1' },
      firstTimestamp: at(3000),
      lastTimestamp: at(60),
      count: 12,
      type,
      reportingComponent: 'kubelet',
      reportingInstance: 'node-1',
    };
  }

  private pod(index: number, workload: number, fault: Fault | undefined): SyntheticObject {
    const app = this.nameOf(workload);
    const hash = this.hashOf(workload);
    const token = `kube-api-access-${this.text(5)}`;
    const ip = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
    return {
      metadata: this.meta(`${app}-${hash}-${suffix(index % PER_WORKLOAD)}${this.text(4)}`, this.namespaceOf(workload), {
        generateName: `${app}-${hash}-`,
        labels: {
          app,
          'app.kubernetes.io/part-of': 'shop',
          'pod-template-hash': hash,
          team: this.namespaceOf(workload),
        },
        annotations: { 'prometheus.io/port': '9090', 'prometheus.io/scrape': 'true' },
        ownerReferences: [
          {
            apiVersion: 'apps/v1',
            kind: 'ReplicaSet',
            name: `${app}-${hash}`,
            uid: `00000000-0000-4000-8000-${String(workload).padStart(12, '0')}`,
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
        managedFields: [
          managed('kube-controller-manager', 'Update', specFields),
          managed('kubelet', 'Update', statusFields),
        ],
      }),
      spec: podSpec(app, token, fault?.pending === true ? undefined : nodeName(index % this.nodes)),
      status: fault === undefined ? healthyStatus(app, ip) : fault.status(app),
    };
  }

  private template(app: string, workload: number) {
    const labels = { app, 'app.kubernetes.io/part-of': 'shop', 'pod-template-hash': this.hashOf(workload) };
    const { volumes: _, nodeName: __, ...spec } = podSpec(app, 'none', undefined);
    return {
      metadata: { labels },
      spec: { ...spec, containers: spec.containers.map(({ volumeMounts: ___, ...c }) => c) },
    };
  }

  private deployment(name: string, namespace: string, index: number): SyntheticObject {
    const counts = { replicas: PER_WORKLOAD, updatedReplicas: PER_WORKLOAD, readyReplicas: PER_WORKLOAD };
    return {
      metadata: this.meta(name, namespace, { generation: 3, managedFields: [managed('kubectl', 'Apply', specFields)] }),
      spec: {
        replicas: PER_WORKLOAD,
        selector: { matchLabels: { app: name } },
        template: this.template(name, index),
        strategy: { type: 'RollingUpdate' },
        progressDeadlineSeconds: 600,
      },
      status: {
        observedGeneration: 3,
        ...counts,
        availableReplicas: PER_WORKLOAD,
        conditions: [
          { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', lastTransitionTime: at(80_000) },
          { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', lastTransitionTime: at(80_000) },
        ],
      },
    };
  }

  private replicaSet(name: string, namespace: string, index: number): SyntheticObject {
    const hash = this.hashOf(index);
    return {
      metadata: this.meta(`${name}-${hash}`, namespace, {
        labels: { app: name, 'pod-template-hash': hash },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name, uid: this.uid(), controller: true }],
        managedFields: [managed('kube-controller-manager', 'Update', specFields)],
      }),
      spec: {
        replicas: PER_WORKLOAD,
        selector: { matchLabels: { app: name, 'pod-template-hash': hash } },
        template: this.template(name, index),
      },
      status: {
        replicas: PER_WORKLOAD,
        observedGeneration: 1,
        readyReplicas: PER_WORKLOAD,
        availableReplicas: PER_WORKLOAD,
      },
    };
  }

  private service(name: string, namespace: string): SyntheticObject {
    return {
      metadata: this.meta(name, namespace, { managedFields: [managed('kubectl', 'Apply', eventFields)] }),
      spec: {
        ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 'http' }],
        selector: { app: name },
        clusterIP: '10.96.0.10',
        type: 'ClusterIP',
      },
    };
  }

  private endpointSlice(name: string, namespace: string, index: number): SyntheticObject {
    const endpoints = Array.from({ length: PER_WORKLOAD }, (_, i) => ({
      addresses: [`10.1.${index & 255}.${i}`],
      conditions: { ready: true, serving: true, terminating: false },
      targetRef: { kind: 'Pod', namespace, name: `${name}-${i}`, uid: this.uid() },
    }));
    return {
      metadata: this.meta(`${name}-${this.text(5)}`, namespace, {
        labels: {
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
          'kubernetes.io/service-name': name,
        },
        managedFields: [managed('kube-controller-manager', 'Update', eventFields)],
      }),
      endpoints,
      ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    };
  }

  private config(name: string, namespace: string): SyntheticObject {
    const fields = { 'f:data': { 'f:settings.yaml': {} } };
    return {
      metadata: this.meta(`${name}-config`, namespace, { managedFields: [managed('kubectl', 'Apply', fields)] }),
      data: { 'settings.yaml': 'a: 1\n'.repeat(200) },
    };
  }

  private budget(name: string, namespace: string): SyntheticObject {
    return {
      metadata: this.meta(name, namespace),
      spec: { minAvailable: 1, selector: { matchLabels: { app: name } } },
      status: { disruptionsAllowed: 5, currentHealthy: PER_WORKLOAD, desiredHealthy: 1, expectedPods: PER_WORKLOAD },
    };
  }
}

// An API server lists objects in the order of their names.
const suffix = (replica: number): string => 'bcdfghjklmnpqrstvwxz'.charAt(replica);

const nodeName = (index: number): string => `node-${String(index).padStart(5, '0')}.eu-central-1.compute.example.com`;

const managed = (manager: string, operation: string, fieldsV1: object) => ({
  manager,
  operation,
  apiVersion: 'v1',
  time: at(80_000),
  fieldsType: 'FieldsV1',
  fieldsV1,
});

const named = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name.startsWith('.') ? name : `f:${name}`, {}]));
const condition = (type: string) => [
  `k:{"type":"${type}"}`,
  named('.', 'lastProbeTime', 'lastTransitionTime', 'status', 'type'),
];

const eventFields = { 'f:metadata': named('annotations', 'labels'), ...named('reason', 'message', 'count', 'type') };
const specFields = {
  'f:metadata': {
    'f:generateName': {},
    'f:labels': named('.', 'app', 'app.kubernetes.io/part-of', 'pod-template-hash', 'team'),
  },
  'f:spec': {
    'f:containers': {
      'k:{"name":"app"}': {
        ...named('.', 'args', 'command', 'env', 'image', 'imagePullPolicy', 'livenessProbe', 'name', 'readinessProbe'),
        'f:env': Object.fromEntries(
          Array.from({ length: SETTINGS }, (_, i) => [`k:{"name":"SETTING_${i}"}`, named('.', 'name', 'value')]),
        ),
        'f:ports': { 'k:{"containerPort":8080,"protocol":"TCP"}': named('.', 'containerPort', 'name', 'protocol') },
        'f:resources': { '.': {}, 'f:limits': named('.', 'cpu', 'memory'), 'f:requests': named('.', 'cpu', 'memory') },
      },
    },
    ...named('dnsPolicy', 'enableServiceLinks', 'restartPolicy', 'schedulerName', 'securityContext'),
    ...named('serviceAccount', 'serviceAccountName', 'terminationGracePeriodSeconds', 'tolerations'),
  },
};
const statusFields = {
  'f:status': {
    'f:conditions': Object.fromEntries(
      ['ContainersReady', 'Initialized', 'PodReadyToStartContainers', 'Ready'].map(condition),
    ),
    ...named('containerStatuses', 'hostIP', 'hostIPs', 'phase', 'podIP', 'podIPs', 'startTime'),
  },
};

const probe = (path: string) => ({
  httpGet: { path, port: 8080, scheme: 'HTTP' },
  initialDelaySeconds: 5,
  timeoutSeconds: 1,
  periodSeconds: 10,
  successThreshold: 1,
  failureThreshold: 3,
});

const podSpec = (app: string, token: string, node: string | undefined) => ({
  volumes: [
    { name: 'config', configMap: { name: `${app}-config`, defaultMode: 420 } },
    {
      name: token,
      projected: {
        sources: [
          { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          {
            downwardAPI: {
              items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
            },
          },
        ],
        defaultMode: 420,
      },
    },
  ],
  containers: [
    {
      name: 'app',
      image: `registry.example.com/shop/${app}:1.4.2`,
      args: ['serve', '--port=8080', '--config=/etc/app/settings.yaml'],
      ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
      env: Array.from({ length: SETTINGS }, (_, i) => ({
        name: `SETTING_${i}`,
        value: `value of setting ${i} of ${app}`,
      })),
      resources: { limits: { cpu: '500m', memory: '512Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
      volumeMounts: [
        { name: 'config', mountPath: '/etc/app' },
        { name: token, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
      ],
      livenessProbe: probe('/live'),
      readinessProbe: probe('/ready'),
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      imagePullPolicy: 'IfNotPresent',
    },
  ],
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  serviceAccountName: app,
  serviceAccount: app,
  ...(node === undefined ? {} : { nodeName: node }),
  securityContext: {},
  schedulerName: 'default-scheduler',
  tolerations: ['not-ready', 'unreachable'].map((what) => ({
    key: `node.kubernetes.io/${what}`,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: 300,
  })),
  priority: 0,
  enableServiceLinks: true,
  preemptionPolicy: 'PreemptLowerPriority',
});

interface Fault {
  readonly event: string;
  readonly text: string;
  readonly pending?: boolean;
  status(app: string): object;
}

const conditions = (ready: boolean) =>
  ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
    type,
    status: ready || !/Ready$|^ContainersReady$/.test(type) ? 'True' : 'False',
    lastProbeTime: null,
    lastTransitionTime: at(3600),
    ...(ready || !/Ready$/.test(type)
      ? {}
      : { reason: 'ContainersNotReady', message: 'containers with unready status: [app]' }),
  }));

const containerStatus = (app: string, state: object, more: object) => ({
  name: 'app',
  state,
  lastState: {},
  ready: false,
  restartCount: 0,
  image: `registry.example.com/shop/${app}:1.4.2`,
  imageID: `registry.example.com/shop/${app}@sha256:0f6b3c2c1d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8`,
  containerID: 'containerd://7e8f90a1b2c3d4e5f60718293a4b5c6d7e80f6b3c2c1d4e5f60718293a4b5c6d',
  started: false,
  ...more,
});

const running = { running: { startedAt: at(3600) } };

const healthyStatus = (app: string, ip: string) => ({
  phase: 'Running',
  conditions: conditions(true),
  hostIP: '10.0.0.1',
  podIP: ip,
  startTime: at(3700),
  containerStatuses: [containerStatus(app, running, { ready: true, started: true })],
  qosClass: 'Burstable',
  podIPs: [{ ip }],
  hostIPs: [{ ip: '10.0.0.1' }],
});

const ended = (exitCode: number, reason: string) => ({
  terminated: { exitCode, reason, startedAt: at(120), finishedAt: at(60) },
});

const brokenStatus = (app: string, phase: string, state: object, more: object = {}) => ({
  phase,
  conditions: conditions(false),
  hostIP: '10.0.0.1',
  startTime: at(3700),
  containerStatuses: [containerStatus(app, state, more)],
  qosClass: 'Burstable',
});

const waiting = (reason: string, message: string) => ({ waiting: { reason, message } });
const backOff = waiting('CrashLoopBackOff', 'back-off 5m0s restarting failed container=app');

const faults: readonly Fault[] = [
  {
    event: 'BackOff',
    text: 'Back-off restarting failed container app in pod',
    status: (app) => brokenStatus(app, 'Running', backOff, { restartCount: 12, lastState: ended(1, 'Error') }),
  },
  {
    event: 'BackOff',
    text: 'Back-off restarting failed container app in pod',
    status: (app) => brokenStatus(app, 'Running', backOff, { restartCount: 7, lastState: ended(137, 'OOMKilled') }),
  },
  {
    event: 'Failed',
    text: 'Failed to pull image: not found',
    status: (app) => brokenStatus(app, 'Pending', waiting('ImagePullBackOff', 'Back-off pulling image: not found')),
  },
  {
    event: 'Unhealthy',
    text: 'Readiness probe failed: HTTP probe failed with statuscode: 503',
    status: (app) => brokenStatus(app, 'Running', running, { started: true }),
  },
  {
    event: 'FailedScheduling',
    text: '0/1000 nodes are available: 1000 Insufficient cpu.',
    pending: true,
    status: () => ({
      phase: 'Pending',
      conditions: [
        {
          type: 'PodScheduled',
          status: 'False',
          reason: 'Unschedulable',
          message: '0/1000 nodes are available: 1000 Insufficient cpu.',
          lastTransitionTime: at(3600),
        },
      ],
      qosClass: 'Burstable',
    }),
  },
];
