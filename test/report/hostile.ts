import type { Explained } from '../../src/ai/explained.ts';

/** What somebody who may create objects could write into their messages, names and logs. */
export const hostile = {
  title: '\u001b]0;owned\u0007',
  colour: '\u001b[31mred\u001b[0m',
  clear: '\u001b[2J\u001b[1;1H',
  eightBit: '\u009b31m',
  link: '\u001b]8;;https://evil.example\u001b\\click\u001b]8;;\u001b\\',
  bidi: 'safe\u202etxt.exe\u202c',
  zeroWidth: 'ad\u200bmin\u2060\ufeff',
  overwrite: 'all fine\rnot at all',
  bell: 'ding\u0007\u0008\u0000',
  separators: 'one\u2028two\u2029three',
  tags: 'tag\u{e0041}\u{e0042}',
  fence: '```\n# Not a heading\n```',
  markup: '<script>alert(1)</script> [x](javascript:alert(1)) ]]> <!-- -->',
  surrogate: 'half \ud83d',
} as const;

const all = Object.values(hostile).join(' ');

const pod = { kind: 'Pod', namespace: 'shop', name: `web-${hostile.colour}-0` };
const app = { ...pod, container: 'app' };

/** A handful of problems with everything a report can hold, some of it hostile. */
export const report: Explained = {
  schemaVersion: 1,
  takenAt: '2026-11-21T02:00:00.000Z',
  scope: { namespaces: ['shop'] },
  problems: [
    {
      id: 'crash.app-error/shop/Deployment/web',
      root: {
        code: 'crash.app-error',
        severity: 'critical',
        subject: app,
        message: `Container app ends with exit code 1 after 2 s. Its log says: "${all}".`,
        evidence: [
          {
            id: 'e1',
            from: app,
            where: 'status.containerStatuses[app].lastState.terminated',
            text: 'exit code 1 (Error) after 2 s',
            at: '2026-11-21T01:58:00Z',
          },
          {
            id: 'e2',
            from: app,
            where: 'log (last 200 lines of the previous container)',
            text: `${all}\nsecond line\nthird line\nfourth line\nfifth line`,
          },
          { id: 'e3', from: { kind: 'Node', name: 'lab-1' }, where: 'event NodeNotReady', text: hostile.title },
        ],
        suspects: [],
        remedy: [
          {
            text: 'Read what it said before it ended.',
            command: 'kubectl logs web-0 -n shop -c app --previous',
            safety: 'inspect',
          },
          { text: `Correct ${hostile.bidi}.`, command: 'kubectl edit deployment/web -n shop', safety: 'change' },
          { text: 'Delete the pod.', command: 'kubectl delete pod/web-0 -n shop', safety: 'destructive' },
        ],
        confidence: 'certain',
        since: '2026-11-21T01:00:00Z',
      },
      symptoms: [
        {
          code: 'service.no-endpoints',
          severity: 'warning',
          subject: { kind: 'Service', namespace: 'shop', name: 'web' },
          message: `Service shop/web has no ready pod. ${hostile.clear}`,
          evidence: [],
          suspects: [],
          remedy: [],
          confidence: 'certain',
        },
      ],
      owner: { kind: 'Deployment', namespace: 'shop', name: 'web' },
      affects: Array.from({ length: 8 }, (_, index) => ({ kind: 'Pod', namespace: 'shop', name: `web-${index + 1}` })),
      changes: [{ at: '2026-11-21T01:00:00Z', from: app, text: `The image of app changed to ${hostile.link}.` }],
      timeline: [
        { at: '2026-11-20T23:00:00Z', from: pod, text: 'Pod web-0 was created.' },
        { at: '2026-11-21T01:00:00Z', from: app, text: `Pulled: Successfully pulled ${hostile.overwrite}` },
        { at: '2026-11-21T01:57:58Z', from: app, text: 'Container app started.' },
        { at: '2026-11-21T01:58:00Z', from: app, text: 'Container app ended after 2 s: exit code 1 (Error).' },
        {
          at: '2026-11-21T01:59:00Z',
          from: app,
          text: 'BackOff: Back-off restarting failed container (12 times since 2026-11-21T01:00:10Z)',
        },
      ],
    },
    {
      id: 'image.not-found/shop/Deployment/long',
      root: {
        code: 'image.not-found',
        severity: 'critical',
        subject: {
          kind: 'Pod',
          namespace: 'shop',
          name: 'a-name-that-takes-all-of-the-line-and-more-than-that-7d9c5b8f6-x2x2x',
          container: 'main',
        },
        message: `Container main cannot get its image "registry.corp.example.com/a/very/long/path/${'x'.repeat(80)}:v1".`,
        evidence: [
          {
            id: 'e1',
            from: {
              kind: 'Pod',
              namespace: 'shop',
              name: 'a-name-that-takes-all-of-the-line-and-more-than-that-7d9c5b8f6-x2x2x',
            },
            where: 'status.containerStatuses[main].state.waiting',
            text: `ErrImagePull: ${'the registry said a lot about it, '.repeat(20)}not found`,
          },
        ],
        suspects: [],
        remedy: [
          {
            text: 'Check the spelling of the image.',
            command:
              "kubectl get pod/a-name-that-takes-all-of-the-line-and-more-than-that-7d9c5b8f6-x2x2x -n shop -o 'jsonpath={..image}'",
            safety: 'inspect',
          },
        ],
        confidence: 'likely',
        check: {
          text: 'See whether the image exists at all.',
          command: 'docker manifest inspect x',
          safety: 'inspect',
        },
      },
      symptoms: ['main', 'other'].map((container) => ({
        code: 'config.secret-missing',
        severity: 'critical' as const,
        subject: { kind: 'Pod', namespace: 'shop', name: 'web', container },
        message: 'Secret "db" does not exist in namespace shop.',
        evidence: [],
        suspects: [],
        remedy: [],
        confidence: 'certain' as const,
      })),
      affects: ['shop', 'pay'].map((namespace) => ({ kind: 'Deployment', namespace, name: 'long' })),
    },
    {
      id: 'config.secret-missing/shop/Pod/wide',
      root: {
        code: 'config.secret-missing',
        severity: 'warning',
        subject: { kind: 'Pod', namespace: 'shop', name: 'wide' },
        message: `容器无法启动：找不到密钥。${'数据库连接失败，请检查配置。'.repeat(6)}`,
        evidence: Array.from({ length: 7 }, (_, index) => ({
          id: `e${index + 1}`,
          from: { kind: 'Pod', namespace: 'shop', name: 'wide' },
          where: `spec.containers[${index}]`,
          text: `value ${index}`,
        })),
        suspects: [],
        remedy: [],
        confidence: 'certain',
      },
      symptoms: [],
      affects: [],
    },
    {
      id: 'evict.node-pressure/shop/Deployment/gone',
      root: {
        code: 'evict.node-pressure',
        severity: 'info',
        subject: { kind: 'Pod', namespace: 'shop', name: 'gone' },
        message: `The pod was evicted. ${hostile.bell}`,
        evidence: [],
        suspects: [],
        remedy: [],
        confidence: 'certain',
      },
      symptoms: [],
      affects: [],
    },
  ],
  gaps: [
    {
      what: 'Node',
      reason: `jane may not list nodes ${hostile.eightBit}`,
      hint: 'Ask for the role that podlens rbac prints.',
    },
  ],
  stats: { objects: { Pod: 12, Deployment: 3, Event: 40 }, namespaces: 1, analyzers: 22 },
  explanations: {
    'crash.app-error/shop/Deployment/web': [
      {
        cause: `It ends because ${all}`,
        steps: [
          { text: `Look at ${hostile.zeroWidth}.`, command: 'kubectl describe pod/web-0 -n shop', safety: 'inspect' },
        ],
        confidence: 'likely',
        cites: ['e1'],
        unsupported: 1,
        rejected: ['it would print a Secret'],
        backend: 'openai:model-a',
        cached: true,
      },
    ],
  },
};
