/**
 * How kernels are told of bins: the arithmetic that points at a bin, and how far off it may be, which decides who must be
 * compared with edges. Fixed point: a place is the number of bins from one below the first edge, times 2 ** shift, and
 * stays below 2 ** 23, where float32 is exact in whole numbers.
 */
import { PAIR_BINS_MAX } from '../../kernels/constants.js';
import type { BinSpec } from '../../kernels/bins.js';

/** Rounding of a subtraction, the scale and a product in float32, each half a unit of 24 bits, and some more. */
const ROUNDINGS = 3.1 * 2 ** -24;
const FLOAT32_MIN = 2 ** -126;
const FLOAT32_MAX = (2 - 2 ** -23) * 2 ** 127;
/** A place nearer than this to an edge would be looked at too often for the arithmetic to pay. */
const NEAR_MAX = 0.2;

/** `edges` ascend; elements are float32 (`isSingle`) or become float64. */
export function binSpec(edges: Float64Array, isSingle: boolean): BinSpec {
  const bins = edges.length - 1;
  const first = edges[0]!;
  const scale = Math.min(bins / (edges[bins]! - first), Number.MAX_VALUE);
  const usesPairs = bins <= PAIR_BINS_MAX;
  const shift = usesPairs ? 16 : Math.floor(23 - Math.log2(bins + 2));
  const near = (bins + 1) * ROUNDINGS + 2 ** -shift + deviationOf(edges, first, scale);
  const unit = scale * 2 ** shift;
  const isExact = isSingle ? unit < FLOAT32_MAX && unit > FLOAT32_MIN : Number.isFinite(unit) && unit > 2 ** -1022;
  const counting = isExact && shift > 1 && near < NEAR_MAX ? (usesPairs ? 'pairs' : 'bins') : 'exactly';
  return {
    counting,
    first,
    scale,
    bins,
    shift,
    near: Math.ceil(near * 2 ** shift) + 1,
    width: usesPairs ? Math.ceil((bins + 2) / 8) * 8 : 0,
  };
}

/** How far edges are from where equal bins would have them, in bins. */
function deviationOf(edges: Float64Array, first: number, scale: number): number {
  let most = 0;
  for (let i = 0; i < edges.length; i++) most = Math.max(most, Math.abs((edges[i]! - first) * scale - i));
  return most;
}

/** Edges as the kernels take them: the last bin is closed, so its edge is the next float64 above. */
export function closedEdges(edges: Float64Array): Float64Array {
  const closed = edges.slice();
  closed[closed.length - 1] = nextAbove(edges.at(-1)!);
  return closed;
}

/** NaN, which no element is above of, for infinity. */
function nextAbove(value: number): number {
  if (!Number.isFinite(value)) return value > 0 ? Number.NaN : -Number.MAX_VALUE;
  const float = new DataView(new ArrayBuffer(8));
  float.setFloat64(0, value === 0 ? 0 : value);
  const bits = float.getBigInt64(0);
  float.setBigInt64(0, bits + (bits >= 0n ? 1n : -1n));
  return float.getFloat64(0);
}
