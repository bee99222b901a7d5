import type { ApiKind } from '../../src/objects/kinds-schema.ts';
import { encodeMessage, lengthField } from '../../test/support/protobuf-encode.ts';
import type { SyntheticObject } from './cluster.ts';
import { tableOf } from './tables.ts';

const BLOCK = 64 << 20;

/** Pieces of bytes, one after the other in large blocks, so that a page is sent without copying it. */
class Pieces {
  private readonly blocks: Buffer[] = [];
  private block = Buffer.alloc(0);
  private used = 0;
  /** Block and end of every piece. */
  private readonly ends: number[] = [];
  private readonly blockOf: number[] = [];

  add(bytes: Buffer): void {
    if (this.used + bytes.length > this.block.length) {
      this.block = Buffer.allocUnsafeSlow(Math.max(BLOCK, bytes.length));
      this.blocks.push(this.block);
      this.used = 0;
    }
    bytes.copy(this.block, this.used);
    this.used += bytes.length;
    this.ends.push(this.used);
    this.blockOf.push(this.blocks.length - 1);
  }

  /** The pieces from `from` up to `to`, as few buffers. */
  slice(from: number, to: number): Buffer[] {
    const buffers: Buffer[] = [];
    for (let at = from; at < to; ) {
      const block = this.blockOf[at] ?? 0;
      let last = at;
      while (last + 1 < to && this.blockOf[last + 1] === block) last++;
      const isFirst = at === 0 || this.blockOf[at - 1] !== block;
      const start = isFirst ? 0 : (this.ends[at - 1] ?? 0);
      buffers.push((this.blocks[block] as Buffer).subarray(start, this.ends[last]));
      at = last + 1;
    }
    return buffers;
  }
}

/** One kind's objects as they go over the wire, in every form that clients ask for. */
export interface Stored {
  readonly count: number;
  /** With the comma behind them. */
  readonly json: Pieces;
  readonly protobuf: Pieces;
  /** Rows of a table, with the comma behind them. */
  readonly rows: Pieces;
}

export function store(kind: ApiKind, objects: Iterable<SyntheticObject>): Stored {
  const json = new Pieces();
  const protobuf = new Pieces();
  const rows = new Pieces();
  const table = tableOf(kind);
  const asRows = kind === 'Secret' || kind === 'ConfigMap';
  let count = 0;
  for (const object of objects) {
    count++;
    json.add(Buffer.from(`${JSON.stringify(object)},`));
    protobuf.add(lengthField(2, encodeMessage(table, object)));
    if (asRows) rows.add(Buffer.from(`${JSON.stringify(rowOf(kind, object))},`));
  }
  return { count, json, protobuf, rows };
}

function rowOf(kind: ApiKind, { metadata, type }: SyntheticObject) {
  const cells = kind === 'Secret' ? [metadata.name, type, 1, '1d'] : [metadata.name, 1, '1d'];
  return { cells, object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata } };
}
