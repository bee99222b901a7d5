import { resources } from '../cluster/kinds.ts';
import type { Step } from '../finding.ts';

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
  readonly safety: Exclude<Step['safety'], 'destructive'>;
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

const firstWords = new Set(Object.keys(verbs).map((name) => name.split(' ')[0]));

/** Whether a command may begin so. */
export const isVerb = (word: string): boolean => firstWords.has(synonyms[word] ?? word);

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

/** A kubectl command, taken apart. */
export interface Parsed {
  readonly name: string;
  readonly verb: Verb;
  readonly words: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
}

/** Takes the words after `kubectl` apart; a sentence's end where they are not among what a model may propose. */
export function parse(all: readonly string[]): Parsed | string {
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
  if (all.includes('--')) return 'it runs something of its own';
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

/** What a command names. */
export interface Target {
  readonly kind: string;
  /** Absent where it means all of a kind. */
  readonly name?: string;
}

/** The objects that the words after the verb name: "pod web-0", "pod/web-0", "pods,services", "deploy/web app=nginx:1". */
export function targets({ verb, words, name: verbName }: Parsed): Target[] {
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

export const kindsByName = new Map<string, string>(
  Object.entries(resources).flatMap(([kind, { plural, shortNames }]) =>
    [kind.toLowerCase(), plural, ...shortNames].map((name) => [name, kind.toLowerCase()] as const),
  ),
);

/** "deploy", "deployments.apps" and "Deployment" are "deployment"; a kind podlens does not know stays as it is. */
export function kindOf(word: string): string {
  const bare = word.toLowerCase().split('.')[0] ?? '';
  return kindsByName.get(bare) ?? bare;
}
