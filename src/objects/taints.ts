import type { Node } from './kinds-schema.ts';
import type { PodSpec } from './pod-schema.ts';

export interface Taint {
  readonly key?: string;
  readonly value?: string;
  readonly effect?: string;
}

type Toleration = NonNullable<PodSpec['tolerations']>[number];

/** `condition`: Kubernetes sets it while the node is unwell. `cordon`: somebody keeps new pods off. */
export type TaintClass = 'condition' | 'cordon' | 'control-plane' | 'disruption' | 'dedicated';

const CONDITIONS = new Set([
  'node.kubernetes.io/not-ready',
  'node.kubernetes.io/unreachable',
  'node.kubernetes.io/memory-pressure',
  'node.kubernetes.io/disk-pressure',
  'node.kubernetes.io/pid-pressure',
  'node.kubernetes.io/network-unavailable',
  'node.kubernetes.io/out-of-service',
  'node.cloudprovider.kubernetes.io/uninitialized',
  'node.cloudprovider.kubernetes.io/shutdown',
  'node.cilium.io/agent-not-ready',
]);

export function classOfTaint({ key = '' }: Taint): TaintClass {
  if (key === 'node.kubernetes.io/unschedulable') return 'cordon';
  if (CONDITIONS.has(key)) return 'condition';
  if (key === 'node-role.kubernetes.io/control-plane' || key === 'node-role.kubernetes.io/master') {
    return 'control-plane';
  }
  // A node that Karpenter or the cluster autoscaler is about to remove, or that has just come up.
  if (key.startsWith('karpenter.sh/') || key === 'ToBeDeletedByClusterAutoscaler') return 'disruption';
  if (key === 'DeletionCandidateOfClusterAutoscaler') return 'disruption';
  return 'dedicated';
}

/** corev1.Toleration.ToleratesTaint. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && toleration.effect !== '' && toleration.effect !== taint.effect) return false;
  const { key = '', operator = 'Equal', value = '' } = toleration;
  if (key !== '' && key !== taint.key) return false;
  switch (operator) {
    case 'Exists':
      return true;
    case 'Equal':
    case '':
      return key !== '' && value === (taint.value ?? '');
    case 'Gt':
      return Number(taint.value) > Number(value);
    case 'Lt':
      return Number(taint.value) < Number(value);
    default:
      return false;
  }
}

/** The taints that keep a pod off a node: NoSchedule and NoExecute, and not tolerated. */
export function untolerated(node: Node, tolerations: readonly Toleration[] | undefined): readonly Taint[] {
  const taints = node.spec?.taints;
  if (taints === undefined || taints.length === 0) return NONE;
  return taints.filter(
    (taint) =>
      (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') &&
      !(tolerations ?? NONE).some((toleration) => tolerates(toleration, taint)),
  );
}

const NONE: readonly never[] = [];

/** As `kubectl taint` takes it: "dedicated=gpu:NoSchedule". */
export const taintText = ({ key = '', value, effect = '' }: Taint): string =>
  `${key}${value === undefined || value === '' ? '' : `=${value}`}${effect === '' ? '' : `:${effect}`}`;
