import { execFile } from 'node:child_process';
import { PodlensError } from '../errors.ts';
import type { KeySource } from './choose-backends.ts';

export interface KeyOptions {
  /** The backend's name, for errors. */
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** What commands have printed in this run: each is run once, whichever backends share it. */
  readonly keys?: Map<string, Promise<string>>;
}

/** The key, or undefined where there is none. A command is run without a shell unless it is written for one. */
export async function readKey(source: KeySource, options: KeyOptions): Promise<string | undefined> {
  if (source.from === 'nowhere') return undefined;
  const key = source.from === 'command' ? await once(source.command, options) : source.key.trim();
  // Anything else cannot be sent as a header, and the error about it would show it.
  if (/^[\u0021-\u007e]+$/.test(key)) return key;
  throw new PodlensError(
    'key-invalid',
    `The key of the backend "${options.name}" is empty or has characters that no key has.`,
  );
}

function once(command: string | readonly string[], options: KeyOptions): Promise<string> {
  const words = JSON.stringify(command);
  const key = options.keys?.get(words) ?? run(command, options);
  options.keys?.set(words, key);
  return key;
}

/** Its first line, as `pass show` and its kind give it. */
function run(command: string | readonly string[], { name, env, signal }: KeyOptions): Promise<string> {
  const [file = '', ...args] = wordsOf(command);
  return new Promise((resolve, reject) => {
    execFile(
      file,
      args,
      { env, signal, timeout: 60_000, maxBuffer: 64 * 1024, encoding: 'utf8' },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout.split('\n')[0]?.trim() ?? '');
        if (signal.aborted) return reject(signal.reason);
        const said = stderr.trim().split('\n')[0] ?? '';
        const why =
          error.code === 'ENOENT'
            ? `there is no command "${file}"`
            : said || `it ended with ${error.code ?? error.signal}`;
        reject(new PodlensError('key-command-failed', `The keyCommand of the backend "${name}" failed: ${why}.`));
      },
    );
  });
}

/** What only a shell understands is left to one. */
function wordsOf(command: string | readonly string[]): readonly string[] {
  if (typeof command !== 'string') return command;
  if (/[|&;<>$`\\*?~#(){}[\]]/.test(command)) {
    return process.platform === 'win32' ? ['cmd', '/d', '/s', '/c', command] : ['/bin/sh', '-c', command];
  }
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|[^\s"']+/g)].map(
    ([word, double, single]) => double ?? single ?? word,
  );
}
