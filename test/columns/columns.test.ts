/**
 * Covariances of arrays that are cut into many chunks and tiles: a stupid model's answer, the same bits in whatever order
 * the chunks are measured, exact zeros for constant columns, and digits that large means do not take.
 */
import t from 'tap';
import { numberDType } from '../../src/dtype/index.js';
import { combineRecords, recordLength, recordOf, placeOfPair } from '../../src/columns/moments.js';
import { stridesOf, type View } from '../../src/layout/view.js';
import { computePlan, parseQuery, planStatistics, sourceFrom } from '../../src/statistics/index.js';
import { caseCount } from '../helpers/cases.js';
import { seededRandom, type Random } from '../helpers/random.js';

/** Mean, then products of what is left, element by element. */
function model(rows: readonly (readonly number[])[], k: number): number[] {
  const n = rows.length;
  const means = Array.from({ length: k }, (_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / n);
  return Array.from({ length: k * k }, (_, at) => {
    const [i, j] = [Math.floor(at / k), at % k];
    return rows.reduce((sum, row) => sum + (row[i]! - means[i]!) * (row[j]! - means[j]!), 0) / (n - 1);
  });
}

interface Made {
  readonly rows: number[][];
  readonly k: number;
  readonly file: Uint8Array;
  readonly view: View;
  readonly typestr: string;
}

/** Whole numbers, so that the model is exact, in either order of bytes and of memory. */
function made(random: Random): Made {
  const k = 1 + random.below(9);
  const n = 2 + random.below(900);
  const typestr = random.pick(['<f4', '>f4', '<f8', '>f8', '<i2', '>i4', '|u1']);
  const { itemsize } = numberDType(typestr);
  const order = random.pick(['C', 'F'] as const);
  const strides = stridesOf([n, k], itemsize, order);
  const offset = random.below(3) * 8;
  const file = new Uint8Array(offset + n * k * itemsize);
  const bytes = new DataView(file.buffer);
  const isLittle = !typestr.startsWith('>');
  const rows = Array.from({ length: n }, (_, row) =>
    Array.from({ length: k }, (_, column) => {
      const value = random.below(100);
      const at = offset + row * strides[0]! + column * strides[1]!;
      if (typestr.endsWith('f4')) bytes.setFloat32(at, value, isLittle);
      else if (typestr.endsWith('f8')) bytes.setFloat64(at, value, isLittle);
      else if (typestr.endsWith('i2')) bytes.setInt16(at, value, isLittle);
      else if (typestr.endsWith('i4')) bytes.setInt32(at, value, isLittle);
      else bytes.setUint8(at, value);
      return value;
    }),
  );
  return { rows, k, file, typestr, view: { shape: [n, k], strides, offset } };
}

t.test('chunks and tiles of any size add up to what a model finds, in any order', async t => {
  const wrong: string[] = [];
  for (let seed = 1; seed <= caseCount(60, 1000); seed++) {
    const random = seededRandom(seed);
    const { rows, k, file, view, typestr } = made(random);
    const bounds = {
      chunkBytesMax: 1 + random.below(4000),
      chunkCellsMax: 1 + random.below(20),
      chunkSpanBytesMax: 1 + random.below(9000),
      tileBytesMax: 1 + random.below(900),
    };
    const query = parseQuery({ ops: ['cov'] }, 2);
    const plan = planStatistics(query, numberDType(typestr), view, { bounds });
    const [whole, backwards] = [false, true].map(isReversed => {
      const shuffle = (numbers: readonly number[]): readonly number[] => (isReversed ? numbers.toReversed() : numbers);
      return computePlan(plan, [sourceFrom(file)], shuffle).results[0]!;
    });
    const expected = model(rows, k);
    const same = expected.every((value, i) => Math.abs(Number(whole!.values[i]) - value) <= 1e-12 * 1000);
    if (!same || whole!.shape.join() !== `${k},${k}`) wrong.push(`seed ${seed}: ${typestr} ${whole!.values.join()}`);
    if (whole!.values.join() !== backwards!.values.join()) wrong.push(`seed ${seed}: the order of chunks matters`);
  }
  t.strictSame(wrong.slice(0, 5), []);
});

t.test('large means take no digits, and constant columns have none', async t => {
  const columns = 3;
  const all = new Float64Array(recordLength(columns));
  const random = seededRandom(5);
  const rows: number[][] = [];
  for (let block = 0; block < 40; block++) {
    const length = 1 + random.below(70);
    const values = new Float64Array(columns * 80);
    for (let i = 0; i < length; i++) {
      // Multiples of 2 ** -10 around 1e9 are exact.
      const row = [1e9 + random.below(2048) / 1024, random.below(2048) / 1024 - 1e9, 0.1];
      rows.push(row);
      for (const [p, value] of row.entries()) values[p * 80 + i] = value;
    }
    const record = new Float64Array(recordLength(columns));
    recordOf({ values, length: 80 }, length, columns, record);
    combineRecords(all, record, columns);
  }
  const near = rows.map(([a, b, c]) => [a! - 1e9, b! + 1e9, c! - 0.1]);
  const expected = model(near, columns);
  for (let at = 0; at < expected.length; at++) {
    const found = all[placeOfPair(columns, Math.floor(at / columns), at % columns)]! / (rows.length - 1);
    t.ok(Math.abs(found - expected[at]!) <= 1e-14, `${found} is ${expected[at]}`);
  }
  t.equal(all[placeOfPair(columns, 2, 2)], 0);
  t.equal(all[placeOfPair(columns, 0, 2)], 0);
});
