/** A dataset: a layout over a file. Opening checks that the file still is what the record says. */
import type { Stats } from 'node:fs';
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
  failCutOff,
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
import type { Extent } from '../layout/runs.js';
import { LIMITS } from '../limits.js';
import { sameShape, sizeOf } from '../layout/view.js';
import { nextTurn } from '../turns.js';
import { geometryOf, isCopyOnWrite, isWritable, type DatasetRecord, type Geometry } from './record.js';

export type DatasetState =
  'ready' | 'missing' | 'denied' | 'truncated' | 'changed' | 'bulk_load' | 'durability_unknown' | 'quarantined';

/**
 * Compares what a file says of its array with the record; the registry provides it, since formats stand above this room.
 * The head of a file is in memory and looked at between two steps; the index of a container may stand anywhere in it.
 */
export interface ContentCheck {
  /**
   * The shape that the head gives the array, where all but the length of the axis that grows is as in the record; undefined
   * where it is another array.
   */
  readonly head: (head: Uint8Array, record: DatasetRecord) => readonly number[] | undefined;
  readonly member: (fd: number, record: DatasetRecord) => Promise<boolean>;
}

/** What the registry does for a dataset whose file says another thing than its record. */
export interface Upkeep {
  /**
   * Takes on what the file says now, so that the dataset is described and served by it from then on. True where it is
   * done; false where what stands there is no array, or not a whole one.
   */
  readonly learn: (dataset: Dataset, file: OpenFile) => Promise<boolean>;
  /** Gives the dataset, and those that grow with it, the shape that its file has got. */
  readonly lengthen: (dataset: Dataset, shape: readonly number[]) => void;
  /** Writes the shape down, where the file does not say it. */
  readonly saveShape: (dataset: Dataset, shape: readonly number[]) => Promise<void>;
}

/** The array has another length than when the call looked at it: it has to look again. */
export class LengthMoved extends HyperslabError {
  constructor(shape: readonly number[]) {
    super(
      'moved',
      `The array has changed its length while the request was read; it has the shape [${shape.join(', ')}] now. Repeat the request.`,
      { shape },
    );
  }
}

/** Whether a registration still stands. It outlives changes of its record; whoever holds an old record sees it too. */
export interface Registration {
  isForgotten: boolean;
  /** The file that was read or written last. Whoever reads another one is told so first. */
  seen?: FileIdentity | undefined;
  /** The dataset is taking on another header. */
  learning?: Promise<boolean> | undefined;
  /** How often the service has changed the length of the array, and the shape that it has now. */
  growths?: number;
  shape?: readonly number[];
  /** Of mode c: what was written to it. */
  pages?: PrivatePages | undefined;
}

/** How often the index of a container is read that another program writes meanwhile. */
const INDEX_TRIES_MAX = 4;

export class Dataset {
  readonly record: DatasetRecord;
  readonly geometry: Geometry;
  readonly files: FileTable;
  readonly registration: Registration;
  readonly reference: FileReference;
  readonly #check: ContentCheck;
  readonly #upkeep: Upkeep | undefined;
  /** Changes of the length, and cuts of the file, that this has seen. */
  readonly #growths: number;
  readonly #cuts: number;
  /** What was last found to mean what the record says, and in which file. */
  #head: Head | undefined;
  /** The same of a member: the file, and how often it had changed, when its index was read; not while it was young. */
  #indexed: { readonly file: OpenFile; readonly changes: number; readonly isYoung: boolean } | undefined;
  /** Of mode c: the file that was opened last, with what is private over it. */
  #seen: { readonly file: OpenFile; readonly asSeen: OpenFile } | undefined;

  constructor(
    record: DatasetRecord,
    files: FileTable,
    check: ContentCheck,
    registration: Registration = { isForgotten: false },
    upkeep?: Upkeep,
  ) {
    this.record = record;
    this.registration = registration;
    this.geometry = geometryOf(record);
    this.files = files;
    this.#upkeep = upkeep;
    this.#check = check;
    this.#growths = registration.growths ?? 0;
    const { fileId, path: realPath, format, offset, external, content } = record;
    this.#cuts = files.knownStateOf(fileId)?.cuts.count ?? 0;
    const npy = { bytes: offset, isIts: (head: Uint8Array) => this.#shapeOf(head) !== undefined };
    // As much of the index as is compared before a journal is replayed.
    const tensors = { ...npy, bytes: Math.min(offset, LIMITS.npyHeaderBytesMax) };
    const raw = { bytes: KIND_BYTES, isIts: (head: Uint8Array) => this.#isStillRaw({ bytes: head }) };
    // Nobody but the service writes the others, and what it writes is meant.
    const byFormat = {
      npy,
      safetensors: tensors,
      npz: undefined,
      raw: external && content !== undefined ? raw : undefined,
    };
    const header = byFormat[format];
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
    if (this.hasMoved) return undefined;
    if (!this.#verify(file) || file.head !== this.#head || file.hasUnseenChange) return undefined;
    return this.#isMember && !this.#isIndexed(file) ? undefined : file;
  }

  /**
   * Opens the file if need be, for bytes of this extent: of an array in several files these are looked at. What was changed underneath is refused once, and served as it is from then on.
   * @throws file_changed, durability_unknown, bulk_load
   */
  async open(_extent?: Extent): Promise<OpenFile> {
    const already = this.opened();
    if (already) return already;
    this.checkLength();
    const file = await this.#openPresent();
    const release = file.lease();
    try {
      await countNoticed(file, this.files.generations);
      const { seen } = this.registration;
      this.registration.seen = file.identity;
      this.checkLength();
      if (!(this.#isMember ? await this.#acceptsIndex(file) : this.#accepts(file))) await this.#refuse(file);
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
    if (this.#isMember) {
      // What the index says now cannot be found out in this step.
      if (this.#indexed?.file !== file || this.#indexed.changes !== file.changesNoticed) failWritten();
      return;
    }
    if (file.head !== this.#head && !this.#accepts(file) && !this.#isOutgrown(file)) failHeader();
    const isSame = changedMs === undefined || changedMs === file.stamp.ctimeMs;
    if (!isSame && this.record.format === 'npy' && !file.state.isWriting) failWritten();
  }

  /** Whether the service has changed the length since this was made, and nothing else about the array. */
  #isOutgrown(file: OpenFile): boolean {
    return this.hasMoved && this.#shapeOf(file.headOf(this.record.offset).bytes) !== undefined;
  }

  /** Whether the service has changed the length of the array since this was made. */
  get hasMoved(): boolean {
    return (this.registration.growths ?? 0) !== this.#growths;
  }

  /** Asked when a call begins to read: what it reads and says of it must be of one length. @throws LengthMoved */
  checkLength(): void {
    if (this.hasMoved) throw new LengthMoved(this.registration.shape ?? this.record.shape);
  }

  /** Asked when it is the turn of a write that ends there in the file: its place may be gone. @throws moved */
  checkPlace(endBytes: number): void {
    const { fileId, shape } = this.record;
    const deepest = this.files.knownStateOf(fileId)?.cuts.deepestSince(this.#cuts) ?? Number.POSITIVE_INFINITY;
    if (endBytes > deepest) failCutOff(this.registration.shape ?? shape);
  }

  /** Gives the array another length, which its file has by now. */
  lengthen(shape: readonly number[]): void {
    this.#upkeep?.lengthen(this, shape);
  }

  /** Writes that down, durably. */
  async saveShape(shape: readonly number[]): Promise<void> {
    await this.#upkeep?.saveShape(this, shape);
  }

  /** Whether it is known, without asking a disk, that the file has the length that the record says. */
  get isPresent(): boolean {
    const { format, parts } = this.record;
    if (format !== 'npy' || parts || this.registration.isForgotten || this.knownState !== 'ready') return true;
    try {
      return this.#openedFile() !== undefined;
    } catch (error) {
      if (!(error instanceof HyperslabError)) throw error;
      return false;
    }
  }

  /** Of a .npy: takes on a greater length that its file has got, so that the call that comes now sees it. */
  async refresh(): Promise<void> {
    if (this.isPresent) return;
    try {
      const file = this.files.get(this.reference);
      const isLonger = file
        ? this.#isLonger(file.headOf(this.record.offset).bytes)
        : await this.#headed(head => this.#isLonger(head));
      if (isLonger) await this.open();
    } catch (error) {
      // Whatever is wrong with the file is told by the call itself.
      if (!(error instanceof HyperslabError) && systemErrorCode(error) === undefined) throw error;
    }
  }

  #shapeOf(head: Uint8Array): readonly number[] | undefined {
    return this.#check.head(head.subarray(0, this.record.offset), this.record);
  }

  #saysShape(head: Uint8Array, shape: readonly number[]): boolean {
    const said = this.#shapeOf(head);
    return said !== undefined && sameShape(said, shape);
  }

  /** A header with more rows than the record, as who appends to a file leaves it: what was there is there still. */
  #isLonger(head: Uint8Array): boolean {
    const shape = this.record.format === 'npy' ? this.#shapeOf(head) : undefined;
    return shape !== undefined && sizeOf(shape) > this.geometry.size;
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

  /** The counters that its generation is made of. */
  get counterIds(): readonly string[] {
    const { fileId, id } = this.record;
    return this.pages ? [fileId, id] : [fileId];
  }

  /** Notices what other programs did to the file, and takes on what it says now. What is wrong with it is told to readers. */
  async lookAgain(): Promise<void> {
    if (this.knownState !== 'ready') return;
    try {
      const { hasMoved } = await this.#look();
      if (hasMoved) await this.open();
    } catch (error) {
      if (systemErrorCode(error) === undefined && !(error instanceof HyperslabError)) throw error;
    }
  }

  /** What stands at the path; where other programs may write it, what they did since the last look has been noticed. */
  async #look(): Promise<{ readonly stats: Stats; readonly hasMoved: boolean }> {
    const { path: file, external } = this.record;
    const stats = await withFolder(path.dirname(file), folder => folder.look(path.basename(file)));
    const hasMoved = external && stats.isFile() && (await this.files.notice(this.reference, stats));
    return { stats, hasMoved };
  }

  /** How the file looks from outside, without opening it. */
  async state(): Promise<DatasetState> {
    const known = this.knownState;
    if (known !== 'ready') return known;
    try {
      const { stats } = await this.#look();
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
    const { header } = this.reference;
    if (this.#isMember) return this.#opened(fd => this.#check.member(fd, this.record));
    if (!header) return true;
    const { format, shape } = this.record;
    return this.#headed(head => (format === 'npy' ? this.#saysShape(head, shape) : header.isIts(head)));
  }

  /** What is to be said of the first bytes that stand at the path. */
  #headed<T>(look: (head: Uint8Array) => T): Promise<T> {
    return this.#opened(fd => Promise.resolve(look(readHead(fd, this.reference.header?.bytes ?? KIND_BYTES))));
  }

  async #opened<T>(look: (fd: number) => Promise<T>): Promise<T> {
    const fd = await this.files.roots.open(this.reference.realPath, false);
    try {
      return await look(fd);
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
      const { startBytes, endBytes } = this.geometry;
      const stepBytes = 16 * LIMITS.spanBytesMax;
      for (let start = startBytes; start < endBytes; start += stepBytes) {
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
    return this.#isMember ? !this.#isIndexed(file) : this.record.format === 'npy' && file.head !== this.#head;
  }

  /** Whether the file begins as the record says; remembered until its first bytes are others. */
  #accepts(file: OpenFile): boolean {
    const { header } = this.reference;
    const head = file.headOf(header?.bytes ?? KIND_BYTES);
    if (this.record.format === 'raw') file.state.kind ??= this.#content ?? kindOfHead(head);
    const shape = this.record.format === 'npy' ? this.#shapeOf(head.bytes) : this.record.shape;
    if (!shape || !sameShape(shape, this.record.shape) || this.#hasRecoveredEnd(file)) return false;
    if (this.record.format === 'raw' && !this.#isStillRaw(head)) return false;
    file.verify(this.geometry.endBytes);
    this.#head = head;
    return true;
  }

  get #isMember(): boolean {
    return this.record.member !== undefined;
  }

  #isIndexed(file: OpenFile): boolean {
    return this.#indexed?.file === file && this.#indexed.changes === file.changesNoticed && !this.#indexed.isYoung;
  }

  /** Whether the index of the container still has the member where, and as what, the record says. */
  async #acceptsIndex(file: OpenFile): Promise<boolean> {
    for (let tries = 0; tries < INDEX_TRIES_MAX; tries++) {
      const head = file.headOf(KIND_BYTES);
      const changes = file.changesNoticed;
      const { isYoung } = file;
      if (this.#isIndexed(file)) return true;
      // oxlint-disable-next-line no-await-in-loop
      if (!(await this.#check.member(file.fd, this.record))) return false;
      file.recheck();
      if (file.changesNoticed !== changes) continue;
      file.verify(this.geometry.endBytes);
      this.#head = head;
      this.#indexed = { file, changes, isYoung };
      return true;
    }
    return failWritten();
  }

  /** A raw array that an earlier run made longer or shorter, and this one has not noted yet. */
  #hasRecoveredEnd({ state: { recoveredEnd } }: OpenFile): boolean {
    const { format, offset } = this.record;
    return (
      format === 'raw' &&
      isWritable(this.record) &&
      recoveredEnd !== undefined &&
      recoveredEnd !== offset + this.geometry.nbytes
    );
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
    const isLength = this.#hasRecoveredEnd(file) || this.#isLonger(file.headOf(this.record.offset).bytes);
    if (this.record.format === 'raw' && !isLength) failKind(kindOfHead(file.headOf(KIND_BYTES)));
    const { registration } = this;
    registration.learning ??= (this.#upkeep?.learn(this, file) ?? Promise.resolve(false)).finally(() => {
      registration.learning = undefined;
    });
    if (!(await registration.learning)) failNoArray();
    if (isLength) throw new LengthMoved(registration.shape ?? this.record.shape);
    return failHeader();
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
