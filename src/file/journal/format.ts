/**
 * The bytes of a redo journal. One header block, then records back to back; all numbers are little-endian.
 *
 *     header (at 0, one sector)         record (from 4096 on, each aligned to 8 bytes)
 *      0  magic "HYPSLAB\n"              0  magic "HsR1"
 *      8  version (u32)                  4  crc32 of bytes 8 to 48 (u32)
 *     12  crc32 of bytes 16 to 88 (u32)  8  epoch (u64)
 *     16  epoch (u64)                   16  seq (u64)
 *     24  first seq (u64)               24  durable seq: the highest known to be on disk when this was written (u64)
 *     32  inode of the array file (u64) 32  bytes of the body (f64)
 *     40  file id (48 bytes, ASCII)     40  crc32 of the body (u32)
 *                                       44  changes in the body (u32)
 *                                       48  body: for each change its table (f64: axes, itemsize, target offset,
 *                                           source offset, payload bytes; then length, target stride and source
 *                                           stride of each axis), then the payloads, each padded to 8 bytes
 *
 * Runs that follow no step (layout/places.ts) have -2 as the number of their axes; their payload begins with a double for
 * each, its place. An end of the file has -3, no axes, the end as its target offset, the one before as its source offset,
 * and as its itemsize 1 where it is provisional, else 0. Offsets, strides and lengths are doubles, which hold every size
 * that the service takes exactly. A new epoch makes all older records of the file void at once. Hazard: whatever is read
 * here may be torn or damaged; nothing is believed before its checksum.
 */
import { crc32 } from 'node:zlib';
import { LIMITS } from '../../limits.js';
import { isTurnOver, nextTurn, runTurns } from '../../turns.js';
import { isListed, listedPlaces, placesIn } from '../../layout/places.js';
import type { View } from '../../layout/view.js';
import { isEnding, type Change, type Ending, type Step } from '../change.js';

export const HEADER_BYTES = 512;
/** Records start in a block of their own, so that rewriting the header never touches one. */
export const RECORDS_START = 4096;
export const RECORD_HEAD_BYTES = 48;
export const RECORD_ALIGNMENT = 8;

const HEADER_MAGIC = Buffer.from('HYPSLAB\n');
const RECORD_MAGIC = 0x31527348;
/** Version 2 has runs that follow no step, version 3 ends of the file. */
const VERSION = 3;
const VERSIONS_READ: readonly number[] = [1, 2, VERSION];
/** The numbers of axes that say so. */
const LISTED_AXES = -2;
const ENDING_AXES = -3;
const FILE_ID_BYTES = 48;
const HEADER_END = 40 + FILE_ID_BYTES;
/** Numbers in the table of a change, before those of its axes. */
const CHANGE_NUMBERS = 5;
/** A checksum over this much takes about 2 ms; more is done in turns. */
const CRC_TURN_BYTES = 8 * 1024 * 1024;
/** The same for many small buffers: each costs as much as so many bytes. */
const CRC_PART_BYTES = 2 * 1024;
/** Changes that are encoded or decoded before the event loop gets a turn: about a millisecond. */
export const CHANGES_PER_TURN = 500;
/** Payloads up to this size are copied together. */
const COPIED_BYTES_MAX = 4 * 1024;

export interface JournalHeader {
  readonly epoch: bigint;
  readonly firstSeq: number;
  /** Inode of the array file. */
  readonly ino: bigint;
  readonly fileId: string;
}

export interface RecordHead {
  readonly epoch: bigint;
  readonly seq: number;
  readonly durableSeq: number;
  readonly bodyBytes: number;
  readonly bodyCrc: number;
  readonly changeCount: number;
}

export function encodeHeader({ epoch, firstSeq, ino, fileId }: JournalHeader): Buffer {
  const block = Buffer.alloc(HEADER_BYTES);
  HEADER_MAGIC.copy(block);
  block.writeUInt32LE(VERSION, 8);
  block.writeBigUInt64LE(epoch, 16);
  block.writeBigUInt64LE(BigInt(firstSeq), 24);
  block.writeBigUInt64LE(ino, 32);
  block.write(fileId, 40, FILE_ID_BYTES, 'ascii');
  block.writeUInt32LE(crc32(block.subarray(16, HEADER_END)), 12);
  return block;
}

/** Undefined where the block is not a header that was written whole. */
export function decodeHeader(block: Buffer): JournalHeader | undefined {
  const isHeader =
    block.byteLength >= HEADER_END &&
    block.subarray(0, 8).equals(HEADER_MAGIC) &&
    VERSIONS_READ.includes(block.readUInt32LE(8)) &&
    block.readUInt32LE(12) === crc32(block.subarray(16, HEADER_END));
  if (!isHeader) return undefined;
  const fileId = block.toString('ascii', 40, HEADER_END).replace(/\0+$/, '');
  return {
    epoch: block.readBigUInt64LE(16),
    firstSeq: Number(block.readBigUInt64LE(24)),
    ino: block.readBigUInt64LE(32),
    fileId,
  };
}

/** A record as the buffers to write one after the other; large payloads are not copied. */
export async function encodeRecord(
  { epoch, seq, durableSeq }: Pick<RecordHead, 'epoch' | 'seq' | 'durableSeq'>,
  changes: readonly Step[],
): Promise<Uint8Array[]> {
  const body = await runTurns(bodyOf(changes));
  const head = Buffer.alloc(RECORD_HEAD_BYTES);
  head.writeUInt32LE(RECORD_MAGIC, 0);
  head.writeBigUInt64LE(epoch, 8);
  head.writeBigUInt64LE(BigInt(seq), 16);
  head.writeBigUInt64LE(BigInt(durableSeq), 24);
  head.writeDoubleLE(byteLengthOf(body), 32);
  head.writeUInt32LE(await checksumOf(body), 40);
  head.writeUInt32LE(changes.length, 44);
  head.writeUInt32LE(crc32(head.subarray(8)), 4);
  return [head, ...body.filter(part => part.byteLength > 0)];
}

/** The head of a record of this epoch at the start of `bytes`, or undefined where there is none that is whole. */
export function decodeRecordHead(bytes: Buffer, at: number, epoch: bigint): RecordHead | undefined {
  const isHead =
    bytes.byteLength - at >= RECORD_HEAD_BYTES &&
    bytes.readUInt32LE(at) === RECORD_MAGIC &&
    bytes.readBigUInt64LE(at + 8) === epoch &&
    bytes.readUInt32LE(at + 4) === crc32(bytes.subarray(at + 8, at + RECORD_HEAD_BYTES));
  if (!isHead) return undefined;
  return {
    epoch,
    seq: Number(bytes.readBigUInt64LE(at + 16)),
    durableSeq: Number(bytes.readBigUInt64LE(at + 24)),
    bodyBytes: bytes.readDoubleLE(at + 32),
    bodyCrc: bytes.readUInt32LE(at + 40),
    changeCount: bytes.readUInt32LE(at + 44),
  };
}

/** The changes of a body whose checksum holds, in turns; undefined where it is too short for what it says of itself. */
export function* decodeBody(body: Buffer, changeCount: number): Generator<void, Step[] | undefined> {
  try {
    return yield* readBody(body, changeCount);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** @throws RangeError */
function* readBody(body: Buffer, changeCount: number): Generator<void, Step[]> {
  let at = 0;
  if (changeCount > body.byteLength) throw new RangeError('more changes than bytes');
  const number = (): number => {
    at += 8;
    return body.readDoubleLE(at - 8);
  };
  type Table = Omit<Change, 'bytes'> & { readonly payloadBytes: number; readonly hasPlaces: boolean };
  const tables: (Table | Ending)[] = [];
  for (let i = 0; i < changeCount; i++) {
    const [axes, itemsize, targetOffset, sourceOffset, payloadBytes] = Array.from({ length: CHANGE_NUMBERS }, number);
    if (axes === ENDING_AXES) {
      tables.push({ from: sourceOffset!, end: targetOffset!, ...(itemsize === 1 && { isProvisional: true }) });
      continue;
    }
    const hasPlaces = axes === LISTED_AXES;
    if (!hasPlaces && !(axes! >= 0 && axes! <= LIMITS.rankMax)) throw new RangeError('not the axes of an array');
    const column = (): number[] => Array.from({ length: Math.abs(axes!) }, number);
    const shape = column();
    const target = { shape, strides: column(), offset: targetOffset! };
    const source = { shape, strides: column(), offset: sourceOffset! };
    tables.push({ target, itemsize: itemsize!, source, payloadBytes: payloadBytes!, hasPlaces });
    if (isTurnOver(i, CHANGES_PER_TURN)) yield;
  }
  return tables.map(table => {
    if ('end' in table) return table;
    const { target, itemsize, source, payloadBytes, hasPlaces } = table;
    if (!(payloadBytes <= body.byteLength - at)) throw new RangeError('a payload that is not all there');
    const bytes = body.subarray(at, at + payloadBytes);
    at += payloadBytes + paddingOf(payloadBytes).byteLength;
    return hasPlaces ? listedChange(target, source, bytes) : { target, itemsize, source, bytes };
  });
}

/** @throws RangeError where the payload has fewer places than there are runs */
function listedChange({ shape: [runs = 0, runBytes = 0] }: View, source: View, payload: Buffer): Change {
  if (!Number.isSafeInteger(runs) || runs < 0 || 8 * runs > payload.byteLength) throw new RangeError('too few places');
  const places = new Float64Array(new SharedArrayBuffer(8 * runs));
  new Uint8Array(places.buffer).set(payload.subarray(0, 8 * runs));
  return { target: listedPlaces(places, runBytes), itemsize: 1, source, bytes: payload.subarray(8 * runs) };
}

/** What stands behind the tables for a change. */
function payloadOf(step: Step): Uint8Array[] {
  if (isEnding(step)) return [];
  const { target, bytes } = step;
  if (!isListed(target)) return [bytes];
  const { buffer, byteOffset, byteLength } = placesIn(target);
  return [new Uint8Array(buffer, byteOffset, byteLength), bytes];
}

function payloadBytesOf(change: Step): number {
  return byteLengthOf(payloadOf(change));
}

/** Bytes that the tables and payloads of a record take, for what must be known before it is made. */
export function recordBytes(changes: readonly Step[]): number {
  return changes.reduce(
    (sum, change) =>
      sum + 8 * numbersOf(change) + payloadBytesOf(change) + paddingOf(payloadBytesOf(change)).byteLength,
    RECORD_HEAD_BYTES,
  );
}

/** A CRC-32 over several buffers, in turns. */
export async function checksumOf(parts: readonly Uint8Array[]): Promise<number> {
  let checksum = 0;
  let sinceTurn = 0;
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; at += CRC_TURN_BYTES) {
      const slice = part.subarray(at, at + CRC_TURN_BYTES);
      checksum = crc32(slice, checksum);
      sinceTurn += slice.byteLength + CRC_PART_BYTES;
      if (sinceTurn < CRC_TURN_BYTES) continue;
      sinceTurn = 0;
      // oxlint-disable-next-line no-await-in-loop
      await nextTurn();
    }
  }
  return checksum;
}

/** The table, then the payloads, of which small ones are copied together: so many buffers cost more than their bytes. */
function* bodyOf(changes: readonly Step[]): Generator<void, Uint8Array[]> {
  const table = new Float64Array(changes.reduce((sum, change) => sum + numbersOf(change), 0));
  const parts: Uint8Array[] = [new Uint8Array(table.buffer)];
  let small: Uint8Array[] = [];
  for (let i = 0, at = 0; i < changes.length; i++) {
    at = writeTable(table, at, changes[i]!);
    const payload = payloadOf(changes[i]!);
    const padding = paddingOf(byteLengthOf(payload));
    if (byteLengthOf(payload) <= COPIED_BYTES_MAX) small.push(...payload, padding);
    else {
      parts.push(Buffer.concat(small), ...payload, padding);
      small = [];
    }
    if (!isTurnOver(i, CHANGES_PER_TURN)) continue;
    parts.push(Buffer.concat(small));
    small = [];
    yield;
  }
  parts.push(Buffer.concat(small));
  return parts;
}

function numbersOf(step: Step): number {
  return CHANGE_NUMBERS + (isEnding(step) ? 0 : 3 * step.target.shape.length);
}

/** Returns where the table goes on. */
function writeTable(table: Float64Array, at: number, change: Step): number {
  if (isEnding(change)) {
    table.set([ENDING_AXES, change.isProvisional ? 1 : 0, change.end, change.from, 0], at);
    return at + CHANGE_NUMBERS;
  }
  const { target, itemsize, source } = change;
  const { shape } = target;
  table[at++] = isListed(target) ? LISTED_AXES : shape.length;
  table[at++] = itemsize;
  table[at++] = target.offset;
  table[at++] = source.offset;
  table[at++] = payloadBytesOf(change);
  for (const column of [shape, target.strides, source.strides]) for (const each of column) table[at++] = each;
  return at;
}

function byteLengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.byteLength, 0);
}

const ZEROS = new Uint8Array(RECORD_ALIGNMENT);

function paddingOf(bytes: number): Uint8Array {
  return ZEROS.subarray(0, (RECORD_ALIGNMENT - (bytes % RECORD_ALIGNMENT)) % RECORD_ALIGNMENT);
}
