/**
 * The fields of Kubernetes' objects that podlens reads: one table per message, from which come the TypeScript types,
 * the JSON normaliser and the protobuf reader. What is not listed here never becomes an object.
 *
 * Field numbers are those of Kubernetes' published `generated.proto` files (core/v1, apps/v1, batch/v1, meta/v1, …).
 */

/** A scalar, as it is in JSON once it is normalised: times are ISO strings, quantities are strings. */
export type Scalar = 'string' | 'int' | 'bool' | 'time' | 'microTime' | 'quantity' | 'intOrString' | 'json';

/** A map with string keys. `keys` keeps the keys alone: every value becomes an empty string. */
export type MapType = 'strings' | 'quantities' | 'keys';

export interface Field<T = unknown> {
  readonly number: number;
  readonly type: Scalar | MapType | Message;
  readonly repeated: boolean;
  /** Whether the empty value ('', 0, false, {}) says more than the field's absence. */
  readonly keepsEmpty: boolean;
  /** A message that is seldom asked for: protobuf is read then, and not before. */
  readonly lazy?: true;
  /** Of a list of messages with an inlined one, only these; they all have some of the inlined fields. */
  readonly where?: (element: unknown) => boolean;
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
  <T>(type: Scalar | MapType, keepsEmpty: boolean) =>
  (number: number): Field<T> => ({ number, type, repeated: false, keepsEmpty });

export const string = scalar<string>('string', false);
export const int = scalar<number>('int', true);
export const bool = scalar<boolean>('bool', true);
/** RFC 3339 in UTC, to the second: "2026-11-21T02:00:00Z". */
export const time = scalar<string>('time', false);
/** RFC 3339 in UTC, to the microsecond: "2026-11-21T02:00:00.000000Z". */
export const microTime = scalar<string>('microTime', false);
export const quantity = scalar<string>('quantity', false);
export const intOrString = scalar<number | string>('intOrString', true);
export const json = scalar<unknown>('json', true);
export const strings = scalar<Readonly<Record<string, string>>>('strings', false);
export const quantities = scalar<Readonly<Record<string, string>>>('quantities', false);
export const keys = scalar<Readonly<Record<string, string>>>('keys', false);

/** A field whose empty value is left out: in Go no pointer, and `omitempty`. */
export const omitZero = <T>(field: Field<T>): Field<T> => ({ ...field, keepsEmpty: false });
/** A field whose empty value means something else than its absence. */
export const keepEmpty = <T>(field: Field<T>): Field<T> => ({ ...field, keepsEmpty: true });

/** A message whose presence alone says something, as that of `emptyDir: {}`: in Go a pointer. */
export const one = <F extends Fields>(number: number, type: Message<F>): Field<Of<Message<F>>> => ({
  number,
  type,
  repeated: false,
  keepsEmpty: true,
});

/** A message that is always there and says nothing while it is empty, such as `status`: in Go a struct, no pointer. */
export const part = <F extends Fields>(number: number, type: Message<F>): Field<Of<Message<F>>> =>
  omitZero(one(number, type));

/** A message of which most objects are never asked. It is there even if empty, since that shows only once it is read. */
export const lazily = <T>(field: Field<T>): Field<T> => ({ ...field, keepsEmpty: true, lazy: true });

export const list = <F extends Fields>(number: number, type: Message<F>): Field<readonly Of<Message<F>>[]> => ({
  number,
  type,
  repeated: true,
  keepsEmpty: false,
});

export const stringList = (number: number): Field<readonly string[]> => ({
  number,
  type: 'string',
  repeated: true,
  keepsEmpty: false,
});

/** A field whose own fields are written beside its siblings in JSON. */
export const inline = <F extends Fields>(number: number, message: Message<F>): Inlined<F> => ({ number, message });

export function message<F extends Fields>(fields: F): Message<F>;
export function message<F extends Fields, G extends Fields>(fields: F, inlined: Inlined<G>): Message<F & G>;
export function message(fields: Fields, inlined?: Inlined): Message {
  return inlined === undefined ? { fields } : { fields, inlined };
}

/** The message with some of its own fields. */
export const only = <F extends Fields, K extends keyof F & string>(
  whole: Message<F>,
  names: readonly K[],
): Message<Pick<F, K>> => ({
  fields: Object.fromEntries(
    Object.entries(whole.fields).filter(([name]) => (names as readonly string[]).includes(name)),
  ),
});
