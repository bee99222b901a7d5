import type { Draft } from '../analyzer.ts';
import type { Ref } from '../finding.ts';
import type { FitNeeds } from '../objects/fits.ts';
import { conditionOf, isTerminal, type Pod, podRef } from '../objects/pods.ts';
import { didYouMean } from '../objects/suggest.ts';
import type { View } from '../snapshot.ts';
import { heldForDevices } from './scheduling-devices.ts';
import { rules, type SchedulingCode } from './scheduling-rules.ts';

type Needs = FitNeeds | 'Event';

/** What is known of each scheduler, by name. */
export type Schedulers = Map<string, Scheduler>;

/** Why no scheduler has said anything of a pod. */
export function* unseen(cluster: View<Needs>, schedulers: Schedulers, pod: Pod): Generator<Draft<SchedulingCode>> {
  const name = pod.spec?.schedulerName ?? 'default-scheduler';
  const scheduler = schedulers.get(name) ?? schedulerOf(cluster, name);
  schedulers.set(name, scheduler);
  yield heldForDevices(cluster, pod, scheduler.runs) ?? noScheduler(pod, name, scheduler);
}

function noScheduler(pod: Pod, name: string, { text, down, near }: Scheduler): Draft<SchedulingCode> {
  return {
    code: 'sched.no-scheduler',
    subject: podRef(pod),
    message: `No scheduler has looked at pod ${pod.metadata?.name}; it asks for "${name}".${text}`,
    evidence: [
      { from: podRef(pod), where: 'spec.schedulerName', text: name },
      { from: podRef(pod), where: 'status.conditions', text: 'no PodScheduled, and no event FailedScheduling' },
    ],
    confidence: down.length > 0 || near !== undefined ? 'certain' : 'likely',
    check: rules['sched.no-scheduler'].remedy({ subject: podRef(pod), detail: {} })[1],
    detail: { scheduler: name },
    suspects: down,
    explainedBy: down,
    fault: `scheduler:${name}`,
    since: pod.metadata?.creationTimestamp,
  };
}

interface Scheduler {
  /** It has placed pods, or is Kubernetes' own, and none of its pods is seen to be down. */
  readonly runs: boolean;
  readonly text: string;
  /** Its pods, where they can be seen and none is ready. */
  readonly down: readonly Ref[];
  /** A scheduler that may have been meant. */
  readonly near: string | undefined;
}

function schedulerOf(cluster: View<Needs>, name: string): Scheduler {
  const used = new Set(['default-scheduler']);
  for (const { spec } of cluster.list('Pod')) {
    if (spec?.nodeName !== undefined && spec.schedulerName !== undefined) used.add(spec.schedulerName);
  }
  const pods = schedulerPods(cluster, name);
  const ready = pods.some((pod) => conditionOf(pod, 'Ready')?.status === 'True');
  const down = ready ? [] : pods.map((pod) => podRef(pod));
  const near = used.has(name) ? undefined : didYouMean(name, used)[0];
  const why =
    down.length > 0
      ? ` The pod of the scheduler, ${down[0]?.name}, is not ready.`
      : used.has(name)
        ? ' That scheduler does not run, or has fallen behind.'
        : ' No pod in sight was placed by a scheduler of that name.';
  const runs = used.has(name) && down.length === 0;
  return { runs, text: `${why}${near === undefined ? '' : ` Did you mean "${near}"?`}`, down, near };
}

function schedulerPods(cluster: View<Needs>, name: string): Pod[] {
  const component = name === 'default-scheduler' ? 'kube-scheduler' : name;
  return cluster.list('Pod').filter((pod) => {
    if (isTerminal(pod) || pod.spec?.nodeName === undefined) return false;
    const { labels, namespace, name: podName = '' } = pod.metadata ?? {};
    return labels?.['component'] === component || (namespace === 'kube-system' && podName.startsWith(`${component}-`));
  });
}
