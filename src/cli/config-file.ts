import { chmod, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Document } from 'yaml';
import { type Config, defaults } from '../config.ts';
import { PodlensError } from '../errors.ts';
import { type Io, write } from './io.ts';

export interface LoadConfigOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** What --config names. */
  readonly path?: string | undefined;
  /** Also where it is named: it is about to be written. */
  readonly mayBeMissing?: boolean;
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
export async function loadConfig({ env, cwd, path, mayBeMissing, onWarning }: LoadConfigOptions): Promise<Config> {
  const file = resolve(cwd, path ?? configPath(env));
  const text = await read(file, !mayBeMissing && (path !== undefined || Boolean(env['PODLENS_CONFIG'])));
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

/** The config that a command works with; what is wrong with its file's permissions is said on stderr. */
export const readConfig = (
  { config }: { readonly config?: string | undefined },
  io: Io,
  mayBeMissing = false,
): Promise<Config> =>
  loadConfig({
    env: io.env,
    cwd: io.cwd,
    path: config,
    mayBeMissing,
    onWarning: (line) => void write(io.stderr, `warning: ${line}\n`),
  });

export interface EditConfigOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly path?: string | undefined;
}

/**
 * Changes the config file, comments and order of the rest kept, and returns its path. It is written whole or not at all,
 * for its owner's eyes only; what would not be valid is not written.
 */
export async function editConfig(options: EditConfigOptions, edit: (document: Document) => void): Promise<string> {
  const named = resolve(options.cwd, options.path ?? configPath(options.env));
  const file = await realpath(named).catch(() => named);
  const [{ parseDocument }, { parseConfig }] = await Promise.all([import('yaml'), import('../config-schema.ts')]);
  const text = (await read(file, false)) ?? '';
  parseConfig(text, file);
  const document = parseDocument(text);
  edit(document);
  const edited = String(document);
  parseConfig(edited, file);
  await writeWhole(file, edited);
  return file;
}

async function writeWhole(file: string, text: string): Promise<void> {
  const beside = `${file}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(beside, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
    await chmod(file, 0o600);
  } catch (cause) {
    await rm(beside, { force: true }).catch(() => {});
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PodlensError('config-unwritable', `The config file ${file} cannot be written: ${reason}`, { cause });
  }
}
