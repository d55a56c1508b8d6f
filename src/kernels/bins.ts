/** How kernels of histograms are told of bins, in a struct in their memory (bin-spec.ts). */
import * as SPEC from './bin-spec.js';

/** Which kernel counts: by pairs, by elements near an edge only, or every element by comparison. */
export type Counting = 'pairs' | 'bins' | 'exactly';

/** Plain data. */
export interface BinSpec {
  readonly counting: Counting;
  readonly first: number;
  /** Bins per unit. */
  readonly scale: number;
  readonly bins: number;
  /** Bits of a fraction. */
  readonly shift: number;
  /** How close to an edge a place is not trusted, in fixed point. */
  readonly near: number;
  /** Counters of a row of pairs. */
  readonly width: number;
}

/** Where things stand in the kernels' memory that are the same for all tiles: SPEC names them. */
interface BinPlaces {
  /** Position of the elements' type in NATIVE_TYPES. */
  readonly type: number;
  readonly counters: number;
  readonly edges: number;
  readonly pairs?: number;
  readonly starts?: number;
}

/** Writes what is the same for all tiles, at an address of the kernels' memory. Edges that are searched need no `spec`. */
export function writeBinSpec(memory: DataView, at: number, spec: BinSpec | undefined, places: BinPlaces): void {
  memory.setInt32(at + SPEC.TYPE, places.type, true);
  memory.setUint32(at + SPEC.COUNTERS, places.counters, true);
  memory.setUint32(at + SPEC.EDGES, places.edges, true);
  memory.setUint32(at + SPEC.PAIRS, places.pairs ?? 0, true);
  memory.setUint32(at + SPEC.STARTS, places.starts ?? 0, true);
  if (!spec) return;
  const { first, scale, bins, shift, near, width, counting } = spec;
  const unit = 2 ** shift;
  const float32 = (offset: number, value: number): void => {
    for (let lane = 0; lane < 16; lane += 4) memory.setFloat32(at + offset + lane, value, true);
  };
  const float64 = (offset: number, value: number): void => {
    for (let lane = 0; lane < 16; lane += 8) memory.setFloat64(at + offset + lane, value, true);
  };
  /** The low and the high half of each 32 bits. */
  const halves = (offset: number, low: number, high: number): void => {
    for (let lane = 0; lane < 16; lane += 4) memory.setUint32(at + offset + lane, low + 2 ** 16 * high, true);
  };
  const arePairs = counting === 'pairs';
  const more = arePairs ? near : 0;
  float32(SPEC.FIRST_32, first);
  float32(SPEC.SCALE_32, scale * unit);
  float64(SPEC.FIRST_64, first);
  float64(SPEC.SCALE_64, scale * unit);
  float32(SPEC.LOWEST, -unit / 2);
  // The nearest edge to the highest place is the last one, also with what the magic number adds.
  float32(SPEC.HIGHEST, (bins + 0.5) * unit - 1 - more);
  float32(SPEC.MAGIC, 2 ** 23 + unit + more);
  if (arePairs) {
    halves(SPEC.LIMIT, 2 * near, 0);
    halves(SPEC.FIRST_FACTORS, 0, 2);
    halves(SPEC.SECOND_FACTORS, 0, 2 * width);
  } else {
    for (let lane = 0; lane < 16; lane += 4) {
      // Fractions are compared at the high end of 32 bits.
      memory.setInt32(at + SPEC.BIAS + lane, near * 2 ** (32 - shift) - 2 ** 31, true);
      memory.setInt32(at + SPEC.LIMIT + lane, 2 * near * 2 ** (32 - shift) - 2 ** 31, true);
    }
  }
  memory.setInt32(at + SPEC.SHIFT, shift, true);
  memory.setInt32(at + SPEC.BINS, bins, true);
  memory.setInt32(at + SPEC.WIDTH, width, true);
  memory.setFloat64(at + SPEC.FIRST, first, true);
  memory.setFloat64(at + SPEC.SCALE, scale, true);
}

/** Tells of a tile: `rows` rows of `count` elements, `stride` bytes apart. */
export function writeBinRows(
  memory: DataView,
  at: number,
  [ptr, rows, stride, count]: readonly [number, number, number, number],
): void {
  memory.setUint32(at + SPEC.FROM, ptr, true);
  memory.setUint32(at + SPEC.ROWS, rows, true);
  memory.setUint32(at + SPEC.STRIDE, stride, true);
  memory.setUint32(at + SPEC.COUNT, count, true);
}
