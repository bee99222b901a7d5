import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { main } from '../../src/cli/main.ts';
import { testIo } from './io.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A home of one's own: a config, a cache and files that no other test sees. */
export interface Home {
  readonly path: string;
  /** Runs podlens in it, in this process. */
  run(
    argv: readonly string[],
    options?: { env?: NodeJS.ProcessEnv; stdin?: string; signal?: AbortSignal; terminal?: boolean; name?: string },
  ): Promise<Ran>;
  write(name: string, text: string, mode?: number): string;
  /** The names of the kept explanations. */
  cached(): readonly string[];
}

export function createHome(): Home {
  const path = mkdtempSync(join(tmpdir(), 'podlens-home-'));
  return {
    path,
    async run(argv, { env = {}, stdin = '', signal, terminal = false, name = 'podlens' } = {}) {
      const test = testIo({
        stdin: Readable.from([stdin]),
        env: { HOME: path, PATH: process.env['PATH'], ...env },
        cwd: path,
        terminal,
        ...(signal === undefined ? {} : { signal }),
      });
      const code = await main(argv, { ...test.io, name });
      return { code, stdout: test.stdout(), stderr: test.stderr() };
    },
    write(name, text, mode = 0o600) {
      const file = join(path, name);
      writeFileSync(file, text, { mode });
      return file;
    },
    cached() {
      try {
        return readdirSync(join(path, '.cache', 'podlens', 'explanations'));
      } catch {
        return [];
      }
    },
  };
}
