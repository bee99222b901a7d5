import type { Ref } from '../finding.ts';
import { inNamespace, type View } from '../snapshot.ts';
import type { ApiKinds } from './kinds-schema.ts';
import type { Pod, Volume } from './pod-schema.ts';
import { isTerminal } from './pods.ts';
import { claimNameOf, claimsOf } from './volumes.ts';

type Claim = ApiKinds['PersistentVolumeClaim'];
type PersistentVolume = ApiKinds['PersistentVolume'];
export type VolumeAttachment = ApiKinds['VolumeAttachment'];

type Needs = 'Pod' | 'PersistentVolumeClaim' | 'PersistentVolume' | 'VolumeAttachment';

/** A volume of a pod, with the claim and the persistent volume behind it as far as they were read. */
export interface PodVolume {
  readonly name: string;
  readonly spec: Volume;
  readonly claimRef: Ref | undefined;
  readonly claim: Claim | undefined;
  /** The name of the persistent volume; mount events name it instead of the pod's volume. */
  readonly pvName: string | undefined;
  readonly pv: PersistentVolume | undefined;
  /** The CSI driver that serves it. */
  readonly driver: string | undefined;
}

export function volumesOf(cluster: View<Needs>, pod: Pod): PodVolume[] {
  const namespace = pod.metadata?.namespace ?? '';
  return (pod.spec?.volumes ?? []).map((spec) => {
    const name = spec.name ?? '';
    const claimName = claimNameOf(pod, spec);
    const claim = claimName === undefined ? undefined : cluster.get('PersistentVolumeClaim', claimName, namespace);
    const pvName = claim?.spec?.volumeName;
    const pv = pvName === undefined ? undefined : cluster.get('PersistentVolume', pvName);
    return {
      name,
      spec,
      claimRef: claimName === undefined ? undefined : { kind: 'PersistentVolumeClaim', namespace, name: claimName },
      claim,
      pvName,
      pv,
      driver: spec.csi?.driver ?? pv?.spec?.csi?.driver,
    };
  });
}

const STRICT_TYPES = new Set(['Directory', 'File', 'Socket', 'CharDevice', 'BlockDevice']);

/** Whether mounting it depends on something outside of the pod: storage, a server, or what is on the node. */
export const isOutside = ({ spec, claimRef }: PodVolume): boolean =>
  claimRef !== undefined ||
  spec.nfs !== undefined ||
  spec.csi !== undefined ||
  (spec.hostPath !== undefined && STRICT_TYPES.has(spec.hostPath.type ?? ''));

/** The volume that a mount event speaks of: `MountVolume.SetUp failed for volume "pvc-1" : …`. */
export function volumeNamed(volumes: readonly PodVolume[], message: string): PodVolume | undefined {
  const named = /for volume "([^"]+)"/.exec(message)?.[1] ?? /unmounted volumes=\[([^\] ]+)/.exec(message)?.[1];
  return volumes.find(({ name, pvName }) => name === named || pvName === named);
}

/** As it stands in a sentence: `volume "data" (claim data, PersistentVolume pvc-1)`. */
export function volumeText({ name, claimRef, pvName }: PodVolume): string {
  const behind = [
    claimRef === undefined ? undefined : `claim ${claimRef.name}`,
    pvName === undefined ? undefined : `PersistentVolume ${pvName}`,
  ].filter((part) => part !== undefined);
  return `volume "${name}"${behind.length === 0 ? '' : ` (${behind.join(', ')})`}`;
}

export const attachmentRef = (attachment: VolumeAttachment): Ref => ({
  kind: 'VolumeAttachment',
  name: attachment.metadata?.name ?? '',
});

/** The attachments of a persistent volume, to whichever nodes. */
export const attachmentsOf = (cluster: View<Needs>, pvName: string | undefined): VolumeAttachment[] =>
  pvName === undefined
    ? []
    : cluster.list('VolumeAttachment').filter(({ spec }) => spec?.source?.persistentVolumeName === pvName);

/** The other pods that use a claim and have not ended. */
export const usersOf = (cluster: View<'Pod'>, claimRef: Ref | undefined, but: Pod): Pod[] =>
  claimRef === undefined
    ? []
    : inNamespace(cluster.list('Pod'), claimRef.namespace ?? '').filter(
        (pod) => pod !== but && !isTerminal(pod) && claimsOf(pod).includes(claimRef.name),
      );
