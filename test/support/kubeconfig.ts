import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { onTestFinished } from 'vitest';

/** A folder that is gone after the test. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'podlens-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Content {
  readonly current?: string;
  /** Contexts by name. */
  readonly contexts?: Readonly<Record<string, object>>;
  readonly clusters?: Readonly<Record<string, object>>;
  readonly users?: Readonly<Record<string, object>>;
}

/** Writes a kubeconfig and returns its path. */
export function kubeconfig(content: Content, folder = tempFolder(), name = 'config'): string {
  const list = (key: string, entries: Readonly<Record<string, object>> = {}) =>
    Object.entries(entries).map(([name, entry]) => ({ name, [key]: entry }));
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    ...(content.current === undefined ? {} : { 'current-context': content.current }),
    contexts: list('context', content.contexts),
    clusters: list('cluster', content.clusters),
    users: list('user', content.users),
  };
  const path = join(folder, name);
  writeFileSync(path, dump(config));
  return path;
}

/** A kubeconfig with one context, "test". */
export const simpleKubeconfig = (cluster: object, user: object = {}, context: object = {}): string =>
  kubeconfig({
    current: 'test',
    contexts: { test: { cluster: 'test', user: 'test', ...context } },
    clusters: { test: cluster },
    users: { test: user },
  });
