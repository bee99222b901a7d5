import { resources } from '../cluster/kinds.ts';
import type { Problem, Step } from '../finding.ts';
import { wellKnownImages } from '../objects/image.ts';
import { shell } from '../objects/kubectl.ts';
import { refsOf } from './names.ts';

export type Verdict =
  | { readonly command: string; readonly safety: Exclude<Step['safety'], 'destructive'> }
  /** Why a command is left out, as the end of a sentence: "it would print a Secret". */
  | { readonly rejected: string };

/** What a proposed command may name: the objects of one problem. */
export interface Nameable {
  /** Lower-case kind and name: "pod/web-0". */
  readonly objects: ReadonlyMap<string, string | undefined>;
  readonly namespaces: ReadonlySet<string>;
  readonly containers: ReadonlySet<string>;
  /** The rules' own words: an image or a host may be named if it stands there. */
  readonly words: string;
}

export function nameableOf(problem: Problem): Nameable {
  const objects = new Map<string, string | undefined>();
  const namespaces = new Set<string>();
  const containers = new Set<string>();
  for (const { kind, name, namespace, container } of refsOf(problem)) {
    objects.set(`${kind.toLowerCase()}/${name}`, namespace);
    if (namespace !== undefined) namespaces.add(namespace);
    if (kind === 'Namespace') namespaces.add(name);
    if (container !== undefined) containers.add(container);
  }
  const { root } = problem;
  const words = [root.message, ...root.remedy.flatMap(({ text, command = '' }) => [text, command])].join('\n');
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
  const namespace = missingNamespace(parsed, nameable);
  const rest = namespace === undefined ? words : [...words, '-n', namespace];
  return { command: shell(...rest), safety: parsed.verb.safety };
}

/** Splits as a shell does; undefined where a shell would do more than run one program with these words. */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "'") {
      const end = text.indexOf("'", at + 1);
      if (end < 0) return undefined;
      word = (word ?? '') + text.slice(at + 1, end);
      at = end;
    } else if (character === '"') {
      const end = closingQuote(text, at);
      const inner = text.slice(at + 1, end);
      if (end < 0 || /[`$]/.test(inner)) return undefined;
      word = (word ?? '') + inner.replace(/\\(["\\])/g, '$1');
      at = end;
    } else if (character === ' ' || character === '\t') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (/[|&;<>()$`\\\n\r*?~#!{}]/.test(character)) {
      return undefined;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (word !== undefined) words.push(word);
  return words.length === 0 ? undefined : words;
}

function closingQuote(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    if (text.charAt(at) === '\\') at++;
    else if (text.charAt(at) === '"') return at;
  }
  return -1;
}

interface Verb {
  readonly safety: 'inspect' | 'change';
  /** What its words after the verb are. */
  readonly words: 'objects' | 'pod' | 'none' | 'free' | 'nodes';
  /** Flags it may have beside the common ones; `=` marks those with a value. */
  readonly flags: string;
}

const LIST =
  'selector= l= field-selector= A all-namespaces show-labels sort-by= o= output= w watch chunk-size= no-headers L= label-columns= show-kind show-managed-fields';
const CHANGE = 'dry-run= o= output= overwrite selector= l= all=';

// Left out on purpose: what needs a file (apply, create, replace), deletes or evicts (delete, drain, taint), goes into a
// container or opens a connection (exec, attach, cp, debug, run, port-forward, proxy), prints credentials (config, create token).
const verbs: Readonly<Record<string, Verb>> = {
  get: { safety: 'inspect', words: 'objects', flags: `${LIST} ignore-not-found subresource=` },
  describe: { safety: 'inspect', words: 'objects', flags: 'selector= l= A all-namespaces show-events=' },
  logs: {
    safety: 'inspect',
    words: 'pod',
    flags:
      'c= container= p previous tail= since= since-time= timestamps f follow all-containers prefix max-log-requests= limit-bytes= selector= l= ignore-errors all-pods',
  },
  events: { safety: 'inspect', words: 'none', flags: 'for= types= A all-namespaces w watch no-headers o= output=' },
  'top pod': {
    safety: 'inspect',
    words: 'objects',
    flags: 'containers selector= l= A all-namespaces sort-by= no-headers',
  },
  'top node': { safety: 'inspect', words: 'nodes', flags: 'selector= l= sort-by= no-headers' },
  explain: { safety: 'inspect', words: 'free', flags: 'recursive api-version=' },
  'api-resources': { safety: 'inspect', words: 'none', flags: 'namespaced= api-group= o= output=' },
  version: { safety: 'inspect', words: 'none', flags: 'client o= output=' },
  'auth can-i': { safety: 'inspect', words: 'free', flags: 'list A all-namespaces subresource=' },
  'rollout status': { safety: 'inspect', words: 'objects', flags: 'timeout= w= watch= revision=' },
  'rollout history': { safety: 'inspect', words: 'objects', flags: 'revision=' },
  'rollout restart': { safety: 'change', words: 'objects', flags: '' },
  'rollout undo': { safety: 'change', words: 'objects', flags: 'to-revision= dry-run=' },
  'rollout pause': { safety: 'change', words: 'objects', flags: '' },
  'rollout resume': { safety: 'change', words: 'objects', flags: '' },
  'set image': { safety: 'change', words: 'objects', flags: CHANGE },
  'set resources': { safety: 'change', words: 'objects', flags: `${CHANGE} c= containers= limits= requests=` },
  'set serviceaccount': { safety: 'change', words: 'objects', flags: CHANGE },
  scale: { safety: 'change', words: 'objects', flags: 'replicas= current-replicas= timeout=' },
  patch: { safety: 'change', words: 'objects', flags: 'p= patch= type= dry-run= subresource=' },
  annotate: { safety: 'change', words: 'objects', flags: CHANGE },
  label: { safety: 'change', words: 'objects', flags: CHANGE },
  edit: { safety: 'change', words: 'objects', flags: '' },
  cordon: { safety: 'change', words: 'nodes', flags: '' },
  uncordon: { safety: 'change', words: 'nodes', flags: '' },
};

const twoWords = new Set(['top', 'auth', 'rollout', 'set']);
const synonyms: Readonly<Record<string, string>> = {
  pods: 'pod',
  po: 'pod',
  nodes: 'node',
  no: 'node',
  log: 'logs',
  event: 'events',
  sa: 'serviceaccount',
};

interface Parsed {
  readonly name: string;
  readonly verb: Verb;
  readonly words: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
}

function parse(all: readonly string[]): Parsed | string {
  const words: string[] = [];
  const given: [string, string | undefined][] = [];
  const common = flagTable('n= namespace= request-timeout=');
  // The verb comes first in every command a person types; flags in front of it are those of kubectl itself.
  let verb: Verb | undefined;
  let name = '';
  let allowed = common;
  for (let at = 0; at < all.length; at++) {
    const word = all[at] ?? '';
    if (word === '--') return 'it runs something of its own';
    if (!word.startsWith('-') || word === '-') {
      words.push(word);
      if (verb === undefined) {
        name = [...words.slice(0, twoWords.has(words[0] ?? '') ? 2 : 1)]
          .map((part) => synonyms[part] ?? part)
          .join(' ');
        verb = verbs[name];
        if (verb === undefined && !(twoWords.has(name) && at + 1 < all.length))
          return `"kubectl ${name}" is not among what a model may propose`;
        if (verb !== undefined) {
          words.length = 0;
          allowed = new Map([...common, ...flagTable(verb.flags)]);
        }
      }
      continue;
    }
    const [, flag = '', value] = /^(--[^=]+|-[A-Za-z])=?([\s\S]+)?$/.exec(word) ?? [];
    const bare = flag.replace(/^--?/, '');
    const takes = allowed.get(bare);
    if (takes === undefined) return `the flag ${flag || word} is not among what a model may propose`;
    const own = word.startsWith('--') ? (word.includes('=') ? (value ?? '') : undefined) : value;
    if (takes && own === undefined) given.push([bare, all[++at]]);
    else if (!takes && own !== undefined && !/^(?:true|false)$/.test(own)) return `the flag ${flag} takes no value`;
    else given.push([bare, own ?? 'true']);
  }
  if (verb === undefined) return 'it has no verb';
  const flags = new Map<string, string>();
  for (const [flag, value] of given) {
    if (value === undefined) return `the flag ${flag} has no value`;
    flags.set(longFlags[flag] ?? flag, value);
  }
  return { name, verb, words, flags };
}

const longFlags: Readonly<Record<string, string>> = {
  n: 'namespace',
  o: 'output',
  l: 'selector',
  p: 'patch',
  c: 'container',
  A: 'all-namespaces',
};

const flagTable = (flags: string): Map<string, boolean> =>
  new Map(
    flags
      .split(' ')
      .filter(Boolean)
      .map((flag) => [flag.replace('=', ''), flag.endsWith('=')]),
  );

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
  if (printsSecret(command, named)) return 'it would print a Secret';
  if (command.verb.safety === 'inspect') return undefined;
  if (named.every(({ name }) => name === undefined)) return 'it would change more than one named object';
  return refuseChange(command, nameable);
}

interface Target {
  readonly kind: string;
  /** Absent where it means all of a kind. */
  readonly name?: string;
}

/** The objects that the words after the verb name: "pod web-0", "pod/web-0", "pods,services", "deploy/web app=nginx:1". */
function targets({ verb, words, name: verbName }: Parsed): Target[] {
  if (verb.words === 'none' || verb.words === 'free') return [];
  if (verb.words === 'nodes')
    return words.filter(isTarget).map((name) => ({ kind: 'node', name: name.replace(/^nodes?\//, '') }));
  if (verbName === 'top pod') return words.map((name) => ({ kind: 'pod', name }));
  if (verb.words === 'pod') {
    const [first = '', ...rest] = words;
    const pods = first.includes('/') ? slashed(first) : first === '' ? [] : [{ kind: 'pod', name: first }];
    // What follows a pod is its container.
    return [...pods, ...rest.map((name) => ({ kind: 'container', name }))];
  }
  const objects = words.filter(isTarget);
  if (objects.some((word) => word.includes('/'))) return objects.flatMap(slashed);
  const [kinds = '', ...names] = objects;
  return kinds
    .split(',')
    .flatMap((kind): Target[] =>
      names.length === 0 ? [{ kind: kindOf(kind) }] : names.map((name) => ({ kind: kindOf(kind), name })),
    );
}

/** Not "app=nginx:1.27" or "key-", which are what is set. */
const isTarget = (word: string): boolean => !word.includes('=') && !word.endsWith('-');

const slashed = (word: string): Target[] => {
  const [kind = '', name = ''] = word.split('/', 2);
  return [{ kind: kindOf(kind), name }];
};

const kindsByName = new Map<string, string>(
  Object.entries(resources).flatMap(([kind, { plural, shortNames }]) =>
    [kind.toLowerCase(), plural, ...shortNames].map((name) => [name, kind.toLowerCase()] as const),
  ),
);

/** "deploy", "deployments.apps" and "Deployment" are "deployment"; a kind podlens does not know stays as it is. */
function kindOf(word: string): string {
  const bare = word.toLowerCase().split('.')[0] ?? '';
  return kindsByName.get(bare) ?? bare;
}

function unknownObject({ name: verb }: Parsed, named: readonly Target[], nameable: Nameable): string | undefined {
  for (const { kind, name } of named) {
    if (name === undefined) continue;
    if (kind === 'container') {
      if (!nameable.containers.has(name)) return name;
    } else if (!nameable.objects.has(`${kind}/${name}`) && !(kind === 'namespace' && nameable.namespaces.has(name))) {
      return verb === 'set serviceaccount' && nameable.objects.has(`serviceaccount/${name}`)
        ? undefined
        : `${kind}/${name}`;
    }
  }
  return undefined;
}

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
  for (const [key, inner] of Object.entries(value)) {
    if (!Array.isArray(value) && !patchable.has(key)) return key;
    const deeper = key === 'replicas' && inner === 0 ? 'replicas: 0' : unpatchable(inner);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

/** The namespace of the one object it names, where the command leaves it to the person's context. */
function missingNamespace(command: Parsed, nameable: Nameable): string | undefined {
  if (command.flags.has('namespace') || command.flags.has('all-namespaces')) return undefined;
  for (const { kind, name } of targets(command)) {
    const namespace = nameable.objects.get(`${kind}/${name ?? ''}`);
    if (namespace !== undefined) return namespace;
  }
  return undefined;
}

const DANGEROUS =
  /\brm\s+-\w|\|\s*(?:sudo\s+)?(?:ba|z|da|k)?sh\b|\b(?:curl|wget)\b[^\n]*\|\s*\w|\bmkfs|\bdd\s+if=|:\(\)\s*\{|\bbase64\s+(?:-d|-D|--decode)|\beval\s|\bkubectl\s+(?:-\S+\s+(?:[^-\s]\S*\s+)?)*(?:delete|drain|exec|replace|run|proxy|attach|cp|debug|config|taint|create|apply)\b|\bkubectl\b[^\n]*\bsecrets?\b[^\n]*(?:\s-o|--output|jsonpath|go-template|yaml|json)/i;

/** Takes out of a sentence the commands that would not pass as a command. */
export function cleanProse(
  text: string,
  nameable: Nameable,
): { readonly text: string; readonly rejected: readonly string[] } {
  const rejected: string[] = [];
  const spans = text.replace(/`+([^`]*)`+/g, (span, inner: string) => {
    if (!/^\s*(?:\$\s+)?kubectl\s/.test(inner) && !DANGEROUS.test(inner)) return span;
    const verdict = checkCommand(inner, nameable);
    if (!('rejected' in verdict)) return span;
    rejected.push(verdict.rejected);
    return '(a command was left out)';
  });
  if (!DANGEROUS.test(spans)) return { text: spans, rejected };
  const sentences = spans.split(/(?<=[.!?。！？])\s+/).filter((sentence) => !DANGEROUS.test(sentence));
  return { text: sentences.join(' '), rejected: [...rejected, 'it is not what a model may propose'] };
}
