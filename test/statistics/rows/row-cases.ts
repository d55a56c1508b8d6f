/** Seeded random queries with filters and keys, over a dataset, one that is aligned with it, and one of codes. */
import { numberDType, type NumberDType } from '../../../src/dtype/index.js';
import { packedView, sizeOf } from '../../../src/layout/view.js';
import { normalise, parseSlice, type SlicePart } from '../../../src/selection.js';
import { PLAN_BOUNDS, type PlanBounds, type QueryInput, type RowSource } from '../../../src/statistics/index.js';
import type { Random } from '../../helpers/random.js';
import { indicesOf, readValue, TYPESTRS, valueMaker, writeValue, type Value } from '../cases.js';
import type { StoredArray } from '../live-numpy.js';
import { mixedQuery, randomQuery } from './row-queries.js';

/** An array in a file, and its elements in C order. */
export interface Stored extends Omit<RowSource, 'dtype'>, StoredArray {
  readonly values: readonly Value[];
}

export interface RowCase {
  readonly datasets: readonly Stored[];
  readonly slice: string;
  readonly parts: readonly SlicePart[];
  readonly query: QueryInput;
  readonly bounds: Partial<PlanBounds>;
}

export interface RowCaseOptions {
  readonly ops: readonly string[];
  readonly isGrouped: boolean;
  /** Median and quantiles instead of `ops`. */
  readonly isSelecting?: boolean;
  /** Of all operations instead of `ops`. */
  readonly isMixed?: boolean;
  /** Of long datasets, which are not cut into the smallest pieces. */
  readonly rowsMost?: number;
}

export function makeRowCase(random: Random, options: RowCaseOptions): RowCase {
  const rank = random.pick([1, 1, 2, 2, 2, 3, 4]);
  const rows = random.next() < 0.03 ? 0 : 1 + random.below(options.rowsMost ?? random.pick([10, 60, 200]));
  const shape = [
    rows,
    ...Array.from({ length: rank - 1 }, () => (random.next() < 0.01 ? 0 : 1 + random.below(rank === 2 ? 7 : 3))),
  ];
  const datasets = [
    store(random, 'main', shape),
    store(random, 'near', [rows]),
    store(random, 'codes', [random.below(random.pick([40, 40, 300]))]),
    numbers(rows),
  ];
  const slice = random.next() < 0.4 ? '' : randomSlice(random, shape);
  const parts = slice === '' ? [] : parseSlice(slice);
  const isLong = options.rowsMost !== undefined;
  const queryOf = options.isMixed ? mixedQuery : randomQuery;
  const query = queryOf(random, datasets, normalise(parts, shape).shape.length, options);
  return {
    datasets,
    slice,
    parts,
    query,
    bounds: {
      chunkSpanBytesMax: random.pick([isLong ? 4000 : 64, 1e9]),
      chunkBytesMax: random.pick(isLong ? [1000, 20_000, 2 ** 23] : [1, 40, 200, 1000, 2 ** 23]),
      tileBytesMax: random.pick(isLong ? [600, 2 ** 20] : [1, 24, 100, 600, 2 ** 20]),
      chunkCellsMax: random.pick([1, 3, 20, 16_384]),
      ...((options.isSelecting ?? options.isMixed) && {
        quantiles:
          cellsMost(query, shape, parts) > FEW.tablesMax
            ? PLAN_BOUNDS.quantiles
            : random.pick([PLAN_BOUNDS.quantiles, FEW]),
        search: {
          rangesMax: random.pick([20, 1000]),
          countersMax: random.pick([200, 10_000]),
          collectedMax: random.pick([0, 10, 10_000]),
          sortedMax: random.pick([1, 10, 10_000]),
          sampledMin: random.pick([0, 0, 1e9]),
        },
      }),
    },
  };
}

/** Everything is searched for in passes, and in batches of cells. */
const FEW: PlanBounds['quantiles'] = {
  tablesMax: 3,
  cellBytesMax: 0,
  soleCellElementsMax: 1,
  searchedQuantilesMax: 1000,
};

/** Cells of the answer, however many rows are kept. Under a filter no more are searched for than there are tables. */
function cellsMost({ axis }: QueryInput, shape: readonly number[], parts: readonly SlicePart[]): number {
  const taken = [shape[0]!, ...normalise(parts, shape).shape.slice(1)];
  const reduced = [axis ?? taken.map((_, i) => i)].flat().map(each => (Number(each) + taken.length) % taken.length);
  return sizeOf(taken.filter((_, i) => !reduced.includes(i)));
}

function store(random: Random, name: string, shape: readonly number[]): Stored {
  const dtype = numberDType(random.pick(TYPESTRS));
  const offset = random.pick([0, 128, 3]);
  const order = random.pick(['C', 'F'] as const);
  const view = packedView(shape, dtype.itemsize, order, offset);
  const file = new Uint8Array(offset + sizeOf(shape) * dtype.itemsize);
  const make = random.pick([valueMaker(random, dtype, 0.1), fewValues(random, dtype)]);
  const data = new DataView(file.buffer);
  for (let at = offset; at < file.length; at += dtype.itemsize) writeValue(data, at, dtype, make());
  const values = indicesOf(shape).map(index =>
    readValue(data, view.offset + index.reduce((sum, i, axis) => sum + i * view.strides[axis]!, 0), dtype),
  );
  return { name, dtype, order, offset, shape, view, file, values };
}

/** The number of each row. */
function numbers(rows: number): Stored {
  const file = new Uint8Array(Uint32Array.from({ length: rows }, (_, i) => i).buffer);
  const values = Array.from({ length: rows }, (_, i) => BigInt(i));
  const dtype = numberDType('<u4');
  const shape = [rows];
  return { name: 'numbers', dtype, order: 'C', offset: 0, shape, view: packedView(shape, 4, 'C', 0), file, values };
}

/** So few that rows agree. */
function fewValues(random: Random, dtype: NumberDType): () => Value {
  const few =
    dtype.kind === 'f' ? [0, -0, 1, 2, 0.5, -3, Number.NaN, 0.1] : dtype.kind === 'b' ? [0, 1] : [0, 1, 2, 3, 100];
  return () => random.pick(few);
}

function randomSlice(random: Random, shape: readonly number[]): string {
  const bound = (length: number): string => (random.next() < 0.4 ? '' : String(random.below(3 * length + 1) - length));
  const range = (length: number): string =>
    `${bound(length)}:${bound(length)}:${random.pick(['', '1', '2', '3', '-1', '-2'])}`;
  const parts = shape.map((length, axis) => {
    if (axis > 0 && length > 0 && random.next() < 0.2) return String(random.below(length));
    return random.next() < 0.5 ? ':' : range(length);
  });
  const kind = random.next();
  if (kind < 0.2) parts.splice(1, parts.length, '...');
  else if (kind < 0.3) parts.splice(0, random.below(parts.length + 1), '...');
  if (random.next() < 0.1) parts.push('None');
  return parts.join(', ');
}
