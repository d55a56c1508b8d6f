/**
 * Which columns a covariance is of, and how their rows are scanned: those along the last axis, all other axes being rows, or
 * the fields of structures along one axis. A column of complex numbers is two of real ones. Geometry alone; refusals come here.
 */
import {
  isNumber,
  isStructure,
  leavesOf,
  numberDType,
  type DType,
  type Field,
  type LeafDType,
  type NumberDType,
  type StructureDType,
} from '../dtype/index.js';
import { fail } from '../errors.js';
import type { RowColumn } from '../filter/filter.js';
import { sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { type Axis, type Box, memoryOrder } from '../scan/box.js';
import { emptyScan, type Scan, type ScanBounds, scanOver, type ScanRows } from '../scan/scan.js';
import { shown } from '../shown.js';
import { recordLength } from './moments.js';
import type { ColumnsSpec } from './specs.js';

export interface ColumnsPlan {
  readonly scan: Scan;
  readonly spec: ColumnsSpec;
  /** Which columns of the scan each column of the answer is. */
  readonly variables: readonly Variable[];
  /** `[k, k]`, or `[]` where there is one column without an axis of its own. */
  readonly shape: readonly number[];
  readonly isComplex: boolean;
  /** Elements of a row, as the query counts them. */
  readonly elementsPerRow: number;
  /** What is read of each row in places of its own, for whoever has to know what a plan reads. */
  readonly places: readonly RowColumn[];
  /** Memory of what is found. */
  readonly bytes: number;
}

/** Numbers of the columns that hold a variable. */
export interface Variable {
  readonly real: number;
  readonly imaginary?: number;
}

/** How rows are chosen, as in a plan of statistics. */
interface ChosenRows {
  readonly total: number;
  readonly multiple: number;
  readonly stride: number;
  readonly rows: Omit<ScanRows, 'cellStep' | 'indexStep'>;
}

export interface ColumnsOrder {
  /** What is computed, for messages. */
  readonly op: string;
  /** Axes that are reduced; null for all. */
  readonly axis: readonly number[] | null;
  readonly dropsNan: boolean;
  readonly dtype: DType;
  /** The selection; where rows are chosen, as many as are taken. */
  readonly view: View;
  /** Of structures: where the fields stand in the items of the file, which `dtype` may have packed. */
  readonly fields: readonly Field[] | undefined;
  readonly rows: ChosenRows | undefined;
  readonly origin: number | undefined;
  readonly bounds: ScanBounds;
}

/** @throws unsupported_dtype, bad_operation, too_large */
export function planColumns(order: ColumnsOrder): ColumnsPlan {
  const { op, dtype, view, dropsNan } = order;
  const isAxis = !isStructure(dtype) && view.lists === undefined;
  if (!isStructure(dtype)) checkNumbers(op, dtype, '');
  checkAxis(order);
  const placed = isAxis ? undefined : placesOf(order);
  const isAlone = !isStructure(dtype) && view.shape.length < 2;
  const count = placed?.length ?? (isAlone ? 1 : view.shape.at(-1)!);
  checkCount(op, count);
  const variables: Variable[] = [];
  let columns = 0;
  for (let i = 0; i < count; i++) {
    const isPair = (placed ? placed[i]!.dtype : dtype).kind === 'c';
    variables.push(isPair ? { real: columns, imaginary: columns + 1 } : { real: columns });
    columns += isPair ? 2 : 1;
  }
  // A scan goes forwards in memory.
  if (isAxis && !isAlone && view.strides.at(-1)! < 0) variables.reverse();
  const places = placed?.flatMap(partsOf) ?? [];
  const dtypes = placed ? placed.map(each => each.dtype) : [dtype];
  const isComplex = dtypes.some(({ kind }) => kind === 'c');
  return {
    scan: scanOf(order, columns, places),
    spec: {
      kind: 'columns',
      columns,
      places: placed ? { kind: 'apart', columns: places } : { kind: 'axis', isComplex },
      dropsNan: dropsNan && dtypes.some(({ kind }) => kind === 'f' || kind === 'c'),
    },
    variables,
    shape: isAlone ? [] : [count, count],
    isComplex,
    elementsPerRow: isStructure(dtype) || order.axis !== null ? 1 : count,
    places,
    bytes: RECORDS_HELD * 8 * recordLength(columns),
  };
}

/** The answer's own, and those of chunks that wait for their turn. */
const RECORDS_HELD = 5;

function checkNumbers(op: string, { kind, typestr }: DType, field: string): void {
  if ('biufc'.includes(kind)) return;
  const what = field === '' ? 'Elements' : `The field ${shown(field)} has elements`;
  const remedy = field === '' ? 'Name fields or a dataset of numbers' : 'Name the fields of numbers: field=a,b';
  fail('unsupported_dtype', `${op} is of numbers. ${what} of ${shown(typestr)}. ${remedy}.`, {
    dtype: typestr.slice(0, 80),
    op,
    ...(field !== '' && { field: field.slice(0, 60) }),
  });
}

/** Rows are all that a query reduces: it may say so, and nothing else. */
function checkAxis({ op, axis, view: { shape }, dtype }: ColumnsOrder): void {
  if (axis === null) return;
  const rowAxes = isStructure(dtype) || shape.length < 2 ? shape.length : shape.length - 1;
  if (axis.length === rowAxes && axis.every((each, i) => each === i)) return;
  const known = rowAxes === 1 ? 'axis=0' : `axis=${Array.from({ length: rowAxes }, (_, i) => i).join()}`;
  const detail = `${op} is of the columns of the last axis, over all rows: leave axis out, or write ${known}. For other columns select them with slice.`;
  fail('bad_operation', rowAxes === 0 ? `${op} takes no axis here. Leave axis out.` : detail, { op, axis });
}

function checkCount(op: string, count: number): void {
  if (count <= LIMITS.covarianceColumnsMax) return;
  const detail = `${op} of ${count} columns was asked for; of at most ${LIMITS.covarianceColumnsMax} it is computed at once. Select some: slice=:,0:${LIMITS.covarianceColumnsMax}, or name fields.`;
  fail('too_large', detail, { limit: LIMITS.covarianceColumnsMax, asked: count });
}

/** A column in a place of its own. */
interface Placed {
  readonly dtype: LeafDType;
  readonly offset: number;
  readonly stride: number;
}

/** Fields, each element of a sub-array by itself; or columns of an axis that are not evenly apart. */
function placesOf({ op, dtype, view, fields, rows }: ColumnsOrder): Placed[] {
  const along = isStructure(dtype) ? view.shape.length : view.shape.length - 1;
  if (along > 1) {
    const detail = `${op} of ${isStructure(dtype) ? 'fields' : 'columns that are not evenly apart'} is over the rows of one axis, and the selection has ${along}. Select one of each of the others with slice.`;
    fail('bad_operation', detail, { op, rank: along });
  }
  const [total = 1] = along === 0 ? [] : view.shape;
  let [stride = 0] = along === 0 ? [] : view.strides;
  let { offset } = view;
  if (stride < 0) {
    offset += stride * Math.max(0, total - 1);
    stride = -stride;
  }
  if (rows) ({ stride } = rows);
  if (isStructure(dtype))
    return fieldsOf(op, dtype, fields).map(each => ({ dtype: each.dtype, offset: offset + each.offset, stride }));
  const axis = view.shape.length - 1;
  return Array.from({ length: view.shape[axis]! }, (_, i) => {
    const lists = view.lists!.reduce((sum, list) => sum + list.offsets[list.start + i * list.strides[axis]!]!, 0);
    return { dtype, offset: offset + i * view.strides[axis]! + lists, stride };
  });
}

function fieldsOf(
  op: string,
  dtype: StructureDType,
  fields: readonly Field[] = dtype.fields,
): { dtype: LeafDType; offset: number }[] {
  // Counted before they are made: a sub-array may have a million elements.
  const leaves = leavesOf({ ...dtype, fields });
  for (const { dtype: own, path } of leaves) checkNumbers(op, own, path.join('.'));
  checkCount(
    op,
    leaves.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
  );
  return leaves.flatMap(({ dtype: own, shape, strides, offset }) => {
    let offsets = [offset];
    for (const [axis, length] of shape.entries()) {
      offsets = offsets.flatMap(at => Array.from({ length }, (_, i) => at + i * strides[axis]!));
    }
    return offsets.map(at => ({ dtype: own, offset: at }));
  });
}

/** The real numbers that a column is made of. */
function partsOf({ dtype, offset, stride }: Placed): RowColumn[] {
  if (isNumber(dtype)) return [{ source: 0, dtype, offset, stride }];
  const half = dtype.itemsize / 2;
  const part: NumberDType = numberDType(`${dtype.byteOrder === '>' ? '>' : '<'}f${half}`);
  return [
    { source: 0, dtype: part, offset, stride },
    { source: 0, dtype: part, offset: offset + half, stride },
  ];
}

function scanOf(order: ColumnsOrder, columns: number, places: readonly RowColumn[]): Scan {
  const { dtype, view, rows, bounds } = order;
  const total = rows ? rows.total : sizeOf(view.shape.slice(0, 1));
  const isEmpty = columns === 0 || total === 0 || view.shape.includes(0);
  if (isEmpty) return emptyScan(dtype, bounds.tileBytesMax);
  return places.length > 0 ? scanOfPlaces(order, places) : scanOfAxis(order, columns);
}

/** Multiplications in a chunk: a tenth of a second or two, in which nobody else is served. */
const CHUNK_PRODUCTS_MAX = 2 ** 27;
/** A chunk has so many rows nevertheless: what is found in it is combined, which takes as long as some rows do. */
const CHUNK_ROWS_MIN = 512;

/** Rows of a chunk at most, for the work that they are. */
function rowsMaxOf(columns: number): number {
  return Math.max(CHUNK_ROWS_MIN, Math.floor(CHUNK_PRODUCTS_MAX / columns ** 2));
}

/** Columns along an axis, which is never cut. */
function scanOfAxis({ dtype, view, rows, origin, bounds }: ColumnsOrder, columns: number): Scan {
  const last = view.shape.length - 1;
  const isKept = (axis: number): boolean => last > 0 && axis === last;
  const { box } = memoryOrder(view, isKept, false, { rows: rows && { first: 0, multiple: rows.multiple } });
  const whole = (axis: Axis): Axis => (axis.kept ? { ...axis, isWhole: true } : axis);
  const ofAll = (axis: Axis): Axis => (axis.rows ? { ...axis, length: rows!.total, stride: rows!.stride } : axis);
  const own: Box = { ...box, axes: box.axes.map(axis => whole(ofAll(axis))) };
  const perRow = own.axes.reduce((bytes, axis) => (axis.kept ? bytes * axis.length : bytes), dtype.itemsize);
  const chunkBytesMax = Math.min(bounds.chunkBytesMax, perRow * rowsMaxOf(columns));
  const scan = scanOver(dtype, own, rows ? undefined : origin, { ...bounds, chunkBytesMax });
  if (!rows) return scan;
  const columnBytes = rows.rows.columns.reduce((bytes, each) => bytes + each.dtype.itemsize, 0);
  return {
    ...scan,
    bytes: scan.bytes + rows.total * columnBytes,
    rows: { ...rows.rows, ...AS_THEY_ARE, readsElements: true },
  };
}

/** Sinks are told which rows of a tile are used, and number no cells. */
const AS_THEY_ARE = { withRowIds: true, cellStep: 0, indexStep: 0 } as const;

/** Bytes of all columns of a tile: they are packed beside each other where they are not in memory. */
const PLACED_TILE_BYTES = 4 * 1024 * 1024;

/** Columns in places of their own, as those that filters read. */
function scanOfPlaces({ view, rows, bounds }: ColumnsOrder, places: readonly RowColumn[]): Scan {
  const total = rows?.total ?? view.shape[0] ?? 1;
  const multiple = rows?.multiple ?? 1;
  const known = rows?.rows.columns ?? [];
  const columns = [...known, ...places];
  const rowBytes = places.reduce((bytes, { dtype }) => bytes + dtype.itemsize, 0);
  const stride = Math.max(1, ...columns.map(each => Math.abs(each.stride)));
  const rowsMax = Math.min(
    bounds.chunkBytesMax / rowBytes,
    bounds.chunkSpanBytesMax / stride,
    rowsMaxOf(places.length),
    total,
  );
  const length = multiple * Math.max(1, Math.floor(rowsMax / multiple));
  const chunkCount = Math.ceil(total / length);
  const axis: Axis = {
    length: total,
    stride,
    kept: false,
    cellStep: 0,
    indexStep: 0,
    rows: { first: 0, multiple },
  };
  const tileRows = Math.max(1, Math.floor(Math.min(PLACED_TILE_BYTES, 4 * bounds.tileBytesMax) / rowBytes));
  const bytes = columns.reduce((sum, { dtype }) => sum + total * dtype.itemsize, 0);
  return {
    source: 0,
    // Nothing is read of it: tiles are cut for elements of its size.
    dtype: FLOAT64,
    box: { axes: [axis], offset: 0, cell: 0, index: 0 },
    grid: { lengths: [length], boxes: chunkCount, phase: 0 },
    chunkCount,
    bytes,
    tileBytesMax: 8 * tileRows,
    rows: { ...(rows?.rows ?? ALL_ROWS), ...AS_THEY_ARE, columns, readsElements: false },
  };
}

const FLOAT64 = numberDType('<f8');

const ALL_ROWS = {
  filter: { kind: 'constant', keeps: true },
  slice: undefined,
  within: undefined,
  before: undefined,
} as const;
