/** Seeded random queries with filters and keys, over a dataset, one that is aligned with it, and one of codes. */
import { parseDType, type DType } from '../../../src/dtype.js';
import { packedView, sizeOf } from '../../../src/layout/view.js';
import { normalise, parseSlice, type SlicePart } from '../../../src/selection.js';
import { METHOD_NAMES } from '../../../src/statistics/quantiles/methods.js';
import { SELECT_BOUNDS, type SelectBounds } from '../../../src/statistics/quantiles/strategy.js';
import type { PlanBounds, QueryInput, RowSource } from '../../../src/statistics/index.js';
import {
  indicesOf,
  integerBelow,
  pick,
  readValue,
  TYPESTRS,
  valueMaker,
  writeValue,
  type Random,
  type Value,
} from '../cases.js';

/** An array in a file, and its elements in C order. */
export interface Stored extends RowSource {
  readonly file: Uint8Array;
  readonly values: readonly Value[];
}

export interface RowCase {
  readonly datasets: readonly Stored[];
  readonly slice: string;
  readonly parts: readonly SlicePart[];
  readonly query: QueryInput;
  readonly bounds: PlanBounds;
}

export interface RowCaseOptions {
  readonly ops: readonly string[];
  readonly isGrouped: boolean;
  /** Median and quantiles instead of `ops`. */
  readonly isSelecting?: boolean;
}

export function makeRowCase(random: Random, options: RowCaseOptions): RowCase {
  const rank = pick(random, [1, 1, 2, 2, 2, 3]);
  const rows = random() < 0.03 ? 0 : 1 + integerBelow(random, pick(random, [10, 60, 200]));
  const shape = [rows, ...Array.from({ length: rank - 1 }, () => 1 + integerBelow(random, rank === 2 ? 7 : 3))];
  const datasets = [
    store(random, 'main', shape),
    store(random, 'near', [rows]),
    store(random, 'codes', [integerBelow(random, 40)]),
  ];
  const slice = random() < 0.4 ? '' : randomSlice(random, shape);
  const parts = slice === '' ? [] : parseSlice(slice);
  const query = randomQuery(random, datasets, normalise(parts, shape).shape.length, options);
  return {
    datasets,
    slice,
    parts,
    query,
    bounds: {
      chunkSpanBytesMax: pick(random, [64, 1e9]),
      chunkBytesMax: pick(random, [1, 40, 200, 1000, 2 ** 23]),
      tileBytesMax: pick(random, [1, 24, 100, 600, 2 ** 20]),
      chunkCellsMax: pick(random, [1, 3, 20, 16_384]),
      ...(options.isSelecting && {
        search: pick(random, [SELECT_BOUNDS, SELECT_BOUNDS, FEW]),
        groupSearch: {
          rangesMax: pick(random, [20, 1000]),
          countersMax: pick(random, [200, 10_000]),
          collectedMax: pick(random, [0, 10, 10_000]),
          sortedMax: pick(random, [1, 10, 10_000]),
          sampledMin: pick(random, [0, 0, 1e9]),
        },
      }),
    },
  };
}

/** Everything is searched for in rounds, and in batches of cells. */
const FEW: SelectBounds = {
  tablesMax: 3,
  collectedMax: 4,
  cellBytesMax: 0,
  soleCellElementsMax: 1,
  roundsQuantilesMax: 1000,
};

function store(random: Random, name: string, shape: readonly number[]): Stored {
  const dtype = parseDType(pick(random, TYPESTRS));
  const offset = pick(random, [0, 128, 3]);
  const view = packedView(shape, dtype.itemsize, pick(random, ['C', 'F']), offset);
  const file = new Uint8Array(offset + sizeOf(shape) * dtype.itemsize);
  const make = pick(random, [valueMaker(random, dtype, 0.1), fewValues(random, dtype)]);
  const data = new DataView(file.buffer);
  for (let at = offset; at < file.length; at += dtype.itemsize) writeValue(data, at, dtype, make());
  const values = indicesOf(shape).map(index =>
    readValue(data, view.offset + index.reduce((sum, i, axis) => sum + i * view.strides[axis]!, 0), dtype),
  );
  return { name, dtype, shape, view, file, values };
}

/** So few that rows agree. */
function fewValues(random: Random, dtype: DType): () => Value {
  const few =
    dtype.kind === 'f' ? [0, -0, 1, 2, 0.5, -3, Number.NaN, 0.1] : dtype.kind === 'b' ? [0, 1] : [0, 1, 2, 3, 100];
  return () => pick(random, few);
}

function randomSlice(random: Random, shape: readonly number[]): string {
  const bound = (length: number): string =>
    random() < 0.4 ? '' : String(integerBelow(random, 3 * length + 1) - length);
  const range = (length: number): string =>
    `${bound(length)}:${bound(length)}:${pick(random, ['', '1', '2', '3', '-1', '-2'])}`;
  const parts = shape.map((length, axis) => {
    if (axis > 0 && random() < 0.2) return String(integerBelow(random, length));
    return random() < 0.5 ? ':' : range(length);
  });
  if (random() < 0.2) parts.splice(1, parts.length, '...');
  if (random() < 0.1) parts.push('None');
  return parts.join(', ');
}

function randomQuery(
  random: Random,
  datasets: readonly Stored[],
  rank: number,
  { ops, isGrouped, isSelecting = false }: RowCaseOptions,
): QueryInput {
  const axes = Array.from({ length: rank }, (_, i) => i);
  const { itemsize, kind } = datasets[0]!.dtype;
  const isWide = itemsize === 8 && kind !== 'f';
  const where = isGrouped && random() < 0.4 ? undefined : randomFilter(random, datasets, 3);
  const group = isGrouped ? randomKeys(random, datasets) : undefined;
  const chosen = ops.filter(() => random() < 0.4);
  if (chosen.length === 0) chosen.push(ops[0]!);
  const selecting = [pick(random, ['median', randomQuantile(random)]), pick(random, ['count', randomQuantile(random)])];
  let axis: number[] | null = null;
  const isPositional = chosen.some(op => op.startsWith('arg'));
  if (random() < 0.6 && !isPositional) axis = axes.filter(i => random() < 0.5 || (isGrouped && i === 0));
  else if (isPositional && random() < 0.5) axis = [integerBelow(random, rank)];
  return {
    ops: isSelecting ? [...new Map(selecting.map(op => [JSON.stringify(op).slice(0, 8), op])).values()] : chosen,
    axis,
    keepdims: random() < 0.2,
    // Large integers that agree as doubles have a variance here and none in the model: 0 / 0 would show it.
    ddof: isWide ? 0 : pick(random, [0, 0, 1, 2]),
    nan: pick(random, ['propagate', 'propagate', 'omit', 'omit', 'raise']),
    ...(where !== undefined && { where }),
    ...(group !== undefined && { group_by: group }),
  };
}

function randomQuantile(random: Random): unknown {
  const q = Array.from({ length: 1 + integerBelow(random, 4) }, () => pick(random, [0, 1, 0.5, random()]));
  return { quantile: { q: random() < 0.2 ? q[0]! : q, method: pick(random, ['linear', 'linear', ...METHOD_NAMES]) } };
}

/** The JSON of a subject, and the dataset and values that it means. */
function randomSubject(
  random: Random,
  [main, near]: readonly Stored[],
): { subject: Record<string, unknown>; values: readonly Value[]; dtype: DType } {
  const kind = integerBelow(random, 2);
  if (kind === 0 && main!.shape.length === 1)
    return { subject: { self: true }, values: main!.values, dtype: main!.dtype };
  if (kind === 0 && main!.shape.length === 2) {
    const width = main!.shape[1]!;
    const column = integerBelow(random, 2 * width) - width;
    const at = (column + width) % width;
    return {
      subject: { column },
      values: main!.values.filter((_, i) => i % width === at),
      dtype: main!.dtype,
    };
  }
  return { subject: { dataset: 'near' }, values: near!.values, dtype: near!.dtype };
}

function randomFilter(random: Random, datasets: readonly Stored[], depth: number): unknown {
  const kind = depth > 1 ? random() : 0;
  if (kind > 0.85) return { not: randomFilter(random, datasets, depth - 1) };
  if (kind > 0.55) {
    const parts = Array.from({ length: 1 + integerBelow(random, 3) }, () => randomFilter(random, datasets, depth - 1));
    return { [pick(random, ['and', 'or'])]: parts };
  }
  const { subject, values, dtype } = randomSubject(random, datasets);
  const literal = (): unknown => randomLiteral(random, dtype, values);
  const test: Record<string, unknown> = { ...subject };
  for (let i = 1 + integerBelow(random, 2); i > 0; i--) {
    const name = pick(random, ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'between', 'in', 'in', 'is_nan', 'join']);
    if (name === 'between') test[name] = [literal(), literal()];
    else if (name === 'in') test[name] = Array.from({ length: integerBelow(random, pick(random, [4, 40])) }, literal);
    else if (name === 'is_nan') test[name] = random() < 0.3;
    else if (name === 'join') {
      const where = random() < 0.3 ? { self: true, ...codesTest(random, datasets[2]!) } : undefined;
      test['in'] = { dataset: 'codes', ...(where && { where }) };
    } else test[name] = literal();
  }
  return test;
}

function codesTest(random: Random, codes: Stored): Record<string, unknown> {
  return { [pick(random, ['ge', 'ne', 'le'])]: randomLiteral(random, codes.dtype, codes.values) };
}

/** A number that is there, or close, or special. */
function randomLiteral(random: Random, dtype: DType, values: readonly Value[]): unknown {
  if (dtype.kind === 'b') return random() < 0.5;
  const value = values.length === 0 ? 0 : pick(random, values);
  const kind = random();
  if (kind < 0.05) return pick(random, ['NaN', 'Infinity', '-Infinity']);
  if (kind < 0.2)
    return (typeof value === 'bigint' ? Number(BigInt.asIntN(53, value)) : Number.isFinite(value) ? value : 1) + 0.5;
  if (kind < 0.3) return pick(random, [0, -1, 300, 1e30, 0.1]);
  if (typeof value === 'bigint') {
    if (dtype.itemsize === 8 && random() < 0.3) return String(value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value + BigInt(integerBelow(random, 3) - 1);
  }
  return Number.isFinite(value) ? value : String(value);
}

function randomKeys(random: Random, datasets: readonly Stored[]): unknown {
  const key = (): Record<string, unknown> => {
    const { subject, dtype } = randomSubject(random, datasets);
    if (dtype.kind === 'b' || random() < 0.6) return subject;
    const edges = new Set(
      Array.from({ length: 2 + integerBelow(random, 4) }, () =>
        pick(random, [-3, -1, 0, 0.1, 0.5, 1, 2, 3, 50, 200, 1e6]),
      ),
    );
    if (edges.size < 2) edges.add(1e7);
    const sorted: unknown[] = [...edges].sort((a, b) => a - b);
    if (random() < 0.2) sorted.push('Infinity');
    return { ...subject, bins: sorted };
  };
  return random() < 0.6 ? key() : Array.from({ length: 1 + integerBelow(random, 3) }, key);
}
