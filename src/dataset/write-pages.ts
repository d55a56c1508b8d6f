/**
 * Writing to a dataset of mode c: the pages that a write touches are copied, changed, and then seen in one step. The file
 * is read, and never written. Memory: the pages, which are counted before the first of them is copied.
 */
import { checkWanted } from '../cancelled.js';
import type { Client } from '../fair-line.js';
import { partsOf, singleRun, type Change } from '../file/change.js';
import type { OpenFile } from '../file/open-file.js';
import { pageOf } from '../file/page-table.js';
import type { Draft, PrivatePages } from '../file/private-pages.js';
import { failForgotten } from '../file/refusals.js';
import { fromSystemError } from '../file/system-errors.js';
import { PAGE_BYTES } from '../layout/boxes.js';
import { coveringRuns, type Extent } from '../layout/runs.js';
import { scatter, type ScatterFile } from '../layout/scatter.js';
import { extentOf, isContiguous } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { givingTurns, isTurnOver, runTurns } from '../turns.js';
import type { Dataset } from './dataset.js';

interface PageWrite {
  /** Applied in this order; each sets something. */
  readonly changes: readonly Change[];
  /** Runs before anything is copied, and when it is the write's turn; throws to refuse. */
  readonly precondition: (generation: number) => void;
  readonly signal?: AbortSignal | undefined;
  readonly client?: Client | undefined;
}

/** Returns the generation that the changes make together. @throws too_large, private_memory_full, busy, cancelled */
export function writePages(
  dataset: Dataset,
  file: OpenFile,
  { changes, precondition, signal, client }: PageWrite,
): Promise<number> {
  const pages = dataset.pages!;
  return pages.writers.run(
    async () => {
      precondition(dataset.generation);
      const numbers = await pagesOf(changes, pages);
      await reserveGeneration(dataset);
      const draft = await pages.begin(numbers, signal);
      try {
        // No write of the file comes between the pages that are copied.
        return await file.state.lock.withRead(
          async () => {
            file.state.checkUsable();
            precondition(dataset.generation);
            await new DraftFile(file, draft, dataset.geometry.endBytes).apply(changes, signal);
            const commit = await draft.prepare();
            precondition(dataset.generation);
            if (dataset.registration.isForgotten) failForgotten();
            commit();
            return advanceGeneration(dataset);
          },
          { signal, client },
        );
      } catch (error) {
        draft.abort();
        throw fromSystemError(error);
      }
    },
    signal,
    client,
  );
}

/** Drops what was written. Returns the generation that this makes. */
export function discardPages(dataset: Dataset, precondition: (generation: number) => void): Promise<number> {
  const pages = dataset.pages!;
  return pages.writers.run(async () => {
    precondition(dataset.generation);
    await reserveGeneration(dataset);
    if (dataset.registration.isForgotten) failForgotten();
    precondition(dataset.generation);
    pages.clear();
    return advanceGeneration(dataset);
  });
}

async function reserveGeneration({ files, record }: Dataset): Promise<void> {
  // From now on the counter is above its value on disk, and the next start goes on above that.
  files.privateMemory.moved.add(record.id);
  try {
    await files.generations.reserve(record.id);
  } catch (error) {
    throw fromSystemError(error);
  }
}

function advanceGeneration(dataset: Dataset): number {
  dataset.files.generations.advance(dataset.record.id);
  return dataset.generation;
}

const EVERYTHING: Extent = { start: 0, end: Number.MAX_SAFE_INTEGER };

/** The pages of a part of a change that have a byte of it, as ranges of their numbers, ascending. */
function pageRangesOf({ target, itemsize }: Change): Extent[] {
  // No gap of fewer bytes has a whole page in it.
  const bounds = { gapBytesMax: PAGE_BYTES - 1, runsMax: LIMITS.preImageRunsMax };
  return coveringRuns(target, itemsize, EVERYTHING, bounds).map(({ start, end }) => ({
    start: Math.floor(start / PAGE_BYTES),
    end: Math.ceil(end / PAGE_BYTES),
  }));
}

/** The pages that changes touch, ascending. @throws too_large as soon as they are more than there may be */
async function pagesOf(changes: readonly Change[], { memory }: PrivatePages): Promise<Float64Array> {
  const numbers = new Set<number>();
  const takeTurns = givingTurns();
  for (const change of changes) {
    for (const part of partsOf(change, LIMITS.privateStepBytes)) {
      for (const { start, end } of pageRangesOf(part)) {
        for (let number = start; number < end; number++) numbers.add(number);
      }
      if (numbers.size * PAGE_BYTES > memory.limitBytes) memory.failTooLarge(numbers.size * PAGE_BYTES);
      // oxlint-disable-next-line no-await-in-loop
      await takeTurns();
    }
  }
  return runTurns(ascending(numbers));
}

function* ascending(numbers: ReadonlySet<number>): Generator<void, Float64Array> {
  const sorted = new Float64Array(numbers.size);
  let count = 0;
  let isAscending = true;
  for (const number of numbers) {
    if (count > 0 && sorted[count - 1]! > number) isAscending = false;
    sorted[count++] = number;
    if (isTurnOver(count)) yield;
  }
  // The parts of a write come in the order of the file.
  return isAscending ? sorted : sorted.sort();
}

/** The pages of a write as the file that it is applied to. */
class DraftFile implements ScatterFile {
  readonly #file: OpenFile;
  readonly #draft: Draft;
  readonly #endBytes: number;
  /** Pages that have their bytes. */
  readonly #filled = new Set<number>();
  #scratch: Uint8Array | undefined;

  constructor(file: OpenFile, draft: Draft, endBytes: number) {
    this.#file = file;
    this.#draft = draft;
    this.#endBytes = endBytes;
  }

  async apply(changes: readonly Change[], signal: AbortSignal | undefined): Promise<void> {
    const takeTurns = givingTurns();
    for (const change of changes) {
      for (const part of partsOf(change, LIMITS.privateStepBytes)) {
        // oxlint-disable-next-line no-await-in-loop
        await this.#fill(part);
        const single = singleRun(part);
        if (single) this.write(part.target.offset, single);
        else scatter(part, part.itemsize, part.bytes, this);
        checkWanted(signal);
        // oxlint-disable-next-line no-await-in-loop
        await takeTurns();
      }
    }
  }

  write(offset: number, bytes: Uint8Array): void {
    eachPage(offset, bytes.byteLength, (number, from, length, done) => {
      this.#draft.page(number)!.set(bytes.subarray(done, done + length), from);
    });
  }

  /** A stretch whose pages are all of the write. */
  alter(offset: number, length: number, change: (span: Uint8Array) => void): boolean {
    this.#scratch ??= new Uint8Array(LIMITS.pieceBytesMax);
    const span = this.#scratch.subarray(0, length);
    let isWhole = true;
    eachPage(offset, length, (number, from, bytes, done) => {
      const page = this.#draft.page(number);
      if (page) span.set(page.subarray(from, from + bytes), done);
      else isWhole = false;
    });
    if (!isWhole) return false;
    change(span);
    this.write(offset, span);
    return true;
  }

  /** Sees to it that the pages of a part have the bytes that stay: those that were private before, or the file's. */
  async #fill(part: Change): Promise<void> {
    const { start, end } = extentOf(part.target, part.itemsize);
    const isRun = isContiguous(part.target, part.itemsize);
    for (const range of pageRangesOf(part)) {
      for (let number = range.start; number < range.end; number++) {
        if (this.#filled.has(number)) continue;
        this.#filled.add(number);
        const isOverwritten = isRun && number * PAGE_BYTES >= start && (number + 1) * PAGE_BYTES <= end;
        // oxlint-disable-next-line no-await-in-loop
        if (!isOverwritten) await this.#fillPage(number);
      }
    }
  }

  async #fillPage(number: number): Promise<void> {
    const page = this.#draft.page(number)!;
    const before = pageOf(this.#file.pages, number);
    if (before) {
      page.set(before);
      return;
    }
    const start = number * PAGE_BYTES;
    const inFile = page.subarray(0, Math.min(PAGE_BYTES, this.#endBytes - start));
    await this.#file.readPiece(start, inFile);
  }
}

/** Calls back with each page of a stretch: where in it the stretch begins, how far it goes, and what came before. */
function eachPage(
  offset: number,
  length: number,
  use: (number: number, from: number, length: number, done: number) => void,
): void {
  for (let done = 0; done < length;) {
    const number = Math.floor((offset + done) / PAGE_BYTES);
    const from = offset + done - number * PAGE_BYTES;
    const bytes = Math.min(PAGE_BYTES - from, length - done);
    use(number, from, bytes, done);
    done += bytes;
  }
}
