/**
 * Looking at the files of an array in several: each is compared with what it was before a call touches it, and opened where
 * it is not that. What others did moves its generation, once. A file that cannot be read is a fault, which fails the calls
 * that touch it.
 * Hazard: thousands of parts. Nothing is held open for one, and loops over all give turns.
 */
import fs from 'node:fs';
import { HyperslabError } from '../errors.js';
import type { FileState } from '../file/file-state.js';
import type { FileTable } from '../file/file-table.js';
import { advanceUnseen } from '../file/noticed.js';
import type { OpenFile } from '../file/open-file.js';
import { failReplaced, failWritten } from '../file/refusals.js';
import { Turnstile } from '../file/turnstile.js';
import { LIMITS } from '../limits.js';
import { isTurnOver, nextTurn } from '../turns.js';
import { faultOf, inPart, isAsSeen, isSameFile, type Part } from './part.js';
import type { DatasetState, PartLook, Registration } from './registration.js';

/** Looks at files in one turn: about a millisecond. */
const LOOKS_PER_TURN = 256;
/** Files that are opened at once. */
const OPENED_AT_ONCE = 4;
/** So many parts are looked at once more when their bytes were taken. */
const RECHECKED_MAX = 16;

export class PartLooks {
  /** Grows when a part became another file, or readable, or not. */
  version = 0;
  readonly #parts: readonly Part[];
  readonly #files: FileTable;
  readonly #whole: FileState;
  /** By the id of the file: a change of the record does not forget them. */
  readonly #looks = new Map<string, PartLook>();

  constructor(parts: readonly Part[], files: FileTable, whole: FileState, registration: Registration) {
    this.#parts = parts;
    this.#files = files;
    this.#whole = whole;
    for (const { record } of parts) {
      const look = registration.looks?.get(record.fileId);
      if (look) this.#looks.set(record.fileId, look);
    }
    registration.looks = this.#looks;
  }

  of({ record }: Part): PartLook | undefined {
    return this.#looks.get(record.fileId);
  }

  /** Notices what became of parts `[first, end)` since they were looked at. */
  async lookAt(first: number, end: number): Promise<void> {
    const changed: Part[] = [];
    for (let i = first; i < end; i++) {
      const part = this.#parts[i]!;
      if (part.rows > 0 && !this.#isAsBefore(part)) changed.push(part);
      // oxlint-disable-next-line no-await-in-loop
      if (isTurnOver(i - first, LOOKS_PER_TURN)) await nextTurn();
    }
    if (changed.length === 0) return;
    const opening = new Turnstile(OPENED_AT_ONCE);
    for (let at = 0; at < changed.length; at += LOOKS_PER_TURN) {
      const some = changed.slice(at, at + LOOKS_PER_TURN);
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all(some.map(part => opening.run(() => this.#examined(part))));
    }
  }

  /** Looks at these parts, of which none may be missing or another. @throws file_changed */
  async lookAtAll(numbers: Iterable<number>): Promise<void> {
    for (const number of numbers) {
      // oxlint-disable-next-line no-await-in-loop
      await this.lookAt(number, number + 1);
      const fault = this.of(this.#parts[number]!)?.fault;
      if (fault) throw fault;
    }
  }

  /** Opens a part, whose file must be leased at once. @throws file_changed */
  async open({ dataset, name }: Part): Promise<OpenFile> {
    // What took its place is another file of the same form: it was looked at.
    dataset.registration.seen = undefined;
    try {
      return await dataset.open();
    } catch (error) {
      throw faultOf(error, name);
    }
  }

  /** A write of ours to a part has ended: what it moved is not taken for another's. */
  noteOwnWrite(part: Part, file: OpenFile, before: number): void {
    part.ownMoves += this.#files.generations.current(part.record.fileId) - before;
    this.#looks.set(part.record.fileId, this.#lookOf(part, file));
  }

  /**
   * Asked again when bytes of parts `[first, end)` were taken, where these are few. `isOurs`: what moved their times may
   * have been a write of the service.
   * @throws file_changed
   */
  recheck(first: number, end: number, isOurs: boolean): void {
    if (end - first > RECHECKED_MAX) return;
    for (const part of this.#parts.slice(first, end)) {
      const look = this.of(part);
      if (!look || look.fault) continue;
      const { path, fileId } = part.record;
      const found = fs.statSync(path, { throwIfNoEntry: false });
      if (found?.ino !== look.inode || found.dev !== look.device) inPart(part.name, failReplaced);
      const isOther = found.ctimeMs !== look.ctimeMs || found.size !== look.bytes;
      const isBeingWritten = this.#files.knownStateOf(fileId)?.isWriting === true;
      if (isOther && look.isSettled && !isBeingWritten && !isOurs) inPart(part.name, failWritten);
    }
  }

  /** How the files look from outside; the first that is not as it should be decides. */
  async state(endBytesOf: (part: Part) => number): Promise<DatasetState> {
    for (const [i, part] of this.#parts.entries()) {
      const found = fs.statSync(part.record.path, { throwIfNoEntry: false });
      if (!found?.isFile()) return 'missing';
      if (found.size < endBytesOf(part)) return 'truncated';
      const look = this.of(part);
      if (look?.fault && isAsSeen(look, found)) return 'changed';
      // oxlint-disable-next-line no-await-in-loop
      if (isTurnOver(i, LOOKS_PER_TURN)) await nextTurn();
    }
    return 'ready';
  }

  #isAsBefore(part: Part): boolean {
    const look = this.of(part);
    if (!look?.isSettled || look.generation !== this.#files.generations.current(part.record.fileId)) return false;
    return isAsSeen(look, fs.statSync(part.record.path, { throwIfNoEntry: false }));
  }

  #examined(part: Part): Promise<void> {
    part.looking ??= this.#examine(part).finally(() => {
      part.looking = undefined;
    });
    return part.looking;
  }

  async #examine(part: Part): Promise<void> {
    const { generations } = this.#files;
    const { fileId } = part.record;
    const before = this.of(part);
    const look = await this.#openToLook(part);
    this.#looks.set(fileId, look);
    // Made here, where each part has a turn of its own.
    part.rowFor(look);
    const isOther = !before || !isSameFile(before, look);
    if (isOther) this.version++;
    const isMoved = isOther || before.ctimeMs !== look.ctimeMs || before.bytes !== look.bytes;
    if (!before || !isMoved) return;
    // What its own dataset has noticed has moved its generation already.
    if (generations.current(fileId) === before.generation) {
      await advanceUnseen(this.#files.stateOf(fileId), generations);
      this.#looks.set(fileId, { ...look, generation: generations.current(fileId) });
    }
    // A version that notes no change may have changed anything.
    this.#whole.writesStarted++;
  }

  async #openToLook(part: Part): Promise<PartLook> {
    try {
      return this.#lookOf(part, await this.open(part));
    } catch (error) {
      if (!(error instanceof HyperslabError)) throw error;
      const found = fs.statSync(part.record.path, { throwIfNoEntry: false });
      return {
        device: found?.dev ?? Number.NaN,
        inode: found?.ino ?? Number.NaN,
        ctimeMs: found?.ctimeMs ?? 0,
        bytes: found?.size ?? 0,
        generation: this.#files.generations.current(part.record.fileId),
        // What may be over in a moment is looked at each time.
        isSettled: false,
        fault: error,
      };
    }
  }

  #lookOf({ record }: Part, { stamp }: OpenFile): PartLook {
    return {
      device: Number(stamp.dev),
      inode: Number(stamp.ino),
      ctimeMs: stamp.ctimeMs,
      bytes: stamp.bytes,
      generation: this.#files.generations.current(record.fileId),
      isSettled: Date.now() - stamp.ctimeMs > LIMITS.youngFileMs,
      fault: undefined,
    };
  }
}
