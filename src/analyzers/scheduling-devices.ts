import type { Draft } from '../analyzer.ts';
import type { Ref } from '../finding.ts';
import { type EventLine, eventEvidence } from '../objects/events.ts';
import { type Pod, podEvents, podRef } from '../objects/pods.ts';
import type { View } from '../snapshot.ts';
import { type Fact, listed, type Words } from './scheduling-case.ts';
import { rules } from './scheduling-rules.ts';

type PodClaim = NonNullable<NonNullable<Pod['spec']>['resourceClaims']>[number];

const claimsIn = (pod: Pod): readonly PodClaim[] => pod.spec?.resourceClaims ?? [];

/** The claims that the pod shares with whoever else names them. */
const named = (pod: Pod): string[] => claimsIn(pod).flatMap(({ resourceClaimName }) => resourceClaimName ?? []);

/** What the scheduler says of resource claims. */
export function deviceWords(pod: Pod, text: string): Words {
  const quoted = /resourceclaim\S* "([^"]+)"/i.exec(text)?.[1];
  const only = claimsIn(pod).length === 1 ? named(pod)[0] : undefined;
  const name = named(pod).find((one) => one === quoted) ?? only;
  return {
    text,
    evidence: claimsIn(pod).map((claim) => claimFact(pod, claim)),
    detail: {},
    ...(name === undefined ? {} : faultIn(pod, 'ResourceClaim', name)),
  };
}

function faultIn(pod: Pod, kind: string, name: string): { suspects: readonly Ref[]; fault: string } {
  const namespace = pod.metadata?.namespace ?? '';
  return { suspects: [{ kind, namespace, name }], fault: `${kind}:${namespace}/${name}` };
}

const claimFact = (pod: Pod, { name = '', resourceClaimName, resourceClaimTemplateName = '' }: PodClaim): Fact => ({
  from: podRef(pod),
  where: `spec.resourceClaims[${name}]`,
  text: resourceClaimName ?? `from template ${resourceClaimTemplateName}`,
});

/**
 * The scheduler does not queue a pod before all its resource claims exist, and writes neither a condition nor an event
 * until then. `runs`: nothing speaks against the scheduler itself.
 */
export function heldForDevices(cluster: View<'Event'>, pod: Pod, runs: boolean): Draft<'sched.dra'> | undefined {
  const unmade = claimsIn(pod).filter((claim) => isUnmade(pod, claim));
  const failed = podEvents(cluster, pod).find(({ reason }) => reason === 'FailedResourceClaimCreation');
  if (unmade.length > 0 && (runs || failed !== undefined)) return unmadeDraft(pod, unmade, failed);
  return runs && named(pod).length > 0 ? absentDraft(pod) : undefined;
}

/** A template that makes no claim necessary leaves an entry without a claim's name. */
const isUnmade = ({ status }: Pod, { name, resourceClaimTemplateName }: PodClaim): boolean =>
  resourceClaimTemplateName !== undefined && !(status?.resourceClaimStatuses ?? []).some((made) => made.name === name);

/** What the controller writes: PodResourceClaim gpu: resource claim template "gpu": … not found */
const FAILED = /^PodResourceClaim ([^:]+): ([\s\S]+)$/;

function unmadeDraft(pod: Pod, unmade: readonly PodClaim[], failed: EventLine | undefined): Draft<'sched.dra'> {
  const [, about, why] = FAILED.exec(failed?.message ?? '') ?? [];
  const { name = '', resourceClaimTemplateName: template = '' } =
    unmade.find((one) => one.name === about) ?? unmade[0] ?? {};
  const state =
    failed === undefined
      ? `has not been created from template "${template}"`
      : `cannot be created: ${why ?? failed.message}`;
  return {
    ...draftOf(pod, `waits for its resource claim "${name}", which ${state}`),
    evidence: [
      ...unmade.map((claim) => claimFact(pod, claim)),
      { from: podRef(pod), where: 'status.resourceClaimStatuses', text: `nothing for ${name}` },
      ...(failed === undefined ? [] : [eventEvidence(podRef(pod), failed)]),
    ],
    ...(failed === undefined ? unsure(pod) : {}),
    ...faultIn(pod, 'ResourceClaimTemplate', template),
  };
}

function absentDraft(pod: Pod): Draft<'sched.dra'> {
  const names = named(pod);
  const which =
    names.length === 1 ? `its resource claim "${names[0]}"` : `one of its resource claims (${listed(names)})`;
  return {
    ...draftOf(pod, `has been taken up by no scheduler; most likely ${which} does not exist`),
    ...unsure(pod),
    evidence: [
      ...deviceWords(pod, '').evidence,
      { from: podRef(pod), where: 'status.conditions', text: 'no PodScheduled, and no event FailedScheduling' },
    ],
    ...faultIn(pod, 'ResourceClaim', names[0] ?? ''),
  };
}

const draftOf = (pod: Pod, what: string) => ({
  code: 'sched.dra' as const,
  subject: podRef(pod),
  message: `Pod ${pod.metadata?.name} ${what}`.replace(/([^.])$/, '$1.'),
  since: pod.metadata?.creationTimestamp,
});

const unsure = (pod: Pod) => ({
  confidence: 'likely' as const,
  check: rules['sched.dra'].remedy({ subject: podRef(pod), detail: {} })[0],
});
