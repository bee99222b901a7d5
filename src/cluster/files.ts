import { PodlensError } from '../errors.ts';
import type { Gap } from '../finding.ts';
import { createSnapshot, type Snapshot } from '../snapshot.ts';
import type { Collected } from './collected.ts';
import { type Bytes, bytesOf, decoded, startOf, tailOf } from './dump-bytes.ts';
import type { FileContents } from './dump-file.ts';
import { type DumpReader, type LogName, NotADump } from './dump-handler.ts';
import { createInventory, type Inventory, NO_TIME } from './dump-inventory.ts';
import { errorOfKubectl } from './dump-kubernetes.ts';
import { linesOfText, logPlace, sectionsReader } from './dump-logs.ts';
import { placeOf } from './dump-place.ts';
import { reader } from './dump-reader.ts';
import { parseAt } from './dump-time.ts';
import { type DumpFile, findFiles, isFileError, reasonOf } from './dump-walk.ts';

export interface DumpOptions {
  /** The time to judge by, RFC 3339; without it, the newest time in the dump. */
  readonly at?: string | undefined;
  /** What `-` reads. */
  readonly stdin?: NodeJS.ReadableStream | undefined;
  readonly signal?: AbortSignal | undefined;
  /** One line for each file that is broken or not Kubernetes. */
  onWarning?(line: string): void;
}

/** A dump while it is read. */
interface Reading {
  readonly options: DumpOptions;
  readonly inventory: Inventory;
  readonly gaps: Gap[];
  /** Logs wait until the pods are known: those of healthy containers are not read. */
  readonly logs: { readonly file: DumpFile; readonly name: LogName | 'sections' }[];
  files: number;
  bytes: number;
}

/**
 * Reads a saved cluster: what `kubectl get -o json|yaml` prints, `kubectl cluster-info dump`, an OpenShift must-gather,
 * `podlens snapshot`, plain or as gzip. Paths are files, folders, and `-` for standard input.
 * @throws PodlensError `file-not-found`, `file-unreadable`, `no-objects`, `invalid-time`
 */
export async function readDump(paths: readonly string[], options: DumpOptions = {}): Promise<Collected> {
  const at = options.at === undefined ? undefined : parseAt(options.at);
  const reading: Reading = { options, inventory: createInventory(), gaps: [], logs: [], files: 0, bytes: 0 };
  const named = paths.filter((path) => path !== '-');
  const files = await findFiles(named, (path, why) => warn(reading, `Skipped ${path}: ${why}.`));
  if (named.length < paths.length) await readStdin(reading);
  for (const file of files) await readFile(reading, file);
  for (const { file, name } of reading.logs) await readLog(reading, file, name);
  if (reading.inventory.found === 0) throw nothingRead(paths, reading.gaps);
  return collected(reading, at);
}

function collected({ inventory, gaps, files, bytes }: Reading, at: string | undefined): Collected {
  const { saved } = inventory;
  const snapshot = createSnapshot(inventory.contents(at));
  return {
    snapshot,
    gaps: [...saved.gaps, ...gaps, ...(at === undefined && !inventory.tellsTime ? [timeGap(snapshot)] : [])],
    stats: { requests: files, bytes, retries: 0 },
    ...(saved.namespaces === undefined ? {} : { namespaces: saved.namespaces }),
  };
}

/** Nodes report every few minutes, and events come by all the time: without either the newest time may be long past. */
const timeGap = ({ takenAt }: Snapshot): Gap => ({
  what: 'the time of the dump',
  reason:
    takenAt === NO_TIME
      ? 'nothing in it has a time'
      : `without nodes and events in it, nothing says when it was taken; ${takenAt}, half a minute after the newest time in it, is taken for now`,
  hint: '--at TIME sets the time to judge by.',
});

function nothingRead(paths: readonly string[], [broken]: readonly Gap[]): PodlensError {
  const names = paths.map((path) => (path === '-' ? 'standard input' : `"${path}"`)).join(', ');
  const why = broken === undefined || paths.length > 1 ? '' : `: ${broken.reason}`;
  return new PodlensError('no-objects', `Nothing in ${names} is an object that podlens reads${why}.`, {
    hint: 'It reads what "kubectl get pods,events,nodes -A -o json", "kubectl cluster-info dump" or "podlens snapshot" write.',
  });
}

async function readStdin(reading: Reading): Promise<void> {
  const { stdin } = reading.options;
  if (stdin === undefined) throw new PodlensError('no-objects', 'There is no standard input to read.');
  await readObjects(reading, { name: 'standard input', path: '', bytes: buffers(stdin) });
}

async function* buffers(stream: NodeJS.ReadableStream): Bytes {
  for await (const chunk of stream) yield Buffer.from(chunk);
}

const OBJECTS = /\.(json|ya?ml)(\.gz)?$/i;

async function readFile(reading: Reading, file: DumpFile): Promise<void> {
  const log = logPlace(file.path);
  if (log !== undefined) {
    reading.logs.push({ file, name: log });
    return;
  }
  if (!file.asked && !OBJECTS.test(file.path) && !(await looksLikeObjects(file))) return;
  await readObjects(reading, { name: file.path, path: file.path, bytes: bytesOf(file, reading.options.signal) });
}

/** Files without an extension may hold anything: `kubectl get … > pods`, or a must-gather's `version`. */
async function looksLikeObjects(file: DumpFile): Promise<boolean> {
  if (/\.[^/\\]*$/.test(file.path)) return false;
  const start = await startOf(file).catch(() => '');
  return /^\s*\{\s*"(apiVersion|kind)"/.test(start) || /^(apiVersion|kind): /m.test(start);
}

interface Source {
  readonly name: string;
  readonly path: string;
  readonly bytes: Bytes;
}

async function readObjects(reading: Reading, { name, path, bytes }: Source): Promise<void> {
  const { handler, contents } = reading.inventory.file(placeOf(path));
  const objects = reader(handler);
  try {
    await feed(reading, objects, counted(reading, bytes));
  } catch (error) {
    contents.flaws.push({ why: whyUnread(reading, error) });
  }
  const said = contents.known === 0 ? errorOfKubectl(objects.firstLine()) : undefined;
  if (said !== undefined) contents.flaws.unshift({ why: `it begins with an error of kubectl: "${said}"` });
  report(reading, name, contents);
}

async function feed({ options }: Reading, reader: DumpReader, bytes: Bytes): Promise<void> {
  for await (const chunk of decoded(bytes)) {
    options.signal?.throwIfAborted();
    reader.push(chunk);
  }
  reader.end();
}

async function* counted(reading: Reading, bytes: Bytes): Bytes {
  reading.files++;
  for await (const chunk of bytes) {
    reading.bytes += chunk.length;
    yield chunk;
  }
}

/** Why a file could not be read to its end. What is not the file's fault goes on as it came. */
function whyUnread({ options }: Reading, error: unknown): string {
  if (options.signal?.aborted) throw error;
  if (error instanceof NotADump) return error.message;
  if (isFileError(error)) return reasonOf(error);
  throw error;
}

/** At most one line per file, and a gap where objects are missing. */
function report(reading: Reading, name: string, { known, foreign, flaws }: FileContents): void {
  const [first] = flaws;
  if (first === undefined && known > 0) return;
  const broken = first && (first.line === undefined ? first.why : `line ${first.line}: ${first.why}`);
  const why = broken ?? foreign?.why ?? 'it is empty';
  warn(reading, `${known > 0 ? 'Could read only a part of' : 'Skipped'} ${name}: ${why}.`);
  if (broken !== undefined || foreign?.isLoss) reading.gaps.push({ what: name, reason: why });
}

async function readLog(reading: Reading, file: DumpFile, name: LogName | 'sections'): Promise<void> {
  const { inventory, options } = reading;
  options.signal?.throwIfAborted();
  try {
    if (name === 'sections') {
      const bytes = counted(reading, bytesOf(file, options.signal));
      return await feed(reading, sectionsReader(inventory.log), bytes);
    }
    // A must-gather has an empty previous log for every container that never had a previous run.
    if (!inventory.wantsLog(name) || (name.previous && file.size === 0)) return;
    const { text, cut, bytes } = await tailOf(file, options.signal);
    reading.files++;
    reading.bytes += bytes;
    inventory.log(name, linesOfText(text, cut));
  } catch (error) {
    const reason = whyUnread(reading, error);
    warn(reading, `Skipped ${file.path}: ${reason}.`);
    reading.gaps.push({ what: file.path, reason });
  }
}

/** Names and messages come from the dump: no control character of theirs goes to a terminal. */
function warn({ options }: Reading, line: string): void {
  options.onWarning?.(line.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' '));
}
