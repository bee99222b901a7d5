import { expect, test } from 'vitest';
import { namesOf } from '../../src/ai/names.ts';
import { createRedaction } from '../../src/ai/redact.ts';
import { parseFixture } from '../support/fixtures.ts';

type Container = { readonly env?: Readonly<Record<string, string>>; readonly args?: readonly string[] };

/** What is left of a log line, names and all, beside a container that is set up so. */
function sent(log: string, { env = {}, args = [] }: Container): string {
  const variables = Object.entries(env).map(([name, value]) => ({ name, value }));
  const container = { name: 'main', image: 'busybox', env: variables, args };
  const pod = { kind: 'Pod', metadata: { name: 'web', namespace: 'shop' }, spec: { containers: [container] } };
  const { snapshot } = parseFixture(JSON.stringify(pod));
  return createRedaction(namesOf({ problems: [] }, snapshot), { anonymize: false }).hide(log);
}

test.each<[string, Container]>([
  ['DB_PW', { env: { DB_PW: 'canary77' } }],
  ['DB_PSWD', { env: { DB_PSWD: 'canary77' } }],
  ['BASIC_AUTH', { env: { BASIC_AUTH: 'canary77' } }],
  ['GIT_PAT', { env: { GIT_PAT: 'canary77' } }],
  ['JWT', { env: { JWT: 'canary77' } }],
  ['GIT_CREDS', { env: { GIT_CREDS: 'canary77' } }],
  ['KEY', { env: { KEY: 'canary77' } }],
  ['a login', { env: { DB_LOGIN: 'app:canary77' } }],
  ['Base64', { env: { PASS_B64: btoa('canary77') } }],
  ['JSON in a variable', { env: { SPRING_APPLICATION_JSON: '{"spring.datasource.password":"canary77"}' } }],
  ['JSON in an argument', { args: ['--config={"db":{"password":"canary77"}}'] }],
  ['YAML in a variable', { env: { APP_YAML: 'db:\n  user: a\n  password: canary77\n' } }],
  ['options of a JVM', { env: { JAVA_OPTS: '-Xmx1g -Dtruststore.password=canary77 -Dx=y' } }],
  ['a script that sets a variable', { args: ['sh', '-c', 'export DB_PASSWORD="canary77"; exec app'] }],
  ['a script with a flag', { args: ['sh', '-c', 'app -p canary77 --user x'] }],
  ['--pw', { args: ['--pw', 'canary77'] }],
  ['a URL', { env: { X: 'postgres://me:canary77@db:5432/x' } }],
])('the secret of %s is cut out where a log repeats it', (_, container) => {
  expect(sent('cannot log in with canary77, giving up', container)).toMatch(/^cannot log in with \[cut\], giving up$/);
});

test('a percent-encoded password is cut out in clear, too', () => {
  const env = { X: 'postgres://me:p%40canary@db:5432/x' };
  expect(sent('cannot log in with p@canary', { env })).toBe('cannot log in with [cut]');
});

const line =
  'open /etc/certs/tls.key: no such file; basic auth with oidc needs the web port 8080 of main in /data v12345';
test.each<[string, Container]>([
  ['a way to log in', { env: { AUTH: 'oidc', HTTP_AUTH: 'basic', LOGIN: 'web' } }],
  ['a file with a key', { env: { TLS_KEY: '/etc/certs/tls.key' }, args: ['--tls-private-key=/etc/certs/tls.key'] }],
  ['a port and a folder', { args: ['sh', '-c', 'mkdir -p /data; app -p 8080'] }],
  ['a switch', { env: { PASSWORD_REQUIRED: 'true', USE_TOKEN: 'no' } }],
])('%s is no secret', (_, container) => expect(sent(line, container)).toBe(line));
