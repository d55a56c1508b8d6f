/**
 * Kernels that reduce a block of rows to one row: `rows` rows of `width` elements, `step` apart, into the first `width`
 * items of `into`. Four rows are read per pass over `into`. They expect no NaN, except for sumRows.
 */

export function sumRows(
  x: Float64Array,
  from: number,
  step: number,
  rows: number,
  width: number,
  into: Float64Array,
): void {
  into.fill(0, 0, width);
  let row = 0;
  for (; row + 3 < rows; row += 4) {
    const a = from + row * step;
    const b = a + step;
    const c = b + step;
    const d = c + step;
    for (let j = 0; j < width; j++) into[j]! += x[a + j]! + x[b + j]! + (x[c + j]! + x[d + j]!);
  }
  for (; row < rows; row++) {
    const a = from + row * step;
    for (let j = 0; j < width; j++) into[j]! += x[a + j]!;
  }
}

/** Sums of squared distances from `means`. */
export function squaresRows(
  x: Float64Array,
  from: number,
  step: number,
  rows: number,
  width: number,
  means: Float64Array,
  into: Float64Array,
): void {
  into.fill(0, 0, width);
  let row = 0;
  for (; row + 3 < rows; row += 4) {
    const a = from + row * step;
    const b = a + step;
    const c = b + step;
    const d = c + step;
    for (let j = 0; j < width; j++) {
      const mean = means[j]!;
      const p = x[a + j]! - mean;
      const q = x[b + j]! - mean;
      const r = x[c + j]! - mean;
      const s = x[d + j]! - mean;
      into[j]! += p * p + q * q + (r * r + s * s);
    }
  }
  for (; row < rows; row++) {
    const a = from + row * step;
    for (let j = 0; j < width; j++) {
      const p = x[a + j]! - means[j]!;
      into[j]! += p * p;
    }
  }
}

/** `into` holds what is smallest so far, and is updated. */
export function minRows(
  x: Float64Array,
  from: number,
  step: number,
  rows: number,
  width: number,
  into: Float64Array,
  start: number,
): void {
  let row = 0;
  for (; row + 3 < rows; row += 4) {
    const a = from + row * step;
    const b = a + step;
    const c = b + step;
    const d = c + step;
    for (let j = 0; j < width; j++) {
      let best = into[start + j]!;
      const p = x[a + j]!;
      const q = x[b + j]!;
      const r = x[c + j]!;
      const s = x[d + j]!;
      if (p < best) best = p;
      if (q < best) best = q;
      if (r < best) best = r;
      if (s < best) best = s;
      into[start + j] = best;
    }
  }
  for (; row < rows; row++) {
    const a = from + row * step;
    for (let j = 0; j < width; j++) if (x[a + j]! < into[start + j]!) into[start + j] = x[a + j]!;
  }
}

export function maxRows(
  x: Float64Array,
  from: number,
  step: number,
  rows: number,
  width: number,
  into: Float64Array,
  start: number,
): void {
  let row = 0;
  for (; row + 3 < rows; row += 4) {
    const a = from + row * step;
    const b = a + step;
    const c = b + step;
    const d = c + step;
    for (let j = 0; j < width; j++) {
      let best = into[start + j]!;
      const p = x[a + j]!;
      const q = x[b + j]!;
      const r = x[c + j]!;
      const s = x[d + j]!;
      if (p > best) best = p;
      if (q > best) best = q;
      if (r > best) best = r;
      if (s > best) best = s;
      into[start + j] = best;
    }
  }
  for (; row < rows; row++) {
    const a = from + row * step;
    for (let j = 0; j < width; j++) if (x[a + j]! > into[start + j]!) into[start + j] = x[a + j]!;
  }
}

/** True where one of the first `width` sums is NaN, which is the sign that a block may hold NaN. */
export function anyNan(sums: Float64Array, width: number): boolean {
  for (let j = 0; j < width; j++) if (sums[j] !== sums[j]) return true;
  return false;
}

/** One column of a block, packed. */
export function gatherColumn(x: Float64Array, from: number, step: number, rows: number, into: Float64Array): void {
  for (let row = 0, at = from; row < rows; row++, at += step) into[row] = x[at]!;
}
