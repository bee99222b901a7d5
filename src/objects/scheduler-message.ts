import type { Taint } from './taints.ts';

/** A cause that the scheduler's words name. The `storage` ones are about a claim, not about nodes. */
export type ScheduleCode =
  | 'sched.cpu'
  | 'sched.memory'
  | 'sched.ephemeral-storage'
  | 'sched.gpu'
  | 'sched.extended-resource'
  | 'sched.too-many-pods'
  | 'sched.taint'
  | 'sched.cordoned'
  | 'sched.node-affinity'
  | 'sched.node-name'
  | 'sched.host-port'
  | 'sched.pod-affinity'
  | 'sched.pod-anti-affinity'
  | 'sched.existing-anti-affinity'
  | 'sched.topology-spread'
  | 'sched.volume-zone'
  | 'sched.volume-limit'
  | 'sched.volume-in-use'
  | 'sched.csi-missing'
  | 'sched.csi-capacity'
  | 'sched.dra'
  | 'sched.feature'
  | 'sched.gang'
  | 'sched.unknown'
  | ClaimCode;

type ClaimCode =
  | 'storage.claim-missing'
  | 'storage.claim-pending'
  | 'storage.claim-lost'
  | 'storage.claim-deleting'
  | 'storage.no-volume';

/** One reason of the scheduler, and on how many nodes it was the first that it met. */
export interface Reason {
  /** All nodes, where the reason is about the pod itself. */
  readonly count: number;
  readonly text: string;
  readonly code: ScheduleCode;
  /** Of `Insufficient …`. */
  readonly resource?: string;
  /** Named up to 1.34. */
  readonly taint?: Taint;
  /** The claim, volume or driver that it names. */
  readonly name?: string;
}

export interface SchedulerMessage {
  /** `nodes`: counted per node. `pod`: true of the pod wherever it would go. `free`: words of an unknown form. */
  readonly form: 'nodes' | 'pod' | 'no-nodes' | 'deleting' | 'free';
  /** How many nodes the scheduler looked at. */
  readonly nodes: number;
  readonly reasons: readonly Reason[];
  /** What it says of preemption, and of resource claims before that. */
  readonly after?: string;
  /** Events are cut at 1,024 bytes; the condition is not. */
  readonly truncated: boolean;
}

// What stands between the reasons and this is the sum of what the PostFilter plugins say.
const AFTER =
  /\.?\s+(?=(?:no new claims to deallocate|still not schedulable|deallocation of ResourceClaim|deletion of ResourceClaim|ResourceClaim unreserved|plugin disabled|All PostFilter plugins|preemption: |not found$))/;

/** Reads the message of a PodScheduled condition or of an event FailedScheduling, of any release since 1.18. */
export function parseSchedulerMessage(message: string): SchedulerMessage {
  const text = message.trim();
  if (/^(?:0\/0 nodes are available|no nodes available to schedule pods)/.test(text)) return plain('no-nodes', text);
  if (text.startsWith('skip schedule deleting pod')) return plain('deleting', text);
  const match = /^0\/(\d+) nodes are available:\s*([\s\S]*)$/.exec(text);
  if (match === null) return freeText(text);
  const nodes = Number(match[1]);
  const rest = match[2] ?? '';
  const at = rest.search(AFTER);
  const after = at < 0 ? undefined : rest.slice(at).replace(/^\.?\s+/, '');
  const truncated = text.endsWith(' ...');
  // Reasons have dots in them (nvidia.com/gpu, node.kubernetes.io/…), so only the last one ends the list.
  const body = (at < 0 ? rest : rest.slice(0, at)).replace(/ \.\.\.$/, '').replace(/\.\s*$/, '');
  const parts = body.split(/,\s+(?=\d+ )/).map((part) => /^(\d+) ([\s\S]+)$/.exec(part));
  const counted = parts.every((part) => part !== null);
  const all = counted ? parts.map((part) => reasonOf(Number(part[1]), part[2] ?? '')) : [reasonOf(nodes, body)];
  // The last reason of a cut message may end anywhere.
  const reasons = truncated && all.length > 1 && all.at(-1)?.code === 'sched.unknown' ? all.slice(0, -1) : all;
  return {
    form: counted && !reasons.every((reason) => ofPod.has(reason.code)) ? 'nodes' : 'pod',
    nodes,
    reasons: merged(reasons),
    ...(after === undefined ? {} : { after }),
    truncated,
  };
}

const plain = (form: SchedulerMessage['form'], text: string): SchedulerMessage => ({
  form,
  nodes: 0,
  reasons: [{ count: 0, text, code: 'sched.unknown' }],
  truncated: false,
});

/** Up to 1.21 some plugins failed with an error of their own instead of a count of nodes. */
function freeText(text: string): SchedulerMessage {
  const inner = /^(?:error while )?running "[^"]*" (?:pre)?filter plugin for pod "[^"]*": ([\s\S]+)$/i.exec(text);
  const reason = reasonOf(0, (inner?.[1] ?? text).replace(/\.$/, ''));
  if (reason.code === 'sched.unknown') return plain('free', text);
  return { form: 'pod', nodes: 0, reasons: [reason], truncated: false };
}

// These say something about the pod or its claims, so that they hold for every node even where they are counted.
const ofPod = new Set<ScheduleCode>([
  'storage.claim-missing',
  'storage.claim-pending',
  'storage.claim-lost',
  'storage.claim-deleting',
  'sched.gang',
]);

type Row = readonly [RegExp, ScheduleCode];

const rows: readonly Row[] = [
  [/^Too many pods$|^Insufficient pods$/, 'sched.too-many-pods'],
  [/taint/, 'sched.taint'],
  [/were unschedulable|had unknown conditions/, 'sched.cordoned'],
  [/were not ready|were out of disk|had (?:memory|disk|pid) pressure|had network unavailable/i, 'sched.taint'],
  [
    /match Pod's node affinity|match node selector|match scheduler-enforced node affinity|match Pod's nodeSelector|pod affinity terms conflict/,
    'sched.node-affinity',
  ],
  [/^node\(s\) didn't satisfy plugin(?:\(s\))? ?/, 'sched.node-affinity'],
  [/match the requested node name|match the requested hostname/, 'sched.node-name'],
  [/free ports for the requested pod ports/, 'sched.host-port'],
  [/satisfy existing pods anti-affinity/, 'sched.existing-anti-affinity'],
  [/match pod anti-affinity|match pod affinity\/anti-affinity/, 'sched.pod-anti-affinity'],
  [/match pod affinity/, 'sched.pod-affinity'],
  [/match pod topology spread constraints/, 'sched.topology-spread'],
  [/persistentvolumeclaim ["'].*["'] not found|PersistentVolumeClaim had no name/i, 'storage.claim-missing'],
  [/waiting for ephemeral volume controller to create/, 'storage.claim-missing'],
  [/was not created for (?:the )?pod/, 'storage.claim-missing'],
  [/persistentvolumeclaim ".*" is being deleted/i, 'storage.claim-deleting'],
  [/bound to non-existent persistentvolume|bound to non-existent pv\(s\)/i, 'storage.claim-lost'],
  [/unbound immediate PersistentVolumeClaims?/, 'storage.claim-pending'],
  [/find available persistent volumes to bind/, 'storage.no-volume'],
  [
    /PersistentVolume's node affinity|volume node affinity conflict|no available volume zone|volume zone conflict/,
    'sched.volume-zone',
  ],
  [/enough free storage/, 'sched.csi-capacity'],
  [/exceed max volume count/, 'sched.volume-limit'],
  [/ReadWriteOncePod|had no available disk/, 'sched.volume-in-use'],
  [/CSI driver is not installed on the node/, 'sched.csi-missing'],
  [/match Pod's required features/, 'sched.feature'],
  [
    /cannot allocate all claims|resource ?claim|ResourceClaim|device class .* does not exist|stop allocating devices|device binding (?:timeout|failed)/i,
    'sched.dra',
  ],
  [/minCount pods from a gang|pod'?s'? ?'?s? pod group|pod group/, 'sched.gang'],
];

function reasonOf(count: number, text: string): Reason {
  const insufficient = /^Insufficient (\S+)$/.exec(text)?.[1];
  if (insufficient !== undefined && insufficient !== 'pods') {
    return { count, text, code: codeOfResource(insufficient), resource: insufficient };
  }
  const code = rows.find(([pattern]) => pattern.test(text))?.[1] ?? 'sched.unknown';
  const taint = code === 'sched.taint' ? taintOf(text) : undefined;
  const name = /"([^"]+)"/.exec(text)?.[1] ?? /^(\S+) CSI driver is not installed/.exec(text)?.[1];
  return { count, text, code, ...(taint === undefined ? {} : { taint }), ...(name === undefined ? {} : { name }) };
}

/** `{key: value}` (1.18 to 1.34); newer releases name no taint. */
function taintOf(text: string): Taint | undefined {
  const match = /\{([^:{}]+): ([^{}]*)\}/.exec(text);
  if (match === null) return undefined;
  return { key: match[1] ?? '', value: match[2] ?? '' };
}

/** Which cause it is when nodes have too little of a resource. */
export function codeOfResource(resource: string): ScheduleCode {
  if (resource === 'cpu' || resource === 'memory' || resource === 'ephemeral-storage') return `sched.${resource}`;
  if (resource === 'pods') return 'sched.too-many-pods';
  return /\/(?:.*[.-])?v?gpu(?:[.-].*)?$|^nvidia\.com\/mig-|^gpu\./.test(resource)
    ? 'sched.gpu'
    : 'sched.extended-resource';
}

/** The same cause in two wordings is one reason (nodes with one taint and nodes with another are not). */
function merged(reasons: readonly Reason[]): Reason[] {
  const byText = new Map<string, Reason>();
  for (const reason of reasons) {
    const known = byText.get(reason.text);
    byText.set(reason.text, known === undefined ? reason : { ...known, count: known.count + reason.count });
  }
  return [...byText.values()];
}
