/**
 * All open files, one per (device, inode), opened when first used and closed when idle for longest. A file that is
 * registered for writing is opened for writing before anything is mapped; an earlier read-only descriptor is retired.
 */
import fs from 'node:fs/promises';
import { LIMITS } from '../limits.js';
import { flushFile } from './commit.js';
import type { Generations } from './generations.js';
import type { MappingBackend } from './mapping.js';
import { FileState, OpenFile, sameIdentity, type FileIdentity } from './open-file.js';
import { kindOfFileSystem } from './file-system.js';
import type { Roots } from './roots.js';

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
    this.#open.get(fileId)?.retire();
    this.#open.delete(fileId);
  }

  /** Drops a file for good: no dataset is registered on it any more. */
  async forget(fileId: string): Promise<void> {
    this.drop(fileId);
    this.#states.delete(fileId);
    this.#identities.delete(fileId);
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

  async #openNow({ fileId, realPath, writable }: FileReference): Promise<OpenFile> {
    this.drop(fileId);
    const fd = await this.roots.open(realPath, writable);
    const { mappable } = await kindOfFileSystem(realPath);
    const { size } = await fs.stat(realPath);
    const backend = mappable ? this.#backends.find(each => size <= each.fileBytesMax) : undefined;
    const file = new OpenFile({ fd, realPath, writable, state: this.stateOf(fileId), backend });
    const before = this.#identities.get(fileId);
    if (before && !sameIdentity(before, file.identity)) {
      // Other bytes stand behind the same name: nothing that was answered before may be taken for them.
      await this.generations.reserve(fileId);
      this.generations.advance(fileId);
      file.state.writesStarted++;
    }
    this.#identities.set(fileId, file.identity);
    this.#open.set(fileId, file);
    file.lastUsed = ++this.#clock;
    this.#closeIdle();
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
