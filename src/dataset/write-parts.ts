/**
 * Writing to an array in several files: one commit for each file, in the order of the parts, after all of them were looked
 * at and the precondition held for all. Between two commits readers see the files before as new, and those behind as old,
 * under generations of their own. Whoever writes has the turn of the whole, and no other dataset may write its files.
 */
import { setImmediate as nextLoop } from 'node:timers/promises';
import { checkWanted } from '../cancelled.js';
import { HyperslabError } from '../errors.js';
import { changedBytes, type Change } from '../file/change.js';
import { flushFile } from '../file/checkpoint.js';
import { commitChanges, type Applier } from '../file/commit.js';
import type { OpenFile } from '../file/open-file.js';
import { fromSystemError } from '../file/system-errors.js';
import { tellReaders } from '../file/tell-readers.js';
import { writeThrough } from '../file/write-through.js';
import { inPart, listedByPart, piecesByPart, rowBytesOf } from '../layout/part-views.js';
import { isListed, listedPlaces } from '../layout/places.js';
import { listAlong, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { nextTurn } from '../turns.js';
import type { JoinedDataset } from './joined.js';
import type { OffLoop } from './off-loop.js';
import type { Part } from './part.js';

/** What is done to one part: as bytes of the whole, for its readers, and of its file. */
export interface PartChange {
  readonly whole: Pick<Change, 'target' | 'itemsize'>;
  readonly own: Change;
}

/** How a part of a write reaches the file. */
export interface PartWriting {
  readonly applier: Applier;
  readonly offLoop: OffLoop;
  readonly signal?: AbortSignal | undefined;
}

export interface PartsWrite extends PartWriting {
  readonly isCommitted: boolean;
  /** Asked with the generation of the whole, in the turn of the write. */
  readonly precondition: (generation: number) => void;
}

/** Returns the generation that the changes make, and of how many files. */
export async function writeParts(
  dataset: JoinedDataset,
  changes: readonly Change[],
  write: PartsWrite,
): Promise<{ generation: number; files: number }> {
  const byPart = await changesByPart(dataset, changes, write.offLoop);
  const { signal, precondition } = write;
  const { client } = write.offLoop;
  const ask = (): void => {
    dataset.fileOf().checkWritable();
    precondition(dataset.generation);
  };
  if (byPart.size === 0) {
    ask();
    return { generation: dataset.generation, files: 0 };
  }
  ask();
  await dataset.whole.writers.run(
    async () => {
      ask();
      await dataset.looks.lookAtAll(byPart.keys());
      // Looking at them may have moved it.
      ask();
      checkWanted(signal);
      await commitEach(dataset, byPart, write);
    },
    signal,
    client,
  );
  return { generation: dataset.generation, files: byPart.size };
}

async function commitEach(
  dataset: JoinedDataset,
  byPart: ReadonlyMap<number, readonly PartChange[]>,
  write: PartsWrite,
): Promise<void> {
  const committed: string[] = [];
  const { applier, offLoop, isCommitted } = write;
  const { whole, files } = dataset;
  for (const [number, changes] of byPart) {
    const part = dataset.parts[number]!;
    try {
      // oxlint-disable-next-line no-await-in-loop
      await whole.lock.withWrite(async () => {
        whole.beginWrite();
        for (const { target, itemsize } of changes.map(each => each.whole)) {
          // oxlint-disable-next-line no-await-in-loop
          await tellReaders(dataset.fileFor(offLoop), target, itemsize);
        }
        await writePart(dataset, part, file => {
          if (!isCommitted) return writeOwn(dataset, part, file, changes, write);
          const own = ownChanges(dataset, file, changes);
          const precondition = (): void => part.dataset.recheck(file);
          return commitChanges(file, files, { changes: own, precondition, applier, client: offLoop.client });
        });
      });
      committed.push(part.name);
    } catch (error) {
      throw failedAt(fromSystemError(error), part.name, committed, byPart.size);
    }
    // Readers of the whole get in between.
    // oxlint-disable-next-line no-await-in-loop
    await nextLoop();
  }
}

/** Does work on the file of a part, and notes that what moved it was ours. */
export async function writePart(
  dataset: JoinedDataset,
  part: Part,
  work: (file: OpenFile) => Promise<unknown>,
): Promise<void> {
  const file = await dataset.looks.open(part);
  const release = file.lease();
  const before = dataset.files.generations.current(part.record.fileId);
  try {
    await work(file);
  } finally {
    dataset.looks.noteOwnWrite(part, file, before);
    release();
  }
}

/**
 * A body of any size that is applied as it arrives, to one part after the other. The whole is closed to everybody else
 * meanwhile.
 */
export class StreamToParts {
  readonly #dataset: JoinedDataset;
  readonly #writing: PartWriting;
  readonly #written = new Set<number>();

  constructor(dataset: JoinedDataset, writing: PartWriting) {
    this.#dataset = dataset;
    this.#writing = writing;
  }

  /** How many files were written. */
  get files(): number {
    return this.#written.size;
  }

  /** Looks at the parts of what will be written, before any of it is. @throws file_changed */
  async lookAt(view: View): Promise<void> {
    const { all, parts } = this.#dataset;
    if (view.lists || this.#dataset.geometry.nbytes === 0) return;
    const numbers = new Set(Array.from(piecesByPart(view, rowBytesOf(all), parts), ({ part }) => part));
    await this.#dataset.looks.lookAtAll(numbers);
  }

  async apply(change: Change): Promise<void> {
    const dataset = this.#dataset;
    const { offLoop } = this.#writing;
    await tellReaders(dataset.fileFor(offLoop), change.target, change.itemsize);
    for (const [number, changes] of await changesByPart(dataset, [change], offLoop)) {
      this.#written.add(number);
      const part = dataset.parts[number]!;
      // oxlint-disable-next-line no-await-in-loop
      await writePart(dataset, part, file => writeOwn(dataset, part, file, changes, this.#writing));
    }
  }
}

/** The changes of one part, as those of its file. */
function ownChanges({ record }: JoinedDataset, file: OpenFile, changes: readonly PartChange[]): Change[] {
  const gaps = record.external ? file.gapsOfOthers : 'rewrite';
  return changes.map(({ own }) => ({ ...own, gaps }));
}

/** Does them to the file at once, without a commit. */
async function writeOwn(
  dataset: JoinedDataset,
  part: Part,
  file: OpenFile,
  changes: readonly PartChange[],
  { applier, offLoop }: PartWriting,
): Promise<void> {
  const options = { precondition: () => part.dataset.recheck(file), client: offLoop.client };
  await writeThrough(file, dataset.files, options, async () => {
    const { isSparse } = file.extent();
    for (const change of ownChanges(dataset, file, changes)) {
      // oxlint-disable-next-line no-await-in-loop
      if (isSparse) await applier.hold(file, change);
      // oxlint-disable-next-line no-await-in-loop
      await applier.apply(file, change);
    }
  });
}

/** Says what of a write stands, where it took more than one file. */
function failedAt(error: HyperslabError, part: string, committed: readonly string[], files: number): HyperslabError {
  const { code, message, values } = error;
  const told = { ...values, part: values['part'] ?? part };
  if (files === 1) return new HyperslabError(code, message, told, { cause: error });
  const stands = `${committed.length} of ${files} files were written before it; the rest is as it was.`;
  return new HyperslabError(code, `${message} ${stands}`, { ...told, committed }, { cause: error });
}

/** The changes of each part, by its number, each in the order in which they came. */
export async function changesByPart(
  dataset: JoinedDataset,
  changes: readonly Change[],
  offLoop: OffLoop,
): Promise<Map<number, PartChange[]>> {
  const byPart = new Map<number, PartChange[]>();
  const add = (part: number, change: PartChange): void => {
    const before = byPart.get(part);
    if (before) before.push(change);
    else byPart.set(part, [change]);
  };
  for (const change of changes) {
    if (changedBytes(change) === 0) continue;
    const pieces = isListed(change.target) ? listedChanges(dataset, change, offLoop) : steppedChanges(dataset, change);
    // oxlint-disable-next-line no-await-in-loop
    for await (const { part, ...each } of pieces) add(part, each);
  }
  return new Map([...byPart].sort(([a], [b]) => a - b));
}

type Found = PartChange & { readonly part: number };

async function* steppedChanges({ all, parts }: JoinedDataset, change: Change): AsyncGenerator<Found, void> {
  const { target, source, itemsize } = change;
  let count = 0;
  for (const { part, view, cut } of piecesByPart(target, rowBytesOf(all), parts)) {
    const own: Change = {
      ...change,
      target: inPart(all, parts[part]!, view),
      source: cut ? cutAlong(source, cut) : source,
    };
    yield { part, whole: { target: view, itemsize }, own };
    if (++count % PIECES_PER_TURN === 0) await nextTurn();
  }
}

const PIECES_PER_TURN = 1024;

function cutAlong(view: View, { axis, start, length }: { axis: number; start: number; length: number }): View {
  const cut = {
    ...view,
    shape: view.shape.with(axis, length),
    offset: view.offset + start * view.strides[axis]!,
  };
  if (!view.lists) return cut;
  return {
    ...cut,
    lists: view.lists.map(list => listAlong(list, list.strides, list.start + start * list.strides[axis]!)),
  };
}

async function* listedChanges(
  { all, parts }: JoinedDataset,
  change: Change,
  offLoop: OffLoop,
): AsyncGenerator<Found, void> {
  for (const piece of listedByPart(all, change.target, parts)) {
    if (!piece) {
      await nextTurn();
      continue;
    }
    const { part, view, places, runBytes, first } = piece;
    const offset = change.source.offset + first * view.shape[1]!;
    const runs = { ...change, source: { shape: [places.length, runBytes], strides: [runBytes, 1], offset } };
    const isAscending = parts[part]!.order === 'C';
    const target = isAscending ? listedPlaces(places, runBytes) : placesAnywhere(places);
    const own = isAscending ? { ...runs, target } : await offLoop.arrange(elementsOf(runs, target, places, runBytes));
    yield { part, whole: { target: view, itemsize: change.itemsize }, own };
  }
}

/** Single elements, each at its place. */
function placesAnywhere(places: Float64Array): View {
  let [min, max] = [Number.POSITIVE_INFINITY, 0];
  for (const place of places) {
    min = Math.min(min, place);
    max = Math.max(max, place);
  }
  const list = { offsets: places, strides: [1], start: 0, min, max };
  return { shape: [places.length], strides: [0], offset: 0, lists: [list] };
}

function elementsOf(change: Change, target: View, places: Float64Array, itemsize: number): Change {
  const { bytes, source } = change;
  const own = new Uint8Array(new SharedArrayBuffer(places.length * itemsize));
  for (let at = 0; at < own.byteLength; at += LIMITS.pieceBytesMax) {
    own.set(
      bytes.subarray(source.offset + at, source.offset + Math.min(own.byteLength, at + LIMITS.pieceBytesMax)),
      at,
    );
  }
  return { ...change, target, itemsize, source: { shape: target.shape, strides: [itemsize], offset: 0 }, bytes: own };
}

/** Puts every part that was written on disk, and empties its journal. */
export async function flushParts(dataset: JoinedDataset, precondition: () => void): Promise<void> {
  const { files, whole } = dataset;
  await whole.writers.run(async () => {
    dataset.fileOf().checkWritable();
    precondition();
    for (const part of dataset.parts) {
      const state = files.knownStateOf(part.record.fileId);
      state?.checkUsable();
      if (!state?.unsynced && state?.journal === undefined) continue;
      // oxlint-disable-next-line no-await-in-loop
      await writePart(dataset, part, file => flushFile(file, files.journals));
    }
  });
}
