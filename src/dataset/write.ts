/** Writing selections: exactly the bytes that belong to them, through the journal or past it. */
import { checkWanted } from '../cancelled.js';
import { fail } from '../errors.js';
import type { Gaps } from '../file/alter.js';
import { changedBytes, costBytes, partsOf, singleRun, type Change } from '../file/change.js';
import { commitChanges, type Applier, type Durability } from '../file/commit.js';
import { writeFully } from '../file/io.js';
import { tellReaders } from '../file/tell-readers.js';
import type { OpenFile } from '../file/open-file.js';
import { writeThrough } from '../file/write-through.js';
import { extentOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { nextTurn } from '../turns.js';
import { traffic } from '../traffic.js';
import type { Dataset } from './dataset.js';
import { JoinedDataset } from './joined.js';
import type { OffLoop, Portion } from './off-loop.js';
import type { Precondition } from './precondition.js';
import { isCopyOnWrite, isWritable } from './record.js';
import { discardPages, writePages } from './write-pages.js';
import { writeParts } from './write-parts.js';

/** Bytes in the dataset's dtype and order, and where in them each element of the selection stands. */
export interface Payload {
  readonly bytes: Uint8Array;
  readonly source: View;
}

export interface WriteOptions {
  readonly durability: Durability;
  /** Runs when it is the write's turn, before anything is changed; throws to refuse. */
  readonly precondition: (generation: number) => void;
  /** It asks how long the array is. */
  readonly asksShape?: boolean | undefined;
  /** Fires when nobody waits for it any more. */
  readonly signal?: AbortSignal | undefined;
  /** Told of how many files it was, where the array lies in several. */
  readonly onFiles?: ((files: number) => void) | undefined;
}

/** @throws read_only */
export function checkWritable(dataset: Dataset): void {
  if (!isWritable(dataset.record) && !isCopyOnWrite(dataset.record)) {
    fail('read_only', `The dataset ${dataset.record.name} has mode r. Set mode r+ with PATCH to write to it.`, {
      dataset: dataset.record.name,
      mode: dataset.record.mode,
    });
  }
}

/** What is written has a file that it can be flushed to. @throws copy_on_write */
export function checkHasFile({ record: { name }, pages }: Dataset): void {
  if (!pages) return;
  fail(
    'copy_on_write',
    `The dataset ${name} has mode c: what is written to it stays in memory, and its file is as it was. Write to a dataset of mode r+ what is to last.`,
    { dataset: name, mode: 'c' },
  );
}

/** Takes back what was written to a dataset of mode c. Returns the generation that this makes. @throws not_copy_on_write */
export async function discardWrites(dataset: Dataset, precondition: Precondition): Promise<number> {
  const { name, id, mode } = dataset.record;
  precondition({ id, generation: dataset.generation });
  if (!dataset.pages) {
    fail(
      'not_copy_on_write',
      `The dataset ${name} has mode ${mode}: what was written to it is in its file. Only writes to a dataset of mode c can be discarded.`,
      { dataset: name, mode },
    );
  }
  return discardPages(dataset, generation => precondition({ id, generation }));
}

/** What may be done about the bytes between elements of a dataset that are written. */
export function gapsOf({ record }: Dataset, file: OpenFile): Gaps {
  return record.external ? file.gapsOfOthers : 'rewrite';
}

/**
 * Writes changes, all of them or, in the case of `commit`, none. Returns the generation that they make; changes of nothing
 * make none.
 */
export async function writeChanges(
  dataset: Dataset,
  asked: readonly Change[],
  { durability, precondition: asks, asksShape = false, signal, onFiles }: WriteOptions,
  offLoop: OffLoop,
): Promise<number> {
  if (dataset instanceof JoinedDataset) {
    const isCommitted = durability === 'commit';
    if (isCommitted) checkCost(asked);
    const write = { isCommitted, precondition: asks, applier: applierOf(offLoop), offLoop, signal };
    const { generation, files } = await writeParts(dataset, asked, write);
    onFiles?.(files);
    return generation;
  }
  const file = await dataset.openToWrite();
  const gaps = gapsOf(dataset, file);
  const changes: Change[] = [];
  for (const change of asked) if (changedBytes(change) > 0) changes.push({ ...change, gaps });
  const endBytes = changes.reduce((most, { target, itemsize }) => Math.max(most, extentOf(target, itemsize).end), 0);
  const precondition = onlyInto(dataset, file, asks, endBytes);
  if (changes.length === 0) {
    if (!dataset.pages) file.checkWritable();
    precondition(dataset.generation);
    return dataset.generation;
  }
  const release = file.lease();
  const applier = applierOf(offLoop);
  const { client } = offLoop;
  try {
    if (dataset.pages) return await writePages(dataset, file, { changes, precondition, signal, client });
    if (durability === 'commit') {
      checkCost(changes);
      return await commitChanges(file, dataset.files, {
        changes,
        precondition,
        asksShape,
        applier,
        signal,
        client,
      });
    }
    return await writeThrough(file, dataset.files, { precondition, signal, client }, async () => {
      const { isSparse } = file.extent();
      for (const change of changes) {
        // oxlint-disable-next-line no-await-in-loop
        if (isSparse) await applier.hold(file, change);
        // oxlint-disable-next-line no-await-in-loop
        await applyChange(file, change, offLoop, signal);
      }
    });
  } catch (error) {
    return await dataset.learned(error);
  } finally {
    release();
  }
}

/** A commit is applied as a whole, and again by a recovery: both have to end soon. @throws too_large */
function checkCost(changes: readonly Change[]): void {
  const beside = changes.reduce((sum, change) => sum + costBytes(change) - changedBytes(change), 0);
  if (beside <= LIMITS.commitCostBytesMax) return;
  fail(
    'too_large',
    `The elements of the write lie so far apart that its pages and calls cost the disk as much as ${Math.round(beside)} bytes more; ` +
      `durability=commit takes at most ${LIMITS.commitCostBytesMax}. Write smaller slices, or use durability=none and flush.`,
    { limit: LIMITS.commitCostBytesMax, asked: Math.round(beside) },
  );
}

/**
 * A precondition that also asks, in the write's turn, whether the file still is what the changes were made for, and has
 * had all of their places since, up to `endBytes`.
 */
export function onlyInto(
  dataset: Dataset,
  file: OpenFile,
  precondition: WriteOptions['precondition'],
  endBytes = 0,
): WriteOptions['precondition'] {
  return generation => {
    dataset.checkPlace(endBytes);
    dataset.recheck(file);
    precondition(generation);
  };
}

export function applierOf(offLoop: OffLoop): Applier {
  return {
    apply: (file, change) => applyChange(file, change, offLoop),
    async hold({ fd }, change) {
      const portion = portionOf(change);
      for (const { target, itemsize } of partsOf(change, LIMITS.scatterBytesMax)) {
        // oxlint-disable-next-line no-await-in-loop
        await offLoop.hold({ fd, target, itemsize }, portion);
      }
    },
  };
}

/** Puts the bytes of a change where they belong. The caller holds the write lock. @throws cancelled, between two parts */
export async function applyChange(
  file: OpenFile,
  change: Change,
  offLoop: OffLoop,
  signal?: AbortSignal,
): Promise<void> {
  await tellReaders(file, change.target, change.itemsize);
  await putChange(file, change, offLoop, signal);
}

/** The same for bytes that nobody reads yet. */
export async function putChange(file: OpenFile, change: Change, offLoop: OffLoop, signal?: AbortSignal): Promise<void> {
  traffic.writtenBytes += changedBytes(change);
  const run = singleRun(change);
  if (run) {
    await writeFully(file.fd, run, change.target.offset);
    return;
  }
  const portion = portionOf(change);
  const isLarge = portion === 'a part' || change.bytes.byteLength > LIMITS.pieceBytesMax;
  const bytes = isLarge ? await sharedCopy(change.bytes) : change.bytes;
  // In parts, between which the workers do what others wait for.
  for (const part of partsOf({ ...change, bytes }, LIMITS.scatterBytesMax)) {
    // oxlint-disable-next-line no-await-in-loop
    await offLoop.scatter({ fd: file.fd, ...part }, portion);
    checkWanted(signal);
  }
}

function portionOf(change: Change): Portion {
  return costBytes(change) > LIMITS.scatterBytesMax ? 'a part' : 'all of it';
}

/** Elements that lists choose, in the order of the file; other changes as they are. A worker puts them in order. */
export async function inFileOrder(change: Change, offLoop: OffLoop): Promise<Change> {
  if (!change.target.lists || changedBytes(change) === 0) return change;
  return offLoop.arrange({ ...change, bytes: await sharedCopy(change.bytes) });
}

/** Bytes that another thread may read, copied in turns: a message would copy all of them in one. */
async function sharedCopy(bytes: Uint8Array): Promise<Uint8Array> {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  for (let at = 0; at < bytes.byteLength; at += LIMITS.pieceBytesMax) {
    copy.set(bytes.subarray(at, at + LIMITS.pieceBytesMax), at);
    // oxlint-disable-next-line no-await-in-loop
    await nextTurn();
  }
  return copy;
}
