/**
 * What changing the length of an array does to its file: bytes behind the old end, or a new end; and for a .npy the number
 * in its header, in one aligned line. Planned when it is its turn, after whatever others did to the length.
 */
import { checkHasFile, checkWritable } from '../dataset/write.js';
import type { Dataset } from '../dataset/dataset.js';
import { fail } from '../errors.js';
import type { Change } from '../file/change.js';
import type { Grown, Growth } from '../file/growth.js';
import { failTruncated } from '../file/refusals.js';
import type { OpenFile } from '../file/open-file.js';
import { growableHeader, growingAxis, LINE_BYTES } from '../formats/index.js';
import { checkShape, packedView, sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';

/** An array that can grow, as it is known before its turn. */
export interface Growable {
  readonly dataset: Dataset;
  readonly axis: number;
  /** Bytes of one row: of all that one more along the axis adds. */
  readonly rowBytes: number;
}

/** @throws read_only, copy_on_write, not_growable */
export function growableOf(dataset: Dataset): Growable {
  checkWritable(dataset);
  checkHasFile(dataset);
  const { record, geometry } = dataset;
  if (record.parts) failNotGrowable(dataset, 'its rows lie in several files');
  if (record.member !== undefined) failNotGrowable(dataset, 'it is a member of another file');
  if (record.strides) failNotGrowable(dataset, 'its rows lie by strides among other bytes');
  if (record.shape.length === 0) failNotGrowable(dataset, 'it has rank 0, and no axis that could');
  const axis = growingAxis(record);
  const rowBytes = sizeOf(record.shape.with(axis, 1)) * geometry.dtype.itemsize;
  if (rowBytes === 0) failNotGrowable(dataset, 'its rows have no bytes');
  return { dataset, axis, rowBytes };
}

export function failNotGrowable({ record }: Dataset, why: string): never {
  return fail(
    'not_growable',
    `${record.name} cannot change its length: ${why}. Import it into an array that the service makes, of a shape that can.`,
    { dataset: record.name, shape: record.shape },
  );
}

/** What is to become of an array. */
export interface Lengthening {
  /** The length from the one that it has by then; throws to refuse. */
  readonly lengthFrom: (length: number, shape: readonly number[]) => number;
  /** What comes behind the old end, whose rows stand in `rows`; nothing where they are zeros, or there already. */
  readonly dataIn?: (rows: View) => readonly Change[];
  readonly holds: Grown['holds'];
}

/** What a growth came to. */
export interface Outcome {
  shape: readonly number[];
  /** The header was made anew, with room. */
  isRewritten: boolean;
}

/** @param current the dataset that has the name by then */
export function growthOf(
  { axis, rowBytes }: Growable,
  file: OpenFile,
  { lengthFrom, dataIn, holds }: Lengthening,
  current: () => Dataset,
  outcome: Outcome,
): Growth {
  return {
    plan(before, fileBytes) {
      const dataset = current();
      const shape = before?.shape ?? dataset.record.shape;
      const to = shape.with(axis, lengthFrom(shape[axis]!, shape));
      const from = endOf(dataset, shape);
      checkEnd(dataset, from, fileBytes);
      const end = checkedEnd(dataset, to, rowBytes * to[axis]!);
      const { header, isRewritten } = headerChange(dataset, file, before, to);
      const { order, offset } = dataset.record;
      const all = packedView(to, dataset.geometry.dtype.itemsize, order, offset);
      const rows = { ...all, shape: to.with(axis, Math.max(0, to[axis]! - shape[axis]!)), offset: from };
      const data: Change[] = [];
      // Nobody else writes there.
      if (end > from) for (const change of dataIn?.(rows) ?? []) data.push({ ...change, gaps: 'rewrite' });
      const ending = { from, end };
      const headers = header ? [header] : [];
      outcome.shape = to;
      outcome.isRewritten = isRewritten;
      return {
        steps: end < from ? [...headers, ending] : [ending, ...data, ...headers],
        ending,
        data,
        header,
        holds,
        shape: to,
        // Of a .npy that was cut, too: one that has fewer rows than its manifest is looked at with care.
        ...((dataset.record.format === 'raw' || end < from) && { save: () => dataset.saveShape(to) }),
        settle: () => dataset.lengthen(to),
      } satisfies Grown;
    },
  };
}

/** Where an array of a shape ends in its file. */
function endOf({ record, geometry }: Dataset, shape: readonly number[]): number {
  return record.offset + sizeOf(shape) * geometry.dtype.itemsize;
}

/** @throws bytes_behind, file_changed */
export function checkEnd({ record }: Dataset, end: number, fileBytes: number): void {
  if (fileBytes < end) failTruncated(fileBytes, end);
  if (fileBytes === end) return;
  fail(
    'bytes_behind',
    `The array ends at byte ${end}, and its file goes on to byte ${fileBytes}. Cut the file off there, if what stands behind is of no use, or import the array.`,
    { dataset: record.name, end, size: fileBytes },
  );
}

/** @throws too_large */
function checkedEnd({ record, geometry }: Dataset, shape: readonly number[], nbytes: number): number {
  checkShape(shape, geometry.dtype.itemsize);
  if (record.offset <= LIMITS.arrayBytesMax - nbytes) return record.offset + nbytes;
  return fail(
    'too_large',
    `The file would have more than ${LIMITS.arrayBytesMax} bytes, which is as far as can be addressed. Choose a smaller shape.`,
    { limit: LIMITS.arrayBytesMax, asked: String(BigInt(record.offset) + BigInt(nbytes)) },
  );
}

/** The line with the number; all of the header, where that has no such line yet. @throws not_growable */
function headerChange(
  dataset: Dataset,
  file: OpenFile,
  before: Grown | undefined,
  shape: readonly number[],
): { header: Change | undefined; isRewritten: boolean } {
  const { record, geometry } = dataset;
  const { format, order, offset } = record;
  if (format === 'raw') return { header: undefined, isRewritten: false };
  const { dtype } = geometry;
  const header = growableHeader({ dtype, shape, order }, offset);
  if (!header) return failNotGrowable(dataset, 'its header has no room for a longer number');
  const present = file.headOf(offset).bytes.subarray(0, offset);
  const made = growableHeader({ dtype, shape: record.shape, order }, offset);
  const hasRoom = before?.header !== undefined || (made !== undefined && Buffer.compare(made.bytes, present) === 0);
  return hasRoom
    ? { header: bytesAt(header.bytes.subarray(header.line, header.line + LINE_BYTES), header.line), isRewritten: false }
    : { header: bytesAt(header.bytes, 0), isRewritten: true };
}

function bytesAt(bytes: Uint8Array, offset: number): Change {
  const run = (at: number): View => ({ shape: [bytes.byteLength], strides: [1], offset: at });
  return { target: run(offset), itemsize: 1, source: run(0), bytes };
}

/** The length that an array is expected to have. @throws moved */
export function checkLengthIs(
  at: number | undefined,
  length: number,
  { record }: Dataset,
  shape: readonly number[],
): void {
  if (at === undefined || at === length) return;
  fail(
    'moved',
    `${record.name} has the length ${length}, and at=${at} expects another one. Where an answer was lost, read the rows from ${at} on: they tell whether they were appended.`,
    { dataset: record.name, length, shape },
  );
}
