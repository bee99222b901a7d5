import { expect, test } from 'vitest';
import { logIsEmpty, logSignal } from '../../src/objects/log-signal.ts';
import { createSnapshot, logName } from '../../src/snapshot.ts';

const container = { kind: 'Pod', namespace: 'default', name: 'web', container: 'app' };

const snapshot = (previous: string, current?: string) =>
  createSnapshot({
    takenAt: '2026-11-21T02:00:00Z',
    objects: {
      Log: [
        { text: previous, previous: true },
        ...(current === undefined ? [] : [{ text: current, previous: false }]),
      ].map(({ text, previous }) => ({
        metadata: { namespace: 'default', name: logName('web', 'app', previous) },
        pod: 'web',
        container: 'app',
        previous,
        lines: text === '' ? [] : text.split('\n').map((line) => ({ text: line })),
        read: 'last 200 lines',
      })),
    },
  });

const JAVA = `INFO starting
Exception in thread "main" org.springframework.beans.BeanCreationException: Error creating bean 'dataSource'
	at org.springframework.Factory.create(Factory.java:1)
	... 24 more
Caused by: java.net.ConnectException: Connection refused: db/10.0.0.7:5432
	at java.base/sun.nio.ch.Net.pollConnect(Native Method)
	... 30 more`;

const PYTHON = `Traceback (most recent call last):
  File "/app/main.py", line 3, in <module>
    import redis
ModuleNotFoundError: No module named 'redis'`;

const GO = `2026/11/21 02:00:00 listening
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1]

goroutine 1 [running]:
main.main()
	/src/main.go:12 +0x1d
exit status 2`;

const NODE = `> shop@1.0.0 start
node:internal/modules/cjs/loader:1148
  throw err;
  ^

Error: Cannot find module '/app/server.js'
    at Module._resolveFilename (node:internal/modules/cjs/loader:1145:15)
    at node:internal/main/run_main_module:28:49 {
  code: 'MODULE_NOT_FOUND',
}

Node.js v24.0.0`;

test.each([
  ['a FATAL line', 'starting tracker\nFATAL: DEPLOY_ENV is not set', 'FATAL: DEPLOY_ENV is not set'],
  [
    'the innermost cause of a Java exception',
    JAVA,
    'Caused by: java.net.ConnectException: Connection refused: db/10.0.0.7:5432',
  ],
  ["a traceback's last line", PYTHON, "ModuleNotFoundError: No module named 'redis'"],
  ["a panic's first line", GO, 'panic: runtime error: invalid memory address or nil pointer dereference'],
  ['the error of a Node.js program', NODE, "Error: Cannot find module '/app/server.js'"],
  [
    'a structured line',
    '{"level":"info","msg":"up"}\n{"level":"fatal","msg":"no config"}',
    '{"level":"fatal","msg":"no config"}',
  ],
  [
    'a line of klog',
    'I1121 02:00:00.000000 1 main.go:1] up\nE1121 02:00:01.000000 1 main.go:9] lease lost',
    'E1121 02:00:01.000000 1 main.go:9] lease lost',
  ],
  [
    'which host refuses',
    'connecting\ndial tcp 10.0.0.7:5432: connect: connection refused\nbye',
    'dial tcp 10.0.0.7:5432: connect: connection refused',
  ],
  [
    'a host that has no address',
    "waiting for db\nnc: bad address 'db.orders.svc'\nwaiting for db",
    "nc: bad address 'db.orders.svc'",
  ],
  ['what a shell does not find', 'one\nsh: 1: kubectll: not found', 'sh: 1: kubectll: not found'],
  [
    'what nginx says',
    '2026/11/21 02:00:00 [emerg] 1#1: host not found in upstream "api" in /etc/nginx/conf.d/a.conf:3',
    '2026/11/21 02:00:00 [emerg] 1#1: host not found in upstream "api" in /etc/nginx/conf.d/a.conf:3',
  ],
  [
    'what PostgreSQL says',
    'LOG:  starting\nFATAL:  password authentication failed for user "shop"\nLOG:  bye',
    'FATAL:  password authentication failed for user "shop"',
  ],
  [
    'a full heap',
    'x\n<--- Last few GCs --->\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n----- Native stack trace -----',
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
  ],
  [
    'what Rust says',
    "thread 'main' panicked at src/main.rs:4:10:\ncalled `Option::unwrap()` on a `None` value\nnote: run with RUST_BACKTRACE=1",
    "thread 'main' panicked at src/main.rs:4:10: called `Option::unwrap()` on a `None` value",
  ],
  [
    'what Spring says',
    '2026-11-21 ERROR 1 --- [main] o.s.b.d.LoggingFailureAnalysisReporter   :\n\n***\nAPPLICATION FAILED TO START\n***\n\nDescription:\n\nWeb server failed to start. Port 8080 was already in use.\n\nAction:\n\nIdentify and stop the process.',
    'Description: Web server failed to start. Port 8080 was already in use.',
  ],
  [
    'what the JVM says of its options',
    "Unrecognized VM option 'MaxHeap=1g'\nError: Could not create the Java Virtual Machine.\nError: A fatal exception has occurred. Program will exit.",
    "Unrecognized VM option 'MaxHeap=1g'",
  ],
  [
    'what .NET says',
    'Unhandled exception. System.InvalidOperationException: No connection string.\n   at Program.Main() in /src/Program.cs:line 3',
    'Unhandled exception. System.InvalidOperationException: No connection string.',
  ],
])('finds %s', (_, log, line) => {
  const signal = logSignal(snapshot(log), container, 'previous');
  expect(signal?.line.text).toBe(line);
  expect(signal?.telling).toBe(true);
  expect(signal?.evidence.where).toBe('log (last 200 lines of the previous container)');
});

test('the evidence has what stands around the line', () => {
  const log = 'one\ntwo\nthree\nTENANT_ID is empty\nFATAL: startup aborted\nbye\nlater\nmuch later';
  expect(logSignal(snapshot(log), container, 'previous')?.evidence.text).toBe(
    'three\nTENANT_ID is empty\nFATAL: startup aborted\nbye\nlater',
  );
});

test('a key that a log holds is no part of it', () => {
  const key = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEF'.repeat(2)}\n-----END PRIVATE KEY-----`;
  expect(logSignal(snapshot(`${key}\nFATAL: bad key`), container, 'previous')?.evidence.text).toBe('FATAL: bad key');
});

test('prefers the run that ended, and falls back on the other', () => {
  expect(logSignal(snapshot('FATAL: old', 'FATAL: new'), container, 'previous')?.line.text).toBe('FATAL: old');
  expect(logSignal(snapshot('FATAL: old', 'FATAL: new'), container, 'current')?.line.text).toBe('FATAL: new');
  expect(logSignal(snapshot('', 'FATAL: new'), container, 'previous')?.line.text).toBe('FATAL: new');
});

test('a log without a fault gives its last line, and does not pretend that it tells', () => {
  const signal = logSignal(snapshot('one\ntwo'), container, 'previous');
  expect([signal?.line.text, signal?.telling]).toEqual(['two', false]);
});

test('tells an empty log from one that was not read', () => {
  expect(logIsEmpty(snapshot(''), container)).toBe(true);
  expect(logIsEmpty(snapshot('x'), container)).toBe(false);
  expect(logIsEmpty(createSnapshot({ takenAt: '2026-11-21T02:00:00Z', objects: {} }), container)).toBe(false);
});
