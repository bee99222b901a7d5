import { constants } from 'node:fs';
import { access, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PodlensError } from '../errors.ts';

/** A file to read. */
export interface DumpFile {
  /** As the person wrote it, with what was found below it. */
  readonly path: string;
  readonly size: number;
  /** Named by the person, so it is read whatever it is called. */
  readonly asked: boolean;
  /** A pipe is no regular file: it has no size. */
  readonly regular: boolean;
}

/** What could not be followed below a folder. */
export type OnUnreadable = (path: string, why: string) => void;

/** The files that the paths name, folders read to their leaves, sorted; a loop of links is walked once. */
export async function findFiles(paths: readonly string[], onUnreadable: OnUnreadable): Promise<DumpFile[]> {
  const files: DumpFile[] = [];
  const visited = new Set<string>();
  const walk = async (folder: string): Promise<void> => {
    const real = await realpath(folder);
    if (visited.has(real)) return;
    visited.add(real);
    const names = await readdir(folder);
    for (const name of names.sort()) {
      if (name.startsWith('.')) continue;
      const path = join(folder, name);
      try {
        const found = await stat(path);
        if (found.isDirectory()) await walk(path);
        else if (found.isFile()) files.push({ path, size: found.size, asked: false, regular: true });
      } catch (error) {
        onUnreadable(path, reasonOf(error));
      }
    }
  };
  for (const path of paths) {
    const found = await askedFor(path);
    if (found.isDirectory()) await walk(path);
    else files.push({ path, size: found.size, asked: true, regular: found.isFile() });
  }
  return files;
}

async function askedFor(path: string) {
  try {
    const found = await stat(path);
    await access(path, constants.R_OK);
    return found;
  } catch (cause) {
    const missing = codeOf(cause) === 'ENOENT';
    throw new PodlensError(
      missing ? 'file-not-found' : 'file-unreadable',
      missing ? `There is no file or folder "${path}".` : `"${path}" cannot be read: ${reasonOf(cause)}.`,
      { hint: missing ? '-f takes a file, a folder, or - for standard input.' : undefined, cause },
    );
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** Whether the operating system or the unpacking refused, which is not our defect. */
export const isFileError = (error: unknown): boolean => codeOf(error) !== undefined;

/** Why a file cannot be read, in words. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'ENOENT':
      return 'it is not there; a link may point nowhere';
    case 'ELOOP':
      return 'its links go round in a circle';
    case 'Z_DATA_ERROR':
    case 'Z_BUF_ERROR':
      return code === 'Z_BUF_ERROR' ? 'the gzip data ends too early' : 'the gzip data is damaged';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
