import { brokenPod } from './changes.ts';
import type { Moment, Problem } from './finding.ts';
import { meaningOf } from './objects/exits.ts';
import { containersOf, type Pod, podEvents, podRef } from './objects/pods.ts';
import { humanSeconds, ms, secondsBetween } from './objects/time.ts';
import type { View } from './snapshot.ts';

// Problems of containers that come and go: only there does the order of things tell.
const restarting = /^(oom|crash|probe|hook|runtime)\./;

const MOST = 12;

/** What happened to the pod that stands for the problem: starts, probe failures, kills, exits, changes. Oldest first. */
export function timelineOf(cluster: View<'Pod' | 'Event'>, problem: Problem, changes: readonly Moment[]): Moment[] {
  if (!restarting.test(problem.root.code)) return [];
  const pod = brokenPod(cluster, problem);
  if (pod === undefined) return [];
  const moments = [...changes, ...runs(pod), ...eventMoments(cluster, pod)].filter(({ at }) => ms(at) !== undefined);
  const seen = new Set<string>();
  const distinct = moments.filter(({ at, text }) => !seen.has(`${at} ${text}`) && seen.add(`${at} ${text}`));
  // Of the same second, in the order in which they were found: a start before its end.
  distinct.sort((a, b) => (ms(a.at) ?? 0) - (ms(b.at) ?? 0));
  return distinct.slice(-MOST);
}

function runs(pod: Pod): Moment[] {
  const moments: Moment[] = [];
  const add = (at: string | undefined, container: string, text: string) => {
    if (at !== undefined && !at.startsWith('1970')) moments.push({ at, from: podRef(pod, container), text });
  };
  add(pod.metadata?.creationTimestamp, '', `Pod ${pod.metadata?.name} was created.`);
  for (const { name, status } of containersOf(pod)) {
    for (const state of [status?.lastState, status?.state]) {
      const ended = state?.terminated;
      if (ended !== undefined) {
        const { exitCode = 0, reason, startedAt, finishedAt } = ended;
        const ran = secondsBetween(startedAt, finishedAt);
        const after = ran === undefined || startedAt?.startsWith('1970') ? '' : ` after ${humanSeconds(ran)}`;
        add(startedAt, name, `Container ${name} started.`);
        add(
          finishedAt,
          name,
          `Container ${name} ended${after}: exit code ${exitCode} (${reason || meaningOf(exitCode) || 'no reason'}).`,
        );
      }
      add(state?.running?.startedAt, name, `Container ${name} started.`);
    }
  }
  return moments;
}

const telling = new Set([
  'Unhealthy',
  'Killing',
  'BackOff',
  'Failed',
  'FailedPostStartHook',
  'FailedPreStopHook',
  'Pulled',
  'NodeNotReady',
  'Evicted',
  'Preempted',
]);

function eventMoments(cluster: View<'Pod' | 'Event'>, pod: Pod): Moment[] {
  const moments: Moment[] = [];
  for (const { reason, message, count, at, firstAt, container } of podEvents(cluster, pod)) {
    if (at === undefined || !telling.has(reason) || (reason === 'Pulled' && !message.startsWith('Successfully')))
      continue;
    const times =
      count > 1 ? ` (${count} times${firstAt === undefined || firstAt === at ? '' : ` since ${firstAt}`})` : '';
    moments.push({ at, from: podRef(pod, container), text: `${reason}: ${short(message)}${times}` });
  }
  return moments;
}

const short = (message: string): string => (message.length > 140 ? `${message.slice(0, 139)}…` : message);
