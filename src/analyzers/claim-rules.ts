import type { Rule, Where } from '../analyzer.ts';
import { change, destroy, kubectl, look, shell } from '../objects/kubectl.ts';

const rule = (
  summary: string,
  source: string,
  remedy: Rule['remedy'],
  severity: Rule['severity'] = 'critical',
): Rule => ({
  severity,
  summary,
  source,
  stage: 'claim',
  remedy,
});

const BINDER = 'kube-controller-manager (persistentvolume-binder)';
const SCHEDULER = 'kube-scheduler (VolumeBinding)';

const claim = (w: Where): string => kubectl('describe', w.subject);

const claims = (w: Where, ...rest: readonly string[]): string =>
  shell('kubectl', 'get', 'pvc', ...(w.subject.namespace === undefined ? [] : ['-n', w.subject.namespace]), ...rest);

const workload = (w: Where): string | undefined => {
  const { workloadKind: kind, workloadName: name } = w.detail;
  if (kind === undefined || name === undefined || kind === 'Job') return undefined;
  return kubectl('edit', {
    kind,
    name,
    ...(w.subject.namespace === undefined ? {} : { namespace: w.subject.namespace }),
  });
};

const storageClass = (w: Where): string =>
  w.detail['class'] === undefined
    ? 'kubectl get storageclasses'
    : shell('kubectl', 'describe', `storageclass/${w.detail['class']}`);

export const rules = {
  'storage.claim-missing': rule('A claim that the pod mounts does not exist.', SCHEDULER, (w) => [
    look('See which claims there are.', claims(w)),
    change(
      'Correct claimName where the pod is defined, or create the claim; the pod then starts by itself.',
      workload(w),
    ),
  ]),
  'storage.claim-pending': rule('A claim that the pod mounts has no volume yet.', BINDER, (w) => [
    look('See what the claim waits for.', claim(w)),
    look('See its StorageClass and who is to create the volume.', storageClass(w)),
    look("See whether that provisioner's pods run.", 'kubectl get pods -A -o wide'),
  ]),
  'storage.claim-deleting': rule('A claim that the pod mounts is being deleted.', SCHEDULER, (w) => [
    look('See which pods still use it; it goes when they have ended.', claim(w)),
    change('When it is gone, create it again, or let the pod mount another claim.', workload(w)),
  ]),
  'storage.claim-lost': rule('The volume that a claim was bound to no longer exists.', BINDER, (w) => [
    look('See the claim and its volume.', claim(w)),
    look('See which volumes there are.', 'kubectl get pv'),
    destroy(
      'If the data is gone or was restored elsewhere, delete the claim and create it again.',
      kubectl('delete', w.subject),
    ),
  ]),
  'storage.class-missing': rule('A claim names a StorageClass that does not exist.', BINDER, (w) => [
    look('See which StorageClasses there are.', 'kubectl get storageclasses'),
    look('See what the claim asks for.', claim(w)),
    change(
      w.detail['class'] === undefined
        ? 'Create the StorageClass, or delete the claim and create it with an existing one: the field cannot be changed.'
        : `Create StorageClass ${w.detail['class']}, or delete the claim and create it with an existing one: the field cannot be changed. A StatefulSet takes it from volumeClaimTemplates.`,
    ),
  ]),
  'storage.provisioning-failed': rule(
    'The provisioner cannot create the volume for a claim.',
    'the provisioner, or kube-controller-manager',
    (w) => [
      look("Read the provisioner's words.", claim(w)),
      look('See the parameters of the StorageClass.', storageClass(w)),
      look("See the provisioner's pods, and then its log.", 'kubectl get pods -A -o wide'),
    ],
  ),
  'storage.no-volume': rule('No volume matches a claim, and none is created for it.', BINDER, (w) => [
    look('See which volumes there are, their size, class and state.', 'kubectl get pv'),
    look('See what the claim asks for.', claim(w)),
    change('Create a volume that matches, or create the claim again with a StorageClass that provisions one.'),
  ]),
} satisfies Record<string, Rule>;

export type ClaimRule = keyof typeof rules;
