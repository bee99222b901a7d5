import type { AnyAnalyzer, Rule } from '../analyzer.ts';
import { clusterRole } from '../cluster/rbac.ts';
import { kindsFor } from '../diagnose.ts';
import { wrap } from '../report/wrap.ts';
import { compare } from '../snapshot.ts';
import { readConfig } from './config-file.ts';
import { choose } from './filters.ts';
import { columnsOf, type Io, write } from './io.ts';
import { loadAnalyzers } from './plugins.ts';

export interface ListOptions {
  readonly output: 'text' | 'json';
}

/** podlens' own analyzers, and those of the plugins in the config. */
const allAnalyzers = async (io: Io) => loadAnalyzers(await readConfig({}, io));

/** `podlens analyzers`: what podlens looks at, from the analyzers themselves. */
export async function listAnalyzers({ output }: ListOptions, io: Io): Promise<void> {
  const rows = (await allAnalyzers(io)).map(({ id, kind, title, needs, rules }) => ({
    id,
    kind,
    title,
    needs,
    codes: Object.keys(rules),
  }));
  if (output === 'json') return write(io.stdout, `${JSON.stringify(rows, null, 2)}\n`);
  const width = Math.max(...rows.map(({ id }) => id.length)) + 2;
  await writeTable(
    rows.map(({ id, kind, title }) => [id, `${title} (${kind})`] as const),
    width,
    io,
  );
}

/** The rule of every code, with the analyzers that report it. */
function codes(all: readonly AnyAnalyzer[]) {
  const rows = new Map<string, { readonly code: string; readonly rule: Rule; readonly analyzers: string[] }>();
  for (const { id, rules } of all) {
    for (const [code, rule] of Object.entries(rules)) {
      const known = rows.get(code);
      if (known === undefined) rows.set(code, { code, rule, analyzers: [id] });
      else known.analyzers.push(id);
    }
  }
  return [...rows.values()].sort((a, b) => compare(a.code, b.code));
}

/** `podlens codes`: the vocabulary of causes. */
export async function listCodes({ output }: ListOptions, io: Io): Promise<void> {
  const rows = codes(await allAnalyzers(io));
  if (output === 'json') {
    const plain = rows.map(({ code, rule: { severity, summary, source }, analyzers }) => ({
      code,
      severity,
      summary,
      source,
      analyzers,
    }));
    return write(io.stdout, `${JSON.stringify(plain, null, 2)}\n`);
  }
  const width = Math.max(...rows.map(({ code }) => code.length)) + 2;
  await writeTable(
    rows.map(({ code, rule }) => [code, rule.summary] as const),
    width,
    io,
  );
}

/** Two columns; the second wraps, or stands below the first where the screen is narrow. */
async function writeTable(rows: readonly (readonly [string, string])[], width: number, io: Io): Promise<void> {
  const columns = columnsOf(io.stdout, io.env);
  const beside = columns - width >= 30;
  const lines = rows.flatMap(([name, words]) => {
    const wrapped = wrap(words, beside ? columns - width : columns - 4);
    if (!beside) return [name, ...wrapped.map((line) => `    ${line}`)];
    return wrapped.map((line, index) => `${(index === 0 ? name : '').padEnd(width)}${line}`);
  });
  await write(io.stdout, `${lines.join('\n')}\n`);
}

/** `podlens rbac`: the least ClusterRole that the chosen analyzers need. */
export async function printRole(
  { filter, logs }: { readonly filter?: readonly string[]; readonly logs: boolean },
  io: Io,
): Promise<void> {
  const kinds = kindsFor(choose(filter, await allAnalyzers(io)).analyzers);
  await write(io.stdout, clusterRole(logs ? kinds : kinds.filter((kind) => kind !== 'Log')));
}
