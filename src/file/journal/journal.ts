/**
 * The redo journal of one file: records are appended, made durable together, and voided by a new epoch when the array
 * file itself is on disk. Hazard: the order of these steps is the promise; see commit.ts and checkpoint.ts.
 * Memory: nothing beyond the changes it is given.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { invariant } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { publishNow, stageFile } from '../atomic.js';
import { costBytes, type Step } from '../change.js';
import { closeDescriptor, openDescriptor, syncData, truncateDescriptor, writeFully, writePartsFully } from '../io.js';
import {
  encodeHeader,
  encodeRecord,
  recordBytes,
  RECORD_HEAD_BYTES,
  RECORDS_START,
  type JournalHeader,
} from './format.js';

/** Where a journal goes on. */
export interface JournalPosition {
  readonly nextSeq: number;
  /** How long its file is. */
  readonly fileBytes: number;
  /** Where its records end, and what they cost: they were applied by a recovery, and stay until the file is on disk. */
  readonly recovered?: { readonly end: number; readonly costBytes: number };
}

/** What recoveries would have to do: a running sum over journals. */
export interface LiveBytes {
  /** Bytes of records to read. */
  bytes: number;
  /** What it costs to apply them, in bytes. */
  costBytes: number;
}

export class Journal {
  readonly path: string;
  readonly #fd: number;
  readonly #live: LiveBytes;
  #header: JournalHeader;
  /** Where the next record goes. */
  #end = RECORDS_START;
  /** Bytes of the file: what lies behind `#end` is room that is held already. */
  #fileBytes: number;
  #nextSeq: number;
  #replayBytes = 0;
  #isClosed = false;
  #isRecovered = false;
  /** The highest sequence number that is known to be on disk. */
  #durableSeq: number;

  constructor(
    path: string,
    fd: number,
    header: JournalHeader,
    { nextSeq, fileBytes, recovered }: JournalPosition,
    live: LiveBytes = { bytes: 0, costBytes: 0 },
  ) {
    this.path = path;
    this.#fd = fd;
    this.#live = live;
    this.#header = header;
    this.#fileBytes = fileBytes;
    this.#nextSeq = nextSeq;
    this.#durableSeq = nextSeq - 1;
    if (!recovered) return;
    this.#moveEnd(recovered.end);
    this.#moveCost(recovered.costBytes);
    this.#isRecovered = true;
  }

  /** Makes the journal of a file; its name appears when it is whole and on disk. @throws ENOSPC */
  static async create(path: string, fileId: string, ino: bigint, live?: LiveBytes): Promise<Journal> {
    const header: JournalHeader = { epoch: newEpoch(), firstSeq: 1, ino, fileId };
    const block = Buffer.alloc(RECORDS_START);
    encodeHeader(header).copy(block);
    await publishNow(stageFile(path, fd => writeFully(fd, block, 0)));
    const fd = await openDescriptor(path, 'r+');
    return new Journal(path, fd, header, { nextSeq: 1, fileBytes: RECORDS_START }, live);
  }

  get isEmpty(): boolean {
    return this.#end === RECORDS_START;
  }

  /** It holds what an earlier run committed: it has to be reset before anything is appended. */
  get isRecovered(): boolean {
    return this.#isRecovered;
  }

  /** Bytes of records that a recovery would have to read. */
  get liveBytes(): number {
    return this.#end - RECORDS_START;
  }

  /** Bytes of the file that a recovery would have to write: a fill is a few bytes in the journal. */
  get replayBytes(): number {
    return this.#replayBytes;
  }

  /** Makes sure that the header names the inode that the next records are for: the file may have been replaced. */
  async belongTo(ino: bigint): Promise<void> {
    if (this.#header.ino === ino) return;
    invariant(this.isEmpty, 'a journal is emptied before another file takes the place of its own');
    await this.reset(ino, 'keep');
  }

  /**
   * Appends one record for each list of changes. They count when `sync` has returned. Room is held before the first
   * byte of a record is written, so that a full disk leaves no record behind. @throws ENOSPC with nothing appended
   */
  async append(records: readonly (readonly Step[])[]): Promise<void> {
    invariant(!this.#isClosed, 'a journal that was closed is not written');
    invariant(!this.#isRecovered, 'nothing is appended behind what was recovered');
    const bytes = records.reduce((sum, changes) => sum + recordBytes(changes), 0);
    await this.#holdRoom(this.#end + bytes);
    const { epoch } = this.#header;
    const parts: Uint8Array[] = [];
    for (const [i, changes] of records.entries()) {
      const place = { epoch, seq: this.#nextSeq + i, durableSeq: this.#durableSeq };
      // oxlint-disable-next-line no-await-in-loop
      parts.push(...(await encodeRecord(place, changes)));
    }
    try {
      await writePartsFully(this.#fd, parts, this.#end);
    } catch (error) {
      await this.#voidHeads(records);
      throw error;
    }
    this.#moveEnd(this.#end + bytes);
    this.#moveCost(records.flat().reduce((sum, change) => sum + costBytes(change), this.#replayBytes));
    this.#nextSeq += records.length;
  }

  /** The commit point of everything appended before. */
  async sync(): Promise<void> {
    const appended = this.#nextSeq - 1;
    await syncData(this.#fd);
    this.#durableSeq = appended;
  }

  /**
   * Voids all records, durably. The array file must be on disk already. The room is kept for the records to come, or
   * given back.
   */
  async reset(ino: bigint, room: 'keep' | 'give back'): Promise<void> {
    invariant(!this.#isClosed, 'a journal that was closed is not written');
    const header = { ...this.#header, epoch: newEpoch(), firstSeq: this.#nextSeq, ino };
    await writeFully(this.#fd, encodeHeader(header), 0);
    if (room === 'give back' && this.#fileBytes > RECORDS_START) {
      await truncateDescriptor(this.#fd, RECORDS_START);
      this.#fileBytes = RECORDS_START;
    }
    await syncData(this.#fd);
    this.#header = header;
    this.#moveEnd(RECORDS_START);
    this.#moveCost(0);
    this.#isRecovered = false;
    this.#durableSeq = this.#nextSeq - 1;
  }

  async close(): Promise<void> {
    // A number that is closed twice may be somebody else's by then.
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#live.bytes -= this.liveBytes;
    this.#moveCost(0);
    await closeDescriptor(this.#fd);
  }

  #moveEnd(end: number): void {
    this.#live.bytes += end - this.#end;
    this.#end = end;
  }

  #moveCost(costBytes: number): void {
    this.#live.costBytes += costBytes - this.#replayBytes;
    this.#replayBytes = costBytes;
  }

  /** Closes and deletes. Only an empty journal, or one whose array is deleted: a crash may bring the file back. */
  async remove(): Promise<void> {
    await this.close();
    await fs.rm(this.path, { force: true });
  }

  /**
   * What was refused must not come back with a recovery, behind a later record of the same length. Where even that
   * fails, the file is given up.
   */
  async #voidHeads(records: readonly (readonly Step[])[]): Promise<void> {
    const head = new Uint8Array(RECORD_HEAD_BYTES);
    let at = this.#end;
    for (const changes of records) {
      // oxlint-disable-next-line no-await-in-loop
      await writeFully(this.#fd, head, at);
      at += recordBytes(changes);
    }
  }

  /** Makes the file long enough, with real blocks: some more than asked, so that few syncs have to record a new size. */
  async #holdRoom(end: number): Promise<void> {
    if (end <= this.#fileBytes) return;
    const grown = Math.min(2 * this.#fileBytes, this.#fileBytes + LIMITS.journalStepBytesMax);
    const wanted = Math.max(end, grown);
    try {
      await this.#appendZeros(wanted).catch(error => {
        if (wanted === end) throw error;
        return this.#appendZeros(end);
      });
    } catch (error) {
      // Half a reservation is of no use, and others may need the room.
      await truncateDescriptor(this.#fd, this.#fileBytes).catch(() => undefined);
      throw error;
    }
  }

  async #appendZeros(end: number): Promise<void> {
    for (let at = this.#fileBytes; at < end; at += ZEROS.byteLength) {
      // oxlint-disable-next-line no-await-in-loop
      await writeFully(this.#fd, ZEROS.subarray(0, Math.min(ZEROS.byteLength, end - at)), at);
    }
    this.#fileBytes = end;
  }
}

const ZEROS = new Uint8Array(LIMITS.journalStepBytesMax);

/** Random, so that records which an earlier owner of the blocks left behind never fit. */
export function newEpoch(): bigint {
  return randomBytes(8).readBigUInt64LE();
}
