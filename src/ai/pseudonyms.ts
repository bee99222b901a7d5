import { isIPv4, isIPv6 } from 'node:net';
import { type NameKind, nameKinds } from './names.ts';
import { isApiDomain, isCommonWord, isOwnSegment, isOwnWord, isPlainTag, isPublicHost } from './words.ts';

/** Gives names pseudonyms ("pod-1", "ip-2") and takes them back. Within one of these a name has one pseudonym. */
export interface Pseudonyms {
  hide(text: string): string;
  /** Pseudonyms that stand for nothing stay as they are. */
  reveal(text: string): string;
  /** Whether a text holds a pseudonym that stands for nothing: a model made it up. */
  invents(text: string): boolean;
}

/** Kinds of names that are hidden wherever they stand once a text has given them away. */
const telling: ReadonlySet<NameKind> = new Set(['host', 'user', 'email', 'private-registry']);

const KINDS = [...nameKinds]
  .sort((a, b) => b.length - a.length)
  .join('|')
  .replaceAll('-', '[-_]');
/** What looks like a pseudonym. */
export const PSEUDONYM = new RegExp(`(?<![A-Za-z0-9])(?:${KINDS})[-_]\\d+(?![A-Za-z0-9])`, 'gi');
const PSEUDONYM_HERE = new RegExp(`(${KINDS})[-_]\\d+(?![A-Za-z0-9])`, 'iy');

export function createPseudonyms(known: ReadonlyMap<string, NameKind>): Pseudonyms {
  const pseudonyms = new Map<string, string>();
  const names = new Map<string, string>();
  const counts = new Map<NameKind, number>();
  // Hosts, users and the like that a text gave away: the same word elsewhere is the same name.
  const found = new Map<string, NameKind>();
  const kindOf = (name: string): NameKind | undefined => known.get(name) ?? found.get(name);

  const learn = (name: string, pseudonym: string): string => {
    pseudonyms.set(name, pseudonym);
    names.set(pseudonym, name);
    return pseudonym;
  };

  const pseudonymOf = (name: string, kind: NameKind): string => {
    const given = pseudonyms.get(name);
    if (given !== undefined) return given;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (telling.has(kind) && name.length > 2 && !isOwnWord(name) && /[A-Za-z]/.test(name)) found.set(name, kind);
    return learn(name, `${kind}-${count}`);
  };

  /** A name as it stands in a text, in small letters, as a Capitalised word or as an ENVIRONMENT_VARIABLE. */
  const pseudonymOfWritten = (written: string): string | undefined => {
    const kind = kindOf(written);
    if (kind !== undefined) return pseudonymOf(written, kind);
    const plain = written.toLowerCase().replaceAll('_', '-');
    const plainKind = kindOf(plain);
    if (plainKind === undefined || isOwnWord(plain) || isCommonWord(plain)) return undefined;
    const given = pseudonyms.get(written);
    if (given !== undefined) return given;
    const pseudonym = pseudonymOf(plain, plainKind);
    if (written === variable(plain)) return learn(written, variable(pseudonym));
    if (written === capital(plain)) return learn(written, capital(pseudonym));
    return pseudonymOf(written, plainKind);
  };

  const hideRun = (run: string): string => {
    let hidden = '';
    let at = 0;
    while (at < run.length) {
      const length = nameLengthAt(run, at, pseudonymOfWritten);
      if (length > 0) {
        const end = at + podTail(run, at + length, kindOf(run.slice(at, at + length)));
        const written = run.slice(at, end + length);
        hidden += end > at ? pseudonymOf(written, 'pod') : pseudonymOfWritten(written);
        at += written.length;
        continue;
      }
      PSEUDONYM_HERE.lastIndex = at;
      const lookAlike = PSEUDONYM_HERE.exec(run);
      if (lookAlike !== null) {
        hidden += pseudonymOf(lookAlike[0], (lookAlike[1] ?? 'object').toLowerCase().replaceAll('_', '-') as NameKind);
        at += lookAlike[0].length;
        continue;
      }
      const next = nextStart(run, at);
      hidden += run.slice(at, next);
      at = next;
    }
    return hidden;
  };

  const hideWords = (text: string): string => text.replace(RUN, hideRun);

  const hideHost = (host: string): string => {
    if (isPublicHost(host) || isOwnWord(host)) return host;
    if (isIPv4(host)) return isOwnAddress(host) ? host : pseudonymOf(host, 'ip');
    const whole = pseudonymOfWritten(host);
    if (whole !== undefined) return whole;
    const labels = host.split('.');
    if (!labels.some((label) => known.has(label))) return pseudonymOf(host, 'host');
    // web.shop.svc.cluster.local: each part that is known keeps its own pseudonym.
    return labels.map((l) => pseudonymOfWritten(l) ?? (isOwnWord(l) ? l : pseudonymOf(l, 'host'))).join('.');
  };

  const hideAuthority = (authority: string): string => {
    const [, user = '', host = '', port = ''] = /^(\[cut\]@)?(\[[^\]]*\]|[^:]*)(.*)$/.exec(authority) ?? [];
    const address = /^\[(.+)\]$/.exec(host)?.[1];
    return `${user}${address === undefined ? (host === '' ? '' : hideHost(host)) : `[${hideAddress(address)}]`}${hideWords(port)}`;
  };

  const hideAddress = (address: string): string => (isOwnAddress(address) ? address : pseudonymOf(address, 'ip'));

  const hidePath = (path: string): string =>
    path.replace(/[^/:@?#&=[\]]+/g, (part) => {
      if (isOwnSegment(part) || isOwnWord(part) || part === 'cut' || isPlainTag(part)) return part;
      return pseudonymOfWritten(part) ?? pseudonymOf(part, 'path');
    });

  /** "team/web" of registry/team/web:v2, which may be known as a whole. */
  const hideRepository = (path: string): string => {
    const [, repository = '', rest = ''] = /^([^:@]*)(.*)$/.exec(path) ?? [];
    const library = /^library\//.test(repository) ? 'library/' : '';
    const own = repository.slice(library.length);
    const whole = known.has(own) ? pseudonymOfWritten(own) : undefined;
    return `${library}${
      whole ??
      own
        .split('/')
        .map((part) =>
          isOwnSegment(part) ? part : (pseudonymOfWritten(part) ?? (wordy(part) ? part : pseudonymOf(part, 'image'))),
        )
        .join('/')
    }${hideWords(rest)}`;
  };

  const wordy = (part: string): boolean => isOwnWord(part) || part === '';

  const hiders: Readonly<Record<string, (match: string) => string>> = {
    digest: (match) => `sha256:${pseudonymOf(match.slice(7), 'digest')}`,
    url(match) {
      const [, scheme = '', authority = '', path = ''] = /^([^:]*:\/\/)([^/?#]*)([\s\S]*)$/.exec(match) ?? [];
      return `${hideWords(scheme)}${hideAuthority(authority)}${hidePath(path)}`;
    },
    email: (match) => pseudonymOf(match, 'email'),
    cloud: (match) => pseudonymOf(match, 'cloud-id'),
    uid: (match) => pseudonymOf(match, 'uid'),
    ip6: (match) => (isIPv6(match) ? hideAddress(match) : hideWords(match)),
    ip4: (match) => (isIPv4(match) ? hideAddress(match) : hideWords(match)),
    reference(match) {
      const slash = match.indexOf('/');
      const host = match.slice(0, slash);
      const path = match.slice(slash + 1);
      // node.kubernetes.io/unreachable, nvidia.com/gpu: the name of a label, taint or resource.
      if (isApiDomain(host)) return `${host}/${hideWords(path)}`;
      return `${hideAuthority(host)}/${hideRepository(path)}`;
    },
    user: (match) => (isOwnUser(match) ? match : (pseudonymOfWritten(match) ?? pseudonymOf(match, 'user'))),
    path: (match) => (known.has(match) ? pseudonymOf(match, 'image') : hideWords(match)),
    host: hideHost,
    run: hideRun,
  };

  const hide = (text: string): string =>
    text.replace(SENSITIVE, (match, ...rest) => {
      const groups = rest.at(-1) as Readonly<Record<string, string | undefined>>;
      for (const name of Object.keys(groups)) if (groups[name] !== undefined) return (hiders[name] ?? hideRun)(match);
      return match;
    });

  return {
    hide(text) {
      const before = found.size;
      const hidden = hide(text);
      return found.size === before ? hidden : hide(text);
    },
    reveal: (text) => text.replace(PSEUDONYM, (pseudonym) => nameBehind(pseudonym, names) ?? pseudonym),
    invents: (text) => (text.match(PSEUDONYM) ?? []).some((pseudonym) => nameBehind(pseudonym, names) === undefined),
  };
}

const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
const variable = (name: string): string => name.toUpperCase().replaceAll('-', '_');

/** A model may begin a sentence with a pseudonym. */
const nameBehind = (pseudonym: string, names: ReadonlyMap<string, string>): string | undefined =>
  names.get(pseudonym) ?? names.get(pseudonym.toLowerCase().replaceAll('_', '-'));

const RUN = /[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?/g;

/** After these words stands a host. */
const HOST_BEFORE = String.raw`(?:\blookup |\b(?:ENOTFOUND|EAI_AGAIN) |\bUnknownHostException: |\b[Hh]ost ?name(?:: ["'\x60]?| ["'\x60])|\bMySQL server host ["'\x60]?|\b[Rr]esolve (?:host|hostname|address):? ["'\x60]?|\b[Nn]o such host: )`;

/** After these a host, or a word of the sentence: "connect to server db-1", "connect to the database". */
const PERHAPS_HOST_BEFORE = String.raw`\b[Cc]onnect(?:ing|ed|ion)? to (?:(?:server|host)(?: at)? )?["'\x60]?`;

/** What may hold a name, in the order in which it is tried at each place. */
const SENSITIVE = new RegExp(
  [
    String.raw`(?<digest>\bsha256:[0-9a-f]{12,64}\b)`,
    String.raw`(?<url>(?<![A-Za-z0-9])[a-zA-Z][a-zA-Z0-9+-]*:\/\/(?:\[cut\]@)?(?:\[[0-9a-fA-F:.%\w]*\]|[^\s"'<>\`\\,;(){}[\]]*[^\s"'<>\`\\,;(){}[\].:!?])?(?:[^\s"'<>\`\\,;(){}]*[^\s"'<>\`\\,;(){}.:!?])?)`,
    String.raw`(?<email>(?<![A-Za-z0-9])[A-Za-z0-9][\w.%+-]*@[A-Za-z0-9-]+(?:\.(?:[A-Za-z0-9-]*[A-Za-z0-9]))+(?![A-Za-z0-9]))`,
    String.raw`(?<cloud>\barn:aws[\w-]*:[\w:/.*-]*[\w*]|\b(?:i|vol|eni|subnet|sg|vpc|ami|snap|fs|rtb|nat|igw)-[0-9a-f]{8,17}\b)`,
    String.raw`(?<uid>\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b)`,
    String.raw`(?<ip6>(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}(?:[0-9a-fA-F]{1,4}|\d+\.\d+\.\d+\.\d+)?(?![\w:]|\.\w))`,
    String.raw`(?<ip4>(?<![\w.-])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w-]|\.\w))`,
    String.raw`(?<reference>(?<![\w./-])(?:(?:[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*(?::\d+)?|\d+\.\d+\.\d+\.\d+(?::\d+)?|localhost(?::\d+)?|[A-Za-z0-9-]+:\d{2,5})\/[A-Za-z0-9][\w./-]*[\w](?::[\w][\w.-]*)?)`,
    String.raw`(?<user>(?<=\b[Uu]ser(?:name)?\\?["']?(?:\s*[:=]\s*|\s+)\\?["'])[^"'\s\\]+|(?<=\b[Uu](?:ser(?:name)?|id)=)[^\s"',;&\\]+|(?<=\b(?:as|by|for) [Uu]ser )[\w.@-]*\w|(?<=\/(?:home|Users)\/)[\w.-]*\w)`,
    String.raw`(?<path>(?<![\w./-])[A-Za-z0-9][\w.-]*(?:\/[A-Za-z0-9][\w.-]*)*\/[\w.-]*\w)`,
    String.raw`(?<host>(?<![\w.-])(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+(?:com|net|org|io|dev|app|cloud|local|localdomain|internal|intern|intranet|lan|corp|home|test|example|invalid|svc|info|biz|tech|ai|co|me|eu|de|fr|uk|nl|it|es|se|ch|at|pl|cz|cn|jp|kr|in|us|ca|br|ru|au)(?![\w-]|\.\w)|(?<![\w.-])ip-\d+-\d+-\d+-\d+(?![\w-])|(?<![\w./:-])[a-z](?:[a-z0-9-]*[a-z0-9])?(?=:\d{2,5}(?![\w:.-]))|(?<=${HOST_BEFORE})[A-Za-z0-9][\w.-]*\w|(?<=${PERHAPS_HOST_BEFORE})(?=[\w-]*[\d.-]\w)[A-Za-z][\w.-]*\w(?![\w/]))`,
    '(?<run>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)',
  ].join('|'),
  'g',
);

const isOwnAddress = (address: string): boolean =>
  /^(?:127\.\d+\.\d+\.\d+|0\.0\.0\.0|255\.255\.255\.255|::1?)$/.test(address);

const isOwnUser = (user: string): boolean =>
  /^(?:\d+|root|nobody|anonymous|nonroot|admin|postgres|system:.*)$/.test(user) || isOwnWord(user);

const isAlnum = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);

/** Where the next word of a run begins. */
function nextStart(run: string, from: number): number {
  let at = from;
  while (at < run.length && isAlnum(run.charCodeAt(at))) at++;
  while (at < run.length && !isAlnum(run.charCodeAt(at))) at++;
  return at;
}

/** The length of the longest name that begins here and ends where a word ends; 0 if there is none. */
function nameLengthAt(run: string, at: number, find: (written: string) => string | undefined): number {
  const ends: number[] = [];
  for (let end = at; end < run.length && ends.length < 24; end++) {
    if (isAlnum(run.charCodeAt(end)) && !isAlnum(run.charCodeAt(end + 1))) ends.push(end + 1);
  }
  for (const end of ends.reverse()) {
    const written = run.slice(at, end);
    if (!isOwnWord(written) && find(written) !== undefined) return written.length;
  }
  return 0;
}

const workloads: ReadonlySet<NameKind | undefined> = new Set([
  'app',
  'deployment',
  'replicaset',
  'statefulset',
  'daemonset',
  'job',
  'cronjob',
]);

/** The rest of the name of a pod that is gone: only its workload is known. */
function podTail(run: string, from: number, kind: NameKind | undefined): number {
  if (!workloads.has(kind)) return 0;
  const tail =
    /^-(?:[bcdf-hj-np-tv-xz2-9]{8,10}-[bcdf-hj-np-tv-xz2-9]{5}|[bcdf-hj-np-tv-xz2-9]{5}|\d{8}-[bcdf-hj-np-tv-xz2-9]{5}|\d{1,3})(?![A-Za-z0-9])/.exec(
      run.slice(from),
    );
  return tail?.[0].length ?? 0;
}
