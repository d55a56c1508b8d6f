/**
 * Replaying a journal into its file, before anybody reads the file. The whole journal is looked at before the first
 * byte is written: either a prefix of what was committed is applied, up to a torn tail, or nothing and the file is
 * quarantined. Replaying twice is the same as once, so that a recovery may itself be cut at any point. Nobody waits for
 * the file to be on disk: until then the journal keeps its records.
 * Memory: one record at a time.
 */
import { constants } from 'node:fs';
import { isListed, placesIn, runBytesIn, type ListedView } from '../../layout/places.js';
import { extentOf, type View } from '../../layout/view.js';
import { LIMITS } from '../../limits.js';
import { isTurnOver, nextTurn, runTurns } from '../../turns.js';
import { costBytes, isEnding, type Step } from '../change.js';
import {
  closeDescriptor,
  openDescriptor,
  readFully,
  sizeOfDescriptor,
  syncData,
  truncateDescriptor,
  writeFully,
} from '../io.js';
import type { Gaps } from '../alter.js';
import { inOwnFolder } from '../own-folder.js';
import { failDamaged } from '../refusals.js';
import {
  CHANGES_PER_TURN,
  checksumOf,
  decodeBody,
  decodeHeader,
  decodeRecordHead,
  HEADER_BYTES,
  RECORD_ALIGNMENT,
  RECORD_HEAD_BYTES,
  RECORDS_START,
  type JournalHeader,
  type RecordHead,
} from './format.js';
import { Fitting } from './fitting.js';
import { Journal, type LiveBytes } from './journal.js';
import { JournalReader } from './reader.js';
import { Redo } from './redo.js';

export interface ArrayFile {
  readonly fileId: string;
  /** Open for writing. */
  readonly fd: number;
  readonly bytes: number;
  readonly ino: bigint;
  /** False: only the very inode that the journal was written for may be replayed into. */
  readonly isOurs: boolean;
  /** What may be done about the bytes between elements that are written. */
  readonly gaps?: Gaps;
  /** False where its header says another thing than when the journal was written. */
  readonly isSameArray?: () => boolean;
}

export interface Recovered {
  readonly journal: Journal;
  readonly replayedRecords: number;
  /** Where the records let the file end, where they move its end. */
  readonly end: number | undefined;
}

/** A record that counts, and where its body is. */
interface FoundRecord {
  readonly head: RecordHead;
  readonly bodyStart: number;
}

/**
 * Replays what a journal holds, and returns it: empty, or with records that are durable and stay until a checkpoint.
 * @throws quarantined where committed records are damaged, file_changed where the file is too short to take them
 */
export async function recoverJournal(path: string, file: ArrayFile, live?: LiveBytes): Promise<Recovered> {
  const fd = await inOwnFolder(() => openDescriptor(path, constants.O_RDWR | constants.O_NOFOLLOW));
  try {
    const fileBytes = await sizeOfDescriptor(fd);
    const header = await readHeader(fd, fileBytes, file.fileId);
    const reader = new JournalReader(fd, fileBytes);
    const records = await findRecords(reader, header);
    const nextSeq = header.firstSeq + records.length;
    const last = records.at(-1);
    if (!last) {
      const journal = new Journal(path, fd, header, { nextSeq, fileBytes }, live);
      // Though there is nothing to void: a header that an earlier run could not sync may be in memory alone.
      await journal.reset(file.ino, 'give back');
      return { journal, replayedRecords: 0, end: undefined };
    }
    checkFile(header, file);
    const end = last.bodyStart + last.head.bodyBytes;
    const { costBytes: replayBytes, end: fileEnd } = await replay(reader, records, file);
    await keepDurably(reader, records, end);
    const position = { nextSeq, fileBytes: end, recovered: { end, costBytes: replayBytes } };
    const journal = new Journal(path, fd, header, position, live);
    return { journal, replayedRecords: records.length, end: fileEnd };
  } catch (error) {
    await closeDescriptor(fd);
    throw error;
  }
}

/**
 * Looks a journal through, and changes nothing: how many records a replay would find. No service may have it.
 * @throws quarantined where committed records are damaged
 */
export async function recordsInJournal(path: string, fileId: string): Promise<number> {
  const fd = await openDescriptor(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const fileBytes = await sizeOfDescriptor(fd);
    const header = await readHeader(fd, fileBytes, fileId);
    return (await findRecords(new JournalReader(fd, fileBytes), header)).length;
  } finally {
    await closeDescriptor(fd);
  }
}

async function readHeader(fd: number, fileBytes: number, fileId: string): Promise<JournalHeader> {
  const block = Buffer.alloc(HEADER_BYTES);
  if (fileBytes < RECORDS_START) failDamaged('its journal is cut off in its header');
  await readFully(fd, block, 0);
  const header = decodeHeader(block) ?? failDamaged('the header of its journal is damaged');
  if (header.fileId !== fileId) failDamaged('its journal belongs to another file');
  return header;
}

/** Every record up to the first that is not whole. */
async function findRecords(reader: JournalReader, { epoch, firstSeq }: JournalHeader): Promise<FoundRecord[]> {
  const records: FoundRecord[] = [];
  const { fd, fileBytes } = reader;
  let end = RECORDS_START;
  for (let seq = firstSeq; end + RECORD_HEAD_BYTES <= fileBytes; seq++) {
    // oxlint-disable-next-line no-await-in-loop
    const head = decodeRecordHead(await reader.at(end, RECORD_HEAD_BYTES), 0, epoch);
    const bodyStart = end + RECORD_HEAD_BYTES;
    if (head?.seq !== seq || !isBodySize(head.bodyBytes, fileBytes - bodyStart)) break;
    const found = { head, bodyStart };
    // oxlint-disable-next-line no-await-in-loop
    if ((await checksumOf([await reader.at(bodyStart, head.bodyBytes)])) !== head.bodyCrc) break;
    records.push(found);
    // oxlint-disable-next-line no-await-in-loop
    if (isTurnOver(records.length, CHANGES_PER_TURN)) await nextTurn();
    end = bodyStart + head.bodyBytes;
  }
  await checkTail(fd, end, fileBytes, epoch, firstSeq + records.length);
  return records;
}

function isBodySize(bytes: number, room: number): boolean {
  return Number.isSafeInteger(bytes) && bytes >= 0 && bytes <= room && bytes % RECORD_ALIGNMENT === 0;
}

const SEARCH_BYTES = 1024 * 1024;
const MAGIC = Buffer.from('HsR1');

/**
 * What follows the last whole record was never acknowledged, unless a later record says that it was on disk.
 * @throws quarantined
 */
async function checkTail(fd: number, start: number, fileBytes: number, epoch: bigint, missing: number): Promise<void> {
  const block = Buffer.alloc(SEARCH_BYTES + RECORD_HEAD_BYTES);
  for (let from = start; from < fileBytes; from += SEARCH_BYTES) {
    const bytes = block.subarray(0, Math.min(block.byteLength, fileBytes - from));
    // oxlint-disable-next-line no-await-in-loop
    await readFully(fd, bytes, from);
    for (let at = bytes.indexOf(MAGIC); at !== -1; at = bytes.indexOf(MAGIC, at + 1)) {
      const later = at % RECORD_ALIGNMENT === 0 ? decodeRecordHead(bytes, at, epoch) : undefined;
      if (later && later.durableSeq >= missing) failDamaged(`record ${missing} of its journal is damaged`);
    }
  }
}

/** @throws quarantined */
function checkFile(header: JournalHeader, { ino, isOurs, isSameArray }: ArrayFile): void {
  if (!isOurs && header.ino !== ino) {
    failDamaged('another file took its place while its journal held committed writes');
  }
  if (isSameArray?.() === false) {
    failDamaged('another array was written over its file while its journal held committed writes');
  }
}

/** Returns what it cost, in bytes, and where the file ends by it. */
async function replay(
  reader: JournalReader,
  records: readonly FoundRecord[],
  file: ArrayFile,
): Promise<{ costBytes: number; end: number | undefined }> {
  const fitting = new Fitting(file.bytes);
  let cost = 0;
  for (const [i, record] of records.entries()) {
    // oxlint-disable-next-line no-await-in-loop
    for (const step of await readSteps(reader, record)) {
      fitting.take(step);
      cost += costBytes(isEnding(step) ? step : { ...step, gaps: file.gaps });
    }
    // oxlint-disable-next-line no-await-in-loop
    if (isTurnOver(i, CHANGES_PER_TURN)) await nextTurn();
  }
  fitting.check();
  const redo = new Redo(file.fd, file.gaps);
  let done = 0;
  for (const [i, record] of records.entries()) {
    // oxlint-disable-next-line no-await-in-loop
    const steps = await readSteps(reader, record);
    const ending = steps.find(isEnding);
    for (const step of steps) {
      // Where a later record stands, what was on its way arrived, or was cut off then.
      const isOver = isEnding(step) && step.isProvisional && i < records.length - 1;
      // oxlint-disable-next-line no-await-in-loop
      if (!isOver) await redo.do(step, ending);
      // oxlint-disable-next-line no-await-in-loop
      if (isTurnOver(done++, CHANGES_PER_TURN)) await nextTurn();
    }
  }
  await redo.writeHead();
  return { costBytes: cost, end: redo.end };
}

/**
 * What was applied must be there after a power cut, too. What no later record knew to be on disk may be in memory alone,
 * or have failed to get there: it is written once more. What follows the last record goes.
 */
async function keepDurably(
  { fd, fileBytes }: JournalReader,
  records: readonly FoundRecord[],
  end: number,
): Promise<void> {
  const durableSeq = records.reduce((highest, { head }) => Math.max(highest, head.durableSeq), 0);
  const unsure = records.find(({ head }) => head.seq > durableSeq);
  const bytes = Buffer.allocUnsafeSlow(LIMITS.pieceBytesMax);
  const from = unsure ? unsure.bodyStart - RECORD_HEAD_BYTES : end;
  for (let at = from; at < end; at += bytes.byteLength) {
    const piece = bytes.subarray(0, Math.min(bytes.byteLength, end - at));
    // oxlint-disable-next-line no-await-in-loop
    await readFully(fd, piece, at);
    // oxlint-disable-next-line no-await-in-loop
    await writeFully(fd, piece, at);
  }
  if (end < fileBytes) await truncateDescriptor(fd, end);
  await syncData(fd);
}

async function readSteps(reader: JournalReader, record: FoundRecord): Promise<Step[]> {
  const body = await reader.at(record.bodyStart, record.head.bodyBytes);
  const changes = await runTurns(decodeBody(body, record.head.changeCount));
  for (const [i, change] of (changes ?? [undefined]).entries()) {
    if (!change || !isPossible(change)) return failDamaged(`record ${record.head.seq} of its journal makes no sense`);
    // oxlint-disable-next-line no-await-in-loop
    if (isTurnOver(i, CHANGES_PER_TURN)) await nextTurn();
  }
  return changes!;
}

/** Checksums say that these are the bytes that were written, not that they were written by us. */
function isPossible(step: Step): boolean {
  if (isEnding(step)) return [step.from, step.end].every(position => Number.isSafeInteger(position) && position >= 0);
  const { target, itemsize, source, bytes } = step;
  const numbers = [itemsize, target.offset, source.offset, ...target.shape, ...target.strides, ...source.strides];
  if (!numbers.every(Number.isSafeInteger) || itemsize < 1 || target.shape.some(length => length < 0)) return false;
  if (target.shape.includes(0)) return true;
  if (isListed(target)) return arePossible(target, source, bytes);
  // Every element has a place of its own in the file, and one in the payload.
  if (target.shape.some((length, axis) => length > 1 && target.strides[axis] === 0)) return false;
  const from = extentOf(source, itemsize);
  return extentOf(target, itemsize).start >= 0 && from.start >= 0 && from.end <= bytes.byteLength;
}

/** Runs one after the other in the file, none over another, and as many in the payload. */
function arePossible(target: ListedView, source: View, bytes: Uint8Array): boolean {
  const places = placesIn(target);
  const runBytes = runBytesIn(target);
  let end = 0;
  for (const place of places) {
    if (!Number.isSafeInteger(place) || place < end) return false;
    end = place + runBytes;
  }
  return source.offset === 0 && bytes.byteLength === places.length * runBytes;
}
