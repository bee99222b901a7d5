import { type Draft, defineAnalyzer, type Rule } from '../analyzer.ts';
import { eventEvidence } from '../objects/events.ts';
import { change, kubectl, look } from '../objects/kubectl.ts';
import { nodeRef } from '../objects/node-health.ts';
import { conditionOf, containersOf, isLiving, type Pod, podEvents, podRef, troubledPods } from '../objects/pods.ts';
import { conditionProof, type Proof, proof, sentence } from '../objects/proof.ts';
import { cordonNode, describeNode, describePod, editWorkload, podOf } from '../objects/remedies.ts';
import { humanSeconds, secondsBetween } from '../objects/time.ts';
import type { View } from '../snapshot.ts';

type Needs = 'Pod' | 'Event';

const rules = {
  'pod.resize-infeasible': {
    severity: 'warning',
    summary: 'The resources that were asked for in place can never be given on this node.',
    source: 'kubelet (allocation: condition PodResizePending, Infeasible)',
    stage: 'hint',
    remedy: (w) => [
      look('See what the node has.', describeNode(w)),
      change('Ask for less, or recreate the pod so that it is placed on a larger node.', editWorkload(w)),
    ],
  },
  'pod.resize-deferred': {
    severity: 'warning',
    summary: 'The resources that were asked for in place have to wait until the node has room.',
    source: 'kubelet (allocation: condition PodResizePending, Deferred)',
    stage: 'hint',
    remedy: (w) => [
      look('See what is allocated on the node.', describeNode(w)),
      change('Ask for less, or move other pods away.', editWorkload(w)),
    ],
  },
  'pod.resize-error': {
    severity: 'warning',
    summary: 'The kubelet fails to put a resize into effect.',
    source: 'kubelet (kuberuntime: condition PodResizeInProgress, Error)',
    stage: 'hint',
    remedy: (w) => [
      look('Read what the kubelet says.', describePod(w)),
      change('Ask for other resources, or recreate the pod.', editWorkload(w)),
    ],
  },
  'pod.device-unhealthy': {
    severity: 'critical',
    summary: 'A device that is allocated to the container is unhealthy.',
    source: 'kubelet (device manager and DRA: status.containerStatuses[].allocatedResourcesStatus)',
    stage: 'start',
    remedy: (w) => [
      look('See the device plugins and conditions of the node.', describeNode(w)),
      change('Keep new pods off the node while the device is repaired or reset.', cordonNode(w)),
      change('Delete the pod, so that it gets another device.', kubectl('delete', podOf(w))),
    ],
  },
} satisfies Record<string, Rule>;

type Code = keyof typeof rules;

// A deferred resize is tried again whenever something ends on the node.
const DEFERRED_SECONDS = 600;

export const podResize = defineAnalyzer<Needs, Code>({
  id: 'pod-resize',
  kind: 'Pod',
  title: 'Resizes in place and the health of devices',
  needs: ['Pod', 'Event'],
  rules,
  *analyze(cluster) {
    for (const pod of troubledPods(cluster)) {
      if (!isLiving(pod)) continue;
      const resize = resizeOf(cluster, pod);
      if (resize !== undefined) yield resize;
      yield* devicesOf(pod);
    }
  },
});

interface Pending {
  readonly code: Code;
  readonly text: string;
  readonly since: string | undefined;
  readonly evidence: Proof;
}

function resizeOf(cluster: View<Needs>, pod: Pod): Draft<Code> | undefined {
  const pending = pendingResize(pod);
  if (pending === undefined) return undefined;
  const { code, text, since, evidence } = pending;
  const seconds = secondsBetween(since, cluster.takenAt) ?? 0;
  const event = podEvents(cluster, pod).find((line) => /^Resize(Deferred|Infeasible|Error)$/.test(line.reason));
  const fresh = code === 'pod.resize-deferred' && seconds < DEFERRED_SECONDS;
  const words = text === '' ? '.' : `: ${sentence(text)}`;
  const name = pod.spec?.nodeName ?? '';
  const sentences: Readonly<Record<string, string>> = {
    'pod.resize-infeasible': `The resize in place of the pod is not possible on node ${name}${words}`,
    'pod.resize-deferred': `The resize in place of the pod has been waiting for room on node ${name} for ${humanSeconds(seconds)}${words}`,
    'pod.resize-error': `The kubelet cannot put the resize in place of the pod into effect${words}`,
  };
  return {
    code,
    subject: podRef(pod),
    message: sentences[code] ?? '',
    evidence: [evidence, ...(event === undefined ? [] : [eventEvidence(podRef(pod), event)])],
    severity: fresh ? 'info' : undefined,
    suspects: [nodeRef(name)],
    detail: { node: pod.spec?.nodeName },
    since,
  };
}

/** Conditions since 1.33; `status.resize` before. */
function pendingResize(pod: Pod): Pending | undefined {
  const from = podRef(pod);
  const pending = conditionOf(pod, 'PodResizePending');
  if (pending?.status === 'True') {
    const { reason, message = '', lastTransitionTime } = pending;
    const code = reason === 'Infeasible' ? 'pod.resize-infeasible' : 'pod.resize-deferred';
    return { code, text: message, since: lastTransitionTime, evidence: conditionProof(from, pending) };
  }
  const progress = conditionOf(pod, 'PodResizeInProgress');
  if (progress?.status === 'True' && progress.reason === 'Error') {
    const { message = '', lastTransitionTime } = progress;
    return {
      code: 'pod.resize-error',
      text: message,
      since: lastTransitionTime,
      evidence: conditionProof(from, progress),
    };
  }
  const { resize } = pod.status ?? {};
  if (resize !== 'Infeasible' && resize !== 'Deferred') return undefined;
  const code = resize === 'Infeasible' ? 'pod.resize-infeasible' : 'pod.resize-deferred';
  return { code, text: '', since: undefined, evidence: proof(from, 'status.resize', resize) };
}

function* devicesOf(pod: Pod): Generator<Draft<Code>> {
  for (const { name, status, path } of containersOf(pod)) {
    for (const { name: resource = '', resources = [] } of status?.allocatedResourcesStatus ?? []) {
      const bad = resources.filter(({ health }) => health === 'Unhealthy');
      if (bad.length === 0) continue;
      const ids = bad.map(({ resourceID }) => resourceID).join(', ');
      const said = bad.find(({ message }) => message !== undefined)?.message;
      const node = pod.spec?.nodeName;
      yield {
        code: 'pod.device-unhealthy',
        subject: podRef(pod, name),
        message: `Container ${name} holds an unhealthy device of ${resource} on node ${node ?? ''}: ${sentence(said === undefined ? ids : `${ids}: ${said}`)}`,
        evidence: [
          proof(
            podRef(pod, name),
            `${path}.allocatedResourcesStatus[${resource}]`,
            `${ids}: Unhealthy${said === undefined ? '' : `: ${said}`}`,
          ),
        ],
        severity: status?.ready === true ? 'warning' : undefined,
        suspects: node === undefined ? [] : [nodeRef(node)],
        detail: { node },
        fault: `device:${node ?? ''}:${ids}`,
      };
      break;
    }
  }
}
