import type { Ref } from '../finding.ts';
import type { CreateCode } from './create-rules.ts';

const patterns: readonly (readonly [CreateCode, RegExp])[] = [
  ['create.quota', /exceeded quota: ([^,]+),/],
  ['create.quota-needs-limits', /failed quota: ([^:]+): must specify/],
  ['create.webhook-failed', /failed calling webhook "([^"]+)"/],
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
  switch (code) {
    case 'create.quota':
      return `Quota "${culprit}" of namespace ${namespace} is used up, so ${who} cannot create its pods: ${words.slice(words.indexOf('requested:')).replace(/^requested: /, 'requested ')}.`;
    case 'create.quota-needs-limits':
      return `Quota "${culprit}" of namespace ${namespace} demands ${words.slice(words.indexOf('must specify')).replace('must specify ', '')}, and the pods of ${who} do not set it.`;
    case 'create.limit-range':
      return `A LimitRange of namespace ${namespace} forbids the pods of ${who}: ${reasonIn(words)}.`;
    case 'create.pod-security':
      return `Namespace ${namespace} does not admit the pods of ${who}: ${reasonIn(words)}.`;
    case 'create.service-account-missing':
      return `Service account "${culprit}" does not exist in namespace ${namespace}, so ${who} cannot create its pods.`;
    case 'create.priority-class-missing':
      return `Priority class "${culprit}" does not exist, so ${who} cannot create its pods.`;
    case 'create.webhook-denied':
      return `Admission webhook "${culprit}" denies the pods of ${who}: ${words.slice(words.indexOf('denied the request')).replace(/^denied the request:? ?/, '')}.`;
    case 'create.webhook-failed':
      return `Admission webhook "${culprit}" cannot be called, so ${who} cannot create its pods: ${words.slice(words.indexOf('failed calling webhook')).replace(/^failed calling webhook "[^"]+": /, '')}.`;
    case 'create.namespace-terminating':
      return `Namespace ${namespace} is being deleted, so ${who} cannot create its pods.`;
    case 'sandbox.runtimeclass':
      return `RuntimeClass "${culprit}" does not exist, so ${who} cannot create its pods.`;
    case 'create.unknown':
      return `${who} cannot create its pods: "${words}".`;
    default:
      return code satisfies never;
  }
}

/** What follows "is forbidden: " or "is invalid: ". */
const reasonIn = (words: string): string => /is (?:forbidden|invalid): (.+)$/s.exec(words)?.[1] ?? words;
