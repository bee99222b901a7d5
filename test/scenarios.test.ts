import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { dump } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { analyzers } from '../src/analyzers/index.ts';
import type { Collected } from '../src/cluster/collected.ts';
import { readDump } from '../src/cluster/files.ts';
import { saveSnapshot } from '../src/cluster/save.ts';
import { diagnose } from '../src/diagnose.ts';
import type { Report } from '../src/finding.ts';
import { dumpFolder, listOf } from './support/dumps.ts';
import { lineOf } from './support/test-analyzer.ts';

const SCENARIOS = join(import.meta.dirname, '../fixtures/scenarios');

/** What is wrong in each cluster, whatever the analyzers say of it: `<code> <Kind> <name> [container]`. */
const faults: Readonly<Record<string, readonly string[]>> = {
  demo: [
    'config.key-missing Secret orders/payment-provider',
    'crash.app-error Pod orders/invoicing-2tq5xtl87b-dskt9 invoicing',
    'create.quota ResourceQuota staging/team-budget',
    'evict.storage-limit Pod data/export-2026-09 export',
    'image.auth Pod storefront/recommender-6ssklrjh6-7dh6r recommender',
    'image.auth-or-missing Pod storefront/landing-nfn26p9pm2-cqt8n landing',
    'init.stuck Pod orders/ledger-mps9tl9pv6-drlcf wait-for-db',
    'oom.container-limit Pod storefront/search-mb44lzztfj-l246r search',
    'probe.liveness Pod storefront/cart-f48r4rj6t-qccq7 cart',
    'probe.readiness Pod storefront/catalog-98r552g9cw-7pkbn catalog',
    'sched.cpu Pod orders/year-end-report-z5tb4hpj4-kd898',
    'sched.node-affinity Pod data/feature-builder-rknx9vm6l-v6q9p',
    'service.selector-mismatch Service storefront/gift-cards',
    'storage.class-missing PersistentVolumeClaim data/data-timescale-0',
  ],
  healthy: [],
  'node-down': ['node.unreachable Node pool-1-b'],
  'rollout-broken': ['crash.app-error Pod shop/pricing-mpw7jw5jk-gwkfx pricing'],
  'must-gather-mini': ['crash.app-error Pod shop/booking-r9s9nkw7f-l2xzw migrate'],
  'cluster-info-dump-mini': ['crash.app-error Pod shop/booking-r9s9nkw7f-l2xzw migrate'],
};

const reportOf = ({ snapshot, gaps }: Collected): Report => diagnose(snapshot, { analyzers, gaps });
const textOf = (report: Report): string => `${JSON.stringify(report, null, 2)}\n`;

const scenarios = readdirSync(SCENARIOS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

describe.each(scenarios)('%s', (name) => {
  const warnings: string[] = [];
  const read = () => readDump([join(SCENARIOS, name)], { onWarning: (line) => warnings.push(line) });

  test('is read without a warning, and each fault is reported once', async () => {
    const report = reportOf(await read());
    const lines = report.problems.filter(({ root }) => root.severity !== 'info').map(({ root }) => lineOf(root));
    expect(lines.sort()).toEqual(faults[name]);
    expect(warnings).toEqual([]);
  });

  // Where a change of the words is meant, `vitest run test/scenarios.test.ts -u` writes it anew.
  test('gives the report that is kept beside it', async () => {
    const { stats: _counts, ...report } = reportOf(await read());
    await expect(`${JSON.stringify(report, null, 2)}\n`).toMatchFileSnapshot(join(SCENARIOS, `${name}.report.json`));
  });

  test('gives the same report once it is saved', async () => {
    const collected = await read();
    const saved = [...saveSnapshot(collected)].join('');
    const again = await readDump(['-'], { stdin: Readable.from([Buffer.from(saved)]) });
    expect(textOf(reportOf(again))).toBe(textOf(reportOf(collected)));
    expect([...saveSnapshot(again)].join('')).toBe(saved);
  });
});

interface Item {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** The folder's objects, as they are in its files. */
function itemsOf(folder: string): Item[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.json'))
    .sort()
    .flatMap((path) => JSON.parse(readFileSync(join(folder, path), 'utf8')).items as Item[]);
}

describe('the same objects give the same report', () => {
  const demo = join(SCENARIOS, 'demo');
  const items = itemsOf(demo);
  const kinds = [...new Set(items.map(({ kind }) => kind))];
  const ofKind = (kind: string) => listOf(...items.filter((item) => item.kind === kind));
  test.each([
    ['as one List', { 'all.json': listOf(...items) }],
    ['as one List in YAML', { 'all.yaml': dump(listOf(...items), { noRefs: true }) }],
    ['as a List for each kind', Object.fromEntries(kinds.map((kind) => [`${kind}.json`, ofKind(kind)]))],
    ['as YAML documents', { 'all.yaml': kinds.map((kind) => `---\n${dump(ofKind(kind), { noRefs: true })}`).join('') }],
    ['twice', { '1.json': listOf(...items), '2.json': listOf(...items.toReversed()) }],
  ])('%s', async (_, files) => {
    const folder = dumpFolder(files);
    cpSync(demo, folder, { recursive: true, filter: (path) => !path.endsWith('.json') });
    expect(textOf(reportOf(await readDump([folder])))).toBe(textOf(reportOf(await readDump([demo]))));
  });
});

test('every list of faults has its cluster', () => {
  for (const name of Object.keys(faults)) expect(existsSync(join(SCENARIOS, name))).toBe(true);
});
