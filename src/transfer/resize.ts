/**
 * An array gets another length: rows at its end go, or rows of its fill come. Whatever is under way counts first; then it is
 * one commit, by itself, and on the disk of the file when the next begins: to do it again later would undo what follows.
 */
import type { Dataset } from '../dataset/dataset.js';
import { fillOf } from '../dataset/record.js';
import { changesAt, targetOf } from '../dataset/target.js';
import { partsOf } from '../dataset/array-part.js';
import { applierOf, onlyInto } from '../dataset/write.js';
import { fail } from '../errors.js';
import type { Change } from '../file/change.js';
import { commitChanges } from '../file/commit.js';
import { checkShape, sameShape, sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { openPresent } from './append-rows.js';
import { failNotGrowable, growableOf, growthOf, type Growable, type Outcome } from './lengthening.js';
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

/** The array has the length already when it is the resize's turn: another one was first. */
class SameLength extends Error {}

/** @throws not_growable, too_large, disk_full, moved, bytes_behind */
export async function resizeArray(asked: ResizeRequest, { offLoop }: WriteContext): Promise<ResizeAnswer> {
  const { dataset, shape, precondition, current, signal } = asked;
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
      const growth = growthOf(growable, file, lengtheningTo(growable, shape), current, outcome);
      // oxlint-disable-next-line no-await-in-loop
      const generation = await commitChanges(file, dataset.files, {
        changes: [],
        growth,
        precondition: turn => onlyInto(current(), file, precondition)(turn),
        asksShape: true,
        isAlone: true,
        applier: applierOf(offLoop),
        signal,
        client: offLoop.client,
      });
      return { ...answer, generation, ...(outcome.isRewritten && { rewritten: true }) };
    } catch (error) {
      // oxlint-disable-next-line no-await-in-loop
      if (!(error instanceof SameLength)) await dataset.learned(error);
    } finally {
      release();
    }
  }
}

function lengtheningTo(
  { dataset, axis, rowBytes }: Growable,
  shape: readonly number[],
): Parameters<typeof growthOf>[2] {
  const { record, geometry } = dataset;
  const fill = fillOf(record, geometry.dtype.itemsize);
  const length = shape[axis]!;
  return {
    lengthFrom(before) {
      if (before === length) throw new SameLength();
      if (fill) checkFill((length - before) * rowBytes);
      return length;
    },
    // In both orders the new rows are one run of elements, all of them alike.
    dataIn: rows => (fill ? filling(dataset, rows, fill) : []),
    holds: record.sparse ? 'last' : 'all',
  };
}

function filling(dataset: Dataset, rows: View, bytes: Uint8Array): Change[] {
  const elements = sizeOf(rows.shape);
  const items = { shape: [elements], strides: [bytes.byteLength], offset: rows.offset };
  const source = { shape: [elements], strides: [0], offset: 0 };
  return changesAt(targetOf(partsOf(dataset, undefined), true), items, { bytes, source });
}

/** A fill is applied as a whole, and again by a recovery: both have to end soon. Zeros cost neither. @throws too_large */
function checkFill(bytes: number): void {
  if (bytes <= LIMITS.commitCostBytesMax) return;
  fail(
    'too_large',
    `The new rows would be ${bytes} bytes of the array's fill; at most ${LIMITS.commitCostBytesMax} are written at once. Grow in several steps.`,
    { limit: LIMITS.commitCostBytesMax, asked: bytes },
  );
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
