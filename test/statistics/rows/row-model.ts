/** The stupid model of filters and groups: row by row, comparing plain numbers as JavaScript and Python do. */
import type { NumberDType } from '../../../src/dtype/index.js';
import type { Query } from '../../../src/statistics/index.js';
import type { Value } from '../cases.js';
import { roundToHalf } from '../halves.js';
import { expectedOf, type Expected } from '../oracle.js';
import { takenBy } from '../python-slice.js';
import type { RowCase, Stored } from './row-cases.js';

type Json = Record<string, unknown>;

/** The values of the subject of each row. */
function columnOf(
  subject: Json,
  self: Stored,
  datasets: readonly Stored[],
): { values: readonly Value[]; dtype: NumberDType } {
  if (subject['dataset'] !== undefined) return datasets.find(each => each.name === subject['dataset'])!;
  if (subject['self'] !== undefined) return self;
  const width = self.shape[1]!;
  const column = ((subject['column'] as number) + width) % width;
  return { values: self.values.filter((_, i) => i % width === column), dtype: self.dtype };
}

function literalOf(dtype: NumberDType, literal: unknown): Value {
  if (typeof literal === 'boolean') return literal ? 1n : 0n;
  const number =
    typeof literal === 'string' && /^-?\d+$/.test(literal)
      ? BigInt(literal)
      : typeof literal === 'string'
        ? Number(literal)
        : (literal as Value);
  if (dtype.kind !== 'f') return number;
  return roundTo(dtype, Number(number));
}

function roundTo(dtype: NumberDType, value: number): number {
  if (dtype.itemsize === 8) return value;
  return dtype.itemsize === 4 ? Math.fround(value) : roundToHalf(value);
}

/** Whether each row is kept. */
export function keptRows(filter: Json, self: Stored, datasets: readonly Stored[]): boolean[] {
  const rows = self.shape[0]!;
  const every = (work: (row: number) => boolean): boolean[] => Array.from({ length: rows }, (_, row) => work(row));
  if (filter['and'] !== undefined || filter['or'] !== undefined) {
    const parts = ((filter['and'] ?? filter['or']) as Json[]).map(part => keptRows(part, self, datasets));
    return every(row => (filter['and'] === undefined ? parts.some(part => part[row]) : parts.every(part => part[row])));
  }
  if (filter['not'] !== undefined) return keptRows(filter['not'] as Json, self, datasets).map(kept => !kept);
  const { values, dtype } = columnOf(filter, self, datasets);
  const { column: _c, self: _s, dataset: _d, ...comparisons } = filter;
  // A list of no values is absent where another comparison stands.
  const all = Object.entries(comparisons);
  const present = all.filter(([, argument]) => all.length === 1 || !Array.isArray(argument) || argument.length > 0);
  const tests = present.map(([name, argument]) => testOf(name, argument, dtype, datasets));
  return every(row => tests.every(test => test(values[row]!)));
}

function testOf(
  name: string,
  argument: unknown,
  dtype: NumberDType,
  datasets: readonly Stored[],
): (value: Value) => boolean {
  const literal = (each: unknown): Value => literalOf(dtype, each);
  // oxlint-disable eqeqeq -- a bigint equals a number of the same value
  switch (name) {
    case 'eq':
      return value => value == literal(argument);
    case 'ne':
      return value => value != literal(argument);
    case 'lt':
      return value => value < literal(argument);
    case 'le':
      return value => value <= literal(argument);
    case 'gt':
      return value => value > literal(argument);
    case 'ge':
      return value => value >= literal(argument);
    case 'between': {
      const [low, high] = (argument as unknown[]).map(literal);
      return value => value >= low! && value <= high!;
    }
    case 'is_nan':
      return value => Number.isNaN(value) === argument;
    case 'in': {
      const list = Array.isArray(argument) ? argument.map(literal) : joinValues(argument as Json, datasets);
      return value => list.some(each => each == value);
    }
    default:
      throw new Error(`the model does not know ${name}`);
  }
}

function joinValues({ dataset, where }: Json, datasets: readonly Stored[]): readonly Value[] {
  const codes = datasets.find(each => each.name === dataset)!;
  if (where === undefined) return codes.values;
  const kept = keptRows(where as Json, codes, datasets);
  return codes.values.filter((_, i) => kept[i]);
}

/** Numbers of the rows that the filter keeps and the slice takes, in its order; and the selection's other axes. */
function takenRows({ datasets, query, slice }: RowCase): {
  rows: number[];
  shape: readonly number[];
  inner: number[][];
} {
  const main = datasets[0]!;
  const all = Array.from({ length: main.shape[0]! }, () => true);
  const kept = query.where === undefined ? all : keptRows(query.where as Json, main, datasets);
  const numbers = kept.flatMap((is, i) => (is ? [i] : []));
  const { positions, shape } = takenBy(slice, [numbers.length, ...main.shape.slice(1)]);
  const rows = positions[0]!.map(i => numbers[i]!);
  let inner: number[][] = [[]];
  for (const each of positions.slice(1)) inner = inner.flatMap(index => each.map(i => index.concat(i)));
  return { rows, shape, inner };
}

function elementsOf({ shape, values }: Stored, rows: readonly number[], inner: readonly number[][]): Value[] {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, length) => product * length, 1));
  return rows.flatMap(row =>
    inner.map(index => values[[row, ...index].reduce((sum, i, axis) => sum + i * strides[axis]!, 0)]!),
  );
}

/** Without what is expected of sorted elements. */
function reducing(query: Query): Query {
  return { ...query, ops: query.ops.filter(op => op !== 'median' && op !== 'quantile') };
}

/** What an ungrouped query answers, or the code of its error; with the values that it is made of. */
export function expectedRows(
  each: RowCase,
  query: Query,
): { expected: Expected | string; values: readonly Value[]; shape: readonly number[] } {
  const main = each.datasets[0]!;
  const { rows, shape, inner } = takenRows(each);
  const values = elementsOf(main, rows, inner);
  return { shape, expected: expectedOf(reducing(query), main.dtype.kind === 'f', shape, values), values };
}

export interface ExpectedGroup {
  /** Per key: a value, or the number of a bin. */
  readonly key: readonly Value[];
  readonly answer: Expected | string;
  readonly shape: readonly number[];
  readonly values: readonly Value[];
}

/** The groups of a grouped query in the order of their keys. */
export function expectedGroups(each: RowCase, query: Query): ExpectedGroup[] {
  const main = each.datasets[0]!;
  const { rows, shape, inner } = takenRows(each);
  const keys = ([each.query.group_by].flat() as Json[]).map(key => {
    const { values } = columnOf(key, main, each.datasets);
    const edges = key['bins'] as unknown[] | undefined;
    return (row: number): Value | undefined => (edges ? binOf(values[row]!, edges) : plain(values[row]!));
  });
  const groups = new Map<string, { key: Value[]; rows: number[] }>();
  for (const row of rows) {
    const key = keys.map(keyOf => keyOf(row));
    if (key.includes(undefined)) continue;
    const name = key.map(String).join('|');
    const group = groups.get(name) ?? { key: key as Value[], rows: [] };
    group.rows.push(row);
    groups.set(name, group);
  }
  return [...groups.values()]
    .sort((a, b) => compareKeys(a.key, b.key))
    .map(group => {
      const values = elementsOf(main, group.rows, inner);
      const answer = expectedOf(
        reducing(query),
        main.dtype.kind === 'f',
        [group.rows.length, ...shape.slice(1)],
        values,
      );
      return { key: group.key, answer, values, shape: [group.rows.length, ...shape.slice(1)] };
    });
}

function plain(value: Value): Value {
  return value === 0 ? 0 : value;
}

function binOf(value: Value, edges: readonly unknown[]): Value | undefined {
  const numbers = edges.map(edge => (typeof edge === 'bigint' ? edge : Number(edge)));
  for (let bin = 0; bin + 1 < numbers.length; bin++) {
    const isLast = bin + 2 === numbers.length;
    if (value >= numbers[bin]! && (value < numbers[bin + 1]! || (isLast && value == numbers[bin + 1]))) return bin;
  }
  return undefined;
}

function compareKeys(a: readonly Value[], b: readonly Value[]): number {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (Number.isNaN(x) || Number.isNaN(y)) {
      if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
    } else if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
