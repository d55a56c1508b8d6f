/** A dataset: a layout over a file. Opening checks that the file still is what the record says. */
import type { Stats } from 'node:fs';
import path from 'node:path';
import { HyperslabError, isErrorCode, systemErrorCode } from '../errors.js';
import { withFolder } from '../file/folder.js';
import type { FileReference } from '../file/file-reference.js';
import type { FileTable } from '../file/file-table.js';
import { countNoticed } from '../file/noticed.js';
import { sameIdentity, type OpenFile } from '../file/open-file.js';
import { withPages } from '../file/private-file.js';
import { PrivatePages } from '../file/private-pages.js';
import {
  failChanged,
  failCutOff,
  failForgotten,
  failHeader,
  failNoArray,
  failReplaced,
  failTruncated,
} from '../file/refusals.js';
import { fromSystemError } from '../file/system-errors.js';
import type { Extent } from '../layout/runs.js';
import { Meaning } from './meaning.js';
import { geometryOf, isCopyOnWrite, isWritable, type DatasetRecord, type Geometry } from './record.js';
import { LengthMoved, type ContentCheck, type DatasetState, type Registration } from './registration.js';
import { residencyOf } from './residency.js';

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

export class Dataset {
  readonly record: DatasetRecord;
  readonly geometry: Geometry;
  readonly files: FileTable;
  readonly registration: Registration;
  readonly reference: FileReference;
  readonly #meaning: Meaning;
  readonly #upkeep: Upkeep | undefined;
  /** Changes of the length, and cuts of the file, that this has seen. */
  readonly #growths: number;
  readonly #cuts: number;
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
    this.#meaning = new Meaning(record, this.geometry, files, check);
    this.#growths = registration.growths ?? 0;
    const { fileId, path: realPath } = record;
    this.#cuts = files.knownStateOf(fileId)?.cuts.count ?? 0;
    this.reference = { fileId, realPath, writable: isWritable(record), registration, header: this.#meaning.header };
    if (isCopyOnWrite(record)) registration.pages ??= new PrivatePages(files.privateMemory);
  }

  /**
   * Of mode c it moves with the file and with what is written in memory: the sum of two counters that only grow, of which
   * each change moves one.
   */
  get generation(): number {
    const { fileId, counterId = fileId, id } = this.record;
    const ofFile = this.files.generations.current(counterId);
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
    if (this.hasMoved || file.state.isMovingEnd) return undefined;
    return this.#verify(file) && this.#meaning.isKnownOf(file) && !file.hasUnseenChange ? file : undefined;
  }

  /**
   * Opens the file if need be, for bytes of this extent: of an array in several files these are looked at. What was
   * changed underneath is refused once, and served as it is from then on.
   * @throws file_changed, durability_unknown, bulk_load
   */
  async open(_extent?: Extent): Promise<OpenFile> {
    return this.#open(false);
  }

  /**
   * Opens the file to write to it. The places of a write are those of the shape that it was asked for: rows that joined
   * the end since do not move them, and rows that were cut off are asked for when it is its turn (checkPlace).
   * @throws file_changed, durability_unknown, bulk_load
   */
  async openToWrite(_extent?: Extent): Promise<OpenFile> {
    return this.#open(true);
  }

  async #open(ofAnyLength: boolean): Promise<OpenFile> {
    for (;;) {
      const already = this.opened();
      if (already) return already;
      // oxlint-disable-next-line no-await-in-loop
      await this.#whileEndMoves();
      // oxlint-disable-next-line no-await-in-loop
      const file = await this.#openNow(ofAnyLength);
      if (file) return file;
    }
  }

  /** The file, as it is now; undefined where its end is being moved. */
  async #openNow(ofAnyLength: boolean): Promise<OpenFile | undefined> {
    const checkLength = (): void => {
      if (!ofAnyLength) this.checkLength();
    };
    checkLength();
    const file = await this.#openPresent();
    const release = file.lease();
    try {
      await countNoticed(file, this.files.generations);
      if (file.state.isMovingEnd) return undefined;
      const { seen } = this.registration;
      this.registration.seen = file.identity;
      checkLength();
      const isIts = this.hasMoved ? this.#meaning.isOfSomeLength(file) : await this.#meaning.accepts(file);
      if (!isIts) await this.#refuse(file);
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

  /** Until a change of the length has been made, what the file says of it and what is known are not the same. */
  async #whileEndMoves(): Promise<void> {
    while (this.#isMovingEnd) {
      // oxlint-disable-next-line no-await-in-loop
      await this.files.stateOf(this.record.fileId).lock.withRead(() => undefined);
    }
  }

  get #isMovingEnd(): boolean {
    return this.files.knownStateOf(this.record.fileId)?.isMovingEnd === true;
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
    this.#meaning.recheck(file, this.hasMoved || file.state.isMovingEnd, changedMs);
  }

  /**
   * The time of the last change that an answer must not outlive (`recheck`): of one that is sent at once, and of every
   * file that is a dataset only because it stands in a folder, which may be filled anew under any answer. Elsewhere long
   * answers go on.
   */
  changedMsFor(file: OpenFile, isShort: boolean): number | undefined {
    const { folderPath, counterId } = this.record;
    const isReadOnly = folderPath !== undefined && counterId === undefined;
    return isShort || isReadOnly ? file.stamp.ctimeMs : undefined;
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
      if (await this.#meaning.hasGrown(this.files.get(this.reference))) await this.open();
    } catch (error) {
      // Whatever is wrong with the file is told by the call itself.
      if (!(error instanceof HyperslabError) && systemErrorCode(error) === undefined) throw error;
    }
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
    const { fileId, counterId = fileId, id } = this.record;
    return this.pages ? [counterId, id] : [counterId];
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
    await this.#whileEndMoves();
    const known = this.knownState;
    if (known !== 'ready') return known;
    const state = await this.#stateOfFile();
    // What was looked at is of another length than this.
    return this.hasMoved || this.#isMovingEnd ? 'ready' : state;
  }

  async #stateOfFile(): Promise<DatasetState> {
    try {
      const { stats } = await this.#look();
      if (!stats.isFile()) return 'missing';
      if (!(await this.#meaning.isStillThere())) return 'changed';
      return stats.size >= this.geometry.endBytes ? 'ready' : 'truncated';
    } catch (error) {
      if (systemErrorCode(error) === undefined && !(error instanceof HyperslabError)) throw error;
      return fromSystemError(error).code === 'file_denied' ? 'denied' : 'missing';
    }
  }

  /** Pages of the array and how many of them are in memory; null where the file is not mapped. */
  async residency(): Promise<{ pages: number; resident: number } | null> {
    const file = await this.open();
    const release = file.lease();
    try {
      return await residencyOf(file, this.geometry);
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
      const isShort = bytes < this.geometry.endBytes && !file.state.isMovingEnd && !this.hasMoved;
      if (isShort && !this.#meaning.mayBeAnother(file)) failTruncated(bytes, this.geometry.endBytes);
      return true;
    } catch (error) {
      const reason = isErrorCode(error, 'file_changed') ? error.values['reason'] : undefined;
      // The next request opens whatever stands at the path by then.
      if (reason !== undefined && reason !== 'truncated') this.files.drop(this.record.fileId);
      if (reason === 'replaced') return false;
      throw error;
    }
  }

  async #refuse(file: OpenFile): Promise<never> {
    const isLength = this.#meaning.isOfOtherLength(file);
    if (!isLength) this.#meaning.checkRaw(file);
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
