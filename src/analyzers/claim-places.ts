import { type Claim, classOf, mismatchOf } from '../objects/claims.ts';
import { fitsOf } from '../objects/fits.ts';
import { matchesNodeSelector, nodeSelectorText } from '../objects/node-affinity.ts';
import { refTo } from '../objects/refs.ts';
import type { Case, Cause } from './claim-case.ts';
import { groundsOf } from './scheduling-others.ts';

/** Adds a volume that would serve the claim if its pod could run where the volume is, as with local disks. */
export function withVolumesElsewhere(it: Case, claim: Claim, cause: Cause | undefined): Cause | undefined {
  const { cluster, use } = it;
  const pod = use.waiting[0];
  const name = classOf(claim);
  if (cause?.code !== 'storage.no-volume' || pod === undefined || name === undefined) return cause;
  if (cluster.get('StorageClass', name)?.volumeBindingMode !== 'WaitForFirstConsumer') return cause;
  const volume = cluster
    .list('PersistentVolume')
    .find((one) => one.spec?.nodeAffinity?.required !== undefined && mismatchOf(one, claim) === undefined);
  if (volume === undefined || cluster.list('Node').length === 0) return cause;
  const required = volume.spec?.nodeAffinity?.required;
  const places = nodeSelectorText(required);
  const nodes = fitsOf(cluster, pod).filter(({ node }) => matchesNodeSelector(required, node));
  const grounds = groundsOf(cluster, pod, nodes, cause.code);
  if (nodes.length > 0 && grounds.length === 0) return cause;
  const why = nodes.length === 0 ? `there is no node with ${places}` : grounds.join('; ');
  const ref = refTo('PersistentVolume', volume);
  return {
    ...cause,
    text: `${cause.text} Volume ${ref.name} fits, but pod ${pod.metadata?.name} cannot run where it is: ${why}.`,
    evidence: [...cause.evidence, { from: ref, where: 'spec.nodeAffinity', text: places }],
    suspects: [...(cause.suspects ?? []), ref, ...nodes.slice(0, 3).map(({ node }) => refTo('Node', node))],
  };
}
