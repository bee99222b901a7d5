import type { Rule, Where } from '../analyzer.ts';
import { change, kubectl, look, shell } from '../objects/kubectl.ts';
import { describeNode, describePod, editWorkload, podsOnNode } from '../objects/remedies.ts';

const rule = (
  summary: string,
  plugin: string,
  remedy: Rule['remedy'],
  severity: Rule['severity'] = 'critical',
): Rule => ({ severity, summary, source: `kube-scheduler (${plugin})`, stage: 'scheduling', remedy });

const nodes = (...columns: readonly string[]): string =>
  shell('kubectl', 'get', 'nodes', '-o', `custom-columns=NAME:.metadata.name,${columns.join(',')}`);

const taints = nodes('TAINTS:.spec.taints', 'UNSCHEDULABLE:.spec.unschedulable');

const amounts = (w: Where): string => {
  const resource = (w.detail['resource'] ?? 'cpu').replaceAll('.', '\\.');
  return nodes(`ALLOCATABLE:.status.allocatable.${resource}`, `CAPACITY:.status.capacity.${resource}`);
};

const labels = (w: Where): string =>
  w.detail['key'] === undefined
    ? 'kubectl get nodes --show-labels'
    : shell('kubectl', 'get', 'nodes', '-L', w.detail['key']);

const selected = (w: Where): string =>
  shell(
    'kubectl',
    'get',
    'pods',
    ...(w.subject.namespace === undefined ? [] : ['-n', w.subject.namespace]),
    '-o',
    'wide',
    ...(w.detail['selector'] === undefined ? [] : ['-l', w.detail['selector']]),
  );

const claims = (w: Where): string =>
  shell('kubectl', 'get', 'pvc', ...(w.subject.namespace === undefined ? [] : ['-n', w.subject.namespace]));

const resourceClaims = (w: Where): string =>
  shell(
    'kubectl',
    'get',
    'resourceclaims,resourceclaimtemplates',
    ...(w.subject.namespace === undefined ? [] : ['-n', w.subject.namespace]),
  );

const tooLittle = (what: string): Rule =>
  rule(`No node that the pod may run on has enough ${what} left.`, 'NodeResourcesFit', (w) => [
    look(`See how much the nodes offer, and on one of them what is requested already.`, describeNode(w) ?? amounts(w)),
    change(`Lower the request if the pod needs less.`, editWorkload(w)),
    change(`Otherwise add a node, a larger one where the request fits on none, or remove what is not needed.`),
  ]);

const device = (what: string): Rule =>
  rule(`No node that the pod may run on has enough ${what} left.`, 'NodeResourcesFit', (w) => [
    look('See which nodes offer it, and how many.', amounts(w)),
    w.detail['resource']?.startsWith('hugepages-')
      ? look(
          'On a node, see how many huge pages are reserved; the kubelet counts them when it starts.',
          'grep Huge /proc/meminfo',
        )
      : look('See whether the device plugin runs on the nodes that have the device.', 'kubectl get daemonsets -A'),
    change('Correct the name of the resource or lower the number, or add a node that has it.', editWorkload(w)),
  ]);

export const rules = {
  'sched.cpu': tooLittle('cpu'),
  'sched.memory': tooLittle('memory'),
  'sched.ephemeral-storage': tooLittle('local disk (ephemeral-storage)'),
  'sched.gpu': device('GPUs'),
  'sched.extended-resource': device('of an extended resource'),
  'sched.too-many-pods': rule('The nodes already run as many pods as they may.', 'NodeResourcesFit', (w) => [
    look('See how many pods a node may run.', nodes('PODS:.status.allocatable.pods')),
    look('See what runs on one of them; finished and forgotten pods may go.', podsOnNode(w)),
    change("Add a node, or raise maxPods in the kubelet's configuration if the pod network has addresses for it."),
  ]),
  'sched.taint': rule(
    'The nodes that the pod could use have a taint that it does not tolerate.',
    'TaintToleration',
    (w) => [
      look('See the taints of the nodes.', w.detail['unwell'] === undefined ? taints : (describeNode(w) ?? taints)),
      ...(w.detail['unwell'] === undefined
        ? [
            change('If the pod belongs there, add a toleration.', editWorkload(w)),
            change(
              'If it should run on other nodes, choose those, or add one. To open the node to all pods, remove the taint.',
              w.detail['node'] === undefined || w.detail['taint'] === undefined
                ? undefined
                : shell('kubectl', 'taint', 'node', w.detail['node'], `${w.detail['taint']}-`),
            ),
          ]
        : [change('Mend the node: Kubernetes removes the taint by itself once its condition is good again.')]),
    ],
  ),
  'sched.cordoned': rule('The nodes that the pod could use are cordoned.', 'NodeUnschedulable', (w) => [
    look('See who cordoned the node, and whether it is being drained.', describeNode(w) ?? taints),
    change(
      'When the work on it is done, let pods in again.',
      w.detail['node'] === undefined ? undefined : shell('kubectl', 'uncordon', w.detail['node']),
    ),
  ]),
  'sched.node-affinity': rule(
    "No node has the labels that the pod's nodeSelector or node affinity asks for.",
    'NodeAffinity',
    (w) => [
      look('See which labels the nodes have.', labels(w)),
      change('Correct the nodeSelector or the node affinity.', editWorkload(w)),
      change(
        'If a node does belong to it, give it the label.',
        w.detail['label'] === undefined || w.detail['candidate'] === undefined
          ? undefined
          : shell('kubectl', 'label', 'node', w.detail['candidate'], w.detail['label']),
      ),
    ],
  ),
  'sched.node-name': rule('The pod names a node that does not exist.', 'NodeName', (w) => [
    look('See which nodes there are.', 'kubectl get nodes'),
    change('Correct spec.nodeName, or leave the choice to the scheduler.', editWorkload(w)),
  ]),
  'sched.host-port': rule(
    'The port of the host that the pod asks for is taken on every node it could use.',
    'NodePorts',
    (w) => [
      look('See what runs on a node where it is taken.', podsOnNode(w)),
      change('Leave out hostPort and use a Service, or run no more replicas than there are nodes.', editWorkload(w)),
    ],
  ),
  'sched.pod-affinity': rule('No node is near a pod that the pod wants to be near.', 'InterPodAffinity', (w) => [
    look('See where the pods are that it wants to be near.', selected(w)),
    change(
      'Correct the labels or the topology key of podAffinity, or make it preferred instead of required.',
      editWorkload(w),
    ),
  ]),
  'sched.pod-anti-affinity': rule(
    'On every node that the pod could use runs a pod that it refuses to be near.',
    'InterPodAffinity',
    (w) => [
      look('See where those pods are.', selected(w)),
      change('Run fewer replicas, or make podAntiAffinity preferred instead of required.', editWorkload(w)),
      change('Otherwise add a node.'),
    ],
  ),
  'sched.existing-anti-affinity': rule(
    'On every node that the pod could use runs a pod that refuses to have it near.',
    'InterPodAffinity',
    (w) => [
      look(
        'See the required podAntiAffinity of the pod in the way.',
        w.detail['other'] === undefined
          ? undefined
          : shell(
              'kubectl',
              'get',
              `pod/${w.detail['other']}`,
              '-n',
              w.detail['otherNamespace'] ?? 'default',
              '-o',
              'jsonpath={.spec.affinity}',
            ),
      ),
      change("Narrow that pod's rule, change this pod's labels, or add a node.", editWorkload(w)),
    ],
  ),
  'sched.topology-spread': rule(
    'One more pod on any node that the pod could use would break its topologySpreadConstraints.',
    'PodTopologySpread',
    (w) => [
      look('See how the nodes are labelled.', labels(w)),
      look('See where the pods that count are.', selected(w)),
      change(
        'Use whenUnsatisfiable: ScheduleAnyway or a larger maxSkew, or add nodes where there are too few pods.',
        editWorkload(w),
      ),
    ],
  ),
  'sched.volume-zone': rule(
    'The volume of the pod can only be used on nodes that the pod cannot run on.',
    'VolumeBinding, VolumeZone',
    (w) => [
      look(
        'See where the volume can be used.',
        w.detail['volume'] === undefined
          ? claims(w)
          : shell('kubectl', 'get', `pv/${w.detail['volume']}`, '-o', 'jsonpath={.spec.nodeAffinity}'),
      ),
      look('See which zones the nodes are in.', 'kubectl get nodes -L topology.kubernetes.io/zone'),
      change(
        'Add a node there, or move the data to a volume elsewhere; StorageClasses with WaitForFirstConsumer avoid this.',
      ),
    ],
  ),
  'sched.volume-limit': rule(
    'The nodes have as many volumes of this kind attached as they can.',
    'NodeVolumeLimits',
    (w) => [
      look(
        'See how many volumes a node can take.',
        'kubectl get csinodes -o custom-columns=NAME:.metadata.name,DRIVERS:.spec.drivers[*].name,LIMIT:.spec.drivers[*].allocatable.count',
      ),
      look('See what is attached where.', 'kubectl get volumeattachments'),
      change('Add a node, or use fewer and larger volumes.', editWorkload(w)),
    ],
  ),
  'sched.volume-in-use': rule('Another pod uses the volume, and only one may.', 'VolumeRestrictions', (w) => [
    look('See the access modes of the claims.', claims(w)),
    look('See which pod has it.', selected(w)),
    change('End the other pod, or give each pod a claim of its own.', editWorkload(w)),
  ]),
  'sched.csi-missing': rule(
    "The nodes do not run the CSI driver that the pod's volume needs.",
    'NodeVolumeLimits',
    (w) => [
      look(
        'See which drivers the nodes have.',
        'kubectl get csinodes -o custom-columns=NAME:.metadata.name,DRIVERS:.spec.drivers[*].name',
      ),
      look("See whether the driver's DaemonSet runs on every node.", 'kubectl get daemonsets -A'),
      change('Install the driver on the nodes, or choose nodes that have it.', editWorkload(w)),
    ],
  ),
  'sched.csi-capacity': rule(
    'No node that the pod could use has room for the volume it asks for.',
    'VolumeBinding',
    (w) => [
      look('See how much storage the driver reports.', 'kubectl get csistoragecapacities -A'),
      look('See how much the claims ask for.', claims(w)),
      change('Ask for a smaller volume, or add storage.'),
    ],
  ),
  'sched.dra': rule("The pod's resource claims cannot be satisfied.", 'DynamicResources', (w) => [
    look('See the claims and their state.', resourceClaims(w)),
    look('See what the drivers offer.', 'kubectl get deviceclasses,resourceslices'),
    change(
      'Create what is missing, correct the claim or its device class, or add nodes with such devices.',
      editWorkload(w),
    ),
  ]),
  'sched.feature': rule('No node has the features that the pod requires.', 'NodeDeclaredFeatures', (w) => [
    look('See the versions of the nodes.', 'kubectl get nodes -o wide'),
    change('Update the nodes, or leave the feature out.', editWorkload(w)),
  ]),
  'sched.gang': rule('The pod waits for the other pods of its group.', 'GangScheduling', (w) => [
    look('See which pods of the group are missing.', selected(w)),
    change('Create the missing pods, or lower the number the group needs.', editWorkload(w)),
  ]),
  'sched.no-nodes': rule('The cluster has no nodes.', 'scheduling cycle', () => [
    look('See the nodes.', 'kubectl get nodes'),
    change('Add nodes, or see why the autoscaler adds none.'),
  ]),
  'sched.no-scheduler': rule('No scheduler has looked at the pod.', 'it has written nothing', (w) => [
    look('See which scheduler the pod asks for.', kubectl('get', w.subject, '-o', 'jsonpath={.spec.schedulerName}')),
    look('See whether a scheduler runs.', 'kubectl get pods -n kube-system -o wide'),
    change('Start that scheduler, or correct schedulerName.', editWorkload(w)),
  ]),
  'sched.scheduler-error': rule(
    'The scheduler met an error while it placed the pod; it tries again.',
    'handleSchedulingFailure',
    (w) => [
      look("Read the scheduler's words.", describePod(w)),
      look('See the claims of the pod if they speak of volumes.', claims(w)),
      look('See whether the scheduler is well.', 'kubectl get pods -n kube-system -o wide'),
    ],
  ),
  'sched.gated': {
    severity: 'info',
    summary: 'The pod is held back by scheduling gates until a controller removes them.',
    source: 'kube-apiserver (registry/core/pod/strategy.go)',
    stage: 'scheduling',
    remedy: (w) => [
      look('See the gates.', kubectl('get', w.subject, '-o', 'jsonpath={.spec.schedulingGates[*].name}')),
      look(
        'See whether the controller that owns them, such as a queue or quota system, is running.',
        'kubectl get deployments -A',
      ),
    ],
  },
  'sched.unknown': rule('The scheduler gives a reason that podlens does not know.', 'a plugin or extender', (w) => [
    look("Read the scheduler's words.", describePod(w)),
    look('Compare the nodes.', 'kubectl get nodes --show-labels'),
  ]),
} satisfies Record<string, Rule>;

export type SchedulingCode = keyof typeof rules;
