import type { Draft } from '../analyzer.ts';
import type { Ref } from '../finding.ts';
import { type EventLine, eventEvidence } from '../objects/events.ts';
import { look } from '../objects/kubectl.ts';
import {
  attachmentRef,
  attachmentsOf,
  isOutside,
  type PodVolume,
  volumesOf,
  volumeText,
} from '../objects/pod-volumes.ts';
import { containersOf, type Pod, podRef } from '../objects/pods.ts';
import { type Proof, proof, sentence } from '../objects/proof.ts';
import type { Startup } from '../objects/startup.ts';
import { humanSeconds } from '../objects/time.ts';
import { unmountedIn } from '../objects/volume-wait.ts';
import type { View } from '../snapshot.ts';
import {
  attachErrors,
  csiDriver,
  detailOf,
  faultOf,
  multiAttach,
  type VolumeNeeds,
  volumeProofs,
} from './volume-facts.ts';
import type { VolumeCode } from './volume-rules.ts';

// A kubelet that merely waits writes no event; the volume manager gives up a round after about two minutes.
const SILENT_SECONDS = 120;

/**
 * What the claims, volumes and attachments themselves say about a pod that waits while no event tells why: it has expired,
 * could not be read, or was never written.
 */
export function silentVolume(
  cluster: View<VolumeNeeds>,
  pod: Pod,
  startup: Startup,
  generic: EventLine | undefined,
): Draft<VolumeCode> | undefined {
  if (startup.seconds < SILENT_SECONDS || !startup.first || !startup.takenUp) return undefined;
  const heard = generic === undefined ? [] : [eventEvidence(podRef(pod), generic)];
  const named = generic === undefined ? [] : unmountedIn(generic.message);
  const all = volumesOf(cluster, pod);
  const unmounted = all.filter(({ name }) => named.includes(name));
  const volumes = unmounted.length > 0 ? unmounted : all;
  for (const volume of volumes) {
    const found =
      ofClaim(cluster, pod, volume) ??
      ofUse(pod, volume) ??
      ofAttachment(cluster, pod, volume) ??
      ofDriver(cluster, pod, volume);
    if (found !== undefined) return finish(pod, volume, heard, found);
  }
  const awaited = volumes.find(isOutside) ?? unmounted.find(({ spec }) => spec.projected === undefined) ?? unmounted[0];
  return awaited === undefined ? undefined : finish(pod, awaited, heard, unexplained(pod, awaited, startup, generic));
}

type Found = Pick<Draft<VolumeCode>, 'code' | 'message' | 'evidence'> & Partial<Draft<VolumeCode>>;

const finish = (pod: Pod, volume: PodVolume, heard: readonly Proof[], found: Found): Draft<VolumeCode> => ({
  subject: podRef(pod),
  detail: detailOf(pod, volume),
  suspects: volume.claimRef === undefined ? [] : [volume.claimRef],
  fault: faultOf(found.code, pod, volume),
  confidence: 'likely',
  check: look("On the node, read the kubelet's log.", `journalctl -u kubelet | grep ${pod.metadata?.name ?? ''}`),
  ...found,
  evidence: [...heard, ...found.evidence],
});

/** A claim that is not there, not bound or on its way out; what is wrong with it may be a finding of its own. */
function ofClaim(cluster: View<VolumeNeeds>, pod: Pod, volume: PodVolume): Found | undefined {
  const { claimRef, claim, pvName } = volume;
  if (claimRef === undefined) return undefined;
  const found = (words: string, from: Ref, where: string, text: string): Found => ({
    code: 'volume.silent',
    message: `The pod waits for ${volumeText(volume)}: ${words}.`,
    evidence: [...volumeProofs(pod, volume), proof(from, where, text)],
    explainedBy: [claimRef],
  });
  if (claim === undefined) {
    if (!cluster.covers('PersistentVolumeClaim', claimRef.namespace)) return undefined;
    return found('there is no such claim', podRef(pod), `spec.volumes[${volume.name}]`, claimRef.name);
  }
  const { deletionTimestamp } = claim.metadata ?? {};
  if (deletionTimestamp !== undefined) {
    return found('the claim is being deleted', claimRef, 'metadata.deletionTimestamp', deletionTimestamp);
  }
  const { phase = '' } = claim.status ?? {};
  if (phase !== '' && phase !== 'Bound') return found(`the claim is ${phase}`, claimRef, 'status.phase', phase);
  if (pvName !== undefined && volume.pv === undefined && cluster.covers('PersistentVolume')) {
    return found(`its PersistentVolume ${pvName} does not exist`, claimRef, 'spec.volumeName', pvName);
  }
  return undefined;
}

/** A block device that is mounted like a file system, or the other way round; the kubelet only logs it. */
function ofUse(pod: Pod, volume: PodVolume): Found | undefined {
  const { claim, claimRef, name } = volume;
  if (claim === undefined || claimRef === undefined) return undefined;
  const block = claim.spec?.volumeMode === 'Block';
  const uses = containersOf(pod).map(({ spec }) => spec);
  const asDevice = uses.some(({ volumeDevices }) => volumeDevices?.some((device) => device.name === name));
  const asFiles = uses.some(({ volumeMounts }) => volumeMounts?.some((mount) => mount.name === name));
  if (!(block ? asFiles : asDevice)) return undefined;
  const [is, as] = block ? ['a block device', 'volumeMounts'] : ['a file system', 'volumeDevices'];
  return {
    code: 'volume.silent',
    message: `The pod waits for ${volumeText(volume)}: the claim is ${is}, and a container uses it through ${as}.`,
    evidence: [
      ...volumeProofs(pod, volume),
      proof(claimRef, 'spec.volumeMode', claim.spec?.volumeMode ?? 'Filesystem'),
    ],
  };
}

function ofAttachment(cluster: View<VolumeNeeds>, pod: Pod, volume: PodVolume): Found | undefined {
  const node = pod.spec?.nodeName ?? '';
  const attachments = attachmentsOf(cluster, volume.pvName);
  const here = attachments.find(({ spec }) => spec?.nodeName === node);
  const evidence = volumeProofs(pod, volume);
  if (here !== undefined && here.status?.attached !== true) {
    const said = here.status?.attachError?.message;
    return {
      code: 'volume.attach',
      message: `The pod waits for ${volumeText(volume)}, which is not attached to node ${node}: ${said === undefined ? `the attacher ${here.spec?.attacher ?? ''} has not answered.` : sentence(said)}`,
      evidence: [...evidence, ...attachErrors(cluster, volume, node)],
      confidence: said === undefined ? 'likely' : 'certain',
    };
  }
  const elsewhere = attachments.filter(({ spec }) => spec?.nodeName !== node);
  const one = (volume.pv?.spec?.accessModes ?? []).every((mode) => /^ReadWriteOnce/.test(mode));
  if (here !== undefined || elsewhere.length === 0 || !one) return undefined;
  const by = elsewhere.map((attachment) => attachmentRef(attachment).name).join(', ');
  return { code: 'volume.multi-attach', ...multiAttach(cluster, pod, volume, `It is attached by ${by}`, evidence) };
}

function ofDriver(cluster: View<VolumeNeeds>, pod: Pod, volume: PodVolume): Found | undefined {
  const { driver } = volume;
  const node = cluster.get('CSINode', pod.spec?.nodeName ?? '');
  if (driver === undefined || node === undefined) return undefined;
  if (node.spec?.drivers?.some(({ name }) => name === driver)) return undefined;
  return { code: 'volume.csi-driver', ...csiDriver(cluster, pod, volume, driver, volumeProofs(pod, volume)) };
}

function unexplained(pod: Pod, volume: PodVolume, { seconds }: Startup, generic: EventLine | undefined): Found {
  const node = pod.spec?.nodeName ?? '';
  const { hostPath, nfs } = volume.spec;
  const evidence = volumeProofs(pod, volume);
  const waits = `The pod has waited for ${humanSeconds(seconds)} on node ${node} before its containers can be started${generic === undefined ? ', and no event says why' : ''}`;
  if (hostPath !== undefined) {
    return {
      code: 'volume.hostpath',
      message: `${waits}; its ${volumeText(volume)} needs a ${hostPath.type} at ${hostPath.path} on that node.`,
      evidence,
      confidence: 'possible',
    };
  }
  if (nfs !== undefined) {
    return {
      code: 'volume.mount',
      message: `${waits}; its ${volumeText(volume)} is mounted from the NFS server ${nfs.server}.`,
      evidence,
      confidence: 'possible',
    };
  }
  const said = generic === undefined ? '' : ` The kubelet says: "${generic.message}".`;
  return {
    code: 'volume.silent',
    message: `${waits}; ${generic === undefined ? 'it uses' : 'it waits for'} ${volumeText(volume)}.${said}`,
    evidence,
    confidence: 'possible',
  };
}
