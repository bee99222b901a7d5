import type { Rule, Where } from '../analyzer.ts';
import { change, kubectl, look, shell } from '../objects/kubectl.ts';
import { describeNode, describePod, editWorkload, podOf, podsOnNode } from '../objects/remedies.ts';

const rule = (
  source: string,
  summary: string,
  remedy: Rule['remedy'],
  severity: Rule['severity'] = 'critical',
): Rule => ({ severity, summary, source, stage: 'volume', remedy });

const KUBELET = 'kubelet (volume manager: event FailedMount, FailedMapVolume)';

const claim = ({ subject, detail }: Where): string | undefined =>
  detail['claim'] && shell('kubectl', 'describe', `pvc/${detail['claim']}`, '-n', subject.namespace ?? 'default');
const persistentVolume = ({ detail }: Where): string | undefined =>
  detail['pv'] && shell('kubectl', 'describe', `pv/${detail['pv']}`);
const behind = (w: Where) =>
  claim(w) === undefined
    ? look('See what the pod mounts, and what the kubelet says of it.', describePod(w))
    : look('See the claim and the volume behind it.', claim(w));
const attachments = (w: Where) =>
  look(
    'See what is attached to which node.',
    `kubectl get volumeattachments${w.detail['pv'] === undefined ? '' : ` | grep ${shell(w.detail['pv'])}`}`,
  );
const csiNode = ({ detail }: Where): string | undefined =>
  detail['node'] && shell('kubectl', 'get', `csinode/${detail['node']}`, '-o', 'yaml');

export const volumeRules = {
  'volume.hostpath': rule(KUBELET, 'The path on the node is not what the hostPath volume says it must be.', (w) => [
    look('On the node, see what is there.', w.detail['path'] && shell('ls', '-ld', w.detail['path'])),
    change(
      'Create it on every node the pod may run on, correct the path, or relax its type (DirectoryOrCreate).',
      editWorkload(w),
    ),
  ]),
  'volume.attach': rule(
    'attach/detach controller (event FailedAttachVolume; VolumeAttachment status.attachError)',
    'The volume cannot be attached to the node.',
    (w) => [
      attachments(w),
      look('See the volume and its events.', persistentVolume(w) ?? claim(w)),
      look(
        "See whether the driver's controller runs; its log says why it does not attach.",
        w.detail['driver'] && shell('kubectl', 'describe', `csidriver/${w.detail['driver']}`),
      ),
    ],
  ),
  'volume.multi-attach': rule(
    'attach/detach controller (event FailedAttachVolume: Multi-Attach error)',
    'The volume is attached to another node and can be on one only.',
    (w) => [
      attachments(w),
      change(
        'End the pod that holds it; if its node is dead, taint that node out-of-service or delete it, and the volume is released.',
        w.detail['holder'] &&
          shell('kubectl', 'delete', `pod/${w.detail['holder']}`, '-n', w.subject.namespace ?? 'default'),
      ),
      change(
        'For a Deployment with such a volume use the strategy Recreate or one replica; or a volume that many nodes may mount (ReadWriteMany).',
        editWorkload(w),
      ),
    ],
  ),
  'volume.token': rule(
    "kubelet (event FailedMount of a projected volume), in the API server's words",
    'The kubelet gets no token for the service account of the pod.',
    (w) => [
      look(
        'See which service accounts there are.',
        shell('kubectl', 'get', 'serviceaccounts', '-n', w.subject.namespace ?? 'default'),
      ),
      change(
        'Create the service account again, or correct serviceAccountName.',
        w.detail['account'] &&
          shell('kubectl', 'create', 'serviceaccount', w.detail['account'], '-n', w.subject.namespace ?? 'default'),
      ),
      look('Read what the kubelet says.', describePod(w)),
    ],
  ),
  'volume.csi-driver': rule(KUBELET, 'The CSI driver of the volume is not registered on the node.', (w) => [
    look('See which drivers the node has.', csiNode(w)),
    look("See whether the driver's DaemonSet has a pod there.", podsOnNode(w)),
    change('Install the driver, or repair its pod on that node; if the name is misspelt, correct it.', editWorkload(w)),
  ]),
  'volume.mount': rule(KUBELET, 'The volume cannot be mounted on the node.', (w) => [
    behind(w),
    look(
      'On the node, see whether the server answers and exports the path.',
      w.detail['server'] && shell('showmount', '-e', w.detail['server']),
    ),
    look('See the node: other pods may fail there too.', describeNode(w)),
  ]),
  'volume.slow-chown': rule(
    'kubelet (volume/volume_linux.go: event VolumePermissionChangeInProgress)',
    'The kubelet is changing the group of every file on the volume before the pod may start.',
    (w) => [
      look('See how far it is.', describePod(w)),
      change(
        'Set securityContext.fsGroupChangePolicy: OnRootMismatch, so that it is done once and not at every start.',
        editWorkload(w),
      ),
    ],
    'warning',
  ),
  'volume.silent': rule(
    'kubelet, which writes no event while it merely waits for a volume',
    'The pod waits for a volume, and no event says why.',
    (w) => [
      look('See phase, deletion and mode of the claim.', claim(w) ?? describePod(w)),
      attachments(w),
      look("On the node, read the kubelet's log.", `journalctl -u kubelet | grep ${shell(podOf(w).name)}`),
    ],
  ),
  'volume.full': rule(
    'kubelet (event FailedMount, VolumeConditionAbnormal) or the application (its log)',
    'The volume is full.',
    (w) => [
      look('See how large the claim is.', claim(w) ?? describePod(w)),
      look(
        'See what fills it.',
        w.detail['path'] &&
          kubectl(
            'exec',
            podOf(w),
            ...(w.subject.container === undefined ? [] : ['-c', w.subject.container]),
            '--',
            'df',
            '-h',
            w.detail['path'],
          ),
      ),
      change(
        'Remove what is not needed, or enlarge the claim if its StorageClass allows it.',
        w.detail['claim'] &&
          shell('kubectl', 'edit', `pvc/${w.detail['claim']}`, '-n', w.subject.namespace ?? 'default'),
      ),
    ],
  ),
  'volume.resize': rule(
    'kubelet (events FileSystemResizeFailed, VolumeResizeFailed)',
    'The volume was enlarged, but its file system cannot be grown.',
    (w) => [
      look('See the conditions of the claim.', claim(w) ?? describePod(w)),
      change('Restart the pod, so that the volume is mounted anew.', kubectl('delete', podOf(w))),
    ],
    'warning',
  ),
  'volume.abnormal': rule(
    "kubelet (event VolumeConditionAbnormal, in the CSI driver's words)",
    'The CSI driver reports that the volume is not well.',
    (w) => [behind(w), look('See the node.', describeNode(w))],
    'warning',
  ),
} satisfies Record<string, Rule>;

export type VolumeCode = keyof typeof volumeRules;
