import { ContainerState, ContainerStatus, Pod, PodCondition, PodStatus } from '../objects/pod-schema.ts';
import type { Message } from '../objects/schema.ts';
import { fieldAt, LENGTH, last, VARINT } from './protobuf-wire.ts';

/**
 * Whether the bytes are those of a pod whose status is that of an ordinary running one, so that it need not be read. It
 * says yes to some of what `isCertainlyHealthy` says yes to, and to nothing else: whatever it does not know is a no.
 */
export function runsForSure(bytes: Buffer, start: number, end: number): boolean {
  return each(POD, bytes, start, end) === (PHASE | IS_READY | SCHEDULED);
}

// The messages that are looked into.
const POD = 0;
const POD_STATUS = 1;
const CONDITION = 2;
const CONTAINER = 3;
const STATE = 4;
const EXIT = 5;

/** What all fields of a message say together, or NO as soon as one of them does. */
function each(message: number, bytes: Buffer, start: number, stop: number): number {
  let bits = 0;
  for (let at = start; at < stop; ) {
    at = fieldAt(bytes, at, stop);
    bits |= look(message, last.tag, bytes, last.from, at);
    if (bits & NO) return NO;
  }
  return bits;
}

/** What one field says: bits, or NO. */
function look(message: number, tag: number, bytes: Buffer, from: number, stop: number): number {
  switch (message) {
    case POD:
      return tag === STATUS ? each(POD_STATUS, bytes, from, stop) : 0;
    case POD_STATUS:
      return statusField(tag, bytes, from, stop);
    case CONDITION:
      return conditionField(tag, bytes, from, stop);
    case CONTAINER:
      return containerField(tag, bytes, from, stop);
    case STATE:
      return stateField(tag, bytes, from, stop);
    default:
      return exitField(tag, bytes, from);
  }
}

const NO = 1 << 30;
// Of a pod.
const PHASE = 2;
const IS_READY = 4;
const SCHEDULED = 8;
// Of a condition.
const TRUE = 16;
const KNOWN = 32;
// Of a container.
const READY = 64;
const RUNNING = 128;
const DONE = 256;
const NOT_STARTED = 512;

function tagOf(message: Message, name: string, wireType = LENGTH): number {
  const field = message.fields[name];
  if (field === undefined) throw new Error(`there is no field ${name}`);
  return (field.number << 3) | wireType;
}

const STATUS = tagOf(Pod, 'status');

const PHASE_NAME = tagOf(PodStatus, 'phase');
const CONDITIONS = tagOf(PodStatus, 'conditions');
const CONTAINERS = tagOf(PodStatus, 'containerStatuses');
const INIT = tagOf(PodStatus, 'initContainerStatuses');
const EPHEMERAL = tagOf(PodStatus, 'ephemeralContainerStatuses');
const TROUBLE = ['message', 'reason', 'nominatedNodeName', 'resize'].map((name) => tagOf(PodStatus, name));

function statusField(tag: number, bytes: Buffer, from: number, stop: number): number {
  if (tag === PHASE_NAME) return says(RUNNING_PHASE, bytes, from, stop) ? PHASE : NO;
  if (tag === CONDITIONS) {
    const bits = each(CONDITION, bytes, from, stop);
    return bits & NO || !(bits & TRUE) || !(bits & KNOWN) ? NO : bits & (IS_READY | SCHEDULED);
  }
  if (tag === CONTAINERS) return runs(each(CONTAINER, bytes, from, stop)) ? 0 : NO;
  if (tag === INIT) {
    const bits = each(CONTAINER, bytes, from, stop);
    return runs(bits) || bits & DONE ? 0 : NO;
  }
  return tag === EPHEMERAL || (stop > from && TROUBLE.includes(tag)) ? NO : 0;
}

const runs = (bits: number): boolean => (bits & (READY | RUNNING | NOT_STARTED | NO)) === (READY | RUNNING);

const TYPE = tagOf(PodCondition, 'type');
const CONDITION_STATUS = tagOf(PodCondition, 'status');
const RUNNING_PHASE = Buffer.from('Running');
const TRUE_STATUS = Buffer.from('True');
const TYPES = new Map([
  ['Ready', KNOWN | IS_READY],
  ['PodScheduled', KNOWN | SCHEDULED],
  ['Initialized', KNOWN],
  ['ContainersReady', KNOWN],
  ['PodReadyToStartContainers', KNOWN],
]);
/** They all differ in length. */
const typesByLength: { readonly text: Buffer; readonly bits: number }[] = [];
for (const [type, bits] of TYPES) typesByLength[type.length] = { text: Buffer.from(type), bits };

function conditionField(tag: number, bytes: Buffer, from: number, stop: number): number {
  if (tag === CONDITION_STATUS) return says(TRUE_STATUS, bytes, from, stop) ? TRUE : NO;
  if (tag !== TYPE) return 0;
  const type = typesByLength[stop - from];
  return type !== undefined && says(type.text, bytes, from, stop) ? type.bits : NO;
}

const STATE_FIELD = tagOf(ContainerStatus, 'state');
const LAST_STATE = tagOf(ContainerStatus, 'lastState');
const IS_READY_FIELD = tagOf(ContainerStatus, 'ready', VARINT);
const RESTARTS = tagOf(ContainerStatus, 'restartCount', VARINT);
const STARTED = tagOf(ContainerStatus, 'started', VARINT);
const DEVICES = tagOf(ContainerStatus, 'allocatedResourcesStatus');

function containerField(tag: number, bytes: Buffer, from: number, stop: number): number {
  if (tag === STATE_FIELD) return each(STATE, bytes, from, stop);
  if (tag === IS_READY_FIELD) return bytes[from] === 1 ? READY : 0;
  if (tag === RESTARTS) return bytes[from] === 0 ? 0 : NO;
  if (tag === STARTED) return bytes[from] === 1 ? 0 : NOT_STARTED;
  if (tag === LAST_STATE) return stop === from ? 0 : NO;
  return tag === DEVICES ? NO : 0;
}

const RUNNING_STATE = tagOf(ContainerState, 'running');
const TERMINATED = tagOf(ContainerState, 'terminated');

function stateField(tag: number, bytes: Buffer, from: number, stop: number): number {
  if (tag === RUNNING_STATE) return RUNNING;
  return tag === TERMINATED && each(EXIT, bytes, from, stop) === 0 ? DONE : NO;
}

// ContainerStateTerminated: { exitCode: 1, signal: 2 }
function exitField(tag: number, bytes: Buffer, from: number): number {
  if (tag !== ((1 << 3) | VARINT) && tag !== ((2 << 3) | VARINT)) return 0;
  return bytes[from] === 0 ? 0 : NO;
}

function says(text: Buffer, bytes: Buffer, from: number, stop: number): boolean {
  if (stop - from !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (text[i] !== bytes[from + i]) return false;
  return true;
}
