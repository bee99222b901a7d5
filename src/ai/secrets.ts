/** Stands where something secret was. */
export const CUT = '[cut]';

const SECRET_WORD = [
  'passw(?:or)?d',
  'passphrase',
  'passcode',
  '(?<![a-z])pwd',
  '(?<![a-z])pass(?![a-z])',
  'secret',
  'token',
  'credential',
  'api[_-]?key',
  '(?:access|private|secret|signing|encryption|account|client|shared|master|license|ssh|app|auth)[_-]?(?:access[_-]?)?key',
  '[_-]key(?![a-z])',
  'conn(?:ection)?[_-]?str(?:ing)?',
  '(?<![a-z])dsn',
  '(?:database|db|mongo\\w*|redis|postgres\\w*|mysql|amqp|broker|jdbc|sentry)[_-]?(?:ur[il]|dsn)',
  'cookie',
  'session[_-]?id',
  'jsessionid',
  '(?<![a-z])signature(?![a-z])',
  '(?<![a-z])sig(?![a-z])',
  '(?<![a-z])salt(?![a-z])',
  '(?<![a-z])otp(?![a-z])',
  '(?<![a-z])pin(?![a-z])',
].join('|');

const QUOTED = `\\\\+"(?:(?!\\\\+")[^])*(?:\\\\+"|$)|"(?:\\\\[^]|[^"\\\\])*(?:"|$)|'(?:\\\\[^]|[^'\\\\])*(?:'|$)`;

// Keys whose values are names or settings, and values that are none.
const NAMES = '(?:imagePullSecrets?|secretName|secretRef|secretKeyRef|topologyKey|\\w*tokenExpiration\\w*)(?![\\w-])';
const PLAIN =
  '(?:true|false|null|nil|none|yes|no|unset|empty|\\[cut\\])(?![\\w-])|(?:unexpected|failed|invalid|expired|missing|error|not|unable|cannot|denied|required|incorrect|get|post|head|serviceaccounts?|secrets?|configmaps?|[1-5]\\d\\d)\\s';

const pair = new RegExp(
  `(?<![\\w./-])(?!(?:[\\w-]+\\.)*${NAMES})([\\w.-]*(?:${SECRET_WORD})[\\w.-]*\\\\*["']?\\s*(?:=>|:=|[:=])\\s*)(?!\\\\*["']?(?:${PLAIN}))(?:${QUOTED}|[^\\s"'][^\\s]*)`,
  'gi',
);

// "password: three words" as a whole line, as YAML writes it.
const yamlLine = new RegExp(`^(\\s*(?:- )?(?:${SECRET_WORD})\\s*:\\s)(?!(?:${PLAIN}))\\S.*$`, 'gim');

const flag = new RegExp(
  `((?<![\\w.-])--?[\\w-]*(?:${SECRET_WORD})[\\w-]*["']?[\\s,]+)(?![-\\[])(?:${QUOTED}|[^\\s"'][^\\s]*)`,
  'gi',
);

const cuts: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/g, CUT],
  // It is the whole object once more, with every value in it.
  [/(last-applied-configuration)(?!\s+annotation)[\s\S]*$/g, `$1 ${CUT}`],
  // A header, not the end of "… may require authorization: server message: …".
  [
    /((?:proxy-)?authorization\\*["']?\s*[:=]\s*\\*["']?)(?=(?:bearer|basic|digest|negotiate|token|api-?key|aws4)\b|[^\s:]{16,}|[^\s:]*\d)[^\n]*/gi,
    `$1${CUT}`,
  ],
  [/(x-[\w-]*(?:key|token|auth|secret)[\w-]*|(?:set-)?cookie)(\\*["']?\s*[:=])[^\n]*/gi, `$1$2 ${CUT}`],
  [/\b(bearer\s+)(?!tokens?\b|auth|realm|error|\[cut)[\w.~+/=:-]{4,}/gi, `$1${CUT}`],
  [/\b(basic\s+)(?=[A-Za-z0-9+/]*[\dA-Z+/=])[A-Za-z0-9+/]{6,}={0,2}/g, `$1${CUT}`],
  [/\beyJ[\w-]{6,}(?:\.[\w-]+){0,2}/g, CUT],
  // Whoever stands before the @ of a URL, even where the password has an @ or a / of its own.
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s"'<>`]*@(?!sha256:)/gi, `$1${CUT}@`],
  [/[^\s:@/"'=(),]+:[^\s"'`]+@(?=(?:tcp|udp|unix)?\()/gi, `${CUT}@`],
  [/(?<![\w/.-])[\w.%+-]+:[^\s:@/"'`]+@(?!sha(?:256|512):)(?=[\w[])/g, `${CUT}@`],
  [/(\s-u\s*["']?)[^\s:"']+:[^\s"']+/g, `$1${CUT}`],
  [/(\b(?:mysql\w*|mariadb\w*)\b[^\n]*?\s-p)(?=[^\s-])\S+/g, `$1${CUT}`],
  [/(\bsshpass\s+-p\s*)\S+/g, `$1${CUT}`],
  [/\b(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA)[0-9A-Z]{12,}\b/g, CUT],
  [
    /\b(?:gh[pousr]_|github_pat_|glpat-|gldt-|glrt-|npm_|pypi-|hf_|dop_v1_|shpat_|hv[sbr]\.|sq0\w{3}-|ya29\.|SG\.|xox[a-z]-|xapp-)[\w.-]{6,}/g,
    CUT,
  ],
  [/\b(?:sk|rk|pk|whsec)[-_](?:live|test|proj|ant|or)?[-_]?[\w-]{8,}/g, CUT],
  [/\bAIza[\w-]{20,}/g, CUT],
  [/\bAGE-SECRET-KEY-\w+/g, CUT],
  [/\$(?:2[aby]?|5|6|argon2\w*)\$[\w./$,=+-]+/g, CUT],
  [
    /((?:hooks\.slack\.com|discord(?:app)?\.com\/api\/webhooks|api\.telegram\.org\/bot|[\w.-]*webhook\.office\.com)\/?)[^\s"'<>]*/g,
    `$1${CUT}`,
  ],
  [yamlLine, `$1${CUT}`],
  [pair, `$1${CUT}`],
  [flag, `$1${CUT}`],
];

/** Takes out tokens, keys, passwords, certificates and what looks like them. What is taken out never comes back. */
export function cutSecrets(text: string): string {
  let result = text;
  for (const [pattern, replacement] of cuts) result = result.replace(pattern, replacement);
  return result.replace(BLOB, (blob, offset: number, whole: string) => (isBlob(blob, offset, whole) ? CUT : blob));
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

/** Whether a variable or field of this name holds something secret. */
export const isSecretName = (name: string): boolean => secretName.test(name) || /[_-]key$/i.test(name);

const secretName = new RegExp(SECRET_WORD, 'i');
