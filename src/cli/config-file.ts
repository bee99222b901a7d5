import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Config, defaults } from '../config.ts';
import { PodlensError } from '../errors.ts';

export interface LoadConfigOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** What --config names. */
  readonly path?: string | undefined;
  readonly onWarning?: (line: string) => void;
}

/** $PODLENS_CONFIG, else podlens/config.yaml in the directory for settings. */
export function configPath(env: NodeJS.ProcessEnv): string {
  if (env['PODLENS_CONFIG']) return env['PODLENS_CONFIG'];
  const home = env['HOME'] ?? env['USERPROFILE'] ?? homedir();
  const windows = process.platform === 'win32' ? env['APPDATA'] : undefined;
  return join(env['XDG_CONFIG_HOME'] || windows || join(home, '.config'), 'podlens', 'config.yaml');
}

/**
 * The config file's settings over the defaults; relative paths in it become absolute. A file that nobody named need not
 * be there. Fails with `config-missing`, `config-unreadable` or `config-invalid`.
 */
export async function loadConfig({ env, cwd, path, onWarning }: LoadConfigOptions): Promise<Config> {
  const file = resolve(cwd, path ?? configPath(env));
  const text = await read(file, path !== undefined || Boolean(env['PODLENS_CONFIG']));
  if (text === undefined) return defaults;
  // The schema's library costs more to load than most runs have use for.
  const { parseConfig } = await import('../config-schema.ts');
  const config = parseConfig(text, file);
  if (config.backends.some(({ key, headers }) => key !== undefined || headers !== undefined)) {
    await warnIfShared(file, onWarning);
  }
  return config;
}

async function read(file: string, named: boolean): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (missing && !named) return undefined;
    if (missing) {
      throw new PodlensError('config-missing', `There is no config file at ${file}.`, {
        hint: 'Check --config or PODLENS_CONFIG, or create it with: podlens backends add',
        cause,
      });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PodlensError('config-unreadable', `The config file ${file} cannot be read: ${reason}`, { cause });
  }
}

async function warnIfShared(file: string, onWarning: LoadConfigOptions['onWarning']): Promise<void> {
  if (process.platform === 'win32') return;
  const { mode } = await stat(file);
  if ((mode & 0o077) === 0) return;
  onWarning?.(
    `The config file ${file} holds a key and others can read it. Keep it to yourself with: chmod 600 ${file}`,
  );
}
