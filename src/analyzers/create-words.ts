import type { Ref } from '../finding.ts';
import { parseQuantity } from '../objects/quantity.ts';
import type { CreateCode } from './create-rules.ts';

const patterns: readonly (readonly [CreateCode, RegExp])[] = [
  ['create.quota', /exceeded quota: ([^,]+),|insufficient quota to match these scopes/],
  ['create.quota-needs-limits', /failed quota: ([^:]+): must specify/],
  ['create.webhook-failed', /failed calling webhook "([^"]+)"/],
  ['create.policy-denied', /ValidatingAdmissionPolicy '([^']+)' with binding '[^']*' denied request/],
  ['create.webhook-denied', /admission webhook "([^"]+)" denied the request/],
  [
    'create.pod-security',
    /violates PodSecurity "([^"]+)"|unable to validate against any (pod security policy|security context constraint)/,
  ],
  ['create.service-account-missing', /serviceaccount "([^"]+)" not found/],
  ['create.priority-class-missing', /no PriorityClass with name (\S+) was found/],
  ['create.namespace-terminating', /because it is being terminated/],
  ['sandbox.runtimeclass', /RuntimeClass "([^"]+)" not found/],
  // A LimitRange's default limit below the request makes the pod invalid.
  [
    'create.limit-range',
    /must be less than or equal to \S+ limit|(maximum|minimum) \S+ usage per (Container|Pod|PersistentVolumeClaim)|max limit to request ratio/,
  ],
];

/** Which cause the words give, and the name in them: of a quota, an account, a webhook. */
export function readRefusal(words: string): { readonly code: CreateCode; readonly name: string } {
  for (const [code, pattern] of patterns) {
    const match = pattern.exec(words);
    if (match !== null) return { code, name: match[1] ?? '' };
  }
  return { code: 'create.unknown', name: '' };
}

export function sentence(code: CreateCode, { kind, name, namespace }: Ref, culprit: string, words: string): string {
  const who = `${kind} ${namespace}/${name}`;
  const what = refused(words);
  const cannot = `${who} cannot create its ${what}`;
  switch (code) {
    case 'create.quota':
      return quotaSentence(namespace, culprit, who, words);
    case 'create.quota-needs-limits':
      return `Quota "${culprit}" of namespace ${namespace} demands ${words.slice(words.indexOf('must specify')).replace('must specify ', '')}, and the pods of ${who} do not set it.`;
    case 'create.limit-range':
      return `A LimitRange of namespace ${namespace} forbids the ${what} of ${who}: ${reasonIn(words)}.`;
    case 'create.pod-security':
      if (words.includes('security context constraint'))
        return `No security context constraint that its service account may use allows the ${what} of ${who}: ${reasonIn(words)}.`;
      return `Namespace ${namespace} does not admit the ${what} of ${who}: ${reasonIn(words)}.`;
    case 'create.service-account-missing':
      return `Service account "${culprit}" does not exist in namespace ${namespace}, so ${cannot}.`;
    case 'create.priority-class-missing':
      return `Priority class "${culprit}" does not exist, so ${cannot}.`;
    case 'create.policy-denied':
      return `Policy "${culprit}" denies the ${what} of ${who}${denial(words)}.`;
    case 'create.webhook-denied':
      return `Admission webhook "${culprit}" denies the ${what} of ${who}${denial(words)}.`;
    case 'create.webhook-failed':
      return `Admission webhook "${culprit}" cannot be called, so ${cannot}: ${words.slice(words.indexOf('failed calling webhook')).replace(/^failed calling webhook "[^"]+": /, '')}.`;
    case 'create.namespace-terminating':
      return `Namespace ${namespace} is being deleted, so ${cannot}.`;
    case 'sandbox.runtimeclass':
      return `RuntimeClass "${culprit}" does not exist, so ${cannot}.`;
    case 'create.unknown':
      return `${cannot}: "${words}".`;
    default:
      return code satisfies never;
  }
}

/** What the API server does not let the controller create. */
function refused(words: string): string {
  const claim = /\bpersistentvolumeclaims "([^"]+)"/.exec(words)?.[1];
  if (claim !== undefined) return `claim ${claim}`;
  if (/\bjobs\.batch "|^Error creating job:/.test(words)) return 'Jobs';
  return /\breplicasets\.apps "/.test(words) ? 'ReplicaSet' : 'pods';
}

function quotaSentence(namespace: string | undefined, quota: string, who: string, words: string): string {
  const what = refused(words);
  if (quota === '') {
    const scopes = /match these scopes: (.+)$/s.exec(words)?.[1] ?? '';
    return `No quota of namespace ${namespace} covers the ${what} of ${who}, and the API server demands one for the scopes ${scopes}.`;
  }
  const tooMuch = moreThanAll(words);
  if (tooMuch !== undefined) {
    const { resource, requested, limited } = tooMuch;
    const one = what.startsWith('claim ') ? what : `one ${what.replace(/s$/, '')}`;
    return `Quota "${quota}" of namespace ${namespace} allows ${resource}=${limited} in all, and ${one} of ${who} asks for ${requested}.`;
  }
  return `Quota "${quota}" of namespace ${namespace} is used up, so ${who} cannot create its ${what}: ${words.slice(words.indexOf('requested:')).replace(/^requested: /, 'requested ')}.`;
}

/** The resource of which a single object asks for more than the whole quota ("requested: pods=1, used: …, limited: …"). */
function moreThanAll(words: string) {
  const [, asked = '', allowed = ''] = /requested: (.+), used: .+, limited: (.+)$/s.exec(words) ?? [];
  const limits = new Map(amountsIn(allowed));
  for (const [resource, requested] of amountsIn(asked)) {
    const limited = limits.get(resource);
    if ((parseQuantity(requested) ?? 0) > (parseQuantity(limited) ?? Infinity)) return { resource, requested, limited };
  }
  return undefined;
}

const amountsIn = (text: string): readonly (readonly [string, string])[] =>
  text.split(',').map((pair) => {
    const at = pair.lastIndexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1)];
  });

/** ": image must come from registry.example.com", or that no reason is given. */
function denial(words: string): string {
  const reason = /denied (?:the )?request: ?(.+)$/s.exec(words)?.[1];
  return reason === undefined ? ' and does not say why' : `: ${reason.trim().replace(/\.$/, '')}`;
}

/** What follows "is forbidden: " or "is invalid: ". */
const reasonIn = (words: string): string => /is (?:forbidden|invalid): (.+)$/s.exec(words)?.[1] ?? words;
