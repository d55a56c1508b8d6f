/**
 * Dates, durations and complex numbers against numpy: random selections of arrays and of fields of larger items, at any
 * alignment, along axes and by groups. What is asked together is what is asked alone, to the bit.
 */
import t from 'tap';
import { HyperslabError } from '../../src/errors.js';
import { isTime, numberDType, parseDType, type ComplexDType, type TimeDType } from '../../src/dtype/index.js';
import { packedView, sizeOf, type View } from '../../src/layout/view.js';
import {
  computePlan,
  planQuery,
  sourceFrom,
  type PlanBounds,
  type QueryInput,
  type RowSource,
  type StatisticsResult,
} from '../../src/statistics/index.js';
import { parseSlice } from '../../src/selection.js';
import { atOnce } from '../../src/turns.js';
import { NO_NUMPY, PYTHON } from '../helpers/python.js';
import { seededRandom, type Random } from '../helpers/random.js';
import { QUANTILE_METHODS } from './cases.js';
import { liveCases, runNumpy } from './live-numpy.js';

const TIMES = ['M8[D]', 'M8[ns]', 'M8[25us]', 'M8[Y]', 'M8[s]', 'M8', 'm8[ms]', 'm8[h]', 'm8[7D]', 'm8'];
const COMPLEX = ['c8', 'c16'];
const OF_DATES = ['count', 'min', 'max', 'ptp', 'mean', 'median'];
const OF_COMPLEX = ['count', 'sum', 'mean', 'var', 'std', 'prod', 'any', 'all', 'count_nonzero'];

interface KindCase {
  readonly dtype: TimeDType | ComplexDType;
  readonly file: Uint8Array;
  readonly view: View;
  readonly slices: readonly (readonly [number, number | null, number])[];
  readonly query: QueryInput & { readonly ops: readonly unknown[] };
  /** A number of each row. */
  readonly groups: readonly number[] | undefined;
  readonly bounds: Partial<PlanBounds>;
}

/** A value of one cell: a count or a float as text, or the two parts of a complex number; null where numpy's depends on the order. */
type Expected = string | readonly string[] | null;

interface Listed {
  readonly shape: readonly number[];
  readonly values: readonly Expected[];
  readonly within: readonly number[];
}

type Answer = string | Listed;

function makeKind(random: Random, isGrouped: boolean): KindCase {
  const isComplex = random.next() < 0.35;
  const typestr = `${random.pick(['<', '>'])}${random.pick(isComplex ? COMPLEX : TIMES)}`;
  const dtype = parseDType(typestr) as KindCase['dtype'];
  const shape = shapeOf(random, isGrouped);
  const isField = random.next() < 0.6;
  const [before, behind] = isField ? [random.below(9), random.below(9)] : [0, 0];
  const itemsize = before + dtype.itemsize + behind;
  const packed = packedView(shape, itemsize, random.pick(['C', 'F']), random.pick([0, 3, 128]));
  const view = { ...packed, offset: packed.offset + before };
  const file = new Uint8Array(packed.offset + sizeOf(shape) * itemsize).map(() => random.below(256));
  const write = writerOf(random, dtype);
  const data = new DataView(file.buffer);
  for (let at = view.offset; at + dtype.itemsize <= file.length; at += itemsize) write(data, at);
  const slices = shape.map((length, axis) => sliceOf(random, length, isGrouped && axis === 0));
  const rank = shape.length;
  return {
    dtype,
    file,
    view,
    slices,
    query: queryOf(random, dtype, rank, isGrouped),
    groups: isGrouped ? Array.from({ length: shape[0]! }, () => random.below(3)) : undefined,
    bounds: {
      chunkBytesMax: random.pick([64, 300, 4096]),
      chunkCellsMax: random.pick([1, 3, 1000]),
      tileBytesMax: random.pick([16, 100, 1024]),
      quantiles: {
        tablesMax: random.pick([1, 8]),
        cellBytesMax: random.pick([0, 64, 1e6]),
        soleCellElementsMax: random.pick([0, 1000]),
        searchedQuantilesMax: 100,
      },
    },
  };
}

function shapeOf(random: Random, isGrouped: boolean): number[] {
  const rank = isGrouped ? random.integer(1, 2) : random.integer(0, 4);
  return Array.from({ length: rank }, () => (random.next() < 0.05 && !isGrouped ? 0 : random.integer(1, 9)));
}

function sliceOf(random: Random, length: number, isWhole: boolean): readonly [number, number | null, number] {
  if (isWhole || length === 0 || random.next() < 0.4) return [0, length, 1];
  const step = random.pick([1, 2, -1, -3]);
  return step > 0 ? [random.below(length), length, step] : [random.below(length), null, step];
}

function queryOf(random: Random, dtype: KindCase['dtype'], rank: number, isGrouped: boolean): KindCase['query'] {
  const ops: unknown[] = (isTime(dtype) ? OF_DATES : OF_COMPLEX).filter(() => random.next() < 0.5);
  if (isTime(dtype) && random.next() < 0.5) {
    ops.push({ quantile: { q: random.pick([0, 0.25, 1 / 3, 0.5, 0.9, 1]), method: random.pick(QUANTILE_METHODS) } });
  }
  if (dtype.kind === 'm') ops.push('sum');
  let axis: QueryInput['axis'] = random.next() < 0.5 || rank === 0 ? null : random.below(2 * rank) - rank;
  if (isGrouped) axis = random.pick([null, 0]);
  else if (isTime(dtype) && random.next() < 0.6) ops.push(...['argmin', 'argmax'].filter(() => random.next() < 0.7));
  else if (rank > 1 && random.next() < 0.4) axis = [0, -1];
  if (ops.length === 0) ops.push('count');
  return {
    ops,
    axis,
    keepdims: !isGrouped && random.next() < 0.3,
    ddof: random.pick([0, 1, 3]),
    nan: random.pick(['propagate', 'propagate', 'omit', 'omit', 'raise']),
  };
}

const NAT = -(2n ** 63n);

function writerOf(random: Random, dtype: KindCase['dtype']): (data: DataView, at: number) => void {
  const little = dtype.byteOrder === '<';
  const nans = random.pick([0, 0, 0.15, 0.9]);
  const spread = random.next();
  if (isTime(dtype)) {
    const value = (): bigint => {
      if (random.next() < nans) return NAT;
      if (spread < 0.4) return BigInt(random.below(9) - 4);
      if (spread < 0.5) return random.pick([NAT + 1n, -NAT - 1n, -NAT - 2n, 0n]);
      if (spread < 0.8) return 1_700_000_000_000_000_000n + BigInt(random.below(2 ** 31));
      const bits = (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32));
      return BigInt.asIntN(64, bits) === NAT ? 1n : BigInt.asIntN(64, bits);
    };
    return (data, at) => data.setBigInt64(at, value(), little);
  }
  const part = (): number =>
    random.next() < nans / 2 ? Number.NaN : spread < 0.3 ? random.below(3) - 1 : (random.next() - 0.5) * 4;
  return (data, at) => {
    for (const [i, value] of [part(), part()].entries()) {
      if (dtype.itemsize === 16) data.setFloat64(at + 8 * i, value, little);
      else data.setFloat32(at + 4 * i, value, little);
    }
  };
}

function compute({ dtype, view, file, slices, groups, bounds, query }: KindCase, ops: readonly unknown[]) {
  const slice = slices.map(([start, stop, step]) => `${start}:${stop ?? ''}:${step}`).join(',');
  const self: RowSource = { name: 'self', dtype, shape: view.shape, view };
  const keys: RowSource = {
    name: 'keys',
    dtype: numberDType('|u1'),
    shape: [groups?.length ?? 0],
    view: packedView([groups?.length ?? 0], 1, 'C', 0),
  };
  const input = { ...query, ops, ...(groups && { group_by: { dataset: 'keys' } }) };
  const parts = slice === '' ? [] : parseSlice(slice);
  const { plan } = atOnce(planQuery(input, self, parts, () => keys, { bounds }));
  return computePlan(plan, [sourceFrom(file), sourceFrom(Uint8Array.from(groups ?? []))]);
}

/** What a call answers, or the code of its error. */
function outcomeOf(each: KindCase, ops: readonly unknown[]): StatisticsResult | string {
  try {
    return compute(each, ops);
  } catch (error) {
    if (error instanceof HyperslabError) return error.code;
    throw error;
  }
}

/** Undefined, or how one operation differs from numpy's answer. */
function differenceOf(each: KindCase, op: unknown, numpy: readonly Answer[]): string | undefined {
  const outcome = outcomeOf(each, [op]);
  const error = numpy.find(answer => typeof answer === 'string');
  // Whether something is NaN is known of what is read.
  if (error === 'nan_found' && typeof outcome !== 'string' && op === 'count' && isTime(each.dtype)) return undefined;
  if (error !== undefined || typeof outcome === 'string') {
    return error === outcome ? undefined : `${textOf(outcome)} instead of ${error}`;
  }
  const [result] = outcome.results;
  const parts = result!.dtype.kind === 'c' ? 2 : 1;
  const listed = numpy as readonly Listed[];
  const [{ shape }] = listed as [Listed];
  const wanted = each.groups ? [listed.length, ...shape] : shape;
  if (result!.shape.join() !== wanted.join()) return `shape [${result!.shape.join()}], not [${wanted.join()}]`;
  const values = listed.flatMap(answer => answer.values);
  const within = listed.flatMap(answer => answer.within);
  if (result!.values.length !== parts * values.length) return `${result!.values.length} values`;
  for (const [i, value] of values.entries()) {
    if (value === null) continue;
    for (const [part, text] of [value].flat().entries()) {
      const found = result!.values[i * parts + part]!;
      if (!agrees(found, text, within[i]!)) return `[${i}] is ${found}, not ${text}`;
    }
  }
  return undefined;
}

function agrees(found: number | bigint, text: string, within: number): boolean {
  if (/^-?\d+$/.test(text)) return BigInt(found) === BigInt(text);
  const wanted = Number(text.replace('inf', 'Infinity'));
  if (!Number.isFinite(wanted)) return Object.is(Number(found), wanted);
  return Math.abs(Number(found) - wanted) <= within;
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
}

function describe({ dtype, view, slices, query, groups, bounds }: KindCase): string {
  return textOf({ dtype: dtype.typestr, view, slices, query, groups, bounds });
}

for (const isGrouped of [false, true]) {
  const name = isGrouped ? 'groups of rows' : 'selections';
  t.test(`${name} of dates, durations and complex numbers`, { skip: PYTHON === undefined && NO_NUMPY }, async t => {
    const cases = Array.from({ length: liveCases(isGrouped ? 'kindGroups' : 'kinds') }, (_, i) =>
      makeKind(seededRandom(90_000 + (isGrouped ? 50_000 : 0) + i), isGrouped),
    );
    let bytes = 0;
    const described = cases.map(({ dtype, view, file, slices, query, groups }) => {
      const position = bytes + view.offset;
      bytes += file.length;
      const array = { position, dtype: dtype.typestr, shape: view.shape, strides: view.strides };
      return { ...query, slices, array, ...(groups && { groups }) };
    });
    const files = { bytes: Buffer.concat(cases.map(({ file }) => file)) };
    const answers = runNumpy<readonly (Answer | readonly Answer[])[]>(t.testdir(), 'kinds', files, described);
    const found: string[] = [];
    for (const [i, each] of cases.entries()) {
      for (const [at, op] of each.query.ops.entries()) {
        const numpy = isGrouped
          ? (answers[i] as readonly Answer[][]).map(group => group[at]!)
          : [(answers[i] as readonly Answer[])[at]!];
        const difference = differenceOf(each, op, numpy);
        if (difference !== undefined) found.push(`case ${i} ${textOf(op)} ${difference}: ${describe(each)}`);
      }
      const difference = differenceTogether(each);
      if (difference !== undefined) found.push(`case ${i} ${difference}: ${describe(each)}`);
    }
    t.same(found.slice(0, 5), []);
  });
}

/** Operations of one call answer what they answer alone. */
function differenceTogether(each: KindCase): string | undefined {
  const together = outcomeOf(each, each.query.ops);
  if (typeof together === 'string') return undefined;
  for (const [at, op] of each.query.ops.entries()) {
    const alone = outcomeOf(each, [op]);
    if (typeof alone === 'string') return `${textOf(op)} is ${alone} alone`;
    const [a, b] = [together.results[at]!, alone.results[0]!].map(({ values }) => textOf([...values].map(shown)));
    if (a !== b) return `${textOf(op)} is ${a} together, ${b} alone`;
  }
  return undefined;
}

function shown(value: number | bigint): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
