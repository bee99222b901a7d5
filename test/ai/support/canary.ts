import { analyzers } from '../../../src/analyzers/index.ts';
import { diagnose } from '../../../src/diagnose.ts';
import type { Evidence, Problem, Ref } from '../../../src/finding.ts';
import { parseFixture } from '../../support/fixtures.ts';

// Every name in here begins with "zq", every secret with "hush".
/** A broken pod with names and secrets wherever somebody may have written them. */
export const cluster = parseFixture(`
kind: Namespace
metadata: { name: zqpayments }
---
kind: Node
metadata: { name: zqrack-17.zqdc.zqcorp.net, labels: { kubernetes.io/hostname: zqrack-17 } }
---
kind: Secret
metadata: { name: zqcreds, namespace: zqpayments }
data: { password: aHVzaC1zZWNyZXQ= }
---
kind: ConfigMap
metadata: { name: zqsettings, namespace: zqpayments }
---
kind: Service
metadata: { name: zqledger, namespace: zqpayments }
---
kind: Deployment
metadata: { name: zqcheckout, namespace: zqpayments }
---
kind: ReplicaSet
metadata:
  name: zqcheckout-7f9c8b6d5
  namespace: zqpayments
  ownerReferences: [{ kind: Deployment, name: zqcheckout, controller: true }]
---
kind: PersistentVolumeClaim
metadata: { name: zqdata, namespace: zqpayments }
---
kind: Pod
metadata:
  name: zqcheckout-7f9c8b6d5-x2lqp
  namespace: zqpayments
  labels: { app: zqcheckout, pod-template-hash: 7f9c8b6d5 }
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"spec":{"password":"hush-applied"}}'
    vault.example/token: hush annotation of words
  ownerReferences: [{ kind: ReplicaSet, name: zqcheckout-7f9c8b6d5, controller: true }]
spec:
  nodeName: zqrack-17.zqdc.zqcorp.net
  serviceAccountName: zqrobot
  imagePullSecrets: [{ name: zqpull }]
  volumes:
    - { name: zqvolume, persistentVolumeClaim: { claimName: zqdata } }
  initContainers: [{ name: zqmigrate, image: 'zqhub.zqcorp.net:5000/zqteam/zqtools:zqcanary' }]
  containers:
    - name: zqmain
      image: zqhub.zqcorp.net:5000/zqteam/zqcheckout:1.4
      command: [serve, --admin-password, hush correct horse]
      args: ['--token=hushargument', --url=amqp://zquser:hushqueue@zqrabbit:5672]
      env:
        - { name: DB_PASSWORD, value: hush9 with spaces }
        - { name: STRIPE_KEY, value: hushstripe }
        - { name: DATABASE_URL, value: 'postgres://zqowner:hush/p@ss@zqdb.zqpayments.svc:5432/zqbooks' }
        - { name: CREDS, valueFrom: { secretKeyRef: { name: zqcreds, key: password } } }
status:
  phase: Pending
  containerStatuses:
    - name: zqmain
      state:
        waiting:
          reason: ImagePullBackOff
          message: 'Back-off pulling image "zqhub.zqcorp.net:5000/zqteam/zqcheckout:1.4": ErrImagePull: failed to resolve reference "zqhub.zqcorp.net:5000/zqteam/zqcheckout:1.4": failed to authorize: failed to fetch oauth token: Post "https://zqhub.zqcorp.net:5000/token?secret=hushquery&user=zqrobot": 401 Unauthorized'
`).snapshot;

const namespace = 'zqpayments';
const pod: Ref = { kind: 'Pod', namespace, name: 'zqcheckout-7f9c8b6d5-x2lqp', container: 'zqmain' };

/** Everything somebody may have written somewhere, quoted word for word. */
export const places: readonly (readonly [string, string])[] = [
  ['spec.containers[zqmain].env[DB_PASSWORD]', 'hush9 with spaces'],
  ['spec.containers[zqmain].env[STRIPE_KEY]', 'the value is hushstripe and it is set'],
  ['spec.containers[zqmain].env[DATABASE_URL]', 'postgres://zqowner:hush/p@ss@zqdb.zqpayments.svc:5432/zqbooks'],
  ['spec.containers[zqmain].args', '["--token=hushargument","--url=amqp://zquser:hushqueue@zqrabbit:5672"]'],
  ['spec.containers[zqmain].command', '["serve","--admin-password","hush correct horse"]'],
  ['metadata.annotations', 'vault.example/token: hush annotation of words'],
  [
    'metadata.annotations',
    'kubectl.kubernetes.io/last-applied-configuration: {"metadata":{"name":"zqcheckout"},"data":{"x":"hushapplied"}}',
  ],
  ['log', 'connecting to zqdb.zqpayments.svc.cluster.local:5432 as user "zqowner" with password hush9 with spaces'],
  [
    'log',
    '{"level":"error","authorization":"Bearer hushbearer.hushbearer","client_ip":"203.0.113.77","email":"jane.zqdoe@zqcorp.net"}',
  ],
  ['log', 'AWS_SECRET_ACCESS_KEY=hushAws/7xKq+1 AWS_ACCESS_KEY_ID=AKIAHUSH7EXAMPLE0000'],
  ['log', '-----BEGIN RSA PRIVATE KEY-----\nMIIEhushhushhush\nhushline2==\n-----END RSA PRIVATE KEY-----'],
  ['log', 'jwt eyJhdXNoIjoxfQ.eyJodXNoIjoxfQ.hushsignature rejected for zqcheckout-7f9c8b6d5-x2lqp_zqpayments'],
  ['log', 'cookie: session=hushcookie; Path=/ for https://zqportal.zqcorp.net/zqadmin/users?api_key=hushparam'],
  ['log', 'ZQLEDGER_SERVICE_HOST=10.20.30.40 fd00:20::7 ping'],
  [
    'event Failed',
    'Failed to pull image "zqhub.zqcorp.net:5000/zqteam/zqtools:zqcanary": dial tcp 198.51.100.23:5000: i/o timeout',
  ],
  [
    'event FailedMount',
    'MountVolume.SetUp failed for volume "zqvolume" : claim zqdata: secret "zqcreds" not found on zqrack-17',
  ],
  ['event FailedScheduling', 'node zqrack-17.zqdc.zqcorp.net (zqrack-17) did not match'],
  ['status.containerStatuses[zqmain].imageID', `zqhub.zqcorp.net:5000/zqteam/zqcheckout@sha256:${'ab'.repeat(32)}`],
  ['spec.serviceAccountName', 'system:serviceaccount:zqpayments:zqrobot cannot get configmaps "zqsettings"'],
  ['log', 'old pod zqcheckout-5d8c9f7b6c-q8rtz of Zqcheckout, image zqteam/zqcheckout, volume pvc of zqdata'],
  [
    'log',
    '{\\"dockerconfigjson\\":{\\"auths\\":{\\"zqhub.zqcorp.net\\":{\\"password\\":\\"hushnested\\",\\"auth\\":\\"enE6aHVzaDEyMw==\\"}}}}',
  ],
  ['log', 'zqowner and zqportal.zqcorp.net and jane.zqdoe@zqcorp.net, before anybody said what they are'],
  ['log', 'user=zqowner host https://zqportal.zqcorp.net/ for user "zqowner"'],
  ['log', 'mail to ops@zqcorp.net, arn:aws:iam::123456789012:role/zqrole, /home/zqjane/.ssh/id_rsa'],
];

export const quotes = (each: readonly (readonly [string, string])[]): Evidence[] =>
  each.map(([where, text], index) => ({ id: `e${index + 1}`, from: pod, where, text }));

export const problemOf = (name: string, evidence: readonly Evidence[]): Problem => ({
  id: name,
  root: {
    code: 'crash.app-error',
    severity: 'critical',
    subject: pod,
    message: `Container zqmain of zqcheckout on zqrack-17.zqdc.zqcorp.net fails (${name.length}).`,
    evidence,
    suspects: [{ kind: 'Secret', namespace, name: 'zqcreds' }],
    remedy: [
      {
        text: 'Look at zqmain.',
        command: 'kubectl logs zqcheckout-7f9c8b6d5-x2lqp -n zqpayments -c zqmain',
        safety: 'inspect',
      },
    ],
    confidence: 'certain',
  },
  symptoms: [],
  affects: [{ kind: 'Service', namespace, name: 'zqledger' }],
  owner: { kind: 'Deployment', namespace, name: 'zqcheckout' },
  changes: [
    { at: '2026-11-21T01:00:00Z', from: pod, text: 'zqhub.zqcorp.net:5000/zqteam/zqcheckout:1.3 → 1.4 by user zqjane' },
  ],
  timeline: [
    {
      at: '2026-11-21T01:00:00Z',
      from: { kind: 'Node', name: 'zqrack-17.zqdc.zqcorp.net' },
      text: 'NodeReady zqrack-17',
    },
  ],
});

// One problem with everything, and one for each place, so that nothing hides behind the limit of tokens.
export const report = {
  ...diagnose(cluster, { analyzers }),
  problems: [
    ...diagnose(cluster, { analyzers }).problems,
    problemOf('all', quotes(places)),
    ...places.map((_, index) => problemOf(`place-${index}`, quotes(places.slice(index, index + 2)))),
  ],
};
