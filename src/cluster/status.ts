import { int, message, type Of, one, string } from '../objects/schema.ts';
import { PROTOBUF } from './decode.ts';
import { readMessage } from './protobuf.ts';
import { lengthTag, readEnd, readVarint, skip } from './protobuf-wire.ts';

/** meta/v1 Status: how the API server says that a request failed. */
const Status = message({
  /** After a 410, where the list may go on. */
  metadata: one(1, message({ continue: string(3) })),
  message: string(3),
  reason: string(4),
  code: int(6),
});
export type Status = Of<typeof Status>;

/** What the API server said in the body of a failed request; undefined where something else answered. */
export function readStatus(contentType: string, body: Buffer): Status | undefined {
  try {
    return contentType.startsWith(PROTOBUF) ? fromProtobuf(body) : fromJson(JSON.parse(body.toString('utf8')));
  } catch {
    return undefined;
  }
}

function fromJson(body: { readonly kind?: string } & Status): Status | undefined {
  return body.kind === 'Status'
    ? {
        ...(body.metadata?.continue ? { metadata: { continue: body.metadata.continue } } : {}),
        message: body.message ?? '',
        reason: body.reason ?? '',
        code: body.code ?? 0,
      }
    : undefined;
}

function fromProtobuf(body: Buffer): Status | undefined {
  const cursor = { bytes: body, at: 4 };
  while (cursor.at < body.length) {
    const tag = readVarint(cursor);
    if (tag !== lengthTag(2)) {
      skip(cursor, tag & 7);
      continue;
    }
    const end = readEnd(cursor);
    return { message: '', reason: '', code: 0, ...(readMessage(Status, body, cursor.at, end) as Status) };
  }
  return undefined;
}
