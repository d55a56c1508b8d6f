/**
 * What a selection chooses by reading: the masks that it names. They and the dataset itself are held at one generation
 * each until the answer has been sent.
 */
import type { Dataset } from '../dataset/dataset.js';
import { fail } from '../errors.js';
import { coalesce, extentOf, sizeOf, type View } from '../layout/view.js';
import { PieceCursor } from '../layout/pieces.js';
import { LIMITS } from '../limits.js';
import type { BooleansItem, IndexItem, WrittenItem } from '../select/items.js';
import type { EntriesLeft } from '../select/read-lists.js';
import { Snapshot } from '../file/snapshot.js';
import { isTurnOver, nextTurn } from '../turns.js';
import { claimAll, type Claim } from './claim.js';
import type { Workers } from './pool.js';

export interface Choosing {
  readonly workers: Workers;
  readonly signal: AbortSignal;
  readonly left: EntriesLeft;
  /** Counts bytes that are held. */
  readonly hold: (bytes: number) => Promise<void>;
}

/** Claims datasets: the one that is read, and those that say what of it. The caller closes the claims. */
export function claimDatasets(datasets: readonly Dataset[], { workers, signal }: Choosing): Promise<Claim[]> {
  const needs = datasets.map(dataset => {
    const { dtype, view } = dataset.geometry;
    return { dataset, extent: extentOf(view, dtype.itemsize) };
  });
  return claimAll(needs, { signal, client: workers.client });
}

/** The datasets that items name, each once. */
export function maskNames(items: readonly WrittenItem[]): string[] {
  return [...new Set(items.flatMap(item => (item.kind === 'mask' ? [item.dataset] : [])))];
}

/** @throws bad_index where it is not of booleans */
export function checkMask({ record, geometry }: Dataset): void {
  const { dtype, view } = geometry;
  if (dtype.kind !== 'b') {
    fail(
      'bad_index',
      `The mask ${record.name} has the dtype ${dtype.typestr}; a mask has bool. Compare its values in a filter: {"where": …}.`,
      {
        dataset: record.name,
        dtype: dtype.typestr,
      },
    );
  }
  if (view.shape.length > 0) return;
  fail('bad_index', `The mask ${record.name} has no axes; a mask has those that it chooses from.`, {
    dataset: record.name,
  });
}

/** The items with what stands in the masks in the place of their names. */
export async function withMasks(
  items: readonly WrittenItem[],
  claims: readonly Claim[],
  choosing: Choosing,
): Promise<IndexItem[]> {
  const read = new Map<string, BooleansItem>();
  for (const claim of claims) {
    // One after the other: each is read by all workers.
    read.set(claim.dataset.record.name, await readMask(claim, choosing)); // oxlint-disable-line no-await-in-loop
  }
  return items.map(item => (item.kind === 'mask' ? read.get(item.dataset)! : item));
}

/** Pieces of a mask that are read together. */
const PIECES_TOGETHER = 4;

async function readMask(claim: Claim, choosing: Choosing): Promise<BooleansItem> {
  const { view } = claim.dataset.geometry;
  const cursor = new PieceCursor(view, 1);
  const found: { readonly first: number; readonly numbers: Uint32Array }[] = [];
  let first = 0;
  let count = 0;
  for (let isOver = sizeOf(view.shape) === 0; !isOver;) {
    const reading: Promise<Uint32Array>[] = [];
    const starts: number[] = [];
    while (reading.length < PIECES_TOGETHER) {
      const piece = cursor.next(LIMITS.pieceBytesMax);
      isOver = piece === undefined;
      if (!piece) break;
      reading.push(readPiece(claim, piece, choosing));
      starts.push(first);
      first += sizeOf(piece.shape);
    }
    // oxlint-disable-next-line no-await-in-loop
    for (const [i, numbers] of (await allOf(reading)).entries()) {
      choosing.left.take(numbers.length);
      await choosing.hold(ENTRY_BYTES * numbers.length); // oxlint-disable-line no-await-in-loop
      found.push({ first: starts[i]!, numbers });
      count += numbers.length;
    }
    claim.check();
  }
  return { kind: 'booleans', shape: view.shape, kept: await joined(found, count) };
}

/** As numbers of a piece, of the mask, and as offsets. */
const ENTRY_BYTES = 4 + 8 + 8;

async function readPiece(claim: Claim, piece: View, { workers, signal }: Choosing): Promise<Uint32Array> {
  return claim.file.state.lock.withRead(
    () => {
      if (claim.isCut) throw Snapshot.cutError();
      return workers.numbersOfTrue(claim.describe(extentOf(piece, 1)), coalesce(piece), signal);
    },
    { signal, client: workers.client },
  );
}

/** Waits for all of them, also when one fails: a claim must not be closed while it is read. */
async function allOf<T>(reading: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(reading);
  return results.map(result => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

async function joined(
  found: readonly { readonly first: number; readonly numbers: Uint32Array }[],
  count: number,
): Promise<Float64Array> {
  const kept = new Float64Array(count);
  let at = 0;
  for (const { first, numbers } of found) {
    for (let i = 0; i < numbers.length; i++) {
      kept[at++] = first + numbers[i]!;
      // oxlint-disable-next-line no-await-in-loop
      if (isTurnOver(i, ENTRIES_PER_TURN)) await nextTurn();
    }
  }
  return kept;
}

const ENTRIES_PER_TURN = 256 * 1024;
