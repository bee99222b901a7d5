import type { Draft } from '../analyzer.ts';
import { nodeRef, nodeState } from '../objects/node-health.ts';
import { attachmentRef, attachmentsOf, type PodVolume, usersOf, volumeText } from '../objects/pod-volumes.ts';
import { type Pod, podRef } from '../objects/pods.ts';
import { type Proof, proof, sentence } from '../objects/proof.ts';
import type { View } from '../snapshot.ts';
import type { Reading } from './mount-readings.ts';
import type { VolumeCode } from './volume-rules.ts';

export type VolumeNeeds =
  | 'Pod'
  | 'Event'
  | 'Log'
  | 'Node'
  | 'ConfigMap'
  | 'Secret'
  | 'PersistentVolumeClaim'
  | 'PersistentVolume'
  | 'VolumeAttachment'
  | 'CSINode';

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export function detailOf(pod: Pod, volume: PodVolume | undefined) {
  return {
    node: pod.spec?.nodeName,
    pv: volume?.pvName,
    claim: volume?.claimRef?.name,
    driver: volume?.driver,
    path: volume?.spec.hostPath?.path ?? volume?.pv?.spec?.hostPath?.path ?? volume?.pv?.spec?.local?.path,
    server: serverOf(volume),
  };
}

const serverOf = (volume: PodVolume | undefined): string | undefined =>
  volume?.spec.nfs?.server ?? volume?.pv?.spec?.nfs?.server;

const exportOf = (volume: PodVolume): string => volume.spec.nfs?.path ?? volume.pv?.spec?.nfs?.path ?? '';

/** What the trouble is with: the same driver, server or claim under many pods is one problem. */
export function faultOf(
  code: VolumeCode,
  pod: Pod,
  volume: PodVolume | undefined,
  reading?: Reading,
): string | undefined {
  if (volume === undefined) return undefined;
  if (code === 'volume.csi-driver' && volume.driver !== undefined) return `csi:${volume.driver}:${pod.spec?.nodeName}`;
  const server = serverOf(volume);
  if (code === 'volume.mount' && server !== undefined) {
    return reading?.ofPath ? `nfs:${server}:${exportOf(volume)}:${reading.text}` : `nfs:${server}`;
  }
  if (volume.pvName !== undefined) return `pv:${volume.pvName}`;
  return volume.claimRef === undefined ? undefined : `claim:${volume.claimRef.namespace}/${volume.claimRef.name}`;
}

/** What the volume is: the source that the pod names. */
export function volumeProofs(pod: Pod, volume: PodVolume | undefined): Proof[] {
  if (volume === undefined) return [];
  const { hostPath, nfs, csi } = volume.spec;
  const where = `spec.volumes[${volume.name}]`;
  if (hostPath !== undefined)
    return [
      proof(podRef(pod), `${where}.hostPath`, `${hostPath.path}${hostPath.type ? `, type ${hostPath.type}` : ''}`),
    ];
  if (nfs !== undefined) return [proof(podRef(pod), `${where}.nfs`, `${nfs.server}:${nfs.path}`)];
  if (csi !== undefined) return [proof(podRef(pod), `${where}.csi.driver`, csi.driver ?? '')];
  if (volume.claimRef === undefined) return [];
  return [proof(podRef(pod), `${where}.persistentVolumeClaim`, volume.claimRef.name)];
}

type Part = Pick<Draft<VolumeCode>, 'message' | 'evidence' | 'suspects' | 'detail' | 'explainedBy'>;

/** Who holds a volume that only one node may have. */
export function multiAttach(
  cluster: View<VolumeNeeds>,
  pod: Pod,
  volume: PodVolume | undefined,
  said: string,
  evidence: readonly Proof[],
): Part {
  const here = pod.spec?.nodeName ?? '';
  const elsewhere = attachmentsOf(cluster, volume?.pvName).filter(({ spec }) => spec?.nodeName !== here);
  const holders = usersOf(cluster, volume?.claimRef, pod).filter(
    (other) => other.spec?.nodeName !== undefined && other.spec.nodeName !== here,
  );
  const nodes = new Set<string>();
  for (const { spec } of elsewhere) if (spec?.nodeName !== undefined) nodes.add(spec.nodeName);
  for (const holder of holders) if (holder.spec?.nodeName !== undefined) nodes.add(holder.spec.nodeName);
  const down = [...nodes].filter((name) => ['unreachable', 'not-ready'].includes(nodeState(cluster.get('Node', name))));
  const names = holders.map(({ metadata }) => metadata?.name).join(', ');
  const where =
    nodes.size === 0
      ? ''
      : ` It is held by node ${[...nodes].join(', ')}${names === '' ? ', where no pod uses it any more' : `, where pod ${names} uses it`}.`;
  const dead = down.length === 0 ? '' : ` Node ${down.join(', ')} does not answer, so it is not released.`;
  return {
    message: `${capital(volume === undefined ? 'a volume' : volumeText(volume))} cannot be attached to node ${here}, because it is in use elsewhere and can be on one node only.${where === '' ? ` ${sentence(said)}` : where}${dead}`,
    evidence: [
      ...evidence,
      ...elsewhere.map((attachment) =>
        proof(
          attachmentRef(attachment),
          'spec.nodeName',
          `${attachment.spec?.nodeName} (attached: ${attachment.status?.attached ?? false})`,
        ),
      ),
      ...holders.map((holder) => proof(podRef(holder), 'spec.nodeName', holder.spec?.nodeName ?? '')),
    ],
    suspects: [...holders.map((holder) => podRef(holder)), ...[...nodes].map(nodeRef)],
    detail: { ...detailOf(pod, volume), holder: holders[0]?.metadata?.name },
    explainedBy: down.map(nodeRef),
  };
}

/** Which drivers the node has instead. */
export function csiDriver(
  cluster: View<VolumeNeeds>,
  pod: Pod,
  volume: PodVolume | undefined,
  driver: string,
  evidence: readonly Proof[],
): Part {
  const node = pod.spec?.nodeName ?? '';
  const registered = cluster.get('CSINode', node);
  const drivers = (registered?.spec?.drivers ?? []).map(({ name = '' }) => name);
  const has =
    registered === undefined ? '' : ` It has ${drivers.length === 0 ? 'no CSI drivers at all' : drivers.join(', ')}.`;
  return {
    message: `The CSI driver ${driver}, which ${volume === undefined ? 'a volume' : volumeText(volume)} needs, is not registered on node ${node}.${has}`,
    evidence: [
      ...evidence,
      ...(registered === undefined
        ? []
        : [proof({ kind: 'CSINode', name: node }, 'spec.drivers', drivers.join(', ') || '(none)')]),
    ],
    detail: { ...detailOf(pod, volume), driver },
  };
}

/** What the attachment itself says went wrong. */
export function attachErrors(cluster: View<VolumeNeeds>, volume: PodVolume | undefined, node: string): Proof[] {
  return attachmentsOf(cluster, volume?.pvName)
    .filter(({ spec }) => spec?.nodeName === node)
    .map((attachment) => {
      const { attached = false, attachError } = attachment.status ?? {};
      const said = attachError?.message;
      return said === undefined
        ? proof(attachmentRef(attachment), 'status.attached', String(attached), attachment.metadata?.creationTimestamp)
        : proof(attachmentRef(attachment), 'status.attachError', said, attachError?.time);
    });
}
