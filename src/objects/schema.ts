/**
 * The fields of Kubernetes' objects that podlens reads: one table per message, from which come the TypeScript types,
 * the JSON normaliser and the protobuf reader. What is not listed here never becomes an object.
 *
 * Field numbers are those of Kubernetes' published `generated.proto` files (core/v1, apps/v1, batch/v1, meta/v1, …).
 */

/** A scalar, as it is in JSON once it is normalised: times are ISO strings, quantities are strings. */
export type Scalar = 'string' | 'int' | 'bool' | 'time' | 'quantity' | 'intOrString' | 'json';

/** A map with string keys. `keys` keeps the keys alone: every value becomes an empty string. */
export type MapType = 'strings' | 'quantities' | 'keys';

export interface Field<T = unknown> {
  readonly number: number;
  readonly type: Scalar | MapType | Message;
  readonly repeated: boolean;
  /** Only for the compiler: the type of the normalised value. */
  readonly is?: T;
}

export type Fields = Readonly<Record<string, Field>>;

export interface Message<F extends Fields = Fields> {
  /** The message's own fields. */
  readonly fields: Fields;
  /** A message that is nested on the wire and whose fields stand beside the own ones in JSON (an embedded Go struct). */
  readonly inlined?: Inlined;
  /** Only for the compiler: own and inlined fields. */
  readonly all?: F;
}

interface Inlined<F extends Fields = Fields> {
  readonly number: number;
  readonly message: Message<F>;
}

/** The normalised object that a message describes. Every field may be absent. */
export type Of<M> =
  M extends Message<infer F> ? { readonly [K in keyof F]?: F[K] extends Field<infer T> ? T : never } : never;

const scalar =
  <T>(type: Scalar | MapType) =>
  (number: number): Field<T> => ({ number, type, repeated: false });

export const string = scalar<string>('string');
export const int = scalar<number>('int');
export const bool = scalar<boolean>('bool');
/** RFC 3339; a MicroTime keeps its fraction. */
export const time = scalar<string>('time');
export const quantity = scalar<string>('quantity');
export const intOrString = scalar<number | string>('intOrString');
export const json = scalar<unknown>('json');
export const strings = scalar<Readonly<Record<string, string>>>('strings');
export const quantities = scalar<Readonly<Record<string, string>>>('quantities');
export const keys = scalar<Readonly<Record<string, string>>>('keys');

export const one = <F extends Fields>(number: number, type: Message<F>): Field<Of<Message<F>>> => ({
  number,
  type,
  repeated: false,
});

export const list = <F extends Fields>(number: number, type: Message<F>): Field<readonly Of<Message<F>>[]> => ({
  number,
  type,
  repeated: true,
});

export const stringList = (number: number): Field<readonly string[]> => ({
  number,
  type: 'string',
  repeated: true,
});

/** A field whose own fields are written beside its siblings in JSON. */
export const inline = <F extends Fields>(number: number, message: Message<F>): Inlined<F> => ({ number, message });

export function message<F extends Fields>(fields: F): Message<F>;
export function message<F extends Fields, G extends Fields>(fields: F, inlined: Inlined<G>): Message<F & G>;
export function message(fields: Fields, inlined?: Inlined): Message {
  return inlined === undefined ? { fields } : { fields, inlined };
}
