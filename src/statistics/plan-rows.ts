/** How rows are chosen, and what that means for the box that is scanned and for the chunks it is cut into. */
import { columnsOfKeys } from '../grouping/keys.js';
import { isText, numberDType } from '../dtype/index.js';
import type { View } from '../layout/view.js';
import { normalise, type RangePart } from '../selection.js';
import { LIMITS } from '../limits.js';
import type { Box } from '../scan/box.js';
import { both, columnsOf, type Filter, type RowColumn, type RowFilter } from '../filter/filter.js';
import type { Grouping } from '../grouping/grouping.js';
import { checkTexts } from '../filter/texts.js';
import { opRow } from './ops.js';
import type { KeptBefore, RowSlice, Scan, ScanBounds, ScanRows } from '../scan/scan.js';
import { rowsAxisOf } from '../scan/chunks.js';
import type { Query } from './query.js';

/** What a query says of rows. */
export interface RowChoice {
  /** Rows of the dataset, and which of them are kept. */
  readonly kept: RowFilter;
  /** What is taken of the kept rows. */
  readonly part: RangePart;
  /** Rows that are taken, and left out nevertheless where this does not keep them: those outside all bins of a key. */
  readonly within: Filter;
  /** The keys that rows are grouped by: their order then means nothing. */
  readonly grouping: Grouping | undefined;
}

/** True where the part takes every row, however many of the dataset's are kept; in another order only where that means nothing. */
function takesAll({ part, kept: { total }, grouping }: RowChoice): boolean {
  const { start = 0, stop, step = 1 } = part;
  if (grouping && step === -1 && part.start === undefined && stop === undefined) return true;
  return step === 1 && start === 0 && (stop === undefined || stop >= total);
}

/** What decides whether rows are counted first, of the plan for all rows. */
interface AllRows {
  readonly query: Query;
  /** Something is summed up over the cells. */
  readonly reduces: boolean;
  readonly cells: number;
  /** Elements are looked for by rank, where this is there. */
  readonly quantiles: object | undefined;
}

/**
 * True where rows are counted before their elements are read: the answer keeps rows, some of the kept ones are taken, or
 * what is computed depends on how many they are. What only sums rows up counts them meanwhile.
 */
export function countsFirst({ query, reduces, cells, quantiles }: AllRows, choice: RowChoice): boolean {
  if (!takesAll(choice)) return true;
  if (choice.grouping) return false;
  const keepsRows = query.axis !== null && !query.axis.includes(0);
  const sumsUp = reduces && cells > 0 && !quantiles && !query.parameters?.histogram;
  return keepsRows || !sumsUp || query.ops.some(op => opRow(op).positional);
}

/** The rows that a part takes of so many. */
export function takenOf(part: RangePart, count: number): { start: number; length: number; step: number } {
  const [pick] = normalise([part], [count]).picks;
  return pick as { start: number; length: number; step: number };
}

/** The view that a plan is made from: as many rows as are taken, in the order in which they are answered. */
export function viewOfTaken(all: View, taken: { length: number; step: number }): View {
  const stride = all.strides[0]!;
  const { length } = taken;
  const isReversed = taken.step < 0;
  return {
    ...all,
    shape: [length, ...all.shape.slice(1)],
    strides: [isReversed ? -stride : stride, ...all.strides.slice(1)],
    offset: isReversed && length > 0 ? all.offset + stride * (length - 1) : all.offset,
  };
}

/** How the plan of a query with rows differs from that of a plain view. */
export interface RowsLayout {
  readonly total: number;
  /** Chunks are cut at multiples of so many rows. */
  readonly multiple: number;
  readonly stride: number;
  readonly rows: Omit<ScanRows, 'cellStep' | 'indexStep'>;
  /** Rows, or their groups, are not known yet: sizes are not checked. */
  readonly isOpen: boolean;
}

/** The box of a scan: all rows, without steps of their own. */
export function boxOfAll(box: Box, { total, stride }: RowsLayout): Box {
  const axes = box.axes.map(axis => (axis.rows ? { ...axis, length: total, stride, cellStep: 0, indexStep: 0 } : axis));
  return { ...box, axes };
}

/** The scan over such a box, `taken` being the box of the rows that are taken. */
export function scanWithRows(scan: Scan, taken: Box, { rows }: RowsLayout): Scan {
  const { cellStep, indexStep } = taken.axes[rowsAxisOf(taken)]!;
  const columnBytes = rows.columns.reduce((bytes, { dtype }) => bytes + dtype.itemsize, 0);
  const rowsBytes = columnBytes * scan.box.axes[rowsAxisOf(scan.box)]!.length;
  return {
    ...scan,
    bytes: rowsBytes + (rows.readsElements ? scan.bytes : 0),
    rows: { ...rows, cellStep, indexStep },
  };
}

/** The rows of a scan, by a filter without joins. */
export function scanRowsOf(
  choice: RowChoice,
  filter: Filter,
  before: KeptBefore | undefined,
): Omit<ScanRows, 'cellStep' | 'indexStep'> {
  const slice = before && !takesAll(choice) ? ascending(takenOf(choice.part, before.counts.at(-1)!)) : undefined;
  return {
    filter: slice ? filter : both(filter, choice.within),
    within: slice ? choice.within : undefined,
    columns: uniqueColumns([...columnsOf(filter), ...columnsOf(choice.within), ...keyColumns(choice.grouping)]),
    slice,
    before,
    readsElements: true,
    withRowIds: choice.grouping !== undefined,
  };
}

function keyColumns(grouping: Grouping | undefined): RowColumn[] {
  return grouping ? columnsOfKeys(grouping.keys) : [];
}

/** The same rows, in the order of the file. */
function ascending({ start, length, step }: { start: number; length: number; step: number }): RowSlice {
  return step > 0 ? { start, length, step } : { start: start + step * (length - 1), length, step: -step };
}

/** Where rows are grouped, a chunk may find as many groups as it has rows: they have to fit what a worker works in. */
export function groupedBounds(bounds: ScanBounds, itemsize: number): ScanBounds {
  return { ...bounds, chunkBytesMax: Math.min(bounds.chunkBytesMax, LIMITS.groupedElementsMax * itemsize) };
}

/** True where chunks have rows from end to end: then each cell of a row counts in one of them. */
export function hasWholeRows({ box, grid }: Scan): boolean {
  return box.axes.every(
    ({ length, rows }, i) => rows !== undefined || (grid.lengths[i] === length && (i > 0 || grid.phase === 0)),
  );
}

/** The same rows in chunks of up to so many times as many, where chunks have whole rows. */
export function inLargerChunks(scan: Scan, times: number, spanBytesMax: number): Scan {
  if (scan.chunkCount <= 1 || !hasWholeRows(scan)) return scan;
  const { box, grid } = scan;
  const at = rowsAxisOf(box);
  const { length, stride } = box.axes[at]!;
  const own = grid.lengths[at]!;
  const larger = own * Math.max(1, Math.min(times, Math.floor(spanBytesMax / (own * stride))));
  const boxes = Math.ceil((length + grid.phase) / larger);
  return { ...scan, grid: { ...grid, lengths: grid.lengths.with(at, larger), boxes }, chunkCount: boxes };
}

/** So many counts of kept rows, 8 bytes each, are noted for a query. */
const COUNTS_MAX = 1024 * 1024;

/** A chunk has some pieces of rows, so that its length is close to what is allowed. */
const PIECES_PER_CHUNK = 8;

/**
 * Rows are counted, and chunks cut, at multiples of so many: of one, where a row has more cells than a chunk and its
 * cells would not follow each other otherwise.
 */
export function multipleOf(
  total: number,
  row: { readonly bytes: number; readonly stride: number; readonly cells: number },
  { chunkBytesMax, chunkCellsMax, chunkSpanBytesMax }: ScanBounds,
): number {
  if (row.cells > chunkCellsMax) return 1;
  const chunkRows = Math.min(
    chunkBytesMax / Math.max(1, row.bytes),
    chunkCellsMax / Math.max(1, row.cells),
    chunkSpanBytesMax / Math.max(1, Math.abs(row.stride)),
  );
  return Math.max(1, Math.floor(chunkRows / PIECES_PER_CHUNK), Math.ceil(total / COUNTS_MAX));
}

/** Each column once. @throws too_large where the texts that they are compared with are too much together */
export function uniqueColumns(columns: readonly RowColumn[]): RowColumn[] {
  const names = columns.map(({ source, offset, texts }) => `${source}:${offset}:${texts?.id ?? ''}`);
  const unique = [...new Map(columns.map((column, i) => [names[i], column])).values()];
  // Workers have all of them at hand at once.
  const textBytes = unique.reduce((bytes, { texts }) => bytes + (texts?.bytes.length ?? 0), 0);
  checkTexts(0, textBytes);
  return unique;
}

const INT64 = numberDType('<i8');
/** Of so many bytes, or a few more. */
const BYTES = ['|u1', '|u1', '<u2', '<u2', '<u4', '<u4', '<u4', '<u4'].map(numberDType);

/** A scan over columns alone, or over none, in chunks of whole pieces of `pieceRows` rows. */
export function columnsScan(
  source: number,
  total: number,
  pieceRows: number,
  rows: Pick<ScanRows, 'filter' | 'columns'>,
  bounds: Omit<ScanBounds, 'chunkCellsMax'>,
): Scan {
  const widest = rows.columns.reduce((most, { dtype }) => Math.max(most, dtype.itemsize), 1);
  const stride = rows.columns.reduce((most, column) => Math.max(most, column.stride), widest);
  const rowsMax = Math.min(bounds.chunkBytesMax / widest, bounds.chunkSpanBytesMax / stride);
  const length = pieceRows * Math.max(1, Math.floor(rowsMax / pieceRows));
  // Nothing is read of it: tiles are cut for elements of its size.
  const dtype = widest < 8 ? BYTES[widest]! : INT64;
  const axis = {
    length: total,
    stride,
    kept: false,
    cellStep: 0,
    indexStep: 0,
    rows: { first: 0, multiple: pieceRows },
  } as const;
  const chunkCount = Math.ceil(total / length);
  return {
    source,
    dtype,
    box: { axes: [axis], offset: 0, cell: 0, index: 0 },
    grid: { lengths: [length], boxes: chunkCount, phase: 0 },
    chunkCount,
    bytes: total * rows.columns.reduce((bytes, column) => bytes + column.dtype.itemsize, 0),
    tileBytesMax: bounds.tileBytesMax,
    rows: {
      ...rows,
      within: undefined,
      cellStep: 0,
      indexStep: 0,
      slice: undefined,
      before: undefined,
      readsElements: false,
      withRowIds: true,
    },
  };
}

/** Useful bytes of each pass before those over the elements. O(length of the query). */
export function bytesBefore({ kept, grouping }: RowChoice, isCountedFirst: boolean): number[] {
  const bytes = rowsBefore(kept);
  for (const column of keyColumns(grouping).filter(isUnknown)) {
    bytes.push(kept.total * bytesPerRow([column, ...columnsOf(kept.filter)]));
  }
  if (isCountedFirst && kept.filter.kind !== 'constant') bytes.push(kept.total * bytesPerRow(columnsOf(kept.filter)));
  return bytes;
}

/** Useful bytes of all passes that find out which rows a filter keeps. */
export function bytesOfFilter(kept: RowFilter): number {
  const own = kept.filter.kind === 'constant' ? 0 : kept.total * bytesPerRow(columnsOf(kept.filter));
  return rowsBefore(kept).reduce((sum, bytes) => sum + bytes, own);
}

/** Bytes of each join, and of those inside it. */
function rowsBefore({ joins }: RowFilter): number[] {
  return joins.flatMap(join => {
    const { filter, codes, total } = join;
    const isEmpty = total === 0 || (filter.kind === 'constant' && !filter.keeps);
    return [...rowsBefore(join), ...(isEmpty ? [] : [total * bytesPerRow([codes!, ...columnsOf(filter)])])];
  });
}

/** Texts that have to be read before rows are grouped by them. */
export function isUnknown({ dtype, texts }: RowColumn): boolean {
  return isText(dtype) && texts === undefined;
}

function bytesPerRow(columns: readonly RowColumn[]): number {
  return uniqueColumns(columns).reduce((bytes, { dtype }) => bytes + dtype.itemsize, 0);
}
