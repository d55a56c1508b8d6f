/**
 * Means and cross products of several columns at once, mergeable: what stretches of rows found separately, combined, is
 * what all of them have. A record is one Float64Array:
 *
 *   [rows, rows with NaN, centre of each column, rest of each mean, products of each pair of columns (p, q), p <= q]
 *
 * The mean of a column is centre + rest, two numbers, so that columns far from zero lose no digits: of values around 1e9
 * that differ by 1e-3, too. Products are sums of (x - mean of x) * (y - mean of y); pairs stand row by row.
 * Chan, Golub, LeVeque 1983 (Algorithms for Computing the Sample Variance), for pairs. Columns whose elements are all the
 * same have products of exactly 0.
 */
const ROWS = 0;
const NANS = 1;
const CENTRES = 2;

/** Numbers of a record. */
export function recordLength(columns: number): number {
  return CENTRES + 2 * columns + (columns * (columns + 1)) / 2;
}

export function rowsIn(record: Float64Array): number {
  return record[ROWS]!;
}

export function nansIn(record: Float64Array): number {
  return record[NANS]!;
}

/** Notes rows that were left out. */
export function countNans(record: Float64Array, rows: number): void {
  record[NANS]! += rows;
}

/** Where the product of two columns stands; of columns p and q that of q and p. */
export function placeOfPair(columns: number, p: number, q: number): number {
  const [low, high] = p <= q ? [p, q] : [q, p];
  return CENTRES + 2 * columns + low * columns - (low * (low - 1)) / 2 + high - low;
}

/** Adds what other rows found. Stretches of rows have to come in a fixed order: the last bits depend on it. */
export function combineRecords(into: Float64Array, from: Float64Array, columns: number): void {
  const nans = into[NANS]! + from[NANS]!;
  const before = into[ROWS]!;
  const rows = from[ROWS]!;
  if (rows > 0 && before === 0) into.set(from);
  else if (rows > 0) combineSome(into, from, columns);
  into[NANS] = nans;
}

function combineSome(into: Float64Array, from: Float64Array, columns: number): void {
  const before = into[ROWS]!;
  const rows = from[ROWS]!;
  const all = before + rows;
  const share = rows / all;
  const weight = before * share;
  const rests = CENTRES + columns;
  const distances = new Float64Array(columns);
  for (let p = 0; p < columns; p++) {
    const distance = from[CENTRES + p]! - into[CENTRES + p]! + (from[rests + p]! - into[rests + p]!);
    distances[p] = distance;
    into[rests + p]! += distance * share;
  }
  let at = rests + columns;
  for (let p = 0; p < columns; p++) {
    const weighed = distances[p]! * weight;
    for (let q = p; q < columns; q++, at++) into[at]! += from[at]! + weighed * distances[q]!;
  }
  into[ROWS] = all;
}

/** Rows that are looked at together, as columns of float64 one behind the other, `length` apart. They are overwritten. */
export interface RowsBlock {
  readonly values: Float64Array;
  readonly length: number;
}

/** The record of `rows` rows of a block, at least one; `sums` has room for one number of each column. */
export function recordOf({ values, length }: RowsBlock, rows: number, columns: number, record: Float64Array): void {
  record[ROWS] = rows;
  record[NANS] = 0;
  const rests = CENTRES + columns;
  for (let p = 0; p < columns; p++) {
    const column = values.subarray(p * length, p * length + rows);
    const centre = centreOf(column);
    record[CENTRES + p] = centre;
    record[rests + p] = distancesFrom(column, centre) / rows;
  }
  multiplyAll(values, length, rows, columns, record);
}

/** About the mean: exactly the value that all elements have, where it is one. */
function centreOf(column: Float64Array): number {
  const first = column[0]!;
  const even = column.length & ~3;
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < even; i += 4) {
    a += column[i]! - first;
    b += column[i + 1]! - first;
    c += column[i + 2]! - first;
    d += column[i + 3]! - first;
  }
  for (let i = even; i < column.length; i++) a += column[i]! - first;
  return first + (a + b + (c + d)) / column.length;
}

/** Puts the distances from a centre in the place of the elements; answers their sum. */
function distancesFrom(column: Float64Array, centre: number): number {
  const even = column.length & ~3;
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < even; i += 4) {
    a += column[i] = column[i]! - centre;
    b += column[i + 1] = column[i + 1]! - centre;
    c += column[i + 2] = column[i + 2]! - centre;
    d += column[i + 3] = column[i + 3]! - centre;
  }
  for (let i = even; i < column.length; i++) a += column[i] = column[i]! - centre;
  return a + b + (c + d);
}

/** The products of all pairs of distances, two columns by two at a time: four sums for four elements that are loaded. */
function multiplyAll(values: Float64Array, length: number, rows: number, columns: number, record: Float64Array): void {
  const rests = CENTRES + columns;
  const put = (p: number, q: number, sum: number): void => {
    if (q >= columns || p > q) return;
    // What the centres lack of the means.
    record[placeOfPair(columns, p, q)] = sum - record[rests + p]! * record[rests + q]! * rows;
  };
  for (let p = 0; p < columns; p += 2) {
    const first = p * length;
    const second = p + 1 < columns ? first + length : first;
    for (let q = p; q < columns; q += 2) {
      const third = q * length;
      const fourth = q + 1 < columns ? third + length : third;
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let i = 0; i < rows; i++) {
        const x = values[first + i]!;
        const y = values[second + i]!;
        const u = values[third + i]!;
        const v = values[fourth + i]!;
        a += x * u;
        b += x * v;
        c += y * u;
        d += y * v;
      }
      put(p, q, a);
      put(p, q + 1, b);
      if (p + 1 < columns) {
        put(p + 1, q, c);
        put(p + 1, q + 1, d);
      }
    }
  }
}
