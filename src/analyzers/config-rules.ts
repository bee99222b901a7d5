import type { Rule, Where } from '../analyzer.ts';
import type { Ref } from '../finding.ts';
import { change, kubectl, look, shell } from '../objects/kubectl.ts';
import { editWorkload, podOf } from '../objects/remedies.ts';

const KUBELET = 'kubelet (kubelet_pods.go, reason CreateContainerConfigError)';
const MOUNT = 'kubelet (CreateContainerConfigError; for volumes event FailedMount of the volume manager)';

const rule = (
  summary: string,
  source: string,
  remedy: Rule['remedy'],
  severity: Rule['severity'] = 'critical',
): Rule => ({
  severity,
  summary,
  source,
  stage: 'config',
  remedy,
});

const refIn = (w: Where, detail: 'pod' | 'workload'): Ref | undefined => {
  const [kind = '', name] = (w.detail[detail] ?? '').split('/');
  if (name === undefined) return undefined;
  return { kind, name, ...(w.subject.namespace === undefined ? {} : { namespace: w.subject.namespace }) };
};
/** The subject may be the object that is missing: then the workload is the one of the pod that misses it. */
const edit = (w: Where): string | undefined => {
  const owner = w.owner ?? refIn(w, 'workload');
  return editWorkload({ ...w, ...(owner === undefined ? {} : { owner }) });
};
const describe = (w: Where): string | undefined => {
  const pod = refIn(w, 'pod');
  return pod && kubectl('describe', pod);
};
const listed = (plural: string) => (w: Where) => [
  look(
    `See which ${plural} the namespace has.`,
    shell('kubectl', 'get', plural, '-n', w.subject.namespace ?? 'default'),
  ),
  look('See where the pod refers to it.', describe(w)),
  change(
    'Create it, or correct the name in the pod; the container then starts by itself. If it may be absent, set optional: true.',
    edit(w),
  ),
];

/** Why a container cannot be configured. */
export const rules = {
  'config.secret-missing': rule('A Secret that the pod needs does not exist.', MOUNT, listed('secrets')),
  'config.configmap-missing': rule('A ConfigMap that the pod needs does not exist.', MOUNT, listed('configmaps')),
  'config.key-missing': rule('A Secret or ConfigMap exists, but not the key that the pod needs of it.', MOUNT, (w) => [
    look('See which keys it has (values are not shown).', kubectl('describe', w.subject)),
    change('Add the key, or correct it in the pod.', edit(w)),
  ]),
  'config.cache-sync': rule(
    'The kubelet has not received a Secret or ConfigMap yet; it passes by itself.',
    KUBELET,
    (w) => [look('Look again; if it lasts, the kubelet cannot reach the API server.', describe(w))],
    'warning',
  ),
  'config.subpath': rule('A subPath cannot be prepared.', KUBELET, (w) => [
    look('See volumeMounts and volumes of the pod.', describe(w)),
    change('Correct the subPath: relative, without "..", and there in the volume.', edit(w)),
  ]),
  'config.volume-ref': rule(
    'A container mounts a volume that the pod does not have, or in a way that it cannot be mounted.',
    KUBELET,
    (w) => [
      look('See volumeMounts and volumes of the pod.', describe(w)),
      change('Correct volumeMounts or volumes.', edit(w)),
    ],
  ),
  'config.env-file': rule('An environment file cannot be read (fileKeyRef).', KUBELET, (w) => [
    look('See env of the container.', describe(w)),
    change('Correct the file that the init container writes, or the key.', edit(w)),
  ]),
  'config.fieldref': rule(
    'A value from the pod itself (fieldRef, resourceFieldRef) cannot be resolved.',
    KUBELET,
    (w) => [
      look('See env of the container and the volumes of the pod.', describe(w)),
      change('Correct the field path or the container name.', edit(w)),
    ],
  ),
  'config.unknown': rule('The container cannot be configured, for a reason podlens does not know.', KUBELET, (w) => [
    look('Read what the kubelet says.', describe(w)),
    change('Correct the pod.', edit(w)),
  ]),
  'security.run-as-root': rule(
    'A container must not run as root, and its runAsUser or its image is root, or may be.',
    'kubelet (kuberuntime/security_context_others.go)',
    (w) => [
      look('See securityContext of pod and container.', kubectl('get', podOf(w), '-o', 'jsonpath={..securityContext}')),
      change('Set a numeric runAsUser other than 0, or build the image with a numeric USER.', edit(w)),
    ],
  ),
} satisfies Record<string, Rule>;

export type Code = keyof typeof rules;
