import { test } from 'tap';
import { numberDType } from '../../src/dtype/index.js';
import { packedView } from '../../src/layout/view.js';
import { computeInProcess, OP_NAMES, opRow, parseQuery, type NanMode } from '../../src/statistics/index.js';
import { seededRandom } from '../helpers/random.js';

const COLUMNS = 50;
const ROWS = 7;

const MAKERS = {
  '<f4': Float32Array,
  '<f8': Float64Array,
  '<i4': Int32Array,
  '|u1': Uint8Array,
} as const;

test('many cells at once have the values that each has alone', async t => {
  const random = seededRandom(3);
  const faults: unknown[] = [];
  for (const [typestr, Make] of Object.entries(MAKERS)) {
    for (const nan of ['propagate', 'omit'] satisfies NanMode[]) {
      for (const ddof of [0, 1, ROWS]) {
        const values = new Make(ROWS * COLUMNS).map(() => 200 * random.next());
        // A NaN here and there, one column of nothing else, and infinities.
        if (typestr.startsWith('<f')) {
          for (let i = 0; i < 30; i++)
            values[Math.floor(random.next() * values.length)] = i % 5 === 0 ? Infinity : Number.NaN;
          for (let row = 0; row < ROWS; row++) values[row * COLUMNS + 11] = Number.NaN;
        }
        const dtype = numberDType(typestr);
        const file = new Uint8Array(values.buffer);
        const whole = packedView([ROWS, COLUMNS], dtype.itemsize, 'C', 0);
        // Positions of cells that nothing but NaN is behind are refused.
        const ops = OP_NAMES.filter(op => opRow(op).needs.length > 0 && !opRow(op).positional);
        const together = computeInProcess(parseQuery({ ops, nan, ddof, axis: 0 }, 2), dtype, whole, file).results;
        for (let column = 0; column < COLUMNS; column++) {
          const view = { shape: [ROWS], strides: [COLUMNS * dtype.itemsize], offset: column * dtype.itemsize };
          const alone = computeInProcess(parseQuery({ ops, nan, ddof }, 1), dtype, view, file).results;
          for (const [i, { op, values: each }] of together.entries()) {
            const [expected] = alone[i]!.values;
            // Rows and runs are summed in another order.
            const isClose = Math.abs(Number(each[column]) - Number(expected)) <= 1e-12 * Math.abs(Number(expected));
            if (!isClose && !Object.is(each[column], expected)) {
              faults.push({ typestr, nan, ddof, op, column, actual: each[column], expected });
            }
          }
        }
      }
    }
  }
  t.strictSame(faults.slice(0, 5), []);
});

test('cells that nothing is behind have no variance, however many there are', t => {
  const dtype = numberDType('<f8');
  for (const ddof of [-1, 0, 1]) {
    for (const columns of [3, COLUMNS]) {
      const query = parseQuery({ ops: ['var', 'std', 'mean'], ddof, axis: 0 }, 2);
      const view = packedView([0, columns], 8, 'C', 0);
      for (const { op, values } of computeInProcess(query, dtype, view, new Uint8Array(0)).results) {
        t.ok(Array.from(values, Number).every(Number.isNaN), `${op} of ${columns} columns, ddof ${ddof}`);
      }
    }
  }
  t.end();
});
