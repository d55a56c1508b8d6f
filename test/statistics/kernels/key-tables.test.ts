/** Kernels that count all elements of a cell by the high bits of their sort keys, against their specification. */
import t from 'tap';
import { NATIVE_BYTES, NATIVE_TYPES, type NativeType } from '../../../src/kernels/native-types.js';
import { caseCount } from '../../helpers/cases.js';
import { seededRandom } from '../../helpers/random.js';
import { keyOf } from '../../../src/kernels/sort-keys.js';
import { compareTables, rowsCase } from './digits.js';
import { differences } from './twins.js';
import { randomValue } from './values.js';

const TABLE_LENGTH = 65_536;

for (const [number, type] of NATIVE_TYPES.entries()) {
  if (isLongInteger(type)) continue;
  t.test(`${type} are counted as the specification counts, whatever the length and the alignment`, async t => {
    const wrong: string[] = [];
    for (const length of [...Array(68).keys(), ...longLengths(type)]) {
      for (let seed = 0; seed < caseCount(1, 6); seed++) {
        const random = seededRandom(length * 100 + seed);
        const each = rowsCase(type, 1 + random.below(3), length, () => randomValue(random, type, 50));
        const difference = compareTables(seed, each, TABLE_LENGTH, ({ kernels, at, spec, table }) => {
          kernels.countKeys(number, ...at, spec, 16, table);
          kernels.orderTable(number, table);
        });
        if (difference !== undefined) wrong.push(`${length}: ${difference}`);
      }
    }
    t.same(wrong, []);
  });
}

/** Lines of less than four stretches of 8 KiB, of four and of nine: they are read in turns. */
function longLengths(type: NativeType): number[] {
  return [4, 4, 9].map((stretches, i) => (stretches * 8192) / NATIVE_BYTES[type] + 21 * i - 1);
}

function isLongInteger(type: NativeType): boolean {
  return !type.startsWith('f') && NATIVE_BYTES[type] > 2;
}

t.test('every NaN is counted last, where no other float is', async t => {
  for (const [type, bits] of [
    ['f32', [0x7f80_0001, 0x7fff_ffff, 0xff80_0001, 0xffff_ffff, 0x7fc0_0000]],
    ['f64', [0x7ff0_0000, 0x7fff_ffff, 0xfff0_0000, 0xffff_ffff, 0x7ff8_0000]],
  ] as const) {
    const number = NATIVE_TYPES.indexOf(type);
    for (const length of [5, 40]) {
      const each = rowsCase(type, 1, length, () => Number.POSITIVE_INFINITY);
      const difference = compareTables(1, each, TABLE_LENGTH, ({ kernels, memory, at, spec, table }) => {
        const itemsize = NATIVE_BYTES[type];
        for (let i = 1; i < length; i++) {
          memory.setUint32(at[0] + i * itemsize, 1, true);
          memory.setUint32(at[0] + i * itemsize + itemsize - 4, bits[i % bits.length]!, true);
        }
        kernels.countKeys(number, ...at, spec, 16, table);
        kernels.orderTable(number, table);
        return t.equal(memory.getUint32(table + 4 * (TABLE_LENGTH - 1), true), length - 1);
      });
      t.equal(difference, undefined);
    }
  }
});

t.test('long integers are counted by bucket of a range that holds them', async t => {
  const wrong: string[] = [];
  for (let seed = 0; seed < caseCount(60, 200); seed++) {
    const random = seededRandom(seed);
    const type = random.pick(['i32', 'u32', 'i64', 'u64'] as const);
    const length = random.next() < 0.1 ? random.pick(longLengths(type)) : random.below(68);
    const width = NATIVE_BYTES[type] * 8;
    const least = type.startsWith('i') ? -(2n ** BigInt(width - 1)) : 0n;
    const low = BigInt(random.below(1000)) + (random.next() < 0.5 ? least : 0n);
    const span = random.pick([0, 5, 1000, 2 ** 16, 2 ** 30, ...(width === 64 ? [2 ** 45] : [])]);
    const bits = random.pick([1, 7, 16]);
    const most = random.next() < 0.2 ? 2 * span : span;
    const each = rowsCase(type, 1 + random.below(3), length, () => low + BigInt(random.below(most + 1)));
    const difference = compareTables(seed, each, TABLE_LENGTH, ({ kernels, memory, at, spec, table }) => {
      memory.setBigUint64(spec, low - least, true);
      memory.setBigUint64(spec + 8, BigInt(span), true);
      kernels.countKeys(NATIVE_TYPES.indexOf(type), ...at, spec, bits, table);
      kernels.orderTable(NATIVE_TYPES.indexOf(type), table);
    });
    if (difference !== undefined) wrong.push(`seed ${seed}: ${difference}`);
  }
  t.same(wrong, []);
});

t.test('floats are counted by bucket of a range that holds them', async t => {
  const wrong: string[] = [];
  for (let seed = 0; seed < caseCount(40, 200); seed++) {
    const random = seededRandom(seed);
    const type = random.pick(['f32', 'f64'] as const);
    const [from, to] = random.pick([
      [-1, 1],
      [1.5, 1.5],
      [-3e5, -2.5],
      [0, 1e-40],
      [-0, 0],
    ] as const);
    const low = keyOf(type, type === 'f32' ? Math.fround(from) : from);
    const span = keyOf(type, type === 'f32' ? Math.fround(to) : to) - low;
    const valueOf = (): number => random.pick([from, to, from + random.next() * (to - from)]);
    const each = rowsCase(type, 1 + random.below(3), random.below(68), valueOf);
    const bits = random.pick([1, 7, 16]);
    const difference = compareTables(seed, each, TABLE_LENGTH, ({ kernels, memory, at, spec, table }) => {
      memory.setBigUint64(spec, low, true);
      memory.setBigUint64(spec + 8, span, true);
      kernels.countKeys(NATIVE_TYPES.indexOf(type), ...at, spec, bits, table);
    });
    if (difference !== undefined) wrong.push(`seed ${seed}: ${difference}`);
  }
  t.same(wrong, []);
});

t.test('long lines are collected in one range and in several, as the specification collects them', async t => {
  const wrong: string[] = [];
  for (const type of NATIVE_TYPES.filter(each => NATIVE_BYTES[each] >= 4)) {
    for (const [seed, length] of [...longLengths(type), ...longLengths(type)].entries()) {
      const random = seededRandom(seed);
      const each = rowsCase(type, 1, length, () => randomValue(random, type, 1000));
      const keys = each.values.slice(0, seed < 3 ? 1 : 5).map(value => keyOf(type, value) & ~0xffffn);
      const lows = [...new Set(keys)].sort((a, b) => (a < b ? -1 : 1));
      // Whole patterns of high bits, or less.
      const span = random.pick([0xffffn, 0x8fffn]);
      const difference = compareTables(seed, each, TABLE_LENGTH, ({ kernels, memory, at, spec, table }) => {
        const put = (from: number, words: readonly number[]): void =>
          words.forEach((word, i) => memory.setUint32(from + 4 * i, word, true));
        const [where, starts, ranges, found] = [spec + 64, spec + 128, spec + 256, table + 8 * TABLE_LENGTH];
        put(spec, [each.number, at[0], NATIVE_BYTES[type], 0, length, 0, 3]);
        put(where, [3, 1, 0, starts, ranges]);
        put(starts, [0, lows.length]);
        for (const [i, low] of lows.flatMap(each => [each, span]).entries()) {
          memory.setBigUint64(ranges + 8 * i, low, true);
        }
        const numbers = found + 8 * (length + 1);
        const count = kernels.collectKeys(spec, where, found, numbers);
        kernels.countRanges(NATIVE_BYTES[type] === 8 ? 8 : 4, found, numbers, count, where, 13, table);
        return count > 0 && count;
      });
      if (difference !== undefined) wrong.push(`${type} ${length}: ${difference}`);
    }
  }
  t.same(wrong, []);
});

t.test('counters that are mostly 0 are packed', async t => {
  const packed = differences(caseCount(50, 300), (kernels, { view, bytes, take, random }) => {
    const count = 4 * random.below(40);
    const counters = take(4 * count);
    const share = random.pick([0, 0.1, 0.5]);
    for (let i = 0; i < count; i++) view.setUint32(counters + 4 * i, random.next() < share ? 1 + i : 0, true);
    const to = take(8 * count + 8);
    const most = random.below(count + 1);
    const found = kernels.packCounters(counters, count, most, to);
    // What is behind the last one has no meaning.
    bytes.fill(0, to - bytes.byteOffset + 8 * Math.max(0, found), to - bytes.byteOffset + 8 * count + 8);
    return found;
  });
  t.strictSame(packed, []);
});

t.test('types stand where the kernels expect them', async t => {
  t.same(NATIVE_TYPES, ['f32', 'f64', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64']);
});
