/** Putting places of a file in ascending order, and remembering where each came from. */

/** From so many on, sorting by digits is faster than by comparing. */
const BY_DIGITS_MIN = 2048;
const DIGIT_BITS = 16;
const DIGITS = 2 ** DIGIT_BITS;

/**
 * Numbers of the places in ascending order; equal ones keep theirs. Undefined where they ascend already. Places are
 * integers from 0 to 2^53. O(n log n), or O(n) for many.
 */
export function ascendingOrder(places: Float64Array): Uint32Array | undefined {
  const n = places.length;
  let isSorted = true;
  let least = places[0] ?? 0;
  let greatest = least;
  for (let i = 1; i < n; i++) {
    const place = places[i]!;
    if (place < places[i - 1]!) isSorted = false;
    if (place < least) least = place;
    if (place > greatest) greatest = place;
  }
  if (isSorted) return undefined;
  return n < BY_DIGITS_MIN ? byKeys(places, least, greatest) : byDigits(places, least, greatest);
}

/** Place and number in one double, where they fit. */
function byKeys(places: Float64Array, least: number, greatest: number): Uint32Array {
  const n = places.length;
  const scale = 2 ** Math.ceil(Math.log2(n));
  const order = new Uint32Array(n);
  if ((greatest - least + 1) * scale > Number.MAX_SAFE_INTEGER) {
    for (let i = 0; i < n; i++) order[i] = i;
    return order.sort((a, b) => places[a]! - places[b]! || a - b);
  }
  const keys = new Float64Array(n);
  for (let i = 0; i < n; i++) keys[i] = (places[i]! - least) * scale + i;
  keys.sort();
  for (let i = 0; i < n; i++) order[i] = keys[i]! - Math.floor(keys[i]! / scale) * scale;
  return order;
}

/** Least significant digit first, which keeps what is equal in its order. */
function byDigits(places: Float64Array, least: number, greatest: number): Uint32Array {
  const n = places.length;
  let from = new Uint32Array(n);
  let to = new Uint32Array(n);
  for (let i = 0; i < n; i++) from[i] = i;
  const ends = new Uint32Array(DIGITS);
  for (let unit = 1; unit <= greatest - least; unit *= DIGITS) {
    // The integer conversion of `&` takes what is left of a larger number by 2^32, which holds the digit.
    const digitOf = (number: number): number => Math.floor((places[number]! - least) / unit) & (DIGITS - 1);
    ends.fill(0);
    for (let i = 0; i < n; i++) ends[digitOf(i)]!++;
    for (let digit = 1; digit < DIGITS; digit++) ends[digit]! += ends[digit - 1]!;
    for (let i = n - 1; i >= 0; i--) to[--ends[digitOf(from[i]!)]!] = from[i]!;
    [from, to] = [to, from];
  }
  return from;
}
