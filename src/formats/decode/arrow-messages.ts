/**
 * The messages of a stream of Arrow, and of a file, which is a stream with a footer: a schema, then dictionaries and batches
 * of rows. Hazard: every number in them comes from anybody, and none is believed before it fits the bytes that are there.
 */
import { fail, HyperslabError } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import type { BodySource } from './decoder.js';
import { FlatTable } from './flat-table.js';
import { failType } from './arrow-schema.js';

/** Numbers of MessageHeader. */
export const SCHEMA = 1;
export const DICTIONARY = 2;
export const BATCH = 3;

const CONTINUED = 0xffffffff;
const FILE_MAGIC = 'ARROW1';

export interface Message {
  readonly type: number;
  readonly header: FlatTable;
  /** Where its body begins in the source, and where the next message does. */
  readonly body: number;
  readonly bodyBytes: number;
  readonly next: number;
}

/** Where the first message begins; undefined while that is not known. */
export function firstMessage(source: BodySource): number | undefined {
  if (source.size < 8) {
    if (source.isWhole) failArrow(`it has ${source.size} bytes, and no schema`);
    return undefined;
  }
  return Buffer.from(source.read(0, 6)).toString('latin1') === FILE_MAGIC ? 8 : 0;
}

/** The message at a place; undefined while not all of it has come, 'end' behind the last. @throws bad_table, too_large */
export function messageAt(source: BodySource, at: number): Message | 'end' | undefined {
  const { size, isWhole } = source;
  if (at === size && isWhole) return 'end';
  const cut = (): undefined => (isWhole ? failArrow(`it ends inside the message at byte ${at}`) : undefined);
  if (at + 8 > size) return isWhole && at + 4 === size && wordAt(source, at) === 0 ? 'end' : cut();
  // Before Arrow 0.15 no mark stood before the length.
  const isMarked = wordAt(source, at) === CONTINUED;
  const start = isMarked ? at + 8 : at + 4;
  const length = wordAt(source, start - 4);
  if (length === 0) return 'end';
  if (length > LIMITS.arrowMessageBytesMax) {
    if (!isMarked) failArrow(`no message begins at byte ${at}`);
    fail(
      'too_large',
      `The message at byte ${at} is described by ${length} bytes; at most ${LIMITS.arrowMessageBytesMax} are read. Send fewer columns.`,
      { limit: LIMITS.arrowMessageBytesMax, asked: length },
    );
  }
  if (start + length > size) return cut();
  return checked(at, () => {
    const root = FlatTable.root(source.read(start, length).slice());
    const bodyBytes = root.long(3);
    const body = start + length;
    const header = root.table(2);
    if (!header || bodyBytes < 0) return failArrow(`the message at byte ${at} says nothing`);
    if (body + bodyBytes > size) return cut();
    return { type: root.byte(1), header, body, bodyBytes, next: body + bodyBytes };
  });
}

function wordAt(source: BodySource, at: number): number {
  const word = source.read(at, 4);
  return new DataView(word.buffer, word.byteOffset, 4).getUint32(0, true);
}

/** Rows of columns, as places in the source. */
export interface Batch {
  readonly rows: number;
  /** Of each field, from the outermost inwards: its length, and how many of them are null. */
  readonly nodes: Float64Array;
  /** Of each: where it begins, and its bytes. */
  readonly buffers: Float64Array;
  /** For each field of views, how many buffers of text it has. */
  readonly variadic: Float64Array;
}

/** @throws bad_table, unsupported_dtype */
export function readBatch(header: FlatTable, { body, bodyBytes }: Message): Batch {
  return checked(body, () => {
    if (header.has(3)) {
      failType('', 'compressed', 'Write it without compression: pyarrow.ipc.IpcWriteOptions(compression=None)');
    }
    const buffers = header.longs(2, 2);
    for (let i = 0; i < buffers.length; i += 2) {
      const [start, bytes] = [buffers[i]!, buffers[i + 1]!];
      if (start < 0 || bytes < 0 || start + bytes > bodyBytes)
        failArrow(`a buffer lies beyond its message, which is at byte ${body}`);
      buffers[i] = body + start;
    }
    const rows = header.long(0);
    if (rows < 0) failArrow(`a batch has ${rows} rows`);
    return { rows, nodes: header.longs(1, 2), buffers, variadic: header.longs(4) };
  });
}

/** What is read beyond the end of a message is no message. */
export function checked<T>(at: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof HyperslabError || !(error instanceof RangeError)) throw error;
    return failArrow(`the message at byte ${at} cannot be read`);
  }
}

/** @throws bad_table */
export function failArrow(why: string): never {
  return fail('bad_table', `The body is no stream of Arrow: ${why}. Send what pyarrow.ipc.new_stream writes.`);
}
