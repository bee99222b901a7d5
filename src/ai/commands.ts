import type { Problem, Step } from '../finding.ts';
import { wellKnownImages } from '../objects/image.ts';
import { shell } from '../objects/kubectl.ts';
import { kindOf, kindsByName, type Parsed, parse, splitWords, type Target, targets } from './kubectl-words.ts';
import { refsOf } from './names.ts';

export type Verdict =
  | { readonly command: string; readonly safety: Exclude<Step['safety'], 'destructive'> }
  /** Why a command is left out, as the end of a sentence: "it would print a Secret". */
  | { readonly rejected: string };

/** What a proposed command may name: the objects of some problems. */
export interface Nameable {
  /** Lower-case kind and name ("pod/web-0"), and the namespaces that have one; none where the kind has no namespace. */
  readonly objects: ReadonlyMap<string, ReadonlySet<string>>;
  readonly namespaces: ReadonlySet<string>;
  readonly containers: ReadonlySet<string>;
  /** The rules' own commands, which hold no words of a stranger: an image may be named if it stands there. */
  readonly words: string;
}

export function nameableOf(...problems: readonly Problem[]): Nameable {
  const objects = new Map<string, Set<string>>();
  const namespaces = new Set<string>();
  const containers = new Set<string>();
  for (const { kind, name, namespace, container } of problems.flatMap(refsOf)) {
    const key = `${kind.toLowerCase()}/${name}`;
    const known = objects.get(key) ?? new Set();
    objects.set(key, known);
    if (namespace !== undefined) {
      known.add(namespace);
      namespaces.add(namespace);
    }
    if (kind === 'Namespace') namespaces.add(name);
    if (container !== undefined) containers.add(container);
  }
  const words = problems.flatMap(({ root }) => root.remedy.map(({ command = '' }) => command)).join('\n');
  return { objects, namespaces, containers, words };
}

/**
 * Reads a command that a model proposes and lets it through only if it is one kubectl command that looks or makes a
 * contained change, names nothing but objects of the problem, and cannot print what is in a Secret.
 *
 * Whatever deletes, evicts, replaces, runs something inside a container, opens a connection, reads a file or acts as
 * somebody else is left out: the rules propose such steps where they are due, a model never.
 */
export function checkCommand(text: string, nameable: Nameable): Verdict {
  const words = splitWords(text.trim().replace(/^\$\s+/, ''));
  if (words === undefined) return { rejected: 'it is more than one plain command' };
  if (words[0] !== 'kubectl') return { rejected: 'it is not a kubectl command' };
  const parsed = parse(words.slice(1));
  if (typeof parsed === 'string') return { rejected: parsed };
  const problem = refuse(parsed, nameable);
  if (problem !== undefined) return { rejected: problem };
  const missing = missingNamespaces(parsed, nameable);
  if (missing.length > 1) return { rejected: 'it does not say which namespace it means' };
  return { command: shell(...words, ...missing.flatMap((name) => ['-n', name])), safety: parsed.verb.safety };
}

function refuse(command: Parsed, nameable: Nameable): string | undefined {
  const { flags } = command;
  const namespace = flags.get('namespace');
  if (namespace !== undefined && !nameable.namespaces.has(namespace))
    return `it names the namespace "${namespace}", which the report does not know`;
  const container = flags.get('container') ?? flags.get('containers');
  // `top pod --containers` shows them all.
  if (container !== undefined && command.name !== 'top pod' && !nameable.containers.has(container))
    return `it names the container "${container}", which the report does not know`;
  const named = targets(command);
  const unknown = unknownObject(command, named, nameable);
  if (unknown !== undefined) return `it names "${unknown}", which the report does not know`;
  const about = flags.get('for');
  if (about !== undefined && !nameable.objects.has(`${kindOf(about.split('/')[0] ?? '')}/${about.split('/')[1] ?? ''}`))
    return `it names "${about}", which the report does not know`;
  const output = flags.get('output');
  if (output !== undefined && !outputs.has(output.split('=')[0] ?? '')) return `-o ${output} cannot be checked`;
  if (printsSecret(command, named)) return 'it would print a Secret';
  if (command.verb.safety === 'inspect') return undefined;
  if (named.every(({ name }) => name === undefined)) return 'it would change more than one named object';
  if (command.verb.words === 'objects' && named.some(({ kind }) => kind === 'namespace' || kind === 'node'))
    return 'it would change a whole Namespace or Node';
  return refuseChange(command, nameable);
}

// Not the formats that are read from a file.
const outputs = new Set([
  'name',
  'wide',
  'json',
  'yaml',
  'jsonpath',
  'jsonpath-as-json',
  'go-template',
  'custom-columns',
]);

function unknownObject(
  { name: verb, flags }: Parsed,
  named: readonly Target[],
  nameable: Nameable,
): string | undefined {
  const { objects, namespaces, containers } = nameable;
  const namespace = flags.get('namespace');
  for (const { kind, name } of named) {
    if (name === undefined || (kind === 'container' ? containers : kind === 'namespace' ? namespaces : none).has(name))
      continue;
    if (verb === 'set serviceaccount' && objects.has(`serviceaccount/${name}`)) continue;
    const places = objects.get(`${kind}/${name}`);
    if (places === undefined) return kind === 'container' ? name : `${kind}/${name}`;
    if (namespace !== undefined && places.size > 0 && !places.has(namespace)) return `${kind}/${name} in ${namespace}`;
  }
  return undefined;
}

const none: ReadonlySet<string> = new Set();

/** Names, types and ages of Secrets may be listed; any other output has what is in them. */
function printsSecret({ name, flags }: Parsed, named: readonly Target[]): boolean {
  if (name === 'edit' && named.some(({ kind }) => kind === 'secret')) return true;
  const output = flags.get('output') ?? '';
  if (output === '' || output === 'name' || output === 'wide') return false;
  return named.some(
    ({ kind }) => kind === 'secret' || kind === 'all' || (!kindsByName.has(kind) && /secret/.test(kind)),
  );
}

function refuseChange({ name, flags, words }: Parsed, nameable: Nameable): string | undefined {
  if (flags.has('selector') || flags.has('all') || flags.has('all-namespaces'))
    return 'it would change more than one named object';
  if (name === 'scale' && !/^[1-9]\d{0,2}$/.test(flags.get('replicas') ?? '')) return 'it would scale to nothing';
  // Labels tie a pod to its Service and its owner.
  if (name === 'label' && (flags.has('overwrite') || words.some((word) => word.endsWith('-'))))
    return 'it would change a label that something may rest on';
  if (name === 'set image') {
    for (const [container = '', image = ''] of words
      .filter((word) => word.includes('='))
      .map((word) => word.split('='))) {
      if (container !== '*' && !nameable.containers.has(container))
        return `it names the container "${container}", which the report does not know`;
      if (!isKnownImage(image, nameable)) return `it names the image "${image}", which the report does not know`;
    }
  }
  if (name === 'patch') return refusePatch(flags.get('patch') ?? '', flags.get('type') ?? 'strategic');
  return undefined;
}

/** Another tag of an image that the rules speak of, or one that everybody knows. */
function isKnownImage(image: string, { words }: Nameable): boolean {
  const repository = image.replace(/@.*$/, '').replace(/:[\w.-]+$/, '');
  if (repository === '') return false;
  if (wellKnownImages.includes(repository)) return true;
  return words
    .split(/[^\w./:@-]+/)
    .some((word) => word === repository || word.startsWith(`${repository}:`) || word.startsWith(`${repository}@`));
}

// What a fault is mended with in place. Images, commands, volumes, accounts and privileges are not a model's to set.
const patchable = new Set(
  `spec template containers initContainers name resources limits requests cpu memory ephemeral-storage replicas
  livenessProbe readinessProbe startupProbe httpGet tcpSocket grpc port path scheme initialDelaySeconds periodSeconds
  timeoutSeconds failureThreshold successThreshold terminationGracePeriodSeconds progressDeadlineSeconds
  activeDeadlineSeconds backoffLimit minReadySeconds imagePullPolicy suspend`.split(/\s+/),
);

function refusePatch(patch: string, type: string): string | undefined {
  if (type === 'json') return 'it is a JSON patch, which cannot be checked';
  let value: unknown;
  try {
    value = JSON.parse(patch);
  } catch {
    return 'its patch is not JSON';
  }
  const field = unpatchable(value);
  return field === undefined ? undefined : `it would set "${field}"`;
}

function unpatchable(value: unknown): string | undefined {
  if (value === null) return 'null';
  if (typeof value !== 'object') return undefined;
  if (Array.isArray(value) && value.length === 0) return '[]';
  for (const [key, inner] of Object.entries(value)) {
    if (!Array.isArray(value) && !patchable.has(key)) return key;
    const none = key === 'replicas' && !(typeof inner === 'number' && inner > 0);
    const deeper = none ? `replicas: ${inner}` : unpatchable(inner);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

/** The namespaces of the objects it names, where the command leaves that to the person's context. */
function missingNamespaces(command: Parsed, { objects }: Nameable): string[] {
  if (command.flags.has('namespace') || command.flags.has('all-namespaces')) return [];
  const named = targets(command).flatMap(({ kind, name = '' }) => [...(objects.get(`${kind}/${name}`) ?? [])]);
  return [...new Set(named)];
}
