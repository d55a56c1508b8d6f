/** Conversions of bytes into native numbers, by both implementations. */
import t from 'tap';
import { float16ToFloat32 } from '../../../src/float16.js';
import { caseCount } from '../../helpers/cases.js';
import { IMPLEMENTATIONS } from './implementations.js';
import { differences, SPECIAL_FLOATS } from './twins.js';

const { base } = IMPLEMENTATIONS[0]!;

for (const { name, kernels, bytes, base } of IMPLEMENTATIONS) {
  t.test(`${name}: any byte but zero is true, whatever the length and the alignment`, async t => {
    const wrong: string[] = [];
    for (let length = 0; length <= 67; length++) {
      for (let shift = 0; shift < 16; shift++) {
        const from = base + shift;
        const to = base + 1024 + ((shift * 7) % 16);
        for (let i = 0; i < length; i++) bytes[from + i] = i % 3 === 0 ? 0 : (i * 37) % 256 || 255;
        bytes.fill(9, to - 1, to + length + 1);
        kernels.boolsToBytes(from, to, length);
        const wanted = [9, ...Array.from({ length }, (_, i) => (i % 3 === 0 ? 0 : 1)), 9];
        const found = [...bytes.subarray(to - 1, to + length + 1)];
        if (found.some((byte, i) => byte !== wanted[i]))
          wrong.push(`${length} bytes, shifted by ${shift}: ${found.join(' ')}`);
      }
    }
    t.strictSame(wrong, []);
  });
}

t.test('conversions are the same in both, for every length and alignment', async t => {
  const found = differences(caseCount(100, 500), (kernels, { take, view, bytes, random }) => {
    const count = random.below(68);
    const from = take(8 * count);
    const to = take(8 * count);
    const rests = take(8 * count);
    const lows = take(8 * count);
    for (let i = 0; i < 8 * count; i++) bytes[from - base + i] = random.below(256);
    kernels.packItems(random.pick([1, 2, 4, 8]), from, 3, 2, 9, Math.floor(count / 2), to);
    kernels.packItems(16, from, 5, 2, 17, Math.floor(count / 5), rests);
    kernels.swapBytes(to, count, random.pick([2, 4, 8]));
    kernels.integersToHalves(random.below(2), from, count, rests, lows);
    // Sums are far from the ends of an int64.
    for (let i = 0; i < count; i++) view.setInt8(from + 8 * i + 7, view.getInt8(from + 8 * i + 7) >> 2);
    kernels.integersToPairs(from, count, rests, to);
    return undefined;
  });
  t.strictSame(found, []);
});

t.test('times become keys, and complex numbers parts, the same in both', async t => {
  const found = differences(caseCount(100, 500), (kernels, { take, view, random }) => {
    const count = random.below(68);
    const [times, keys] = [take(8 * count), take(8 * count)];
    for (let i = 0; i < count; i++) {
      view.setBigInt64(times + 8 * i, random.pick([-(2n ** 63n), 1n - 2n ** 63n, 2n ** 63n - 1n, 0n, -1n, 7n]), true);
    }
    kernels.timesToKeys(times, count, random.below(2), keys);
    kernels.timesToHalves(times, count, random.below(2), take(8 * count));
    const itemsize = random.pick([4, 8]);
    const [pairs, parts] = [take(2 * itemsize * count), take(itemsize * count)];
    for (let i = 0; i < 2 * count; i++) {
      const value = random.pick([...SPECIAL_FLOATS.map(each => (itemsize === 4 ? Math.fround(each) : each)), 2.5, -3]);
      if (itemsize === 4) view.setFloat32(pairs + 4 * i, value, true);
      else view.setFloat64(pairs + 8 * i, value, true);
    }
    kernels.complexParts(itemsize, pairs, count, random.below(3), random.below(2), parts);
    return undefined;
  });
  t.strictSame(found, []);
});

t.test('columns of rows are packed in blocks of rows, whatever their number', async t => {
  const found = differences(caseCount(100, 600), (kernels, { take, view, random }) => {
    const rows = random.pick([0, 1, 3, 4, 5, 63, 64, 65, 130, 200]);
    const columns = random.below(6);
    const rowStep = 20 + random.below(30);
    const from = take(rowStep * rows + 8);
    const table = take(12 * columns);
    // Those of 4 bytes that stand side by side have a way of their own.
    const isQuarters = random.next() < 0.5;
    for (let column = 0; column < columns; column++) {
      const itemsize = isQuarters ? 4 : random.pick([1, 2, 4, 8]);
      const offset = isQuarters ? random.pick([0, 4, 8, 12]) : random.below(13);
      view.setUint32(table + 12 * column, from + offset, true);
      view.setUint32(table + 12 * column + 4, itemsize, true);
      view.setUint32(table + 12 * column + 8, take(itemsize * rows), true);
    }
    kernels.packColumns(table, columns, rowStep, rows);
    return undefined;
  });
  t.strictSame(found, []);
});

t.test('all 65,536 halves become the float32 that they are', async t => {
  const halves = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const expected = float16ToFloat32(halves);
  for (const { name, kernels, bytes, base } of IMPLEMENTATIONS) {
    bytes.set(new Uint8Array(halves.buffer), base + 1);
    const to = base + 256 * 1024;
    kernels.halvesToFloats(base + 1, to, halves.length);
    const found = new Float32Array(bytes.buffer.slice(to, to + 4 * halves.length));
    t.equal(
      found.findIndex((value, i) => !Object.is(value, expected[i])),
      -1,
      name,
    );
  }
});
