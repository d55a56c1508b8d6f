/**
 * All open files, one per (device, inode), opened when first used and closed when idle for longest (open-files.ts). A file that is
 * registered for writing is opened for writing before anything is mapped; an earlier read-only descriptor is retired.
 */
import { fstatSync, lstatSync, type Stats } from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LIMITS } from '../limits.js';
import { checkpoint, checkpointWhenIdle } from './checkpoint.js';
import { descriptorHolders } from './descriptors.js';
import { pathOfDescriptor } from './folder.js';
import type { Generations } from './generations.js';
import type { Journals } from './journal/journals.js';
import type { MappingBackend } from './mapping.js';
import { advanceOpened, advanceUnseen, countNoticed } from './noticed.js';
import type { FileReference } from './file-reference.js';
import { FileState } from './file-state.js';
import { isSameFile, isStampOf, PlainFile, sameIdentity, type FileStamp, type OpenFile } from './open-file.js';
import { OpenFiles } from './open-files.js';
import { kindOfFileSystem } from './file-system.js';
import { closeDescriptor } from './io.js';
import { bytesOfPath } from './path-bytes.js';
import { failForgotten } from './refusals.js';
import { PrivateMemory } from './private-memory.js';
import { replayJournal } from './replay.js';
import type { Roots } from './roots.js';
import { fromSystemError } from './system-errors.js';

export interface FileTableInit {
  readonly roots: Roots;
  readonly generations: Generations;
  readonly journals: Journals;
  /** Real path of the folder whose files the service made. */
  readonly arraysDir: string;
  readonly backends: readonly MappingBackend[];
  /** Kept open at one time. */
  readonly openFilesMax?: number;
  /** What datasets of mode c write into; without it they cannot be written. */
  readonly privateMemory?: PrivateMemory;
  /** Told of files that were closed for good. */
  readonly onClosed?: (file: OpenFile) => void;
}

export class FileTable {
  readonly roots: Roots;
  readonly generations: Generations;
  readonly journals: Journals;
  readonly privateMemory: PrivateMemory;
  /** The folder of the arrays that the service makes, and of what it has to lay down for a while. */
  readonly arraysDir: string;
  readonly #backends: readonly MappingBackend[];
  readonly #onClosed: FileTableInit['onClosed'];
  readonly #open: OpenFiles;
  readonly #opening = new Map<string, Promise<OpenFile>>();
  readonly #states = new Map<string, FileState>();
  /** Those of them that cannot be used. */
  readonly #faulty = new Set<FileState>();
  /** What each file was when it was last open, to notice what happened to it while it was closed. */
  readonly #stamps = new Map<string, FileStamp>();
  /** Files that are being let go of: their journals are emptied first. */
  readonly #closing = new Map<string, Promise<void>>();
  /** When what is closed is no longer brought up to date. */
  #closesUntil: number | undefined;
  readonly #closeSome = (): void => this.#open.closeSome();

  constructor(init: FileTableInit) {
    const { roots, generations, journals, arraysDir, backends, openFilesMax = LIMITS.openFilesMax, onClosed } = init;
    this.#open = new OpenFiles(openFilesMax, fileId => this.drop(fileId));
    descriptorHolders.add(this.#closeSome);
    this.#onClosed = onClosed;
    this.roots = roots;
    this.generations = generations;
    this.journals = journals;
    this.privateMemory = init.privateMemory ?? new PrivateMemory(0);
    this.arraysDir = arraysDir;
    this.#backends = backends;
  }

  /** The file if it is open already, and well enough for this use. */
  get(reference: FileReference): OpenFile | undefined {
    const file = this.#open.peek(reference.fileId);
    if (!file || (reference.writable && !file.writable)) return undefined;
    this.#open.use(file);
    return file;
  }

  async open(reference: FileReference): Promise<OpenFile> {
    for (;;) {
      const pending = this.#opening.get(reference.fileId);
      // oxlint-disable-next-line no-await-in-loop
      if (pending) await pending.catch(() => undefined);
      const file = this.get(reference);
      if (file) return file;
      if (this.#opening.has(reference.fileId)) continue;
      if (reference.registration.isForgotten) failForgotten();
      const opening = this.#openNow(reference).finally(() => this.#opening.delete(reference.fileId));
      this.#opening.set(reference.fileId, opening);
      return opening;
    }
  }

  stateOf(fileId: string): FileState {
    let state = this.#states.get(fileId);
    if (!state) this.#states.set(fileId, (state = new FileState(fileId, this.#faulty)));
    return state;
  }

  /** The state of a file that something is known of; a list of all datasets makes none. */
  knownStateOf(fileId: string): FileState | undefined {
    return this.#states.get(fileId);
  }

  /** Lets go of a file when its journal is empty and its last reader has ended. */
  drop(fileId: string): void {
    const file = this.#open.take(fileId);
    if (!file) return;
    this.#stamps.set(fileId, file.stamp);
    file.isDropped = true;
    // Asked for now: nobody who comes later may get in before it.
    const isWritten = file.writable || file.state.journal !== undefined;
    const putAway = isWritten ? file.state.writers.run(() => this.#putAway(file)) : Promise.resolve();
    const closing = this.#letGo(file, putAway, this.#closing.get(fileId)).finally(() => {
      if (this.#closing.get(fileId) === closing) this.#closing.delete(fileId);
    });
    this.#closing.set(fileId, closing);
  }

  async #letGo(file: OpenFile, putAway: Promise<void>, earlier: Promise<void> | undefined): Promise<void> {
    const release = file.lease();
    try {
      await putAway;
      await earlier;
    } catch {
      // The state says so, to everybody who asks for the file.
    } finally {
      // Whoever waits for the lock, or was handed the file in this turn, takes a lease first. A turn in the queue for
      // reading comes after theirs and holds nobody up.
      void file.state.lock.withRead(() => file.retire()).catch(() => file.retire());
      release();
    }
  }

  /** Empties the journal of a file for the last time, and deletes it. */
  async #putAway(file: OpenFile): Promise<void> {
    await this.#settle(file);
    const { journal, durabilityUnknown } = file.state;
    if (!journal?.isEmpty || durabilityUnknown) return;
    file.state.journal = undefined;
    await journal.remove();
  }

  /** Empties the journal of a file into it, in a turn of its writer. */
  async #settle(file: OpenFile): Promise<void> {
    if (!file.state.durabilityUnknown) await checkpoint(file, this.journals, 'give back', this.#closesUntil);
  }

  /**
   * Runs work that takes a file away from its datasets, or puts another in its place, while nobody reads or writes it
   * and its journal is empty. It does not wait for a stream. @throws bulk_load
   */
  withFileToItself<T>(fileId: string, work: () => Promise<T>): Promise<T> {
    const state = this.stateOf(fileId);
    state.checkNotLoading();
    return state.writers.run(async () => {
      const file = this.#open.peek(fileId);
      if (file) await this.#settle(file);
      return state.lock.withWrite(work);
    });
  }

  /**
   * The generation that a new registration of a file begins at: one that neither the file nor a name had before.
   * @throws bulk_load
   */
  async begin(fileId: string): Promise<number> {
    const { generations } = this;
    const first = await generations.begin(fileId);
    if (first > generations.floor) return first;
    await this.withFileToItself(fileId, () => generations.startAbove(fileId, generations.floor));
    return generations.current(fileId);
  }

  /**
   * Moves the generation of a file that others may have written until now, unless `precondition` throws. `prepare` comes
   * first; `settle` makes visible what was changed, in the turn in which the generation moves. @throws bulk_load
   */
  countUnseenChange(
    fileId: string,
    precondition: () => void,
    { prepare, settle }: { prepare?: () => Promise<void>; settle?: () => void } = {},
  ): Promise<void> {
    return this.withFileToItself(fileId, async () => {
      precondition();
      await prepare?.();
      await advanceUnseen(this.stateOf(fileId), this.generations);
      settle?.();
    });
  }

  /** Drops a file for good: no dataset is registered on it any more. The caller has it to itself. */
  async forget(fileId: string): Promise<void> {
    const file = this.#open.take(fileId);
    const state = this.#states.get(fileId);
    if (state) {
      state.isForgotten = true;
      this.#faulty.delete(state);
      clearTimeout(state.idleTimer);
    }
    // Taken away before anything is awaited: who lets go of the file meanwhile must not close it a second time.
    const journal = state?.journal;
    if (state) state.journal = undefined;
    this.#states.delete(fileId);
    this.#stamps.delete(fileId);
    // Whoever was handed the file in this turn takes its lease first; who waits for the lock is turned away. A file
    // that was deleted gives its room back now, not after the answer.
    await nextTurn();
    file?.retire();
    await this.journals.forget(fileId, journal);
    await this.generations.forget(fileId);
  }

  /**
   * Compares what stands at the path of a file that is not ours alone with what it was when it was last looked at, and
   * moves its generation where another program has done something since. True where it has.
   */
  async notice({ fileId, realPath }: Pick<FileReference, 'fileId' | 'realPath'>, found: Stats): Promise<boolean> {
    const state = this.knownStateOf(fileId);
    if (state?.isWriting) return false;
    const file = this.#open.peek(fileId);
    const before = file?.stamp ?? this.#stamps.get(fileId);
    if (before && isStampOf(before, found)) return false;
    if (file && isSameFile(before!, found)) {
      file.recheck();
      const hasChanged = file.hasUnseenChange;
      await countNoticed(file, this.generations);
      return hasChanged;
    }
    // Looked at without waiting: what is known may be newer than what was found.
    const present = lstatSync(bytesOfPath(realPath), { throwIfNoEntry: false });
    if (!present || (before && isStampOf(before, present))) return false;
    if (file) this.drop(fileId);
    const { dev, ino, ctimeMs, size } = present;
    this.#stamps.set(fileId, { dev: BigInt(dev), ino: BigInt(ino), ctimeMs, bytes: size });
    if (!before) return false;
    const { generations } = this;
    if (generations.followed.has(fileId))
      generations.followed.follow(fileId, lstatSync(bytesOfPath(realPath), { bigint: true }));
    else await advanceUnseen(this.stateOf(fileId), generations);
    return true;
  }

  /** Lets go of a file that is only read, and that no dataset stands on any more. */
  leave(fileId: string): void {
    this.drop(fileId);
    this.#states.delete(fileId);
    this.#stamps.delete(fileId);
    this.generations.followed.delete(fileId);
  }

  get windowCount(): number {
    return this.#open.mapped.windows;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /**
   * True where the next start may find other bytes than were served: what its journal holds is applied then, and what a
   * dataset of mode c held in memory is gone.
   */
  isUncertain(counterId: string): boolean {
    const fileId = counterId;
    const state = this.#states.get(fileId);
    return (
      this.privateMemory.moved.has(counterId) ||
      this.journals.isUnreplayed(fileId) ||
      (state !== undefined && (state.durabilityUnknown || state.damage !== undefined || state.journal !== undefined))
    );
  }

  /** Files whose durability is unknown. */
  get failedFileIds(): string[] {
    return [...this.#faulty].filter(state => state.durabilityUnknown).map(state => state.fileId);
  }

  /** Files whose journals could not be replayed, with the reason. */
  get damagedFiles(): { fileId: string; reason: string }[] {
    return [...this.#faulty].flatMap(({ fileId, damage }) =>
      damage === undefined ? [] : [{ fileId, reason: damage }],
    );
  }

  /**
   * Empties every journal into its file, and lets go of all files. After it, the data folder can be copied; where the disk
   * is too slow for that, the next start has something to replay.
   */
  async close(): Promise<void> {
    this.#closesUntil = performance.now() + LIMITS.filesClosedMsMax;
    descriptorHolders.delete(this.#closeSome);
    for (const fileId of this.#open.ids()) this.drop(fileId);
    await Promise.all(this.#closing.values());
  }

  async #openNow(reference: FileReference): Promise<OpenFile> {
    this.drop(reference.fileId);
    const state = this.stateOf(reference.fileId);
    // A journal belongs to the inode that its records were written to.
    await this.#closing.get(reference.fileId);
    await this.#open.reserve();
    try {
      await replayJournal(reference, state, {
        roots: this.roots,
        journals: this.journals,
        isOurs: path.dirname(reference.realPath) === this.arraysDir,
        isMappable: this.#backends.length > 0,
      });
      const file = await this.#openReserved(reference, state);
      if (state.journal?.isRecovered) checkpointWhenIdle(file, this.journals);
      this.#open.add(file);
      return file;
    } catch (error) {
      this.#open.giveUp();
      throw error;
    }
  }

  async #openReserved(reference: FileReference, state: FileState): Promise<OpenFile> {
    const fd = await this.roots.open(reference.realPath, reference.writable);
    try {
      const file = await this.#setUp(fd, reference, state);
      // Forgotten meanwhile: it must not come back.
      state.checkUsable();
      return file;
    } catch (error) {
      await closeDescriptor(fd);
      throw fromSystemError(error);
    }
  }

  /** Chooses how to map the file, and gives it a new generation when it is another than last time. */
  async #setUp(fd: number, { fileId, realPath, writable }: FileReference, state: FileState): Promise<OpenFile> {
    const { mappable } = await kindOfFileSystem(pathOfDescriptor(fd, realPath));
    const { size } = fstatSync(fd);
    const backend = mappable ? this.#backends.find(each => size <= each.fileBytesMax) : undefined;
    const { mapped } = this.#open;
    const onClosed = (closed: OpenFile): void => {
      this.#open.closed();
      this.#onClosed?.(closed);
    };
    const file = new PlainFile({ fd, realPath, writable, state, backend, mapped, onClosed });
    file.headOf(0);
    const before = this.#stamps.get(fileId);
    const { stamp } = file;
    const isSame = before && sameIdentity(before, stamp) && before.ctimeMs === stamp.ctimeMs;
    // Other bytes may stand behind the same name: nothing that was answered before may be taken for them.
    if (before && !isSame) await advanceOpened(fd, state, this.generations);
    return file;
  }
}
