import type { Draft } from '../analyzer.ts';
import { kubectl, look } from '../objects/kubectl.ts';
import { type PodVolume, volumesOf, volumeText } from '../objects/pod-volumes.ts';
import { type ContainerView, containersOf, isLiving, type Pod, podRef } from '../objects/pods.ts';
import { proof } from '../objects/proof.ts';
import { type LogLine, logName, type View } from '../snapshot.ts';
import { detailOf, faultOf, type VolumeNeeds, volumeProofs } from './volume-facts.ts';
import type { VolumeCode } from './volume-rules.ts';

const FULL = /no space left on device|disk quota exceeded|ENOSPC|not enough space on the disk/i;
const PATHS = /\/[\w.@%+:=-]+(?:\/[\w.@%+:=-]+)*/g;
// The reason for an exit stands near the end of the log.
const LAST_LINES = 50;

/** A container that is down, whose log says that there is no room left on the path where it mounts a volume. */
export function fullByLog(cluster: View<VolumeNeeds>, pod: Pod): Draft<VolumeCode> | undefined {
  if (!isLiving(pod) && pod.status?.phase !== 'Failed') return undefined;
  for (const container of containersOf(pod)) {
    const run = runThatEnded(container);
    if (run === undefined) continue;
    const log = cluster.get(
      'Log',
      logName(podRef(pod).name, container.name, run === 'previous'),
      pod.metadata?.namespace,
    );
    for (const line of (log?.lines ?? []).slice(-LAST_LINES)) {
      const found = FULL.test(line.text) ? explain(cluster, pod, container, line) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function runThatEnded({ status, role }: ContainerView): 'current' | 'previous' | undefined {
  if (status === undefined || role === 'ephemeral' || status.state?.running !== undefined) return undefined;
  const { state, lastState } = status;
  if (state?.terminated !== undefined) return endedItself(state.terminated) ? 'current' : undefined;
  return lastState?.terminated !== undefined && endedItself(lastState.terminated) ? 'previous' : undefined;
}

/** With an error of its own. What is killed may have got along without the room that its log misses. */
const endedItself = ({ exitCode = 0, reason }: { readonly exitCode?: number; readonly reason?: string }): boolean =>
  exitCode !== 0 && exitCode !== 137 && exitCode !== 143 && reason !== 'OOMKilled' && reason !== 'StartError';

function explain(
  cluster: View<VolumeNeeds>,
  pod: Pod,
  container: ContainerView,
  line: LogLine,
): Draft<VolumeCode> | undefined {
  const mounted = mountedAt(volumesOf(cluster, pod), container, line.text);
  if (mounted === undefined) return undefined;
  const { volume, path } = mounted;
  const subject = podRef(pod, container.name);
  return {
    code: 'volume.full',
    subject,
    message: `The ${volumeText(volume)}, which container ${container.name} mounts on ${path}, has no room left; the container ends because of it.`,
    evidence: [proof(subject, 'log', line.text, line.at), ...volumeProofs(pod, volume), ...sizeOf(volume)],
    confidence: 'likely',
    check: look(
      'If the container can be entered, see how full it is.',
      kubectl('exec', podRef(pod), '-c', container.name, '--', 'df', '-h', path),
    ),
    suspects: volume.claimRef === undefined ? [] : [volume.claimRef],
    detail: { ...detailOf(pod, volume), path },
    fault: faultOf('volume.full', pod, volume),
  };
}

function sizeOf({ claim, claimRef }: PodVolume) {
  const size = claim?.status?.capacity?.['storage'];
  return size === undefined || claimRef === undefined ? [] : [proof(claimRef, 'status.capacity[storage]', size)];
}

/** The volume on whose mount path the line says there is no room: the deepest mount wins. */
function mountedAt(volumes: readonly PodVolume[], { spec }: ContainerView, text: string) {
  const paths = text.match(PATHS) ?? [];
  const mounts = [...(spec.volumeMounts ?? [])].sort((a, b) => (b.mountPath ?? '').length - (a.mountPath ?? '').length);
  for (const { name, mountPath: path = '' } of mounts) {
    const volume = volumes.find((candidate) => candidate.name === name);
    if (volume === undefined || !mayBeFull(volume) || path.length < 2) continue;
    if (paths.some((found) => found === path || found.startsWith(`${path}/`))) return { volume, path };
  }
  return undefined;
}

const mayBeFull = ({ claimRef, spec }: PodVolume): boolean =>
  claimRef !== undefined || spec.nfs !== undefined || spec.csi !== undefined || spec.emptyDir?.medium === 'Memory';
