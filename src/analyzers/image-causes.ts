import { parseImage } from '../objects/image.ts';
import type { Code } from './image-rules.ts';

/**
 * The runtime's and the registry's words, most telling first: containerd reports a missing platform as NotFound, and an
 * unreachable token server as a failed authorization.
 */
const causes: readonly (readonly [Code, RegExp])[] = [
  ['image.signature', /SignatureValidationFailed|signature validation failed/],
  ['image.rate-limit', /toomanyrequests|429 too many requests|pull rate limit|too many requests to registry/i],
  ['image.qps', /pull QPS exceeded/i],
  [
    'image.platform',
    /no match for platform in manifest|no image found in (manifest list|image index) for architecture|no matching manifest for/i,
  ],
  [
    'image.manifest-schema',
    /media type .* is no longer supported since containerd v2\.|Pulling Schema 1 images have been deprecated/i,
  ],
  ['image.tls-expired', /certificate has expired or is not yet valid/i],
  [
    'image.tls-name',
    /certificate is valid for|certificate is not valid for any names|doesn't contain any IP SANs|relies on legacy Common Name/i,
  ],
  ['image.tls-ca', /x509: |failed to verify certificate/i],
  ['image.tls-http', /server gave HTTP response to HTTPS client|first record does not look like a TLS handshake/i],
  // Whatever follows "lookup <host> on <server>:" is the resolver's trouble, also a refused connection.
  ['image.dns', /no such host|server misbehaving|\blookup \S+( on \S+)?: |Temporary failure in name resolution/i],
  ['image.disk-full', /no space left on device|disk quota exceeded/i],
  // The kubelet does not reach the runtime.
  ['image.inspect', /dial unix \S+\.sock/],
  ['image.pull-timeout', /code = Canceled.*context canceled|cancel pulling image/i],
  // What is unpacked lies on the node: "not found" and "unexpected EOF" are no answers of the registry here.
  [
    'image.corrupt',
    /failed to extract layer|failed to unpack|failed to get reader from content store|unexpected media type/i,
  ],
  [
    'image.registry-unreachable',
    /connection refused|no route to host|i\/o timeout|TLS handshake timeout|connection reset by peer|network is unreachable|proxyconnect|context deadline exceeded|unexpected EOF|: EOF\b|Client\.Timeout exceeded|registry is unavailable| 50[0234] /i,
  ],
  [
    'image.auth-or-missing',
    /pull access denied, repository does not exist or may require|insufficient_scope|requested access to the resource is denied|repository .* not found: does not exist or no pull access/i,
  ],
  [
    'image.auth',
    /unauthorized|authentication required|no basic auth credentials|\b401\b|403 Forbidden|invalid username\/password|denied:|authorization failed|AccessDenied|not authorized/i,
  ],
  [
    'image.not-found',
    /: not found|manifest unknown|manifest for .* not found|MANIFEST_UNKNOWN|NAME_UNKNOWN|name unknown/i,
  ],
  ['image.short-name', /short-name .* did not resolve|short name mode is enforcing/i],
  ['image.corrupt', /unexpected commit digest|failed size validation|archive\/tar: invalid|input\/output error/i],
];

/** What a failed pull of the image says about its cause. */
export function causeOfPull(message: string, image: string): Code {
  const said = withoutNames(message, image);
  return causes.find(([, pattern]) => pattern.test(said))?.[0] ?? 'image.unknown';
}

const URLS = /https?:\/\/[^\s"]*[^\s":]/g;
// As containerd ("[manifests 1.27]"), CRI-O ("reading manifest 1.27 in") and the reference itself write it.
const TAGS = /\[manifests [^\]]*\]|\bmanifest \S+ in\b|IMAGE:[\w.-]+/g;

/** A repository may be called "unauthorized", and a tag "1.0.401": no name is an answer of the registry. */
function withoutNames(message: string, image: string): string {
  const { host, repository } = parseImage(image);
  const names = [image, `${host}/${repository}`].filter((name) => /[:/]/.test(name));
  const nameless = names.reduce((text, name) => text.replaceAll(name, 'IMAGE'), message.replace(URLS, 'URL'));
  return nameless.replace(TAGS, 'TAG');
}
