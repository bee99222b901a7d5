import type { Finding, Gap, Problem, Ref, Report } from '../finding.ts';
import { humanSeconds, secondsBetween } from '../objects/time.ts';
import { sanitizeLine } from './sanitize.ts';

/** "1 pod", "3 pods". */
export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** As kubectl takes it: "pod/web-0 -n shop". */
export function kubectlName({ kind, namespace, name }: Ref): string {
  const where = namespace === undefined ? '' : ` -n ${namespace}`;
  return sanitizeLine(`${kind.toLowerCase()}/${name}${where}`);
}

/** "pod/web-0", and with its container "pod/web-0 (app)". */
export function shortRef({ kind, name, container }: Ref): string {
  return sanitizeLine(`${kind.toLowerCase()}/${name}${container === undefined ? '' : ` (${container})`}`);
}

/** The same beside another object, whose namespace need not be said again: "shop/pod/web-0". */
export const namedBeside = (ref: Ref, other: Ref): string =>
  ref.namespace === other.namespace || ref.namespace === undefined
    ? shortRef(ref)
    : sanitizeLine(`${ref.namespace}/${shortRef(ref)}`);

/** "12 min ago", judged by when the report was taken; empty where a time is unknown or ahead. */
export function ago(at: string | undefined, { takenAt }: Pick<Report, 'takenAt'>): string {
  const seconds = secondsBetween(at, takenAt);
  if (seconds === undefined) return '';
  return seconds < 0 ? `in ${humanSeconds(-seconds)}` : `${humanSeconds(seconds)} ago`;
}

/** "Node: jane may not list nodes. Ask for the role." */
export function gapSentence({ what, reason, hint }: Gap): string {
  const why = sanitizeLine(reason);
  return sanitizeLine(`${what}: ${why}${/[.!?]$/.test(why) ? '' : '.'}${hint === undefined ? '' : ` ${hint}`}`);
}

// Nothing else that is wrong with a pod makes a name wrong or an object missing.
const OWN_FAULT = /^(config|image|runtime|security|storage|volume)\./;

/** What is wrong because of the root, and what else is wrong with the same objects; each said once. */
export function symptomsOf({ symptoms }: Problem): { readonly because: Finding[]; readonly beside: Finding[] } {
  const said = new Set<string>();
  const once = symptoms.filter(({ code, message }) => {
    const key = `${code} ${message}`;
    return !said.has(key) && said.add(key);
  });
  const isBeside = ({ code }: Finding) => OWN_FAULT.test(code);
  return { because: once.filter((one) => !isBeside(one)), beside: once.filter(isBeside) };
}

/** How many pods a problem breaks, its own subject among them. */
export const podsOf = ({ root, affects }: Report['problems'][number]): readonly Ref[] =>
  [root.subject, ...affects].filter(({ kind }) => kind === 'Pod');

/** "7 problems, 5 of them critical, affect 12 of 48 pods in 9 namespaces." */
export function summarize(report: Report): string {
  const wrong = report.problems.filter(({ root }) => root.severity !== 'info');
  if (wrong.length === 0)
    return `No problems found${chosenBy(report)}${report.gaps.length === 0 ? '' : ' in what could be read'}. ${lookedAt(report)}`;
  const critical = wrong.filter(({ root }) => root.severity === 'critical').length;
  const worst = critical === 0 ? '' : critical === wrong.length ? ', critical,' : `, ${critical} of them critical,`;
  const pods = new Set(
    wrong.flatMap((problem) => podsOf(problem).map(({ namespace, name }) => `${namespace}/${name}`)),
  );
  const all = report.stats.objects['Pod'] ?? 0;
  const within = report.scope.namespaces ?? [];
  const inside =
    within.length === 0 ? pods.size : [...pods].filter((pod) => within.includes(pod.split('/')[0] ?? '')).length;
  const where = plural(report.stats.namespaces, 'namespace');
  // Without its pods little of a cluster has been seen.
  const partly = report.gaps.some(({ what }) => /\bPod\b/.test(what)) ? ' in what could be read' : '';
  const found = `${plural(wrong.length, 'problem')}${chosenBy(report)}${partly}${worst}`;
  if (pods.size === 0 && all === 0) return `${found.replace(/,$/, '')}.`;
  if (pods.size === 0) return `${found.replace(/,$/, '')}; none of ${plural(all, 'pod')} in ${where} is affected.`;
  const affect = `${found} ${wrong.length === 1 ? 'affects' : 'affect'}`;
  // Who asks for one pod is told of its neighbours that the same fault breaks.
  if (inside > all || inside === 0) return `${affect} ${plural(pods.size, 'pod')}.`;
  const elsewhere = pods.size === inside ? '' : `, and ${pods.size - inside} elsewhere`;
  return `${affect} ${inside} of ${plural(all, 'pod')} in ${where}${elsewhere}.`;
}

/** " for the filter image", where not everything is shown: a config file may say so, too. */
function chosenBy({ scope: { filters = [], selector } }: Report): string {
  const by = [
    ...(filters.length === 0 ? [] : [`the ${filters.length === 1 ? 'filter' : 'filters'} ${filters.join(', ')}`]),
    ...(selector === undefined ? [] : [`the labels ${selector}`]),
  ];
  return by.length === 0 ? '' : ` for ${by.join(' and ')}`;
}

const COUNTED = [
  'Pod',
  'Node',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'Service',
  'PersistentVolumeClaim',
  'Event',
];

/** What was looked at, so that "nothing" means something. */
export function lookedAt({ stats, scope }: Report): string {
  const counts = COUNTED.filter((kind) => (stats.objects[kind] ?? 0) > 0).map((kind) =>
    plural(stats.objects[kind] ?? 0, words[kind] ?? kind),
  );
  const several = stats.namespaces === 0 ? '' : ` in ${plural(stats.namespaces, 'namespace')}`;
  const named = scope.namespaces ?? [];
  const where =
    named.length === 0 ? several : ` in ${named.length === 1 ? 'namespace' : 'namespaces'} ${named.join(', ')}`;
  const what = counts.length === 0 ? 'no objects' : counts.join(', ');
  return sanitizeLine(`Looked at ${what}${where} with ${plural(stats.analyzers, 'analyzer')}.`);
}

const words: Readonly<Record<string, string>> = {
  Pod: 'pod',
  Node: 'node',
  Deployment: 'deployment',
  StatefulSet: 'statefulset',
  DaemonSet: 'daemonset',
  Job: 'job',
  Service: 'service',
  PersistentVolumeClaim: 'claim',
  Event: 'event',
};
