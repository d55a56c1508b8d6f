/** A dataset: a layout over a file. Opening checks that the file still is what the record says. */
import path from 'node:path';
import { HyperslabError, isErrorCode, systemErrorCode } from '../errors.js';
import { withFolder } from '../file/folder.js';
import type { FileReference } from '../file/file-reference.js';
import type { FileTable } from '../file/file-table.js';
import { KIND_BYTES, kindOfHead, readHead, type Head, type HeadKind } from '../file/head.js';
import { countNoticed } from '../file/noticed.js';
import { closeDescriptor } from '../file/io.js';
import {
  failChanged,
  failForgotten,
  failHeader,
  failKind,
  failNoArray,
  failReplaced,
  failTruncated,
  failWritten,
} from '../file/refusals.js';
import { sameIdentity, type FileIdentity, type OpenFile } from '../file/open-file.js';
import { withPages } from '../file/private-file.js';
import { PrivatePages } from '../file/private-pages.js';
import { fromSystemError } from '../file/system-errors.js';
import { LIMITS } from '../limits.js';
import { nextTurn } from '../turns.js';
import { geometryOf, isCopyOnWrite, isWritable, type DatasetRecord, type Geometry } from './record.js';

export type DatasetState =
  'ready' | 'missing' | 'denied' | 'truncated' | 'changed' | 'bulk_load' | 'durability_unknown' | 'quarantined';

/** Compares the head of a .npy file with the record; the registry provides it, since formats stand above this room. */
export type HeaderCheck = (head: Uint8Array, record: DatasetRecord) => boolean;

/**
 * Takes on what the header of the file says now, so that the dataset is described and served by it from then on. True
 * where it is done; false where what stands there is no array, or not a whole one.
 */
export type Learn = (dataset: Dataset, file: OpenFile) => Promise<boolean>;

/** Whether a registration still stands. It outlives changes of its record; whoever holds an old record sees it too. */
export interface Registration {
  isForgotten: boolean;
  /** The file that was read or written last. Whoever reads another one is told so first. */
  seen?: FileIdentity | undefined;
  /** The dataset is taking on another header. */
  learning?: Promise<boolean> | undefined;
  /** Of mode c: what was written to it. */
  pages?: PrivatePages | undefined;
}

export class Dataset {
  readonly record: DatasetRecord;
  readonly geometry: Geometry;
  readonly files: FileTable;
  readonly registration: Registration;
  readonly reference: FileReference;
  readonly #learn: Learn | undefined;
  /** What was last found to mean what the record says, and in which file. */
  #head: Head | undefined;
  /** Of mode c: the file that was opened last, with what is private over it. */
  #seen: { readonly file: OpenFile; readonly asSeen: OpenFile } | undefined;

  constructor(
    record: DatasetRecord,
    files: FileTable,
    headerCheck: HeaderCheck,
    registration: Registration = { isForgotten: false },
    learn?: Learn,
  ) {
    this.record = record;
    this.registration = registration;
    this.geometry = geometryOf(record);
    this.files = files;
    this.#learn = learn;
    const { fileId, path: realPath, format, offset, external, content } = record;
    const npy = { bytes: offset, isIts: (head: Uint8Array) => headerCheck(head.subarray(0, offset), record) };
    const raw = { bytes: KIND_BYTES, isIts: (head: Uint8Array) => this.#isStillRaw({ bytes: head }) };
    // Nobody but the service writes the others, and what it writes is meant.
    const header = format === 'npy' ? npy : external && content !== undefined ? raw : undefined;
    this.reference = { fileId, realPath, writable: isWritable(record), registration, header };
    if (isCopyOnWrite(record)) registration.pages ??= new PrivatePages(files.privateMemory);
  }

  /**
   * Of mode c it moves with the file and with what is written in memory: the sum of two counters that only grow, of which
   * each change moves one.
   */
  get generation(): number {
    const { fileId, id } = this.record;
    const ofFile = this.files.generations.current(fileId);
    return this.pages ? ofFile + this.files.generations.current(id) : ofFile;
  }

  /** What was written to it, where that stays in memory. */
  get pages(): PrivatePages | undefined {
    return this.registration.pages;
  }

  /**
   * The file, if it is open and still is what was served last; otherwise `open` has to be awaited.
   * @throws file_changed, durability_unknown, bulk_load
   */
  opened(): OpenFile | undefined {
    const file = this.#openedFile();
    return file && this.#asSeen(file);
  }

  #openedFile(): OpenFile | undefined {
    if (this.registration.isForgotten) failForgotten();
    const file = this.files.get(this.reference);
    if (!file) return undefined;
    file.state.checkUsable();
    if (!this.#verify(file) || file.head !== this.#head || file.hasUnseenChange) return undefined;
    return file;
  }

  /**
   * Opens the file if need be. What was changed underneath is refused once, and served as it is from then on.
   * @throws file_changed, durability_unknown, bulk_load
   */
  async open(): Promise<OpenFile> {
    const already = this.opened();
    if (already) return already;
    const file = await this.#openPresent();
    const release = file.lease();
    try {
      await countNoticed(file, this.files.generations);
      const { seen } = this.registration;
      this.registration.seen = file.identity;
      if (!this.#accepts(file)) await this.#refuse(file);
      if (seen && !sameIdentity(seen, file.identity)) {
        // They were pages of the other one.
        this.pages?.clear();
        failReplaced();
      }
      // The newest: it must not be closed for another before the caller has leased it.
      this.files.get(this.reference);
      return this.#asSeen(file);
    } finally {
      release();
    }
  }

  #asSeen(file: OpenFile): OpenFile {
    if (!this.pages) return file;
    if (this.#seen?.file !== file) this.#seen = { file, asSeen: withPages(file, this.pages) };
    return this.#seen.asSeen;
  }

  /**
   * Asked again when bytes were taken, or before they are written: a file may get another meaning at any time. Where
   * another program wrote it since `changedMs`, the header may have been another one for a moment.
   * @throws file_changed
   */
  recheck(file: OpenFile, changedMs?: number): void {
    file.recheck();
    if (file.head !== this.#head && !this.#accepts(file)) failHeader();
    const isSame = changedMs === undefined || changedMs === file.stamp.ctimeMs;
    if (!isSame && this.record.format === 'npy' && !file.state.isWriting) failWritten();
  }

  /** Passes an error on. One that says that the file changed was told then, and the next call finds what is there now. */
  async learned(thrown: unknown): Promise<never> {
    if (isErrorCode(thrown, 'file_changed')) {
      try {
        await this.open();
      } catch {
        // What is there now cannot be served, or was just told.
      }
    }
    throw thrown;
  }

  /** What memory knows against the dataset, and `ready` where that is nothing. Asks no disk. */
  get knownState(): DatasetState {
    if (this.registration.isForgotten) return 'missing';
    const state = this.files.knownStateOf(this.record.fileId);
    if (state?.damage !== undefined) return 'quarantined';
    if (state?.durabilityUnknown) return 'durability_unknown';
    return state?.bulkLoading ? 'bulk_load' : 'ready';
  }

  /** Why the journal of the file cannot be replayed, where it cannot. */
  get damage(): string | undefined {
    return this.files.knownStateOf(this.record.fileId)?.damage;
  }

  /** How the file looks from outside, without opening it. */
  async state(): Promise<DatasetState> {
    const known = this.knownState;
    if (known !== 'ready') return known;
    try {
      const stats = await withFolder(path.dirname(this.record.path), folder =>
        folder.look(path.basename(this.record.path)),
      );
      if (!stats.isFile()) return 'missing';
      if (!(await this.#isStillIts())) return 'changed';
      return stats.size >= this.geometry.endBytes ? 'ready' : 'truncated';
    } catch (error) {
      if (systemErrorCode(error) === undefined && !(error instanceof HyperslabError)) throw error;
      return fromSystemError(error).code === 'file_denied' ? 'denied' : 'missing';
    }
  }

  /** Whether the header that stands at the path says what the record says. */
  async #isStillIts(): Promise<boolean> {
    const { header, realPath } = this.reference;
    if (!header) return true;
    const fd = await this.files.roots.open(realPath, false);
    try {
      return header.isIts(readHead(fd, header.bytes));
    } finally {
      await closeDescriptor(fd);
    }
  }

  /** Pages of the array and how many of them are in memory; null where the file is not mapped. */
  async residency(): Promise<{ pages: number; resident: number } | null> {
    const file = await this.open();
    const release = file.lease();
    try {
      const total = { pages: 0, resident: 0 };
      const { endBytes } = this.geometry;
      const stepBytes = 16 * LIMITS.spanBytesMax;
      for (let start = this.record.offset; start < endBytes; start += stepBytes) {
        const part = file.residency(start, Math.min(endBytes, start + stepBytes));
        if (!part) return null;
        total.pages += part.pages;
        total.resident += part.resident;
        // oxlint-disable-next-line no-await-in-loop
        await nextTurn();
      }
      return total;
    } finally {
      release();
    }
  }

  /** What stands at the path now, opened. */
  async #openPresent(): Promise<OpenFile> {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      const file = await this.files.open(this.reference).catch(failAsChange);
      file.state.checkUsable();
      if (this.#verify(file)) return file;
    }
  }

  /** False where another file has taken the place of this one. @throws file_changed */
  #verify(file: OpenFile): boolean {
    try {
      const bytes = file.verify(0);
      // Where the first bytes are others, so may be the size.
      if (bytes < this.geometry.endBytes && !this.#mayBeAnother(file)) failTruncated(bytes, this.geometry.endBytes);
      return true;
    } catch (error) {
      const reason = isErrorCode(error, 'file_changed') ? error.values['reason'] : undefined;
      // The next request opens whatever stands at the path by then.
      if (reason !== undefined && reason !== 'truncated') this.files.drop(this.record.fileId);
      if (reason === 'replaced') return false;
      throw error;
    }
  }

  #mayBeAnother(file: OpenFile): boolean {
    return this.record.format === 'npy' && file.head !== this.#head;
  }

  /** Whether the file begins as the record says; remembered until its first bytes are others. */
  #accepts(file: OpenFile): boolean {
    const { header } = this.reference;
    const head = file.headOf(header?.bytes ?? KIND_BYTES);
    if (this.record.format === 'raw') file.state.kind ??= this.#content ?? kindOfHead(head);
    if (!(this.record.format === 'npy' ? header!.isIts(head.bytes) : this.#isStillRaw(head))) return false;
    file.verify(this.geometry.endBytes);
    this.#head = head;
    return true;
  }

  /** What the file began as when it was registered, where others may have changed that since. */
  get #content(): HeadKind | undefined {
    return this.record.external ? this.record.content : undefined;
  }

  /** A raw file may begin with anything, but not become a container: its bytes would be taken for elements. */
  #isStillRaw(head: Head): boolean {
    const kind = kindOfHead(head);
    const state = this.files.knownStateOf(this.record.fileId);
    return kind === 'raw' || kind === this.#content || kind === state?.kind || state?.isWriting === true;
  }

  async #refuse(file: OpenFile): Promise<never> {
    if (this.record.format === 'raw') failKind(kindOfHead(file.headOf(KIND_BYTES)));
    const { registration } = this;
    registration.learning ??= (this.#learn?.(this, file) ?? Promise.resolve(false)).finally(() => {
      registration.learning = undefined;
    });
    return (await registration.learning) ? failHeader() : failNoArray();
  }
}

/** Another thing on the path is a change of the file for whoever has it registered. @throws file_changed */
function failAsChange(error: unknown): never {
  const isOtherThing =
    isErrorCode(error, 'not_a_regular_file') ||
    (isErrorCode(error, 'path_forbidden') && error.values['reason'] === 'replaced');
  if (!isOtherThing) throw error;
  return failChanged('replaced', 'No regular file stands at the path any more. Put it back, or forget the dataset.');
}
