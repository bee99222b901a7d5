import { type Draft, defineAnalyzer } from '../analyzer.ts';
import { isConfigMount } from '../objects/config-mounts.ts';
import { type EventLine, eventEvidence } from '../objects/events.ts';
import { attachmentsOf, volumeNamed, volumesOf, volumeText } from '../objects/pod-volumes.ts';
import { isLiving, type Pod, podEvents, podRef, troubledPods } from '../objects/pods.ts';
import { sentence } from '../objects/proof.ts';
import { type Startup, startupOf, waitsForConfig } from '../objects/startup.ts';
import { humanSeconds, secondsBetween } from '../objects/time.ts';
import { isWaitSummary, reasonOfWait } from '../objects/volume-wait.ts';
import type { View } from '../snapshot.ts';
import { readingOf } from './mount-readings.ts';
import {
  attachErrors,
  capital,
  csiDriver,
  detailOf,
  faultOf,
  multiAttach,
  type VolumeNeeds,
  volumeProofs,
} from './volume-facts.ts';
import { fullByLog } from './volume-full.ts';
import { silentVolume } from './volume-objects.ts';
import { type VolumeCode, volumeRules } from './volume-rules.ts';

export const podVolume = defineAnalyzer<VolumeNeeds, VolumeCode>({
  id: 'pod-volume',
  kind: 'Pod',
  title: 'Volumes that cannot be attached or mounted, or are full',
  needs: [
    'Pod',
    'Event',
    'Log',
    'Node',
    'ConfigMap',
    'Secret',
    'PersistentVolumeClaim',
    'PersistentVolume',
    'VolumeAttachment',
    'CSINode',
  ],
  rules: volumeRules,
  *analyze(cluster) {
    for (const pod of troubledPods(cluster)) {
      const startup = startupOf(cluster, pod);
      const found =
        startup === undefined ? (fullByLog(cluster, pod) ?? unwell(cluster, pod)) : stuck(cluster, pod, startup);
      if (found !== undefined && !(startup?.early && !lasts(found)))
        yield { ...found, since: found.since ?? startup?.since };
    }
  },
});

// In the first minute of a pod, drivers and servers that come with the node may be on their way.
const lasting: ReadonlySet<VolumeCode> = new Set(['volume.hostpath', 'volume.mount', 'volume.full']);
const lasts = ({ code, detail }: Draft<VolumeCode>): boolean => lasting.has(code) && detail?.['driver'] === undefined;

function stuck(cluster: View<VolumeNeeds>, pod: Pod, startup: Startup): Draft<VolumeCode> | undefined {
  const { events } = startup;
  const newest = events.find(({ reason }) => reason !== 'SandboxChanged');
  if (newest !== undefined && newest.step !== 'volume') return undefined;
  const about = events.filter(
    (event) => event.step === 'volume' && !isConfigMount(pod, event) && holds(cluster, pod, event, newest?.at),
  );
  const specific = about.find(namesCause);
  if (specific !== undefined) return byEvent(cluster, pod, startup, specific);
  const [generic] = about;
  if (waitsForConfig(cluster, pod, startup)) return undefined;
  return silentVolume(cluster, pod, startup, generic);
}

// Volumes are mounted side by side, so what was said of another one a moment earlier still holds.
const TOGETHER_SECONDS = 180;
const MULTI_ATTACH = /Multi-Attach error/;

/** A mount is tried again within two minutes, and its error said again; of a Multi-Attach the controller speaks once. */
function holds(cluster: View<VolumeNeeds>, pod: Pod, event: EventLine, newest: string | undefined): boolean {
  if ((secondsBetween(event.at, newest) ?? 0) < TOGETHER_SECONDS) return true;
  return MULTI_ATTACH.test(event.message) && !attachedSince(cluster, pod, event);
}

function attachedSince(cluster: View<VolumeNeeds>, pod: Pod, { message, at }: EventLine): boolean {
  const pvName = volumeNamed(volumesOf(cluster, pod), message)?.pvName;
  return (
    podEvents(cluster, pod).some(
      (event) => event.reason === 'SuccessfulAttachVolume' && (secondsBetween(at, event.at) ?? -1) >= 0,
    ) ||
    attachmentsOf(cluster, pvName).some(({ spec, status }) => spec?.nodeName === pod.spec?.nodeName && status?.attached)
  );
}

/** What a summary says of claims and of their volumeMode, the claims themselves show better. */
function namesCause({ message }: EventLine): boolean {
  if (!isWaitSummary(message)) return true;
  const reason = reasonOfWait(message);
  return reason !== undefined && !/error processing PVC|has volumeMode/.test(reason);
}

/** First match wins: what is said of a driver or a path is more telling than in which step it was said. */
const causes: readonly (readonly [VolumeCode, RegExp])[] = [
  ['volume.multi-attach', MULTI_ATTACH],
  ['volume.token', /failed to fetch token|serviceaccounts? "[^"]+" not found/i],
  [
    'volume.csi-driver',
    /not found in the list of registered CSI drivers|failed to get CSI client|CSI driver .* is not registered|does not contain driver|no CSIDriver object|csidriver\.storage\.k8s\.io "[^"]+" not found/i,
  ],
  ['volume.full', /no space left on device|disk quota exceeded/i],
  ['volume.hostpath', /hostPath type check failed/],
  ['volume.attach', /^AttachVolume\.|external-attacher/],
];

function codeOf({ reason, message }: EventLine): VolumeCode {
  if (reason === 'VolumePermissionChangeInProgress') return 'volume.slow-chown';
  const known = causes.find(([, words]) => words.test(message))?.[0];
  return known ?? (reason === 'FailedAttachVolume' ? 'volume.attach' : 'volume.mount');
}

function byEvent(cluster: View<VolumeNeeds>, pod: Pod, startup: Startup, event: EventLine): Draft<VolumeCode> {
  const code = codeOf(event);
  const volume = volumeNamed(volumesOf(cluster, pod), event.message);
  const which = volume === undefined ? 'a volume' : volumeText(volume);
  const said = reasonOfWait(event.message) ?? event.message.replace(/^\S+ failed for volume "[^"]+" : /, '');
  const shared = {
    code,
    subject: podRef(pod),
    evidence: [eventEvidence(podRef(pod), event), ...volumeProofs(pod, volume)],
    detail: detailOf(pod, volume),
    suspects: volume?.claimRef === undefined ? [] : [volume.claimRef],
    fault: faultOf(code, pod, volume),
  };
  const node = pod.spec?.nodeName ?? '';
  const waits = `after ${humanSeconds(startup.seconds)}`;
  switch (code) {
    case 'volume.multi-attach':
      return { ...shared, ...multiAttach(cluster, pod, volume, event.message, shared.evidence) };
    case 'volume.csi-driver': {
      const driver = volume?.driver ?? /driver (?:name )?(\S+)/.exec(event.message)?.[1] ?? '';
      return { ...shared, ...csiDriver(cluster, pod, volume, driver, shared.evidence) };
    }
    case 'volume.attach':
      return {
        ...shared,
        message: `${capital(which)} is not attached to node ${node} ${waits}: ${sentence(said)}`,
        evidence: [...shared.evidence, ...attachErrors(cluster, volume, node)],
      };
    case 'volume.slow-chown':
      return {
        ...shared,
        message: `Pod ${pod.metadata?.name} waits while the kubelet changes the group of the files on its volume: ${sentence(said)}`,
      };
    case 'volume.token': {
      const account = pod.spec?.serviceAccountName ?? 'default';
      return {
        ...shared,
        message: `The kubelet on node ${node} gets no token for the service account ${account} of the pod: ${sentence(said)}`,
        suspects: [{ kind: 'ServiceAccount', namespace: pod.metadata?.namespace ?? '', name: account }],
        detail: { ...shared.detail, account },
        fault: `account:${pod.metadata?.namespace}/${account}`,
      };
    }
    case 'volume.full':
      return { ...shared, message: `${capital(which)} has no room left on node ${node}: ${sentence(said)}` };
    case 'volume.hostpath':
      return { ...shared, message: `${capital(which)} cannot be used on node ${node}: ${sentence(said)}` };
    default: {
      const reading = readingOf(event.message);
      const why = reading === undefined ? '' : ` ${reading.text}.`;
      return {
        ...shared,
        fault: faultOf(code, pod, volume, reading),
        message: `${capital(which)} cannot be mounted on node ${node} ${waits}.${why} The kubelet says: "${sentence(said).slice(0, -1)}".`,
      };
    }
  }
}

const UNWELL = new Set(['VolumeConditionAbnormal', 'FileSystemResizeFailed', 'VolumeResizeFailed']);
const RECENT_SECONDS = 1800;

/** Trouble with the volume of a pod that runs. */
function unwell(cluster: View<VolumeNeeds>, pod: Pod): Draft<VolumeCode> | undefined {
  if (!isLiving(pod)) return undefined;
  const event = podEvents(cluster, pod).find(
    ({ reason, at }) => UNWELL.has(reason) && (secondsBetween(at, cluster.takenAt) ?? 0) < RECENT_SECONDS,
  );
  if (event === undefined) return undefined;
  const volume = volumeNamed(volumesOf(cluster, pod), event.message);
  const full = /no space|out of space|capacity|(is|volume|disk) full|quota/i.test(event.message);
  const other = event.reason === 'VolumeConditionAbnormal' ? 'volume.abnormal' : 'volume.resize';
  return {
    code: full && event.reason === 'VolumeConditionAbnormal' ? 'volume.full' : other,
    subject: podRef(pod),
    message: `The kubelet reports trouble with ${volume === undefined ? 'a volume of the pod' : volumeText(volume)}: ${sentence(event.message)}`,
    evidence: [eventEvidence(podRef(pod), event), ...volumeProofs(pod, volume)],
    severity: 'warning',
    suspects: volume?.claimRef === undefined ? [] : [volume.claimRef],
    detail: detailOf(pod, volume),
    since: event.firstAt,
    fault: faultOf(other, pod, volume),
  };
}
