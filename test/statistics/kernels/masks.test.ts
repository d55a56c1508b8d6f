/** Masks and picked rows, by both implementations. */
import t from 'tap';
import { NATIVE_BYTES, NATIVE_TYPES } from '../../../src/kernels/native-types.js';
import { caseCount } from '../../helpers/cases.js';
import { putValues, randomValue } from './values.js';
import { differences } from './twins.js';

const SEEDS = caseCount(100, 400);

for (const [number, type] of NATIVE_TYPES.entries()) {
  t.test(`values of ${type} within two bounds, packed and strided, are those that the scalar kernel finds`, async t => {
    t.strictSame(
      differences(SEEDS, (kernels, { view, take, random }) => {
        const count = random.below(68);
        const stride = NATIVE_BYTES[type] + random.pick([0, 0, 3, 40]);
        const from = take(count * stride + 8);
        const spread = random.pick([3, 1000]);
        for (let i = 0; i < count; i++) putValues(view, from + i * stride, type, [randomValue(random, type, spread)]);
        const bounds = take(16);
        putValues(view, bounds, type, [randomValue(random, type, spread), randomValue(random, type, spread)]);
        const mask = take(count);
        kernels.withinMask(number, from, stride, count, bounds, random.pick([0, 1]), mask);
      }),
      [],
    );
  });
}

t.test('codes within one of several intervals', async t => {
  t.strictSame(
    differences(SEEDS, (kernels, { view, take, random }) => {
      const count = random.below(68);
      const n = 1 + random.below(9);
      const codes = take(8 * count);
      for (let i = 0; i < count; i++) view.setBigUint64(codes + 8 * i, BigInt(random.below(60)), true);
      const ends = take(16 * n);
      for (let i = 0; i < n; i++) {
        view.setBigUint64(ends + 8 * i, BigInt(6 * i + random.below(3)), true);
        view.setBigUint64(ends + 8 * (n + i), BigInt(6 * i + 2 + random.below(3)), true);
      }
      kernels.withinAny(codes, count, ends, n, take(count));
    }),
    [],
  );
});

t.test('short integers are looked up in a table of bits', async t => {
  t.strictSame(
    differences(SEEDS, (kernels, { view, take, random }) => {
      const count = random.below(68);
      const itemBytes = random.pick([1, 2]);
      const stride = itemBytes + random.pick([0, 0, 3, 40]);
      const from = take(count * stride + 8);
      const table = take(2 ** (8 * itemBytes) / 8);
      const put = (at: number, value: number): void =>
        itemBytes === 1 ? view.setUint8(at, value) : view.setUint16(at, value, true);
      for (let i = 0; i < count; i++) {
        const value = random.below(2 ** (8 * itemBytes));
        put(from + i * stride, value);
        if (random.next() < 0.5)
          view.setUint8(table + (value >> 3), view.getUint8(table + (value >> 3)) | (1 << (value & 7)));
      }
      kernels.tableMask(itemBytes, from, stride, count, table, take(count));
    }),
    [],
  );
});

t.test('masks are joined, turned round and made into row numbers, and rows are picked', async t => {
  t.strictSame(
    differences(SEEDS, (kernels, { bytes, view, take, random }) => {
      const count = random.below(68);
      const [a, b] = [take(count), take(count)];
      const share = random.pick([0, 0.02, random.next(), 0.98, 1]);
      for (let i = 0; i < count; i++) {
        view.setUint8(a + i, random.next() < share ? 1 : 0);
        view.setUint8(b + i, random.next() < 0.5 ? 1 : 0);
      }
      random.pick([
        () => kernels.andMask(a, b, count),
        () => kernels.orMask(a, b, count),
        () => kernels.notMask(a, count),
      ])();
      const rows = take(4 * count + 4);
      bytes.fill(0, rows - bytes.byteOffset, rows - bytes.byteOffset + 4 * count);
      const kept = kernels.rowsOf(a, count, rows);
      // What stands behind the kept rows is nobody's.
      bytes.fill(0, rows - bytes.byteOffset + 4 * kept, rows - bytes.byteOffset + 4 * count);
      const itemBytes = random.pick([1, 2, 4, 8, 12, 40]);
      const stride = itemBytes + random.pick([0, 5]);
      kernels.pickRows(take(count * stride), stride, itemBytes, random.pick([0, rows]), kept, take(kept * itemBytes));
      return kept;
    }),
    [],
  );
});
