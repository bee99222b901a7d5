import type { LogLine } from '../snapshot.ts';

/** A container in words of a dump. */
export interface LogName {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly previous: boolean;
}

/** Where in a text something is wrong, and what: no word of the text itself, which may be a Secret's. */
export interface Flaw {
  readonly why: string;
  /** From 1. */
  readonly line?: number;
}

/** Takes what a file holds, in the order it is written. */
export interface DumpHandler {
  /** A List begins: what was written before its items, `kind` perhaps not among it. */
  list(head: unknown): void;
  item(value: unknown): void;
  /** An object that is no List; or the end of a List, without its items. */
  document(value: unknown): void;
  log(name: LogName, lines: readonly LogLine[]): void;
  flaw(flaw: Flaw): void;
}

/** Is fed one file's bytes (UTF-8) and tells a handler what they hold. */
export interface DumpReader {
  push(chunk: Buffer): void;
  end(): void;
}

/** No object of Kubernetes comes near it: etcd takes 1.5 MiB. */
export const MAX_OBJECT_BYTES = 64 << 20;

/** Stops the reading of a file that cannot be a dump. */
export class NotADump extends Error {
  override readonly name = 'NotADump';
}

export const tooLarge = (line: number): NotADump =>
  new NotADump(`line ${line}: what starts here is larger than any Kubernetes object`);
