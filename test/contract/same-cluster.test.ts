import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { analyzers } from '../../src/analyzers/index.ts';
import type { Collected } from '../../src/cluster/collected.ts';
import { readDump } from '../../src/cluster/files.ts';
import { saveSnapshot } from '../../src/cluster/save.ts';
import { diagnose, kindsFor } from '../../src/diagnose.ts';
import { markdown } from '../../src/report/markdown.ts';
import { createStyle } from '../../src/report/style.ts';
import { text } from '../../src/report/text.ts';
import type { ApiObject } from '../support/api-server.ts';
import { dataOf } from '../support/dumps.ts';
import { live } from '../support/live.ts';
import { recordedCluster } from '../support/recorded-cluster.ts';

// One and the same cluster gives one and the same report, whichever way it came.

const SCENARIOS = join(import.meta.dirname, '../../fixtures/scenarios');
const LISTS = join(import.meta.dirname, '../data/protobuf');
const NOW = '2026-11-21T02:00:00Z';

/** The whole lists of a real API server, whose objects do not say their kind. */
function listedCluster(folder: string): { objects: ApiObject[]; logs: Record<string, string> } {
  const objects = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const list = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { kind: string; items: ApiObject[] };
      return list.items.map((item) => ({ ...item, kind: list.kind.replace(/List$/, '') }));
    });
  return { objects, logs: {} };
}

const clusters = [
  ['the lists of a real API server', listedCluster(LISTS)],
  ...['demo', 'node-down', 'rollout-broken', 'healthy']
    .map((name) => join(SCENARIOS, name))
    .map((folder) => [basename(folder), recordedCluster(folder)] as const),
] as const;

function reportsOf({ snapshot, gaps }: Collected): readonly string[] {
  const report = diagnose(snapshot, { analyzers, gaps });
  const style = createStyle({ columns: 100, color: false });
  return [JSON.stringify(report), text(report, style), markdown(report, style)];
}

describe.each(clusters)('%s', (_, cluster) => {
  const kinds = kindsFor(analyzers);
  const read = async (protobuf: boolean) =>
    (await live({ ...cluster, now: NOW, protobuf })).read({ kinds, logs: true });

  test('are the same as protobuf, as JSON and saved', async () => {
    const fromProtobuf = await read(true);
    const fromJson = await read(false);
    const saved = [...saveSnapshot(fromProtobuf)].join('');
    const fromFile = await readDump(['-'], { stdin: Readable.from([Buffer.from(saved)]) });
    expect(fromProtobuf.snapshot.list('Pod').length).toBeGreaterThan(0);
    for (const other of [fromJson, fromFile]) {
      expect(dataOf(other.snapshot)).toEqual(dataOf(fromProtobuf.snapshot));
      expect(reportsOf(other)).toEqual(reportsOf(fromProtobuf));
    }
  });
});
