/**
 * An array gets another length: rows at its end go, or rows of its fill come. Whatever is under way counts first; then it is
 * one commit, by itself, and on the disk of the file when the next begins: to do it again later would undo what follows.
 */
import { checkWanted } from '../cancelled.js';
import type { Dataset } from '../dataset/dataset.js';
import { fillOf } from '../dataset/record.js';
import { changesAt, targetOf } from '../dataset/target.js';
import { partsOf } from '../dataset/array-part.js';
import { HyperslabError } from '../errors.js';
import { applierOf, onlyInto } from '../dataset/write.js';
import type { OffLoop } from '../dataset/off-loop.js';
import type { Change, Ending } from '../file/change.js';
import { commitChanges } from '../file/commit.js';
import { writeFully } from '../file/io.js';
import { layBehind } from '../file/lay-behind.js';
import type { OpenFile } from '../file/open-file.js';
import { checkShape, sameShape, sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { openPresent } from './append-rows.js';
import { failNotGrowable, growableOf, growthOf, type Growable, type Lengthening, type Outcome } from './lengthening.js';
import type { WriteContext, WriteRequest } from './write.js';

export interface ResizeRequest extends Pick<WriteRequest, 'dataset' | 'precondition' | 'signal'> {
  readonly shape: readonly number[];
  /** The dataset that has the name by now. */
  readonly current: () => Dataset;
}

export interface ResizeAnswer {
  readonly dataset: string;
  readonly generation: number;
  readonly shape: readonly number[];
  readonly durability: 'commit';
  /** Its header was made anew, with room for the number. */
  readonly rewritten?: true;
}

/** When it is the resize's turn the array has another length than it was prepared for, maybe the one that is asked for. */
class OtherLength extends HyperslabError {
  constructor() {
    super('moved', 'The array has changed its length while the request waited for its turn. Repeat the request.');
  }
}

/** @throws not_growable, too_large, disk_full, moved, bytes_behind */
export async function resizeArray(asked: ResizeRequest, { offLoop }: WriteContext): Promise<ResizeAnswer> {
  const { dataset, shape, precondition, current } = asked;
  const growable = growableOf(dataset);
  checkGrowsTo(growable, shape);
  await dataset.open();
  for (;;) {
    precondition(dataset.generation);
    const answer = { dataset: dataset.record.name, shape, durability: 'commit' } as const;
    if (sameShape(current().record.shape, shape)) return { ...answer, generation: current().generation };
    const outcome: Outcome = { shape, isRewritten: false };
    // oxlint-disable-next-line no-await-in-loop
    const file = await openPresent(current);
    const release = file.lease();
    try {
      // oxlint-disable-next-line no-await-in-loop
      const generation = await moveEnd(asked, growable, file, offLoop, outcome);
      return { ...answer, generation, ...(outcome.isRewritten && { rewritten: true }) };
    } catch (error) {
      // oxlint-disable-next-line no-await-in-loop
      if (!(error instanceof OtherLength)) await dataset.learned(error);
    } finally {
      release();
    }
  }
}

/** In one commit; a fill that takes long is laid down behind the end before it. Zeros cost nothing, however many. */
function moveEnd(
  { dataset, shape, precondition, current, signal }: ResizeRequest,
  growable: Growable,
  file: OpenFile,
  offLoop: OffLoop,
  outcome: Outcome,
): Promise<number> {
  const { axis, rowBytes } = growable;
  const length = shape[axis]!;
  const fill = fillOf(dataset.record, dataset.geometry.dtype.itemsize);
  const isLong = fill !== undefined && (length - current().record.shape[axis]!) * rowBytes > LIMITS.replayBytesMax;
  const lengthening: Lengthening = {
    lengthFrom(before) {
      const isMore = fill !== undefined && (length - before) * rowBytes > LIMITS.commitCostBytesMax;
      if (before === length || (isLong ? before > length : isMore)) throw new OtherLength();
      return length;
    },
    // In both orders the new rows are one run of elements, all of them alike.
    dataIn: rows => (fill && !isLong ? filling(dataset, rows, fill) : []),
    holds: dataset.record.sparse ? 'last' : 'all',
  };
  const request = {
    changes: [],
    growth: growthOf(growable, file, lengthening, current, outcome),
    precondition: (generation: number): void => onlyInto(current(), file, precondition)(generation),
    asksShape: true,
    isAlone: true,
    applier: applierOf(offLoop),
    signal,
    client: offLoop.client,
  };
  if (!isLong) return commitChanges(file, dataset.files, request);
  return layBehind(file, dataset.files, { ...request, lay: ending => layFill(file, ending, fill, signal) });
}

function filling(dataset: Dataset, rows: View, bytes: Uint8Array): Change[] {
  const elements = sizeOf(rows.shape);
  const items = { shape: [elements], strides: [bytes.byteLength], offset: rows.offset };
  const source = { shape: [elements], strides: [0], offset: 0 };
  return changesAt(targetOf(partsOf(dataset, undefined), true), items, { bytes, source });
}

/** Writes a fill behind the end, piece by piece. */
async function layFill(file: OpenFile, { from, end }: Ending, fill: Uint8Array, signal: AbortSignal): Promise<void> {
  const items = Math.max(1, Math.floor(LIMITS.pieceBytesMax / fill.byteLength));
  const pattern = Buffer.alloc(Math.min(items * fill.byteLength, end - from), fill);
  for (let at = from; at < end; at += pattern.byteLength) {
    // oxlint-disable-next-line no-await-in-loop
    await writeFully(file.fd, pattern.subarray(0, Math.min(pattern.byteLength, end - at)), at);
    checkWanted(signal);
  }
}

/** @throws bad_shape, too_large, not_growable */
function checkGrowsTo({ dataset, axis }: Growable, to: readonly number[]): void {
  const { record, geometry } = dataset;
  checkShape(to, geometry.dtype.itemsize);
  const { shape } = record;
  if (to.length === shape.length && sameShape(to.toSpliced(axis, 1), shape.toSpliced(axis, 1))) return;
  failNotGrowable(
    dataset,
    `[${to.join(', ')}] differs from [${shape.join(', ')}] in more than axis ${axis}, which grows`,
  );
}
