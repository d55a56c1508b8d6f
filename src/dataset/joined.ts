/**
 * A dataset whose rows lie in several files. As a whole it is a C-order array of bytes that are nowhere
 * (layout/part-views.ts), with a lock, snapshots and a counter of its own; each part is a dataset of its file, which
 * looks after journal, header and generation. A part is looked at when a call may touch it, and opened where it is not as
 * it was; one that cannot be read fails the calls that do touch it, by its name.
 * Hazard: thousands of parts. Nothing is held open for one but a row of a table, and loops over all give turns.
 */
import path from 'node:path';
import type { PartTable } from '../descriptor.js';
import { HyperslabError, systemErrorCode } from '../errors.js';
import type { FileState } from '../file/file-state.js';
import type { FileTable } from '../file/file-table.js';
import { JoinedFile } from '../file/joined-file.js';
import type { OpenFile } from '../file/open-file.js';
import { failForgotten, failWritten } from '../file/refusals.js';
import { partAt, rowBytesOf, type Rows } from '../layout/part-views.js';
import type { Extent } from '../layout/runs.js';
import { Dataset } from './dataset.js';
import type { OffLoop } from './off-loop.js';
import { Part } from './part.js';
import { readParts } from './part-bytes.js';
import { PartLooks } from './part-looks.js';
import { isWritable, type DatasetRecord, type PartRecord } from './record.js';
import type { ContentCheck, DatasetState, Registration } from './registration.js';

let tables = 0;

export class JoinedDataset extends Dataset {
  readonly all: Rows;
  readonly parts: readonly Part[];
  /** The lock, the snapshots and the log of the whole. */
  readonly whole: FileState;
  readonly looks: PartLooks;
  readonly #byId: ReadonlyMap<string, Part>;
  /** Of each file that was handed out: the parts that may be read, and what others had written of them. */
  readonly #seen = new WeakMap<OpenFile, { readonly first: number; readonly end: number; mark: number | undefined }>();
  #sum: { readonly moves: number; readonly generation: number } | undefined;
  #table:
    { readonly first: number; readonly last: number; readonly version: number; readonly table: PartTable } | undefined;

  constructor(record: DatasetRecord, files: FileTable, partCheck: ContentCheck, registration?: Registration) {
    super(record, files, partCheck, registration);
    this.all = { itemsize: this.geometry.dtype.itemsize, rowShape: record.shape.slice(1) };
    const rowBytes = rowBytesOf(this.all);
    const nameOf = (realPath: string): string => files.roots.locate(realPath)?.path ?? path.basename(realPath);
    let start = 0;
    this.parts = record.parts!.map(each => {
      const part = new Part(each, start, nameOf, () => partDataset(record, each, files, partCheck));
      start += each.rows * rowBytes;
      return part;
    });
    this.#byId = new Map(this.parts.map(part => [part.record.fileId, part]));
    this.whole = files.stateOf(record.fileId);
    this.looks = new PartLooks(this.parts, files, this.whole, this.registration);
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
    await this.looks.lookAt(first, end);
    await this.#awaitOthers(first, end);
    if (this.registration.isForgotten) failForgotten();
    return this.fileOf(first, end);
  }

  /** Its length never moves. */
  override openToWrite(extent?: Extent): Promise<OpenFile> {
    return this.open(extent);
  }

  /** The whole, of which parts `[first, end)` may be read; on this thread with the help of workers, where it is given. */
  fileOf(first = 0, end = this.parts.length, offLoop?: OffLoop): OpenFile {
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
      read: (start, into) => readParts(this, start, into, offLoop),
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
    this.looks.recheck(first, end, changedMs === undefined);
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
      if (part) return `${part.name}: ${reason}`;
    }
    return undefined;
  }

  /** Its own, and those of its files. */
  override get counterIds(): readonly string[] {
    return [this.record.fileId, ...this.#byId.keys()];
  }

  override async lookAgain(): Promise<void> {
    if (this.knownState !== 'ready') return;
    try {
      await this.looks.lookAt(0, this.parts.length);
    } catch (error) {
      // Whatever is wrong with a file is told by the call that reads it.
      if (systemErrorCode(error) === undefined && !(error instanceof HyperslabError)) throw error;
    }
  }

  override async state(): Promise<DatasetState> {
    const known = this.knownState;
    if (known !== 'ready') return known;
    const rowBytes = rowBytesOf(this.all);
    return this.looks.state(({ offset, rows }) => (rows * rowBytes === 0 ? 0 : offset + rows * rowBytes));
  }

  /** No file of it is mapped. */
  override async residency(): Promise<null> {
    return null;
  }

  /** The same for a write, which saves what it is about to overwrite. */
  fileFor(offLoop: OffLoop): OpenFile {
    return this.fileOf(0, this.parts.length, offLoop);
  }

  #partsIn({ start, end }: Extent): [first: number, end: number] {
    if (start >= end || this.geometry.nbytes === 0) return [0, 0];
    return [partAt(this.parts, Math.max(0, start)), partAt(this.parts, Math.min(end, this.geometry.nbytes) - 1) + 1];
  }

  #tableOf(first: number, last: number): PartTable {
    const kept = this.#table;
    const { version } = this.looks;
    if (kept?.first === first && kept.last === last && kept.version === version) return kept.table;
    const rows = this.parts.slice(first, last).map(part => part.rowFor(this.looks.of(part)));
    const { itemsize, rowShape } = this.all;
    // A PartList, of which the rows are there already.
    const text = Buffer.from(
      `{"itemsize":${itemsize},"rowShape":${JSON.stringify(rowShape)},"parts":[${rows.join()}]}`,
    );
    const json = new Uint8Array(new SharedArrayBuffer(text.byteLength));
    json.set(text);
    const table = { id: ++tables, json };
    this.#table = { first, last, version, table };
    return table;
  }
}

function partDataset(whole: DatasetRecord, part: PartRecord, files: FileTable, check: ContentCheck): Dataset {
  const { rows, ...rest } = part;
  const { asked: _, parts: __, content: ___, ...shared } = whole;
  const record: DatasetRecord = { ...shared, ...rest, shape: [rows, ...whole.shape.slice(1)], dims: null };
  return new Dataset(record, files, check);
}
