import type { Ref } from '../finding.ts';

interface Identified {
  readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly uid?: string };
}

/** A reference to an object, without its uid: names are what people type. */
export function refTo(kind: string, object: Identified, container?: string): Ref {
  const { name = '', namespace } = object.metadata ?? {};
  const ref: Ref = namespace === undefined ? { kind, name } : { kind, namespace, name };
  return container === undefined ? ref : { ...ref, container };
}

/** The object a reference points at, whichever container it names: for comparing. */
export const objectKey = (ref: Ref): string => `${ref.kind}/${ref.namespace ?? ''}/${ref.name}`;

export const refKey = (ref: Ref): string => `${objectKey(ref)}/${ref.container ?? ''}`;

/** As kubectl writes it: "deployment/web", and with its namespace "shop/deployment/web". */
export const shortName = (ref: Ref): string => `${ref.kind.toLowerCase()}/${ref.name}`;
