/**
 * Elements that are no numbers, as numbers that kernels know: a facet is one number of each element, in a tile of its own.
 * What the kernels of numbers find in facets is put together to what accumulators keep.
 *
 * Of complex numbers the real and the imaginary parts are facets, and how large they are (zero, or NaN, where the number
 * is). Dates and durations are int64 whose least one is NaT. They have two facets in the order of the elements: in one NaT
 * is the smallest number, 0, so that zeros are NaT, the first of them is the least number, and none is the largest; in the
 * other one NaT is the largest, so that none is the least. So NaT is left out of extremes and sums, and is counted.
 */
import { isTime, numberDType, withByteOrder, type DType } from '../../dtype/index.js';
import type { Engine } from '../../kernels/engine.js';
import type { Fields } from './accumulator.js';
import { imaginaryName } from './complex.js';
import { type AccumulatorName } from './index.js';
import { addPairTo } from './sum.js';

export interface Facet {
  /** Of its numbers; the elements' own where they are taken as they are. */
  readonly dtype: DType;
  /** What is measured of it. */
  readonly accumulators: readonly AccumulatorName[];
  readonly countsNan: boolean;
  readonly omitsNan: boolean;
  /** Puts the numbers of `count` elements that stand at `from` to `to`; undefined where they stay as they are. */
  readonly fill: ((engine: Engine, from: number, count: number, to: number) => void) | undefined;
}

export interface Facets {
  readonly facets: readonly Facet[];
  /** The fields of the accumulators of the elements from those of each facet, which it may change. */
  readonly merge: (found: readonly Fields[]) => Fields;
}

/** What is asked of the elements. */
interface Asked {
  readonly accumulators: readonly AccumulatorName[];
  readonly countsNan: boolean;
  readonly omitsNan: boolean;
  /** Some cells of a chunk have more elements than others. */
  readonly isUneven?: boolean;
}

/** Undefined where elements are numbers themselves, or where nothing is asked of them. */
export function facetsOf(dtype: DType, asked: Asked): Facets | undefined {
  if (asked.accumulators.length === 0) return undefined;
  if (isTime(dtype)) return facetsOfTimes(asked);
  return dtype.kind === 'c' ? facetsOfComplex(dtype, asked) : undefined;
}

const UINT64 = numberDType('<u8');
const FLOAT64 = numberDType('<f8');

/** What is measured of times where NaT is the smallest number, and where it is the largest, for an accumulator of theirs. */
const OF_TIMES: Partial<Record<AccumulatorName, readonly [AccumulatorName[], AccumulatorName[]]>> = {
  sum: [['sum'], []],
  max: [['max'], []],
  argmax: [['argmax'], []],
  nanIndex: [['min', 'argmin'], []],
  min: [[], ['min']],
  argmin: [[], ['argmin']],
};

function facetsOfTimes({ accumulators, omitsNan, isUneven = false }: Asked): Facets {
  const of = (isLast: 0 | 1): Facet => ({
    dtype: UINT64,
    accumulators: [
      ...new Set([
        ...(isLast ? [] : (['zeros', 'count'] as const)),
        ...accumulators.flatMap(name => OF_TIMES[name]?.[isLast] ?? []),
      ]),
    ],
    // There is none; but then elements are counted one by one.
    countsNan: isUneven && !isLast,
    omitsNan: false,
    fill: ({ kernels }, from, count, to) => kernels.timesToKeys(from, count, isLast, to),
  });
  const last = of(1);
  const facets = last.accumulators.length === 0 ? [of(0)] : [of(0), last];
  const halves = accumulators.includes('first') ? [half(0, omitsNan), half(1, omitsNan)] : [];
  return {
    facets: [...facets, ...halves],
    merge: found => {
      const [high, low] = found.slice(facets.length);
      return {
        ...timesFrom(accumulators, found[0]!, facets.length > 1 ? found[1] : undefined),
        ...(high && low && { first: high['first']!, firstIndex: high['firstIndex']!, firstLow: low['first']! }),
      };
    },
  };
}

/** The first element as it stands: its high half, and its low one, each NaN where it is NaT. */
function half(isLow: 0 | 1, omitsNan: boolean): Facet {
  return {
    dtype: FLOAT64,
    accumulators: ['first'],
    countsNan: false,
    omitsNan,
    fill: ({ kernels }, from, count, to) => kernels.timesToHalves(from, count, isLow, to),
  };
}

/** Half of the range of a high half: numbers from 0 on are this much more than the int64 that they stand for. */
const HALF = 2 ** 31;

function timesFrom(accumulators: readonly AccumulatorName[], first: Fields, last: Fields | undefined): Fields {
  const { count, zeros, ...found } = first;
  for (let i = 0; i < count!.length; i++) count![i]! -= zeros![i]!;
  const { sum, sumRest, sumHigh, sumHighRest } = found;
  if (sumHigh) for (let i = 0; i < count!.length; i++) addPairTo(sumHigh, sumHighRest!, i, -HALF * count![i]!, 0);
  const nanIndex = accumulators.includes('nanIndex') ? indexOfZero(found) : undefined;
  addTo(found.max, -HALF);
  addTo(last?.min, -HALF);
  // Those where NaT is the largest are one less.
  addTo(last?.minLow, 1);
  return {
    count: count!,
    ...(sum && { sum, sumRest, sumHigh, sumHighRest }),
    ...(accumulators.includes('max') && pick(found, ['max', 'maxLow', 'argmax'])),
    ...(nanIndex && { nanIndex }),
    ...(last && pick(last, ['min', 'minLow', 'argmin'])),
  };
}

function addTo(values: Float64Array | undefined, more: number): void {
  if (values) for (let i = 0; i < values.length; i++) values[i]! += more;
}

/** Where the least number is 0, and so NaT, its index. */
function indexOfZero({ min, minLow, argmin }: Fields): Float64Array {
  return argmin!.map((index, i) => (min![i] === 0 && minLow![i] === 0 ? index : Number.POSITIVE_INFINITY));
}

function pick(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.filter(name => fields[name]).map(name => [name, fields[name]]));
}

/** What is measured of real, imaginary, and of both parts together, for an accumulator of complex numbers. */
const OF_COMPLEX: Partial<Record<AccumulatorName, readonly AccumulatorName[][]>> = {
  sum: [['sum'], [], []],
  imaginarySum: [[], ['sum'], []],
  moments: [['moments'], [], []],
  imaginaryMoments: [[], ['moments'], []],
  count: [['count'], [], []],
  zeros: [[], [], ['zeros']],
};

function facetsOfComplex(dtype: DType, { accumulators, countsNan, omitsNan }: Asked): Facets {
  const itemsize = dtype.itemsize / 2;
  const parts = [0, 1, 2].map((part): Facet => {
    const own = accumulators.flatMap(name => OF_COMPLEX[name]?.[part] ?? []);
    return {
      dtype: numberDType(`<f${itemsize}`),
      // Moments are weighed by counts.
      accumulators: own.includes('moments') ? [...new Set([...own, 'count' as const])] : own,
      countsNan,
      omitsNan,
      fill: ({ kernels }, from, count, to) => kernels.complexParts(itemsize, from, count, part, Number(omitsNan), to),
    };
  });
  const pair: Facet = {
    dtype: withByteOrder(dtype, '<'),
    accumulators: accumulators.filter(name => name === 'pairProduct'),
    countsNan: false,
    omitsNan,
    fill: undefined,
  };
  const facets = [...parts, pair].filter(each => each.accumulators.length > 0);
  return {
    facets,
    merge: found =>
      Object.assign({}, ...found.map((fields, i) => (facets[i] === parts[1] ? renamed(fields) : fields))) as Fields,
  };
}

/** The fields of imaginary parts; counts are those of the real ones. */
function renamed({ count: _, ...fields }: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [imaginaryName(name), field]));
}
