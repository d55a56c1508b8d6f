/** Strides that a client gives: whether they can be counted exactly, and whether elements share bytes. */
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';

/** @throws bad_shape */
export function checkStrides(shape: readonly number[], strides: readonly number[]): void {
  if (strides.length !== shape.length) {
    fail(
      'bad_shape',
      `strides has ${strides.length} ${strides.length === 1 ? 'number' : 'numbers'}, and the shape has ${shape.length} ${shape.length === 1 ? 'axis' : 'axes'}. Give the bytes from one element to the next along each.`,
      { strides, shape },
    );
  }
  let reach = 0n;
  for (const [axis, stride] of strides.entries()) {
    if (!Number.isSafeInteger(stride)) failFar(strides);
    reach += BigInt(Math.abs(stride)) * BigInt(Math.max(0, shape[axis]! - 1));
  }
  if (reach > BigInt(LIMITS.arrayBytesMax)) failFar(strides);
}

function failFar(strides: readonly number[]): never {
  return fail(
    'bad_shape',
    `The strides reach further than ${LIMITS.arrayBytesMax} bytes; what lies beyond cannot be addressed. Give those of elements inside the file.`,
    { strides, limit: LIMITS.arrayBytesMax },
  );
}

/**
 * True where no two elements share a byte, as far as strides that nest tell: sorted by size, each steps over all that the
 * smaller ones span. Example: float64 [100, 2] with strides [24, 8] nests, and with [12, 8] it does not.
 */
export function isNesting(shape: readonly number[], strides: readonly number[], itemsize: number): boolean {
  if (shape.includes(0)) return true;
  const axes = shape.map((length, axis) => ({ length, stride: Math.abs(strides[axis]!) }));
  let span = itemsize;
  for (const { length, stride } of axes.sort((a, b) => a.stride - b.stride)) {
    if (length === 1) continue;
    if (stride < span) return false;
    span += stride * (length - 1);
  }
  return true;
}
