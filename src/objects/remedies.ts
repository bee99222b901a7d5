import type { Where } from '../analyzer.ts';
import type { Ref, Step } from '../finding.ts';
import { kubectl, look, shell } from './kubectl.ts';

// Commands that many remedies share. Each is undefined where what it would name is not known.

/** The subject without its container: what kubectl takes. */
export const podOf = ({ subject: { container: _, ...pod } }: Where): Ref => pod;

export const describePod = (where: Where): string => kubectl('describe', podOf(where));

/**
 * Edits the workload that makes the pod. Most fields of a pod without one, and the template of a Job, cannot be changed:
 * those have to be written anew, for which there is no one command.
 */
export const editWorkload = ({ owner }: Where): string | undefined =>
  owner === undefined || owner.kind === 'Job' ? undefined : kubectl('edit', owner);

/** `detail.list` is the field of the pod's spec that the container stands in. */
export const showCommand = (where: Where): Step =>
  look(
    'See which command it runs.',
    kubectl(
      'get',
      podOf(where),
      '-o',
      `jsonpath={.spec.${where.detail['list'] ?? 'containers'}[*]['name','command','args']}`,
    ),
  );

/** The events about the subject, oldest first. */
export const showEvents = ({ subject }: Where): string =>
  shell('kubectl', 'events', '--for', `pod/${subject.name}`, '-n', subject.namespace ?? 'default');

/** `detail.node` names the node. */
export const describeNode = ({ detail: { node } }: Where): string | undefined =>
  node && shell('kubectl', 'describe', `node/${node}`);

export const podsOnNode = ({ detail: { node } }: Where): string | undefined =>
  node && shell('kubectl', 'get', 'pods', '-A', '-o', 'wide', '--field-selector', `spec.nodeName=${node}`);

export const cordonNode = ({ detail: { node } }: Where): string | undefined => node && shell('kubectl', 'cordon', node);
