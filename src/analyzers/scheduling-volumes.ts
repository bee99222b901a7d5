import type { Ref } from '../finding.ts';
import type { NodeFit } from '../objects/fits.ts';
import { nodeSelectorText } from '../objects/node-affinity.ts';
import { usersOf } from '../objects/pod-volumes.ts';
import { podRef } from '../objects/pods.ts';
import { claimsOf } from '../objects/volumes.ts';
import { type Case, type Fact, listed, nodeRef, toldWords, type Words } from './scheduling-case.ts';

const unusable = ({ obstacles }: NodeFit): string[] =>
  obstacles.flatMap(({ code, name }) => (code === 'sched.volume-zone' && name !== undefined ? name : []));

/** Where the volumes of the pod can be used, and that it cannot run there. */
export function volumeWords(it: Case): Words {
  const fits = [...it.placement.nodes, ...it.placement.others];
  const claims = claimsOf(it.pod).filter((claim) => fits.some((fit) => unusable(fit).includes(claim)));
  const nowhere = claims.find((claim) => fits.every((fit) => unusable(fit).includes(claim)));
  const first = nowhere ?? claims.find((claim) => it.placement.nodes.some((fit) => unusable(fit).includes(claim)));
  if (first === undefined) {
    return { ...toldWords(it), text: 'Its volume can only be used on nodes that it cannot run on.' };
  }
  if (nowhere === undefined && fits.every((fit) => unusable(fit).length > 0)) return apartWords(it, claims);
  const place = placeOf(it, first);
  return {
    ...factsOf(it, [place]),
    text: `Its volume ${place.volume} (claim ${first}) can only be used on nodes with ${place.labels}, and ${nowhere === undefined ? 'none of those can take the pod' : 'there is no such node'}.`,
  };
}

/** Each of the volumes has nodes, and no node has them all. */
function apartWords(it: Case, claims: readonly string[]): Words {
  const places = claims.map((claim) => placeOf(it, claim));
  const parts = places.map(({ claim, volume, labels }) => `${volume} (claim ${claim}) only on nodes with ${labels}`);
  return {
    ...factsOf(it, places),
    text: `No node can use all of its volumes: ${parts.join('; ')}.`,
  };
}

interface Place {
  readonly claim: string;
  readonly volume: string;
  /** "topology.kubernetes.io/zone=a" */
  readonly labels: string;
  readonly keys: readonly string[];
}

function placeOf({ cluster, pod }: Case, claim: string): Place {
  const volume = cluster.get('PersistentVolumeClaim', claim, pod.metadata?.namespace)?.spec?.volumeName ?? '';
  const persistent = cluster.get('PersistentVolume', volume);
  const required = persistent?.spec?.nodeAffinity?.required;
  const zones = Object.entries(persistent?.metadata?.labels ?? {}).filter(([key]) => /zone|region/.test(key));
  const labels = nodeSelectorText(required) || zones.map(([key, value]) => `${key}=${value}`).join(', ');
  const asked = (required?.nodeSelectorTerms ?? []).flatMap(({ matchExpressions = [] }) => matchExpressions);
  const keys = [...asked, ...zones.map(([key]) => ({ key }))].flatMap(({ key }) => key ?? []).slice(0, 2);
  return { claim, volume, labels, keys };
}

function factsOf({ placement }: Case, places: readonly Place[]): Omit<Words, 'text'> {
  const refs = places.map(({ volume }): Ref => ({ kind: 'PersistentVolume', name: volume }));
  const keys = [...new Set(places.flatMap((place) => place.keys))];
  return {
    evidence: [
      ...places.map(
        ({ volume, labels }): Fact => ({
          from: { kind: 'PersistentVolume', name: volume },
          where: 'spec.nodeAffinity',
          text: labels,
        }),
      ),
      ...placement.nodes.slice(0, 3).flatMap((fit): Fact[] =>
        keys.map((key) => ({
          from: nodeRef(fit),
          where: `metadata.labels[${key}]`,
          text: fit.node.metadata?.labels?.[key] ?? '(none)',
        })),
      ),
    ],
    detail: { volume: places[0]?.volume },
    suspects: refs,
  };
}

/** Which claim is for one pod only, and which pod has it. */
export function inUseWords(it: Case): Words {
  const { cluster, pod } = it;
  const namespace = pod.metadata?.namespace ?? '';
  const told = toldWords(it);
  for (const name of claimsOf(pod)) {
    const modes = cluster.get('PersistentVolumeClaim', name, namespace)?.spec?.accessModes ?? [];
    if (!modes.includes('ReadWriteOncePod')) continue;
    const ref: Ref = { kind: 'PersistentVolumeClaim', namespace, name };
    const holders = usersOf(cluster, ref, pod).filter(({ spec }) => spec?.nodeName !== undefined);
    const who =
      holders.length === 0 ? 'another pod has it' : `${listed(holders.map((one) => one.metadata?.name ?? ''))} has it`;
    return {
      text: `Claim ${name} may be used by only one pod at a time, and ${who}.`,
      evidence: [
        { from: ref, where: 'spec.accessModes', text: modes.join(', ') },
        ...holders.map((one): Fact => ({ from: podRef(one), where: 'spec.volumes', text: `claim ${name}` })),
      ],
      detail: told.detail,
      suspects: [...holders.map((one) => podRef(one)), ref],
    };
  }
  return told;
}
