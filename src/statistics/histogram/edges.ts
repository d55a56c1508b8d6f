/**
 * The edges of a histogram, to the bit those of numpy.histogram: numpy.linspace in the dtype that numpy would take. Hazard:
 * a range that comes from the data is computed in the data's own float dtype, one that was asked for in float64.
 */
import { numberDType, withByteOrder, type DType } from '../../dtype/index.js';
import { fail } from '../../errors.js';
import { narrowTo, type Narrow } from '../../narrow.js';

/** n + 1 ascending edges of n bins, half-open but for the last, which is closed. */
export interface Edges {
  readonly values: Float64Array;
  /** What they are exact in: the data's own float dtype, else float64. */
  readonly dtype: DType;
}

const FLOAT64 = numberDType('<f8');

/**
 * Edges of `bins` equal bins over a range that was asked for.
 * @throws bad_operation when the dtype has no room for so many bins in the range
 */
export function edgesOverRange(dtype: DType, bins: number, [first, last]: readonly [number, number]): Edges {
  const [start, stop] = widened(first, last, unrounded);
  const own = edgeDType(dtype);
  const values = linspace(start, stop, bins, unrounded).map(narrowTo(own));
  return { values: checked(values, start, stop), dtype: own };
}

/**
 * Edges of `bins` equal bins from the smallest to the largest element; both undefined where there is none.
 * @throws bad_operation when an element is infinite, or the dtype has no room for so many bins
 */
export function edgesOverData(dtype: DType, bins: number, least?: number, most?: number): Edges {
  if (least === undefined || most === undefined) return edgesOverRange(dtype, bins, [0, 1]);
  if (!Number.isFinite(least) || !Number.isFinite(most)) {
    fail(
      'bad_operation',
      `The data reaches from ${least} to ${most}, and bins need finite bounds. Give the histogram a range: "range": [0, 1].`,
      {
        range: [String(least), String(most)],
      },
    );
  }
  const own = edgeDType(dtype);
  const narrow = narrowTo(own);
  const [start, stop] = widened(least, most, narrow);
  return { values: checked(linspace(start, stop, bins, narrow), start, stop), dtype: own };
}

function edgeDType(dtype: DType): DType {
  return dtype.kind === 'f' ? withByteOrder(dtype, '<') : FLOAT64;
}

/** A range of one point becomes one of length 1 around it. */
function widened(first: number, last: number, narrow: Narrow): readonly [number, number] {
  return first === last ? [narrow(first - 0.5), narrow(last + 0.5)] : [first, last];
}

/** numpy.linspace in a dtype: each operation is rounded to it. */
function linspace(start: number, stop: number, bins: number, narrow: Narrow): Float64Array {
  const values = new Float64Array(bins + 1);
  const delta = narrow(stop - start);
  const divisor = narrow(bins);
  const step = narrow(delta / divisor);
  for (let i = 0; i < bins; i++) {
    const index = narrow(i);
    // Steps that underflow are taken as fractions of the whole.
    const distance = step === 0 ? narrow(narrow(index / divisor) * delta) : narrow(index * step);
    values[i] = narrow(distance + start);
  }
  values[bins] = stop;
  return values;
}

function checked(values: Float64Array, start: number, stop: number): Float64Array {
  const bins = values.length - 1;
  for (let i = 0; i < bins; i++) {
    // A range wider than the dtype leads to infinities and NaN.
    const isRoom = values[i]! < values[i + 1]! && Number.isFinite(values[i]!) && Number.isFinite(values[i + 1]!);
    if (!isRoom) {
      fail(
        'bad_operation',
        `${bins} bins from ${start} to ${stop} have no distinct finite edges in this dtype. Ask for fewer bins or another range.`,
        { bins, range: [start, stop] },
      );
    }
  }
  return values;
}

function unrounded(value: number): number {
  return value;
}

const INDICES = 65_536;

/**
 * For each value of the 16 high bits of a key, how many edges are not above the smallest float64 that has them; then the
 * number of edges. Edges do not fall; NaN may be the last.
 */
export function startsOf(edges: Float64Array): Uint32Array {
  const starts = new Uint32Array(INDICES + 1);
  let upTo = 0;
  for (let index = 0; index < INDICES; index++) {
    const smallest = smallestOf(index);
    while (upTo < edges.length && edges[upTo]! <= smallest) upTo++;
    starts[index] = upTo;
  }
  starts[INDICES] = edges.length;
  return starts;
}

const BITS = new BigUint64Array(1);
const FLOAT = new Float64Array(BITS.buffer);

/** The smallest float64 whose key begins with 16 bits; beyond infinity, the largest of its sign. */
function smallestOf(index: number): number {
  const key = BigInt(index) << 48n;
  BITS[0] = index < INDICES / 2 ? ~key & (2n ** 64n - 1n) : key & (2n ** 63n - 1n);
  const value = FLOAT[0]!;
  if (!Number.isNaN(value)) return value;
  return index < INDICES / 2 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
