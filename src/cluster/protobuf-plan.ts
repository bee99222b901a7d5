import type { Field, Message } from '../objects/schema.ts';
import { newRepeats, type Repeats } from './protobuf-repeats.ts';
import { LENGTH, VARINT } from './protobuf-wire.ts';

/** What to do with one field number of a message. */
export interface Step {
  readonly name: string;
  readonly field: Field;
  /** The field's tag on the wire. */
  readonly tag: number;
  readonly plan: Plan | undefined;
  /** A message, a list or a map. */
  readonly isCompound: boolean;
  /** The message's fields go into the object around it. */
  readonly inlined: boolean;
  /** Worth looking up: the same bytes come again and again. */
  readonly shared: boolean;
  /** Hardly ever the same string twice. */
  readonly unique: boolean;
  readonly repeats: Repeats;
}

/** How to read a message: a schema table, made ready for the fields as they come on the wire. */
export interface Plan {
  /** By field number. */
  readonly steps: readonly (Step | undefined)[];
}

const plans = new WeakMap<Message, Plan>();

export function planOf(message: Message): Plan {
  const known = plans.get(message);
  if (known !== undefined) return known;
  const steps: (Step | undefined)[] = [];
  for (const [name, field] of Object.entries(message.fields)) {
    steps[field.number] = stepOf(name, field, message);
  }
  if (message.inlined !== undefined) {
    const { number, message: inner } = message.inlined;
    steps[number] = {
      ...stepOf('', { number, type: inner, repeated: false, keepsEmpty: true }, message),
      inlined: true,
    };
  }
  for (let number = 0; number < steps.length; number++) steps[number] ??= undefined; // no holes: V8 reads them faster
  const plan: Plan = { steps };
  plans.set(message, plan);
  return plan;
}

function stepOf(name: string, field: Field, within: Message): Step {
  const { type, number, repeated } = field;
  const isMessage = typeof type === 'object';
  return {
    name,
    field,
    tag: (number << 3) | (type === 'int' || type === 'bool' ? VARINT : LENGTH),
    plan: isMessage ? planOf(type) : undefined,
    isCompound: isMessage || repeated || isMap(type),
    inlined: false,
    shared: isMessage ? isSteady(type) : repeated || isMap(type),
    unique:
      name === 'uid' || name === 'resourceVersion' || name === 'message' || (name === 'name' && 'uid' in within.fields),
    repeats: newRepeats(),
  };
}

const isMap = (type: Field['type']): boolean => type === 'strings' || type === 'quantities' || type === 'keys';

/** Nothing in it says when: what replicas have in common. */
const isSteady = ({ fields, inlined }: Message): boolean =>
  Object.values(fields).every(({ type }) =>
    typeof type === 'object' ? isSteady(type) : type !== 'time' && type !== 'microTime',
  ) &&
  (inlined === undefined || isSteady(inlined.message));
