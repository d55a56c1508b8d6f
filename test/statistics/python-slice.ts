/** Slices as Python takes them, for oracles: the positions along each axis, one by one. */

/**
 * The positions that a slice such as `'::-2, 3, ..., None'` takes along each axis of `shape`, and the shape of what it
 * takes: an index leaves its axis out, and None adds one of length 1.
 */
export function takenBy(slice: string, shape: readonly number[]): { positions: number[][]; shape: number[] } {
  const parts = slice === '' ? [] : slice.split(',').map(part => part.trim());
  const named = parts.filter(part => part !== '...' && part !== 'None').length;
  const rest = Array.from({ length: shape.length - named }, () => ':');
  const at = parts.includes('...') ? parts.indexOf('...') : parts.length;
  parts.splice(at, 1, ...rest);
  const positions: number[][] = [];
  const lengths: number[] = [];
  for (const part of parts) {
    if (part === 'None') {
      lengths.push(1);
      continue;
    }
    const length = shape[positions.length]!;
    const taken = part.includes(':') ? rangeOf(part, length) : [fromStart(Number(part), length)];
    if (part.includes(':')) lengths.push(taken.length);
    positions.push(taken);
  }
  return { positions, shape: lengths };
}

function rangeOf(part: string, length: number): number[] {
  const [start = '', stop = '', step = ''] = part.split(':');
  const by = step === '' ? 1 : Number(step);
  // Backwards, -1 is the place before the first element.
  const [lowest, highest] = by > 0 ? [0, length] : [-1, length - 1];
  const clipped = (bound: string, otherwise: number): number =>
    bound === '' ? otherwise : Math.min(highest, Math.max(lowest, fromStart(Number(bound), length)));
  const end = clipped(stop, by > 0 ? highest : lowest);
  const taken: number[] = [];
  for (let i = clipped(start, by > 0 ? lowest : highest); by > 0 ? i < end : i > end; i += by) taken.push(i);
  return taken;
}

function fromStart(index: number, length: number): number {
  return index < 0 ? index + length : index;
}
