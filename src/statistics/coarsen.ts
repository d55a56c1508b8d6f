/**
 * Coarsening: each element of the answer is of a block of neighbours, so many along each axis; the last block of an axis
 * may have fewer. Shape [10, 7] by 4, 2 is [3, 4]. It is a query whose cells are blocks (scan/blocks.ts).
 */
import { withByteOrder, numberDType, type NumberDType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { didYouMean } from '../near.js';
import { LIMITS } from '../limits.js';
import { integerOf, splitList } from '../selection.js';
import { listed, shown } from '../shown.js';
import { sizeOf, type View } from '../layout/view.js';
import type { StatisticName } from './accumulators/index.js';
import { sumDType } from './accumulators/sum.js';
import { planStatistics, type Plan, type PlanOptions } from './plan.js';
import { coarsenedShape } from './scan/blocks.js';

interface MethodRow {
  /** Several stand side by side on a last axis of the answer. */
  readonly ops: readonly [StatisticName, StatisticName?];
  /** Of truth values, too, and of whatever else has an order; else of numbers alone. */
  readonly takesBool: boolean;
  readonly dtype: (of: NumberDType) => NumberDType;
}

const FLOAT32 = numberDType('<f4');
const FLOAT64 = numberDType('<f8');

const same = (of: NumberDType): NumberDType => of;

const METHODS = {
  mean: { ops: ['mean'], takesBool: false, dtype: of => (of.kind === 'f' && of.itemsize < 8 ? FLOAT32 : FLOAT64) },
  min: { ops: ['min'], takesBool: true, dtype: same },
  max: { ops: ['max'], takesBool: true, dtype: same },
  sum: { ops: ['sum'], takesBool: false, dtype: sumDType },
  first: { ops: ['first'], takesBool: true, dtype: same },
  minmax: { ops: ['min', 'max'], takesBool: true, dtype: same },
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
    const detail = `coarsen has ${factors.length} factors, and the selection ${rank} axes. ${remedy}`;
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
  readonly dtype: NumberDType;
}

/** @throws unsupported_dtype where the method is not of such elements */
export function coarsenedArray(
  { factors, method }: Coarsening,
  dtype: NumberDType,
  shape: readonly number[],
): Coarsened {
  const row: MethodRow = METHODS[method];
  if (dtype.kind === 'b' && !row.takesBool) {
    const others = COARSEN_METHODS.filter(each => METHODS[each].takesBool);
    const detail = `${method} is not of truth values; of ${dtype.name} there are ${listed(others, 'and')}: method=${others[0]}.`;
    fail('unsupported_dtype', detail, { dtype: dtype.typestr, supported: others });
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
  dtype: NumberDType,
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
