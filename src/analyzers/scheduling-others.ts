import type { NodeFit } from '../objects/fits.ts';
import { nodeTermsOf } from '../objects/node-affinity.ts';
import type { Placement } from '../objects/placement.ts';
import type { Pod } from '../objects/pods.ts';
import type { View } from '../snapshot.ts';
import { listed } from './scheduling-case.ts';

/** What the other nodes are, so that nobody takes them for the cause: "Of the other nodes lab-3 is cordoned." */
export function othersSentence(cluster: View<'Pod'>, pod: Pod, { others, code }: Placement): string {
  const parts = groundsOf(cluster, pod, others, code);
  return parts.length === 0 ? '' : ` Of the other nodes ${parts.join('; ')}.`;
}

/** What keeps the pod off these nodes, apart from the cause: "lab-2, lab-3 are cordoned". */
export function groundsOf(cluster: View<'Pod'>, pod: Pod, fits: readonly NodeFit[], cause: string): string[] {
  const room = cluster.covers('Pod') && cause.startsWith('sched.');
  const groups = new Map<Background, string[]>();
  for (const fit of fits) {
    const why = backgroundOf(pod, fit, cause, room);
    if (why === undefined) continue;
    const names = groups.get(why);
    if (names === undefined) groups.set(why, [fit.name]);
    else names.push(fit.name);
  }
  return [...groups].map(([why, names]) => `${listed(names)} ${backgrounds[why][names.length === 1 ? 0 : 1]}`);
}

const backgrounds = {
  labels: ['lacks the labels it asks for', 'lack the labels it asks for'],
  cordoned: ['is cordoned', 'are cordoned'],
  unwell: ['is not well', 'are not well'],
  freeUnwell: ['would take it, but is not well', 'would take it, but are not well'],
  freeCordoned: ['would take it, but is cordoned', 'would take it, but are cordoned'],
  tainted: ['has a taint that it does not tolerate', 'have taints that it does not tolerate'],
  volume: ['cannot use its volume', 'cannot use its volume'],
  small: ['is too small', 'are too small'],
  taken: ['is taken or full', 'are taken or full'],
} as const;

type Background = keyof typeof backgrounds;

function backgroundOf(pod: Pod, { obstacles }: NodeFit, cause: string, room: boolean): Background | undefined {
  const has = (code: string) => obstacles.some((obstacle) => obstacle.code === code);
  if (has('sched.node-affinity') && nodeTermsOf(pod.spec).length > 0) return 'labels';
  // What the volume does not fit is no place for the pod, whatever else is true of it.
  if (has('sched.volume-zone') && cause === 'sched.volume-zone') return undefined;
  const free =
    room && obstacles.every(({ code, taintClass }) => code === 'sched.cordoned' || taintClass === 'condition');
  if (obstacles.some(({ taintClass }) => taintClass === 'condition')) return free ? 'freeUnwell' : 'unwell';
  if (has('sched.cordoned')) return cause === 'sched.cordoned' ? undefined : free ? 'freeCordoned' : 'cordoned';
  if (has('sched.taint')) return 'tainted';
  if (has('sched.volume-zone')) return 'volume';
  if (obstacles.some(({ tier }) => tier === 'where')) return 'small';
  return obstacles.length === 0 || has(cause) ? undefined : 'taken';
}
