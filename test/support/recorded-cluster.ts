import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ApiObject } from './api-server.ts';

interface List {
  readonly items: readonly ApiObject[];
}

/** What a recording's folder holds, for the test API server to show. */
export function recordedCluster(folder: string): { objects: ApiObject[]; logs: Record<string, string> } {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  const objects = files
    .filter((file) => file.endsWith('.json') && basename(file) !== 'expect.json')
    .flatMap((file) => (JSON.parse(readFileSync(file, 'utf8')) as List).items);
  const logs = files.filter((file) => file.endsWith('.log')).map((file) => [logKey(file), readFileSync(file, 'utf8')]);
  return { objects, logs: Object.fromEntries(logs) };
}

/** ".../shop/web-0/app.previous.log" is "shop/web-0/app/previous". */
function logKey(file: string): string {
  const pod = basename(dirname(file));
  const namespace = basename(dirname(dirname(file)));
  return `${namespace}/${pod}/${basename(file, '.log').replace('.previous', '/previous')}`;
}
