/** Where to look for the bin of an element between any ascending edges: a table over the high bits of float64 keys. */

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
