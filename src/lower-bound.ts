/**
 * The first of the indices 0..count-1 that `isReached`, where it is false up to some index and true from there on;
 * `count` when it is never true. O(log count).
 */
export function lowerBound(count: number, isReached: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isReached(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
