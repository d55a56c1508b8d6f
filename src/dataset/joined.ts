/**
 * A dataset whose rows lie in several files. As a whole it is a C-order array of bytes that are nowhere
 * (layout/part-views.ts), with a lock, snapshots and a counter of its own; each part is a dataset of its file, which
 * looks after journal, header and generation. A part is looked at when a call may touch it, and opened where it is not as
 * it was; one that cannot be read fails the calls that do touch it, by its name.
 * Hazard: thousands of parts. Nothing is held open for one but a row of a table, and loops over all give turns.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { PartList, PartTable } from '../descriptor.js';
import { HyperslabError, isErrorCode } from '../errors.js';
import type { FileState } from '../file/file-state.js';
import type { FileTable } from '../file/file-table.js';
import { JoinedFile } from '../file/joined-file.js';
import { advanceUnseen } from '../file/noticed.js';
import type { OpenFile } from '../file/open-file.js';
import { failForgotten, failReplaced, failWritten, ofPart } from '../file/refusals.js';
import { Turnstile } from '../file/turnstile.js';
import { partAt, partView, rowBytesOf, type PartPlace, type Rows } from '../layout/part-views.js';
import type { Extent } from '../layout/runs.js';
import { isContiguous } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { isTurnOver, nextTurn } from '../turns.js';
import { Dataset } from './dataset.js';
import type { ContentCheck, DatasetState, Registration } from './registration.js';
import { isWritable, type DatasetRecord, type PartRecord } from './record.js';

/** A file as it was when it was last opened or missed. */
interface Look {
  readonly device: number;
  readonly inode: number;
  readonly ctimeMs: number;
  readonly bytes: number;
  readonly generation: number;
  /** Its times are old enough to tell the next change. */
  readonly isSettled: boolean;
  readonly fault: HyperslabError | undefined;
}

export class Part implements PartPlace {
  readonly record: PartRecord;
  readonly start: number;
  readonly rows: number;
  readonly order: PartRecord['order'];
  readonly offset: number;
  readonly dataset: Dataset;
  look: Look | undefined;
  looking: Promise<void> | undefined;
  /** Generations that were made by writes to the whole. */
  ownMoves = 0;

  constructor(record: PartRecord, start: number, dataset: Dataset) {
    this.record = record;
    this.start = start;
    this.rows = record.rows;
    this.order = record.order;
    this.offset = record.offset;
    this.dataset = dataset;
  }
}

/** Looks at files in one turn: about a millisecond. */
const LOOKS_PER_TURN = 256;
/** Files that are opened at once. */
const OPENED_AT_ONCE = 4;
/** So many parts are looked at once more when their bytes were taken. */
const RECHECKED_MAX = 16;

let tables = 0;

export class JoinedDataset extends Dataset {
  readonly all: Rows;
  readonly parts: readonly Part[];
  /** The lock, the snapshots and the log of the whole. */
  readonly whole: FileState;
  readonly #byId: ReadonlyMap<string, Part>;
  /** Of each file that was handed out: the parts that may be read, and what others had written of them. */
  readonly #seen = new WeakMap<OpenFile, { readonly first: number; readonly end: number; mark: number | undefined }>();
  #sum: { readonly moves: number; readonly generation: number } | undefined;
  /** Grows when a part became another file, or readable, or not. */
  #version = 0;
  #table:
    { readonly first: number; readonly last: number; readonly version: number; readonly table: PartTable } | undefined;

  constructor(record: DatasetRecord, files: FileTable, partCheck: ContentCheck, registration?: Registration) {
    super(record, files, partCheck, registration);
    this.all = { itemsize: this.geometry.dtype.itemsize, rowShape: record.shape.slice(1) };
    const rowBytes = rowBytesOf(this.all);
    let start = 0;
    this.parts = record.parts!.map(each => {
      const part = new Part(each, start, partDataset(record, each, files, partCheck));
      start += each.rows * rowBytes;
      return part;
    });
    this.#byId = new Map(this.parts.map(part => [part.record.fileId, part]));
    this.whole = files.stateOf(record.fileId);
  }

  /** Its own counter, and what the files have moved since they became parts. */
  override get generation(): number {
    const { generations } = this.files;
    if (this.#sum?.moves !== generations.moves) {
      let generation = generations.current(this.record.fileId);
      for (const { record } of this.parts) generation += generations.current(record.fileId) - record.firstGeneration;
      this.#sum = { moves: generations.moves, generation };
    }
    return this.#sum.generation;
  }

  /** Parts are looked at before each answer. */
  override opened(): OpenFile | undefined {
    return undefined;
  }

  /** @throws file_changed where it was forgotten, bulk_load; what is wrong with a part whoever reads it is told */
  override async open(extent: Extent = { start: 0, end: this.geometry.nbytes }): Promise<OpenFile> {
    if (this.registration.isForgotten) failForgotten();
    this.whole.checkNotLoading();
    const [first, end] = this.#partsIn(extent);
    await this.#lookAt(first, end);
    await this.#awaitOthers(first, end);
    if (this.registration.isForgotten) failForgotten();
    return this.fileOf(first, end);
  }

  /** The whole, of which parts `[first, end)` may be read. */
  fileOf(first = 0, end = this.parts.length): OpenFile {
    let known: { readonly moves: number; readonly foreign: number } | undefined;
    const joined = new JoinedFile({
      state: this.whole,
      bytes: this.geometry.nbytes,
      isForgotten: () => this.registration.isForgotten,
      table: (from, to) => this.#tableOf(...this.#partsIn({ start: from, end: to })),
      foreignMoves: () => {
        if (this.#isWrittenByOthers(first, end)) return Number.NaN;
        const { generations } = this.files;
        if (known?.moves !== generations.moves) {
          let foreign = 0;
          for (let i = first; i < end; i++) {
            const { record, ownMoves } = this.parts[i]!;
            foreign += generations.current(record.fileId) - ownMoves;
          }
          known = { moves: generations.moves, foreign };
        }
        const seen = this.#seen.get(joined)!;
        seen.mark ??= known.foreign;
        return known.foreign;
      },
      read: (start, into) => this.#read(start, into),
    });
    this.#seen.set(joined, { first, end, mark: undefined });
    return joined;
  }

  /** Another dataset is writing one of these files, whose bytes are of no generation meanwhile. */
  #isWrittenByOthers(first: number, end: number): boolean {
    if (isWritable(this.record)) return false;
    for (let i = first; i < end; i++) {
      if (this.files.knownStateOf(this.parts[i]!.record.fileId)?.lock.isWriting) return true;
    }
    return false;
  }

  /** Until what others are writing to these files is written. */
  async #awaitOthers(first: number, end: number): Promise<void> {
    if (isWritable(this.record)) return;
    for (let i = first; i < end; i++) {
      const state = this.files.knownStateOf(this.parts[i]!.record.fileId);
      // oxlint-disable-next-line no-await-in-loop
      if (state && !state.lock.isOpenToReaders) await state.lock.withRead(() => {});
    }
  }

  override recheck(file: OpenFile, changedMs?: number): void {
    if (this.registration.isForgotten) failForgotten();
    const { first, end, mark } = this.#seen.get(file) ?? { first: 0, end: 0, mark: undefined };
    // However long the answer is: what others write is in no snapshot of the whole.
    if (mark !== undefined && mark !== file.stamp.ctimeMs) failWritten();
    if (end - first > RECHECKED_MAX) return;
    for (const part of this.parts.slice(first, end)) {
      const { look } = part;
      if (!look || look.fault) continue;
      const found = fs.statSync(part.record.path, { throwIfNoEntry: false });
      const name = this.nameOf(part);
      if (found?.ino !== look.inode || found.dev !== look.device) inPart(name, failReplaced);
      const isOther = found.ctimeMs !== look.ctimeMs || found.size !== look.bytes;
      const isOurs = this.files.knownStateOf(part.record.fileId)?.isWriting === true || changedMs === undefined;
      if (isOther && look.isSettled && !isOurs) inPart(name, failWritten);
    }
  }

  /** The next call looks anew. */
  override async learned(thrown: unknown): Promise<never> {
    throw thrown;
  }

  override get knownState(): DatasetState {
    if (this.registration.isForgotten) return 'missing';
    if (this.damage !== undefined) return 'quarantined';
    if (this.files.failedFileIds.some(fileId => this.#byId.has(fileId))) return 'durability_unknown';
    return this.whole.bulkLoading ? 'bulk_load' : 'ready';
  }

  override get damage(): string | undefined {
    for (const { fileId, reason } of this.files.damagedFiles) {
      const part = this.#byId.get(fileId);
      if (part) return `${this.nameOf(part)}: ${reason}`;
    }
    return undefined;
  }

  override async state(): Promise<DatasetState> {
    const known = this.knownState;
    if (known !== 'ready') return known;
    for (const [i, part] of this.parts.entries()) {
      const found = fs.statSync(part.record.path, { throwIfNoEntry: false });
      if (!found?.isFile()) return 'missing';
      if (found.size < part.dataset.geometry.endBytes) return 'truncated';
      if (part.look?.fault && isSame(part.look, found)) return 'changed';
      // oxlint-disable-next-line no-await-in-loop
      if (isTurnOver(i, LOOKS_PER_TURN)) await nextTurn();
    }
    return 'ready';
  }

  /** No file of it is mapped. */
  override async residency(): Promise<null> {
    return null;
  }

  /** As clients know it. */
  nameOf({ record }: Part): string {
    return this.files.roots.locate(record.path)?.path ?? path.basename(record.path);
  }

  /** Looks at these parts, of which none may be missing or another. @throws file_changed */
  async lookAtAll(numbers: Iterable<number>): Promise<void> {
    for (const number of numbers) {
      // oxlint-disable-next-line no-await-in-loop
      await this.#lookAt(number, number + 1);
      const fault = this.parts[number]!.look?.fault;
      if (fault) throw fault;
    }
  }

  /** Opens a part, whose file must be leased at once. @throws file_changed */
  async openPart(part: Part): Promise<OpenFile> {
    // What took its place is another file of the same form: it was looked at.
    part.dataset.registration.seen = undefined;
    try {
      return await part.dataset.open();
    } catch (error) {
      throw faultOf(error, this.nameOf(part));
    }
  }

  /** A write of ours to a part has ended: what it moved is not taken for another's. */
  noteOwnWrite(part: Part, file: OpenFile, before: number): void {
    part.ownMoves += this.files.generations.current(part.record.fileId) - before;
    part.look = this.#lookOf(part, file);
  }

  #partsIn({ start, end }: Extent): [first: number, end: number] {
    if (start >= end || this.geometry.nbytes === 0) return [0, 0];
    return [partAt(this.parts, Math.max(0, start)), partAt(this.parts, Math.min(end, this.geometry.nbytes) - 1) + 1];
  }

  /** Notices what became of parts since they were looked at. */
  async #lookAt(first: number, end: number): Promise<void> {
    const changed: Part[] = [];
    for (let i = first; i < end; i++) {
      const part = this.parts[i]!;
      if (part.rows > 0 && !this.#isAsBefore(part)) changed.push(part);
      // oxlint-disable-next-line no-await-in-loop
      if (isTurnOver(i - first, LOOKS_PER_TURN)) await nextTurn();
    }
    if (changed.length === 0) return;
    const opening = new Turnstile(OPENED_AT_ONCE);
    await Promise.all(changed.map(part => opening.run(() => this.#examined(part))));
  }

  #isAsBefore({ record, look }: Part): boolean {
    if (!look?.isSettled || look.generation !== this.files.generations.current(record.fileId)) return false;
    return isSame(look, fs.statSync(record.path, { throwIfNoEntry: false }));
  }

  #examined(part: Part): Promise<void> {
    part.looking ??= this.#examine(part).finally(() => {
      part.looking = undefined;
    });
    return part.looking;
  }

  async #examine(part: Part): Promise<void> {
    const { generations } = this.files;
    const { fileId } = part.record;
    const before = part.look;
    const look = await this.#openToLook(part);
    part.look = look;
    const isOther = !before || !Object.is(before.inode, look.inode) || !Object.is(before.device, look.device);
    const isOtherFault = before?.fault?.message !== look.fault?.message;
    if (isOther || isOtherFault) this.#version++;
    const isMoved = isOther || isOtherFault || before.ctimeMs !== look.ctimeMs || before.bytes !== look.bytes;
    if (!before || !isMoved) return;
    // What its own dataset has noticed has moved its generation already.
    if (generations.current(fileId) === before.generation) {
      await advanceUnseen(this.files.stateOf(fileId), generations);
      part.look = { ...look, generation: generations.current(fileId) };
    }
    // A version that notes no change may have changed anything.
    this.whole.writesStarted++;
  }

  async #openToLook(part: Part): Promise<Look> {
    try {
      return this.#lookOf(part, await this.openPart(part));
    } catch (error) {
      if (!(error instanceof HyperslabError)) throw error;
      const found = fs.statSync(part.record.path, { throwIfNoEntry: false });
      return {
        device: found?.dev ?? Number.NaN,
        inode: found?.ino ?? Number.NaN,
        ctimeMs: found?.ctimeMs ?? 0,
        bytes: found?.size ?? 0,
        generation: this.files.generations.current(part.record.fileId),
        // What may be over in a moment is looked at each time.
        isSettled: false,
        fault: error,
      };
    }
  }

  #lookOf({ record }: Part, { stamp }: OpenFile): Look {
    return {
      device: Number(stamp.dev),
      inode: Number(stamp.ino),
      ctimeMs: stamp.ctimeMs,
      bytes: stamp.bytes,
      generation: this.files.generations.current(record.fileId),
      isSettled: Date.now() - stamp.ctimeMs > LIMITS.youngFileMs,
      fault: undefined,
    };
  }

  #tableOf(first: number, last: number): PartTable {
    const kept = this.#table;
    if (kept?.first === first && kept.last === last && kept.version === this.#version) return kept.table;
    const list: PartList = {
      ...this.all,
      parts: this.parts.slice(first, last).map(part => ({
        name: this.nameOf(part),
        path: part.record.path,
        device: part.look?.device ?? -1,
        inode: part.look?.inode ?? -1,
        start: part.start,
        rows: part.rows,
        order: part.order,
        offset: part.offset,
        fault: part.look?.fault && toldOf(part.look.fault),
      })),
    };
    const text = Buffer.from(JSON.stringify(list));
    const json = new Uint8Array(new SharedArrayBuffer(text.byteLength));
    json.set(text);
    const table = { id: ++tables, json };
    this.#table = { first, last, version: this.#version, table };
    return table;
  }

  /** On this thread, for what is about to be overwritten. */
  async #read(start: number, into: Uint8Array): Promise<void> {
    const rowBytes = rowBytesOf(this.all);
    for (let done = 0; done < into.byteLength;) {
      const part = this.parts[partAt(this.parts, start + done)]!;
      const from = start + done - part.start;
      const bytes = into.subarray(done, done + Math.min(into.byteLength - done, part.rows * rowBytes - from));
      if (!isContiguous(partView(this.all, part), this.all.itemsize)) {
        throw new Error('elements of another order are gathered by workers');
      }
      // oxlint-disable-next-line no-await-in-loop
      const file = await this.openPart(part);
      const release = file.lease();
      try {
        // oxlint-disable-next-line no-await-in-loop
        await file.readPiece(part.offset + from, bytes);
      } finally {
        release();
      }
      done += bytes.byteLength;
    }
  }
}

function partDataset(whole: DatasetRecord, part: PartRecord, files: FileTable, check: ContentCheck): Dataset {
  const { rows, ...rest } = part;
  const { asked: _, parts: __, content: ___, ...shared } = whole;
  const record: DatasetRecord = { ...shared, ...rest, shape: [rows, ...whole.shape.slice(1)], dims: null };
  return new Dataset(record, files, check);
}

function isSame(look: Look, found: Pick<fs.Stats, 'dev' | 'ino' | 'ctimeMs' | 'size'> | undefined): boolean {
  if (!found) return Number.isNaN(look.inode);
  const { dev, ino, ctimeMs, size } = found;
  return look.device === dev && look.inode === ino && look.ctimeMs === ctimeMs && look.bytes === size;
}

/** What is not there is a change of the array. */
function faultOf(error: unknown, name: string): unknown {
  if (!(error instanceof HyperslabError)) return error;
  const isGone = isErrorCode(error, 'path_forbidden') || isErrorCode(error, 'file_not_found');
  const { message, values } = error;
  return ofPart(isGone ? new HyperslabError('file_changed', message, { reason: 'replaced', ...values }) : error, name);
}

function toldOf({ code, message, values }: HyperslabError): { code: string; detail: string; reason?: unknown } {
  return { code, detail: message, ...(values['reason'] !== undefined && { reason: values['reason'] }) };
}

/** @throws file_changed */
function inPart(name: string, refuse: () => never): never {
  try {
    return refuse();
  } catch (error) {
    throw error instanceof HyperslabError ? ofPart(error, name) : error;
  }
}
