import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type NameKind, nameKinds, namesOf } from '../../src/ai/names.ts';
import { createPseudonyms } from '../../src/ai/pseudonyms.ts';
import { parseFixture } from '../support/fixtures.ts';

const known = new Map<string, NameKind>([
  ['shop', 'namespace'],
  ['web', 'deployment'],
  ['web-7f9c8b6d5-x2lqp', 'pod'],
  ['web-config', 'configmap'],
  ['db', 'service'],
  ['worker-7.eu.acme.net', 'node'],
  ['worker-7', 'node'],
  ['hub.acme.net', 'private-registry'],
  ['team/web', 'image'],
  ['httddd', 'image'],
  ['canary-blue', 'tag'],
  ['node-1', 'node'],
]);

test.each([
  ['a pod', 'Pod web-7f9c8b6d5-x2lqp failed', 'Pod pod-1 failed'],
  ['the longest name first', 'web-config of web', 'configmap-1 of deployment-1'],
  ['inside a longer word', 'see web-assets and web_shop', 'see deployment-1-assets and deployment-1_namespace-1'],
  ['not inside a word', 'webbing shopping adb', 'webbing shopping adb'],
  ['a pod that is gone', 'web-5d8c9f7b6c-q8rtz was killed', 'pod-1 was killed'],
  ['a node', 'on worker-7.eu.acme.net (worker-7)', 'on node-1 (node-2)'],
  [
    'the name of a service',
    'lookup db.shop.svc.cluster.local:5432',
    'lookup service-1.namespace-1.svc.cluster.local:5432',
  ],
  ['an environment variable', 'WEB_SERVICE_HOST', 'DEPLOYMENT_1_SERVICE_HOST'],
  ['an image', 'image "hub.acme.net:5000/team/web:v2"', 'image "private-registry-1:5000/image-1:v2"'],
  ['a tag that says something', 'hub.acme.net/team/web:canary-blue', 'private-registry-1/image-1:tag-1'],
  [
    'an image by digest',
    `hub.acme.net/team/web@sha256:${'ab'.repeat(32)}`,
    'private-registry-1/image-1@sha256:digest-1',
  ],
  ['an image on Docker Hub', '"docker.io/library/httddd:latest"', '"docker.io/library/image-1:latest"'],
  ['an image nobody spoke of', 'ghcr.io/secretive/tool:1.2', 'ghcr.io/image-1/image-2:1.2'],
  [
    'a URL',
    'Get "https://hub.acme.net/v2/team/web/manifests/v2": EOF',
    'Get "https://private-registry-1/v2/path-1/deployment-1/manifests/v2": EOF',
  ],
  ['an address with a port', 'dial tcp 10.1.2.3:443: connect', 'dial tcp ip-1:443: connect'],
  ['the same address twice', '10.1.2.3 and 10.1.2.3 and 10.1.2.4', 'ip-1 and ip-1 and ip-2'],
  ['an IPv6 address', 'dial tcp [fd00::1:2]:443', 'dial tcp [ip-1]:443'],
  ['a host', 'no such host: mail.acme.example', 'no such host: host-1'],
  ['a host without a domain', 'dial payments-ledger:8443 failed', 'dial host-1:8443 failed'],
  ['a host that is not there', 'getaddrinfo ENOTFOUND ledger', 'getaddrinfo ENOTFOUND host-1'],
  ['a host of Java', 'java.net.UnknownHostException: ledger', 'java.net.UnknownHostException: host-1'],
  ['a host of MySQL', "Unknown MySQL server host 'ledger' (-2)", "Unknown MySQL server host 'host-1' (-2)"],
  ['a host of PostgreSQL', 'could not translate host name "ledger"', 'could not translate host name "host-1"'],
  ['a host of curl', 'Could not resolve host: ledger', 'Could not resolve host: host-1'],
  ['a host that refuses', 'connect to ledger-db refused', 'connect to host-1 refused'],
  ['a host of any domain', 'connect to server ledger.acme.group failed', 'connect to server host-1 failed'],
  [
    'sentences about hosts',
    'hostname verification failed; could not resolve dependencies; connect to the database, connect to server: refused',
    'hostname verification failed; could not resolve dependencies; connect to the database, connect to server: refused',
  ],
  ['an e-mail address', 'owner jane.doe@acme.net', 'owner email-1'],
  [
    'drivers and resources',
    'ebs.csi.aws.com OutOfnvidia.com/gpu kueue.x-k8s.io/admission',
    'ebs.csi.aws.com OutOfnvidia.com/gpu kueue.x-k8s.io/admission',
  ],
  [
    'images that everybody knows',
    '"docker.io/library/nginx:1" https://registry-1.docker.io/v2/library/nginx/manifests/1',
    '"docker.io/library/nginx:1" https://registry-1.docker.io/v2/library/nginx/manifests/1',
  ],
  ['a user', 'User "jane" cannot list pods; for user deployer', 'User "user-1" cannot list pods; for user user-2'],
  ['a user whose name is in a path', '/home/jane/app.log', '/home/user-1/app.log'],
  ['a uid', 'pod 0f8fad5b-d9cb-469f-a165-70867728950e', 'pod uid-1'],
  ['what the cloud calls it', 'vol-0a1b2c3d4e5f60718 of arn:aws:iam::123456789012:role/x', 'cloud-id-1 of cloud-id-2'],
  ['a name that looks like a pseudonym', 'node-1 and pod-1', 'node-1 and pod-1'],
  ['a time', 'at 02:07:38 on 2026-11-21T02:07:38Z', 'at 02:07:38 on 2026-11-21T02:07:38Z'],
  [
    'words of Kubernetes',
    'kube-system default kubelet status.containerStatuses node.kubernetes.io/unreachable nvidia.com/gpu',
    'kube-system default kubelet status.containerStatuses node.kubernetes.io/unreachable nvidia.com/gpu',
  ],
  [
    'public registries',
    'registry.k8s.io/pause:3.9 https://registry-1.docker.io/v2/ 127.0.0.1:5000',
    'registry.k8s.io/pause:3.9 https://registry-1.docker.io/v2/ 127.0.0.1:5000',
  ],
])('%s: %s', (_, text, hidden) => {
  const pseudonyms = createPseudonyms(known);
  expect(pseudonyms.hide(text)).toBe(hidden);
  expect(pseudonyms.reveal(hidden)).toBe(text);
});

test.each([
  ['DB_HOST', 'ledger-db', true],
  ['KAFKA_BROKERS', 'ledger-db:9092,ledger-2:9092', true],
  ['REDIS_ADDR', 'ledger-db:6379', true],
  ['DB_HOST', 'postgres', false],
  ['BIND_ADDR', '0.0.0.0', false],
])('a host in the variable %s: %s', (name, value, hidden) => {
  const containers = [{ name: 'main', image: 'busybox', env: [{ name, value }] }];
  const pod = { kind: 'Pod', metadata: { name: 'web', namespace: 'shop' }, spec: { containers } };
  const { kinds } = namesOf({ problems: [] }, parseFixture(JSON.stringify(pod)).snapshot);
  expect(kinds.get(value.split(/[:,]/)[0] ?? '')).toBe(hidden ? 'host' : undefined);
});

test('a pseudonym that stands for nothing is noticed and stays', () => {
  const pseudonyms = createPseudonyms(known);
  pseudonyms.hide('pod web-7f9c8b6d5-x2lqp');
  expect(pseudonyms.invents('See pod-1.')).toBe(false);
  expect(pseudonyms.invents('See pod-2.')).toBe(true);
  expect(pseudonyms.reveal('Pod-1 and pod-2')).toBe('web-7f9c8b6d5-x2lqp and pod-2');
});

const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/);
const awkward = fc.oneof(
  label,
  fc.tuple(fc.constantFrom(...nameKinds), fc.constantFrom('-', '_'), fc.nat(12)).map((parts) => parts.join('')),
  fc.constantFrom(
    'web',
    'shop',
    'WEB_SHOP',
    'Web',
    '10.0.0.1',
    'fd00::1',
    'a.b.com',
    'x@y.io',
    'https://u:p@h.io:80/p/q?r=s',
    'ip-10-0-0-1',
    'pod',
    'cut',
  ),
  fc.ipV4(),
  fc.ipV6(),
  fc.uuid(),
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.emailAddress(),
  fc.domain(),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
);
const names = fc.uniqueArray(fc.tuple(fc.oneof(label, awkward), fc.constantFrom(...nameKinds)), {
  selector: ([name]) => name,
  maxLength: 6,
});

const document = names.chain((pairs) =>
  fc.record({
    pairs: fc.constant(pairs),
    text: fc
      .array(
        fc.tuple(
          pairs.length === 0 ? awkward : fc.oneof(awkward, fc.constantFrom(...pairs.map(([name]) => name))),
          fc.constantFrom(' ', '-', '_', '.', '/', ':', '"', "'", '@', ', ', '(', ')', '\n', 'x', '1', ''),
        ),
      )
      .map((parts) => parts.flat().join('')),
  }),
);

test('whatever is hidden comes back as it was', () => {
  fc.assert(
    fc.property(document, ({ pairs, text }) => {
      const pseudonyms = createPseudonyms(new Map(pairs));
      const hidden = pseudonyms.hide(text);
      expect(pseudonyms.reveal(hidden)).toBe(text);
      expect(pseudonyms.hide(text)).toBe(hidden);
    }),
    { numRuns: 2000 },
  );
});

test('no name of the cluster is left as a word of its own', () => {
  const name = fc.stringMatching(/^zq[a-z0-9]{3,8}(-[a-z0-9]{2,5})?$/);
  fc.assert(
    fc.property(
      name,
      awkward,
      awkward,
      fc.constantFrom(' ', '-', '_', '.', '/', ':', '"', '(', '@', '='),
      (real, before, after, border) => {
        const pseudonyms = createPseudonyms(new Map([[real, 'pod']]));
        expect(pseudonyms.hide(`${before}${border}${real}${border}${after}`)).not.toMatch(
          new RegExp(`(?<![a-zA-Z0-9])${real}(?![a-zA-Z0-9])`),
        );
      },
    ),
    { numRuns: 1000 },
  );
});
