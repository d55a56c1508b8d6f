/**
 * Coarsening: each element of the answer is of a block of neighbours, so many along each axis; the last block of an axis
 * may have fewer. Shape [10, 7] by 4, 2 is [3, 4]. It is a query whose cells are blocks (src/scan/blocks.ts).
 */
import { isTime, numberDType, withByteOrder, type DType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { didYouMean } from '../near.js';
import { LIMITS } from '../limits.js';
import { integerOf, splitList } from '../selection.js';
import { listed, shown } from '../shown.js';
import { sizeOf, type View } from '../layout/view.js';
import { planStatistics, sumDType, type Plan, type PlanOptions, type StatisticName } from '../statistics/index.js';
import { coarsenedShape } from '../scan/blocks.js';

interface MethodRow {
  /** Several stand side by side on a last axis of the answer. */
  readonly ops: readonly [StatisticName, StatisticName?];
  /** Of truth values, too, and of whatever else has an order; else of numbers alone. */
  readonly takesOrdered: boolean;
  readonly dtype: (of: DType) => DType;
}

const FLOAT32 = numberDType('<f4');
const FLOAT64 = numberDType('<f8');

const same = (of: DType): DType => of;

const METHODS = {
  mean: { ops: ['mean'], takesOrdered: false, dtype: of => (of.kind === 'f' && of.itemsize < 8 ? FLOAT32 : FLOAT64) },
  min: { ops: ['min'], takesOrdered: true, dtype: same },
  max: { ops: ['max'], takesOrdered: true, dtype: same },
  sum: { ops: ['sum'], takesOrdered: false, dtype: sumDType },
  first: { ops: ['first'], takesOrdered: true, dtype: same },
  minmax: { ops: ['min', 'max'], takesOrdered: true, dtype: same },
} as const satisfies Record<string, MethodRow>;

export type CoarsenMethod = keyof typeof METHODS;

export const COARSEN_METHODS = Object.keys(METHODS) as readonly CoarsenMethod[];
const NAN_MODES = ['propagate', 'omit'] as const;

/** As it stands in a URL. */
export interface CoarsenInput {
  readonly coarsen: string;
  readonly method?: string | undefined;
  readonly nan?: string | undefined;
}

/** What was asked, checked against the shape that it is asked of. Plain data. */
export interface Coarsening {
  readonly factors: readonly number[];
  readonly method: CoarsenMethod;
  readonly nan: (typeof NAN_MODES)[number];
}

/** @throws bad_request, bad_operation where there are not as many factors as axes */
export function parseCoarsening(
  { coarsen, method = 'mean', nan = 'propagate' }: CoarsenInput,
  rank: number,
): Coarsening {
  if (!isOneOf(COARSEN_METHODS, method)) return failUnknown('method', method, COARSEN_METHODS);
  if (!isOneOf(NAN_MODES, nan)) return failUnknown('nan', nan, NAN_MODES);
  const factors = coarsen.trim() === '' ? [] : splitList(coarsen).map(factorOf);
  if (factors.length !== rank) {
    const ones = Array.from({ length: rank }, () => '1').join(',');
    const remedy =
      rank === 0 ? 'Leave coarsen out.' : `Write one for each axis, 1 where it stays as it is: coarsen=${ones}.`;
    const detail = `coarsen has ${factors.length} ${factors.length === 1 ? 'factor' : 'factors'}, and the selection ${rank} ${rank === 1 ? 'axis' : 'axes'}. ${remedy}`;
    fail('bad_operation', detail, { factors: factors.length, rank });
  }
  return { factors, method, nan };
}

function factorOf(text: string): number {
  const factor = integerOf(text);
  if (factor !== undefined && factor >= 1) return factor;
  return fail(
    'bad_request',
    `coarsen has ${shown(text)}; a factor is a whole number from 1 on, in ASCII digits, with commas between them: coarsen=4,4.`,
    { at: 'coarsen' },
  );
}

function isOneOf<const T extends string>(all: readonly T[], text: string): text is T {
  return (all as readonly string[]).includes(text);
}

function failUnknown(name: string, text: string, all: readonly string[]): never {
  return fail('bad_request', `${name} is ${shown(text)}; it takes ${listed(all)}.${didYouMean(text, all)}`, {
    at: name,
    supported: all,
  });
}

/** An array of blocks, as it will be answered. */
export interface Coarsened {
  readonly shape: readonly number[];
  /** In the byte order of the elements. */
  readonly dtype: DType;
}

/** @throws unsupported_dtype where such elements have no blocks, or the method is not of them */
export function coarsenedArray({ factors, method }: Coarsening, dtype: DType, shape: readonly number[]): Coarsened {
  const row: MethodRow = METHODS[method];
  const { kind, typestr } = dtype;
  if (!'biuf'.includes(kind) && !isTime(dtype)) {
    const detail = `${shown(typestr)} is not coarsened: blocks are made of numbers, truth values and dates. Take every so many-th element with slice=::4, or a field of numbers.`;
    fail('unsupported_dtype', detail, { dtype: typestr.slice(0, 80) });
  }
  if (!'iuf'.includes(kind) && !row.takesOrdered) {
    const others = COARSEN_METHODS.filter(each => METHODS[each].takesOrdered);
    const of = kind === 'b' ? 'truth values' : 'dates and durations';
    const detail = `${method} is not of blocks of ${of}; of these there are ${listed(others, 'and')}: method=${others[0]}.`;
    fail('unsupported_dtype', detail, { dtype: typestr, supported: others });
  }
  const last = row.ops.length > 1 ? [row.ops.length] : [];
  return {
    shape: [...coarsenedShape(shape, factors), ...last],
    dtype: withByteOrder(row.dtype(dtype), dtype.byteOrder === '>' ? '>' : '<'),
  };
}

/**
 * True where the answer is elements of the array, `factors` apart: where nothing has to be computed to know the first of
 * each block.
 */
export function isStrided({ method, nan }: Coarsening, dtype: { readonly kind: string }): boolean {
  return method === 'first' && (nan === 'propagate' || 'biu'.includes(dtype.kind));
}

/** @throws too_large */
export function planCoarsened(
  { factors, method, nan }: Coarsening,
  dtype: DType,
  view: View,
  options: PlanOptions = {},
): Plan {
  const cells = sizeOf(coarsenedShape(view.shape, factors));
  if (cells > LIMITS.cellsMax) {
    const detail = `There would be ${cells} blocks; at most ${LIMITS.cellsMax} are computed in one answer. Use larger factors, or ask for one part of the slice after the other.`;
    fail('too_large', detail, { limit: LIMITS.cellsMax, asked: cells });
  }
  const ops: readonly StatisticName[] = METHODS[method].ops;
  return planStatistics({ ops, axis: null, keepdims: false, ddof: 0, nan, coarsen: factors }, dtype, view, options);
}
