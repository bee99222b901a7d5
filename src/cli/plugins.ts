import { pathToFileURL } from 'node:url';
import type { AnyAnalyzer } from '../analyzer.ts';
import { analyzers } from '../analyzers/index.ts';
import type { Config } from '../config.ts';
import { PodlensError } from '../errors.ts';

/**
 * podlens' own analyzers and those of the modules that `plugins` in the config names. Every exported analyzer counts.
 * Fails for a module that cannot be loaded or has none.
 */
export async function loadAnalyzers({ plugins }: Pick<Config, 'plugins'>): Promise<readonly AnyAnalyzer[]> {
  const all = [...analyzers];
  for (const plugin of plugins) {
    const found = Object.values(await load(plugin)).filter(isAnalyzer);
    if (found.length === 0) {
      throw new PodlensError('plugin-empty', `The plugin ${plugin} exports no analyzer.`, {
        hint: 'Export what defineAnalyzer returns.',
      });
    }
    const twice = found.find(({ id }) => all.some((known) => known.id === id));
    if (twice !== undefined) {
      throw new PodlensError(
        'plugin-conflict',
        `The plugin ${plugin} has an analyzer "${twice.id}", and there is one of that name.`,
      );
    }
    all.push(...found);
  }
  return all;
}

async function load(plugin: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(plugin.startsWith('/') ? pathToFileURL(plugin).href : plugin);
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new PodlensError('plugin-unreadable', `The plugin ${plugin} cannot be loaded: ${reason}`, {
      hint: 'Check `plugins` in the config file.',
      cause,
    });
  }
}

function isAnalyzer(value: unknown): value is AnyAnalyzer {
  if (typeof value !== 'object' || value === null) return false;
  const { id, kind, needs, rules, analyze } = value as Readonly<Record<string, unknown>>;
  return (
    typeof id === 'string' &&
    typeof kind === 'string' &&
    Array.isArray(needs) &&
    typeof rules === 'object' &&
    typeof analyze === 'function'
  );
}
