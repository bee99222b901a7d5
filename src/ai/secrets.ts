import { SECRET_WORD } from './secret-words.ts';

/** Stands where something secret was. */
export const CUT = '[cut]';

const QUOTED = `\\\\+"(?:(?!\\\\+")[^])*(?:\\\\+"|$)|"(?:\\\\[^]|[^"\\\\])*(?:"|$)|'(?:\\\\[^]|[^'\\\\])*(?:'|$)`;

// Keys whose values are names or settings, and values that are none.
const NAMES = '(?:imagePullSecrets?|secretName|secretRef|secretKeyRef|topologyKey|\\w*tokenExpiration\\w*)(?![\\w-])';
const PLAIN =
  '(?:true|false|null|nil|none|yes|no|unset|empty|\\[cut\\])(?![\\w-])|(?:unexpected|failed|invalid|expired|missing|error|not|unable|cannot|denied|required|incorrect|get|post|head|serviceaccounts?|secrets?|configmaps?|[1-5]\\d\\d)\\s';

const LABEL = `(?!(?:[\\w-]+\\.)*${NAMES})[\\w.-]*(?:${SECRET_WORD})[\\w.-]*`;
const VALUE = `(?:${QUOTED}|[^\\s"'][^\\s]*)`;

const pair = new RegExp(
  `(?<![\\w./-])(${LABEL}\\\\*["']?(?:\\s*(?:=>|:=|[:=：＝])|\\s(?:->|→))\\s*)(?!\\\\*["']?(?:${PLAIN}))${VALUE}`,
  'gi',
);

// "password: three words" as a whole line, as YAML writes it.
const yamlLine = new RegExp(`^(\\s*(?:- )?(?:${SECRET_WORD})\\s*:\\s)(?!(?:${PLAIN}))\\S.*$`, 'gim');

const flag = new RegExp(`((?<![\\w.-])--?[\\w-]*(?:${SECRET_WORD})[\\w-]*["']?[\\s,]+)(?![-\\[])${VALUE}`, 'gi');

const element = new RegExp(`(<(?:\\w+:)?${LABEL}(?:\\s[^<>]*)?>)[^<]+(?=</)`, 'gi');

// {"key": "password", "value": "x"}, as lists of settings are written.
const entry = new RegExp(
  `((?:key|name)\\\\*["']?\\s*[:=]\\s*\\\\*["']?${LABEL}\\\\*["']?[\\s,]+\\\\*["']?value\\\\*["']?\\s*[:=]\\s*)(?!\\\\*["']?(?:${PLAIN}))${VALUE}`,
  'gi',
);

// ('password', 'x'), but not a list of the names of fields.
const tuple = new RegExp(`(\\(\\s*["']${LABEL}["']\\s*,\\s*)(?!["'][a-z_]+["'])(?:${QUOTED})(?=\\s*\\))`, 'g');

/** Where a secret has a name in front of it. What comes after the first group is the secret. */
const named: readonly RegExp[] = [yamlLine, entry, pair, flag, element, tuple];

// No word, version, algorithm or name of an object: letters and digits together, as people and programs make passwords.
const MADE_UP =
  '(?=[^\\s"\'`]*\\d)(?=[^\\s"\'`]*[A-Za-z])(?!v?\\d+(?:\\.\\d+)*\\b|(?:sha|md|hs|rs|es|ps|scram|utf|oauth|tls|x5|base|http|ipv|line|column)[-_.]?v?\\d|scram-|[a-z0-9]+(?:-[a-z0-9]+)+(?![\\w-]))[^\\s"\'`,;()]{7,}';

/** A header: in quotes as a whole, in quotes by itself, or bare. `bare` is what of the line then belongs to it. */
const header = (name: string, value: string, bare: string): [RegExp, string][] => {
  const inside = '(?:(?!\\k<quote>)(?:\\\\[^\\n]|[^\\n\\\\]))*';
  return [
    [new RegExp(`((?<quote>\\\\*["'])(?:${name})\\s*[:=]\\s*)(?!\\[cut)${value}${inside}`, 'gi'), `$1${CUT}`],
    [new RegExp(`((?:${name})\\\\*["']?\\s*[:=]\\s*(?<quote>\\\\*["']))(?!\\[cut)${value}${inside}`, 'gi'), `$1${CUT}`],
    [new RegExp(`((?:${name})\\s*[:=]\\s*)(?!\\[cut|\\\\*["'])${value}${bare}`, 'gi'), `$1${CUT}`],
  ];
};

const cuts: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/g, CUT],
  // It is the whole object once more, with every value in it.
  [/(last-applied-configuration)(?!\s+annotation)[\s\S]*$/g, `$1 ${CUT}`],
  // Not the end of "… may require authorization: server message: …".
  ...header(
    '(?:proxy-)?authorization',
    '(?=(?:bearer|basic|digest|negotiate|token|api-?key|aws4)\\b|[^\\s:]{16,}|[^\\s:]*\\d)',
    '(?:(?:bearer|basic|negotiate|token|api-?key)\\s+\\S+|[^\\n]*)',
  ),
  ...header('(?<![\\w-])x-[\\w-]{0,40}(?:key|token|auth|secret)[\\w-]{0,40}', '(?=\\S)', '\\S+'),
  ...header('(?:set-)?cookie', '(?=\\S)', '[^\\n]+'),
  [/\b(bearer\s+)(?!tokens?\b|auth|realm|error|\[cut)[\w.~+/=:-]{4,}/gi, `$1${CUT}`],
  [/\b(basic\s+)(?=[A-Za-z0-9+/]*[\dA-Z+/=])[A-Za-z0-9+/]{6,}={0,2}/g, `$1${CUT}`],
  [/\beyJ[\w-]{6,}(?:\.[\w-]+){0,2}/g, CUT],
  // Whoever stands before the @ of a URL, even where the password has an @ or a / of its own.
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s"'<>`]*@(?!sha256:)/gi, `$1${CUT}@`],
  // Or, in quotes, a space.
  [/(["'`][a-z][a-z0-9+.-]*:\/\/)[^\s"'<>`@/:]*:(?!\d+[/\s])[^"'<>`\n@/]{1,80}@/gi, `$1${CUT}@`],
  [/(?<![^\s:@/"'=(),])[^\s:@/"'=(),]+:[^\s"'`]+@(?=(?:tcp|udp|unix)?\()/gi, `${CUT}@`],
  [/(?<![\w/.-])[\w.%+-]+:[^\s:@/"'`]+@(?!sha(?:256|512):)(?=[\w[])/g, `${CUT}@`],
  // Not `docker run -u 1000:1000`.
  [/(\s(?:-u|--(?:proxy-)?user)(?:\s+|=|(?<=-u))["']?)(?!\d+:\d+(?!\w))[^\s:"'=]+:[^\s"']+/g, `$1${CUT}`],
  [/(\b(?:mysql\w*|mariadb\w*)\b[^\n]*?\s-p)(?=[^\s-])\S+/g, `$1${CUT}`],
  [/(\b(?:redis|valkey)-cli\b[^\n]*?\s-a\s+)\S+/g, `$1${CUT}`],
  [/(\blftp\b[^\n]*?\s-u\s*[^\s,]+,)\S+/g, `$1${CUT}`],
  [/(\b(?:sqlplus|sqlldr|expdp|impdp)\s+(?:-\w+\s+)*[\w$#]+\/)[^\s@]+(?=@|\s|$)/g, `$1${CUT}`],
  [/(\bsshpass\s+-p\s*)\S+/g, `$1${CUT}`],
  // A line of .pgpass: host, port, database, user, password.
  [/(?<![\w.:*/-])(?![\da-f:]+(?![\w:.*-]))((?:[\w.-]+|\*):(?:\d{3,5}|\*):[\w*.-]+:[\w*.-]+:)\S+/gi, `$1${CUT}`],
  [/\b(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA)[0-9A-Z]{12,}\b/g, CUT],
  [
    /\b(?:gh[pousr]_|github_pat_|glpat-|gldt-|glrt-|npm_|pypi-|hf_|dop_v1_|shpat_|hv[sbr]\.|sq0\w{3}-|ya29\.|SG\.|xox[a-z]-|xapp-)[\w.-]{6,}/g,
    CUT,
  ],
  [/\b(?:sk|rk|pk|whsec)[-_](?:live|test|proj|ant|or)?[-_]?[\w-]{8,}/g, CUT],
  [/\bAIza[\w-]{20,}/g, CUT],
  [/\bAGE-SECRET-KEY-\w+/g, CUT],
  [/\$(?:2[aby]?|5|6|argon2\w*)\$[\w./$,=+-]+|\$(?:1|apr1)\$[\w./]+\$[\w./]+/g, CUT],
  [
    /((?:hooks\.slack\.com|discord(?:app)?\.com\/api\/webhooks|api\.telegram\.org\/bot|[\w.-]*webhook\.office\.com)\/?)[^\s"'<>]*/g,
    `$1${CUT}`,
  ],
  [/([?&]code=)(?!\d{1,5}\b)[^\s&#"'<>]+/g, `$1${CUT}`],
  ...named.map((pattern) => [pattern, `$1${CUT}`] as const),
  [
    new RegExp(
      `(\\b(?:pass(?:word|phrase|code)|pwd|(?:api|access)[ _-]key)(?: (?:is|was|of|value))?:? ["'\`]?)${MADE_UP}`,
      'gi',
    ),
    `$1${CUT}`,
  ],
  [
    new RegExp(
      `((?<!\\b(?:unexpected|illegal|bad) )\\btoken(?: is)?:? (?<quote>["'\`]))${MADE_UP}(?=\\k<quote>)`,
      'gi',
    ),
    `$1${CUT}`,
  ],
];

/** Takes out tokens, keys, passwords, certificates and what looks like them. What is taken out never comes back. */
export function cutSecrets(text: string): string {
  let result = text;
  for (const [pattern, replacement] of cuts) result = result.replace(pattern, replacement);
  return result.replace(BLOB, (blob, offset: number, whole: string) => (isBlob(blob, offset, whole) ? CUT : blob));
}

/** The secrets that a text gives a name: a setting in JSON, in YAML or for a shell. */
export function secretsIn(text: string): string[] {
  return named.flatMap((pattern) =>
    [...text.matchAll(pattern)].flatMap(([whole, label = '']) => {
      const value = whole.slice(label.length);
      const inside = /^(\\*["'])([\s\S]*?)\1?$/.exec(value)?.[2];
      return inside === undefined ? [value, ...(/^[^\s;,&]+(?=[;,&])/.exec(value) ?? [])] : [inside];
    }),
  );
}

const BLOB = /(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{8,}={0,2}(?![A-Za-z0-9+/_=-])/g;

/** Base64 and hexadecimal runs; not paths, UUIDs, digests, Kubernetes names or words in camel case. */
function isBlob(blob: string, offset: number, whole: string): boolean {
  const body = blob.replace(/=+$/, '');
  if (body !== blob) return blob.length % 4 === 0 && /[a-z]/.test(body) && /[A-Z\d]/.test(body);
  if (/^[0-9a-fA-F]{32,}$/.test(blob)) return !/sha(?:256|512):$/.test(whole.slice(Math.max(0, offset - 8), offset));
  if (blob.length < 20 || !/[a-z]/.test(blob) || !/[A-Z]/.test(blob)) return false;
  const parts = blob.split('/');
  if (parts.length > 1 && parts.every((part) => restlessness(part) < 0.3)) return false;
  return /\d/.test(blob) ? restlessness(blob) > 0.4 : blob.length >= 40 && restlessness(blob) > 0.4;
}

/** How often the kind of character changes, from 0 to 1: about 0.6 in random text, 0.25 in words in camel case. */
function restlessness(text: string): number {
  let changes = 0;
  for (let i = 1; i < text.length; i++) if (classOf(text, i) !== classOf(text, i - 1)) changes++;
  return text.length < 2 ? 0 : changes / (text.length - 1);
}

function classOf(text: string, index: number): number {
  const code = text.charCodeAt(index);
  if (code >= 97 && code <= 122) return 0;
  if (code >= 65 && code <= 90) return 1;
  return code >= 48 && code <= 57 ? 2 : 3;
}
