import type { Evidence, Problem } from '../finding.ts';
import type { Container } from '../objects/pod-schema.ts';
import { containersOf } from '../objects/pods.ts';
import type { Snapshot } from '../snapshot.ts';

const MOST_VARIABLES = 60;

/** How the container of a crash is set up: the image alone does not say why a program ends. */
export function setupOf({ root }: Problem, snapshot: Snapshot | undefined): Omit<Evidence, 'id'>[] {
  const { code, subject } = root;
  if (!code.startsWith('crash.') || subject.kind !== 'Pod') return [];
  const pod = snapshot?.get('Pod', subject.name, subject.namespace);
  const container = pod && containersOf(pod).find(({ name }) => name === subject.container);
  if (container === undefined) return [];
  const list = container.role === 'app' ? 'containers' : 'initContainers';
  const where = `spec.${list}[${container.name}]`;
  const variables = code === 'crash.app-error' ? variablesOf(container.spec) : '';
  return [
    { from: subject, where, text: runOf(container.spec) },
    ...(variables === '' ? [] : [{ from: subject, where: `${where}.env`, text: variables }]),
  ];
}

function runOf({ image = '', command = [], args = [] }: Container): string {
  const words = (list: readonly string[]) => (list.length === 0 ? "the image's own" : JSON.stringify(list));
  return `image: ${image}, command: ${words(command)}, args: ${command.length > 0 && args.length === 0 ? 'none' : words(args)}`;
}

/** Names, and where values come from: the values themselves stay here. */
function variablesOf({ env = [], envFrom = [] }: Container): string {
  const own = env.map(({ name = '', valueFrom }) => {
    const { configMapKeyRef: map, secretKeyRef: secret } = valueFrom ?? {};
    if (map !== undefined) return `${name} (ConfigMap ${map.name}, key ${map.key})`;
    return secret === undefined ? name : `${name} (Secret ${secret.name}, key ${secret.key})`;
  });
  const whole = envFrom.flatMap(({ prefix = '', configMapRef, secretRef }) => [
    ...(configMapRef === undefined ? [] : [`${prefix}* (ConfigMap ${configMapRef.name})`]),
    ...(secretRef === undefined ? [] : [`${prefix}* (Secret ${secretRef.name})`]),
  ]);
  const all = [...own, ...whole];
  const more = all.length - MOST_VARIABLES;
  return [...all.slice(0, MOST_VARIABLES), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}
