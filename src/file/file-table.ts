/**
 * All open files, one per (device, inode), opened when first used and closed when idle for longest. A file that is
 * registered for writing is opened for writing before anything is mapped; an earlier read-only descriptor is retired.
 */
import { fstatSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LIMITS } from '../limits.js';
import { flushFile } from './commit.js';
import type { Generations } from './generations.js';
import type { MappingBackend } from './mapping.js';
import { FileState, OpenFile, sameIdentity, type FileIdentity } from './open-file.js';
import { kindOfFileSystem } from './file-system.js';
import { closeDescriptor } from './io.js';
import type { Roots } from './roots.js';
import { fromSystemError } from './system-errors.js';

export interface FileReference {
  readonly fileId: string;
  readonly realPath: string;
  readonly writable: boolean;
}

export class FileTable {
  readonly roots: Roots;
  readonly generations: Generations;
  readonly #backends: readonly MappingBackend[];
  readonly #open = new Map<string, OpenFile>();
  readonly #opening = new Map<string, Promise<OpenFile>>();
  readonly #states = new Map<string, FileState>();
  /** The inode each file had when it was last open, to notice a replacement while it was closed. */
  readonly #identities = new Map<string, FileIdentity>();
  #clock = 0;

  constructor(roots: Roots, generations: Generations, backends: readonly MappingBackend[]) {
    this.roots = roots;
    this.generations = generations;
    this.#backends = backends;
  }

  /** The file if it is open already, and well enough for this use. */
  get(reference: FileReference): OpenFile | undefined {
    const file = this.#open.get(reference.fileId);
    if (!file || (reference.writable && !file.writable)) return undefined;
    file.lastUsed = ++this.#clock;
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
      const opening = this.#openNow(reference).finally(() => this.#opening.delete(reference.fileId));
      this.#opening.set(reference.fileId, opening);
      return opening;
    }
  }

  stateOf(fileId: string): FileState {
    let state = this.#states.get(fileId);
    if (!state) this.#states.set(fileId, (state = new FileState(fileId)));
    return state;
  }

  /** Lets go of a file as soon as its last reader has. */
  drop(fileId: string): void {
    const file = this.#open.get(fileId);
    this.#open.delete(fileId);
    // Whoever waits for the lock, or was handed the file in this turn, takes a lease first. A turn in the queue for
    // reading comes after theirs and holds nobody up.
    if (file) void file.state.lock.withRead(() => file.retire());
  }

  /** Drops a file for good: no dataset is registered on it any more. The caller holds its lock for writing. */
  async forget(fileId: string): Promise<void> {
    // A file that is being opened would come back after it was dropped.
    await this.#opening.get(fileId)?.catch(() => undefined);
    const file = this.#open.get(fileId);
    this.#open.delete(fileId);
    const state = this.#states.get(fileId);
    if (state) state.isForgotten = true;
    this.#states.delete(fileId);
    this.#identities.delete(fileId);
    // Whoever was handed the file in this turn takes its lease first; who waits for the lock is turned away. A file
    // that was deleted gives its room back now, not after the answer.
    await nextTurn();
    file?.retire();
    await this.generations.forget(fileId);
  }

  get windowCount(): number {
    let count = 0;
    for (const file of this.#open.values()) count += file.windowCount;
    return count;
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** Files whose durability is unknown. */
  get failedFileIds(): string[] {
    return [...this.#states.values()].filter(state => state.durabilityUnknown).map(state => state.fileId);
  }

  /** Puts on disk what was written without a commit, and lets go of every file. */
  async close(): Promise<void> {
    for (const file of this.#open.values()) {
      // oxlint-disable-next-line no-await-in-loop
      if (file.state.unsynced && !file.state.durabilityUnknown) await flushFile(file);
      this.drop(file.state.fileId);
    }
  }

  async #openNow(reference: FileReference): Promise<OpenFile> {
    this.drop(reference.fileId);
    const fd = await this.roots.open(reference.realPath, reference.writable);
    let file: OpenFile;
    try {
      file = await this.#setUp(fd, reference);
    } catch (error) {
      await closeDescriptor(fd);
      throw fromSystemError(error);
    }
    this.#identities.set(reference.fileId, file.identity);
    this.#open.set(reference.fileId, file);
    file.lastUsed = ++this.#clock;
    this.#closeIdle();
    return file;
  }

  /** Chooses how to map the file, and gives it a new generation when it is another than last time. */
  async #setUp(fd: number, { fileId, realPath, writable }: FileReference): Promise<OpenFile> {
    const { mappable } = await kindOfFileSystem(realPath);
    const { size } = fstatSync(fd);
    const backend = mappable ? this.#backends.find(each => size <= each.fileBytesMax) : undefined;
    const file = new OpenFile({ fd, realPath, writable, state: this.stateOf(fileId), backend });
    const before = this.#identities.get(fileId);
    if (before && !sameIdentity(before, file.identity)) {
      // Other bytes stand behind the same name: nothing that was answered before may be taken for them.
      await this.generations.reserve(fileId);
      this.generations.advance(fileId);
      file.state.writesStarted++;
    }
    return file;
  }

  #closeIdle(): void {
    while (this.#open.size > LIMITS.openFilesMax || this.windowCount > LIMITS.windowsMax) {
      let idle: OpenFile | undefined;
      for (const file of this.#open.values()) {
        if (file.isIdle && file.lastUsed !== this.#clock && (!idle || file.lastUsed < idle.lastUsed)) idle = file;
      }
      if (!idle) return;
      this.drop(idle.state.fileId);
    }
  }
}
