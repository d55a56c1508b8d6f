/** Codes, tables of groups and what cells gather, by both implementations. */
import t from 'tap';
import { codeOfValue, elementOf, keyOf, valueOfCode } from '../../../src/kernels/sort-keys.js';
import { NATIVE_BYTES, NATIVE_TYPES, type NativeType } from '../../../src/kernels/native-types.js';
import { caseCount } from '../../helpers/cases.js';
import type { Random } from '../../helpers/random.js';
import { differences, SPECIAL_FLOATS, type Area } from './twins.js';
import { putValues, randomValue } from './values.js';

const SEEDS = caseCount(50, 300);
/** Lengths of every class that unrolled or vector code could have. */
const lengthOf = (random: Random): number => random.below(68);

t.test('codes order values as numbers do, with one zero and NaN last', async t => {
  for (const type of NATIVE_TYPES) {
    const values: (number | bigint)[] = type.startsWith('f')
      ? [Number.NEGATIVE_INFINITY, -1e30, -1, -1e-45, -0, 0, 1e-45, 1, 1e30, Number.POSITIVE_INFINITY, Number.NaN]
      : edgesOf(type);
    const rounded = type === 'f32' ? values.map(value => Math.fround(Number(value))) : values;
    const codes = rounded.map(value => codeOfValue(type, value));
    for (let i = 1; i < codes.length; i++) {
      const [a, b] = [rounded[i - 1]!, rounded[i]!];
      if (Number(a) === 0 && Number(b) === 0) t.equal(codes[i], codes[i - 1], `${type}: both zeros`);
      else t.ok(codes[i - 1]! < codes[i]!, `${type}: ${a} before ${b}`);
      t.ok(codes[i]! < 1n << BigInt(8 * NATIVE_BYTES[type]), `${type}: the code of ${b} has as many bits`);
    }
    t.strictSame(
      codes.map(code => valueOfCode(type, code)),
      rounded.map(value => (value === 0 ? 0 : value)),
      `${type}: values come back`,
    );
  }
});

t.test('sort keys order elements, -0 before 0 and NaN last, and elements come back', async t => {
  for (const type of NATIVE_TYPES) {
    const values: (number | bigint)[] = type.startsWith('f')
      ? [Number.NEGATIVE_INFINITY, -1e30, -1, -1e-45, -0, 0, 1e-45, 1, 1e30, Number.POSITIVE_INFINITY, Number.NaN]
      : edgesOf(type);
    const rounded = type === 'f32' ? values.map(value => Math.fround(Number(value))) : values;
    const keys = rounded.map(value => keyOf(type, value));
    t.strictSame(
      keys,
      keys.toSorted((a, b) => (a < b ? -1 : 1)),
      type,
    );
    t.equal(new Set(keys).size, keys.length, `${type}: all different`);
    const back = keys.map(key => elementOf(type, key));
    t.ok(
      back.every((value, i) => Object.is(value, rounded[i])),
      `${type}: ${back.join(' ')}`,
    );
  }
});

function edgesOf(type: NativeType): (number | bigint)[] {
  const bits = BigInt(8 * NATIVE_BYTES[type]);
  const low = type.startsWith('i') ? -(1n << (bits - 1n)) : 0n;
  const values = [low, low + 1n, low + 100n, low + (1n << bits) - 1n];
  return bits === 64n ? values : values.map(Number);
}

for (const [number, type] of NATIVE_TYPES.entries()) {
  t.test(`${type} becomes float64 and codes, packed, strided and picked`, async t => {
    t.strictSame(
      differences(SEEDS, (kernels, area) => {
        const { view, take, random } = area;
        const count = lengthOf(random);
        const stride = NATIVE_BYTES[type] + random.pick([0, 0, 3, 40]);
        const from = take(2 * count * stride + 8);
        for (let i = 0; i < 2 * count; i++) putValues(view, from + i * stride, type, [randomValue(random, type, 1000)]);
        const rows = random.next() < 0.5 ? 0 : take(4 * count);
        if (rows > 0) for (let i = 0; i < count; i++) view.setUint32(rows + 4 * i, random.below(2 * count), true);
        kernels.widen(number, from, stride, rows, count, take(8 * count));
        kernels.codes(number, from, stride, rows, count, take(8 * count));
      }),
      [],
    );
  });
}

/** Values of a type, packed or apart, all of them or some: what kernels are told of them. */
function takeValues(
  { view, take, random }: Area,
  type: NativeType,
  count: number,
  valueOf: () => number | bigint,
): readonly [number, number, number, number] {
  const stride = NATIVE_BYTES[type] + random.pick([0, 0, 0, 3, 40]);
  const from = take(2 * count * stride + 8);
  for (let i = 0; i < 2 * count; i++) putValues(view, from + i * stride, type, [valueOf()]);
  const rows = random.next() < 0.6 ? 0 : take(4 * count);
  if (rows > 0) for (let i = 0; i < count; i++) view.setUint32(rows + 4 * i, random.below(2 * count), true);
  return [NATIVE_TYPES.indexOf(type), from, stride, rows];
}

/** Integers below a limit, as values of a type that has them. */
function takeKeys(
  area: Area,
  type: NativeType,
  count: number,
  below: number,
): readonly [number, number, number, number] {
  return takeValues(area, type, count, () => {
    const value = area.random.below(below);
    return type === 'i64' || type === 'u64' ? BigInt(value) : value;
  });
}

/** Codes below a limit. */
function takeCodes({ view, take, random }: Area, count: number, below: number): number {
  const codes = take(8 * count);
  for (let i = 0; i < count; i++) view.setBigUint64(codes + 8 * i, BigInt(random.below(below)), true);
  return codes;
}

function takeU32({ view, take, random }: Area, count: number, below: number): number {
  const at = take(4 * count);
  for (let i = 0; i < count; i++) view.setUint32(at + 4 * i, random.below(below), true);
  return at;
}

t.test('complex numbers become two codes, those of NaN where a part is', async t => {
  t.strictSame(
    differences(SEEDS, (kernels, { view, take, random }) => {
      const itemsize = random.pick([4, 8]);
      const count = lengthOf(random);
      const from = take(2 * itemsize * count + 8);
      const type = itemsize === 4 ? 'f32' : 'f64';
      for (let i = 0; i < 2 * count; i++) {
        putValues(view, from + i * itemsize, type, [random.pick([0, -0, 1.5, -2, NaN, Infinity, -Infinity])]);
      }
      kernels.complexCodes(itemsize, from, count, take(16 * count));
    }),
    [],
  );
});

t.test('codes become bins, are joined and paired', async t => {
  t.strictSame(
    differences(SEEDS, (kernels, area) => {
      const { view, take, random } = area;
      const count = lengthOf(random);
      const codes = takeCodes(area, count, 100);
      const n = 1 + random.below(9);
      const bounds = take(8 * n);
      for (let i = 0; i < n; i++) view.setBigUint64(bounds + 8 * i, BigInt(10 * i + random.below(11)), true);
      if (random.next() < 0.5) kernels.binCodes(codes, count, bounds, n);
      kernels.joinCodes(codes, takeCodes(area, count, 100), random.pick([1, 8, 32, 63]), count);
      kernels.pairGroupIndices(takeU32(area, count, 2 ** 32), takeU32(area, count, 2 ** 32), count, take(8 * count));
    }),
    [],
  );
});

t.test('tables give groupIndices in the order of appearance, stop when full, and can be filled again', async t => {
  t.strictSame(
    differences(SEEDS, (kernels, area) => {
      const { bytes, view, take, random } = area;
      const count = lengthOf(random);
      const bits = random.pick([3, 5, 8]);
      const slots = take(4 * 2 ** bits);
      const entries = take(8 * 2 ** bits);
      const state = take(4);
      const known = (): number => view.getUint32(state, true);
      bytes.fill(0, slots - bytes.byteOffset, slots - bytes.byteOffset + 4 * 2 ** bits);
      view.setUint32(state, 0, true);
      const spread = random.pick([3, 40, 100]);
      const max = random.below(2 ** bits);
      const type = random.pick(NATIVE_TYPES);
      let done = 0;
      for (let i = 0; i < 3; i++) {
        const keys = takeKeys(area, type, count, spread);
        done += kernels.assignGroupIndices(...keys, count, slots, bits, entries, max, state, take(4 * count));
        kernels.knownMask(takeCodes(area, count, spread), count, slots, bits, entries, take(count));
      }
      bytes.fill(0, slots - bytes.byteOffset, slots - bytes.byteOffset + 4 * 2 ** bits);
      kernels.fillSlots(slots, bits, entries, known());
      return done;
    }),
    [],
  );
});

t.test('tables with a slot for each code of a window stop at its ends', async t => {
  t.strictSame(
    differences(SEEDS, (kernels, area) => {
      const { bytes, view, take, random } = area;
      const count = lengthOf(random);
      const span = 1 + random.below(100);
      const slots = take(4 * span);
      const entries = take(8 * span);
      const state = take(4);
      bytes.fill(0, slots - bytes.byteOffset, slots - bytes.byteOffset + 4 * span);
      view.setUint32(state, 0, true);
      const type = random.pick(NATIVE_TYPES);
      const keys = takeKeys(area, type, count, random.pick([20, 110]));
      const zero = codeOfValue(type, type === 'i64' || type === 'u64' ? 0n : 0);
      const base = zero + BigInt(random.below(3));
      const max = random.pick([3, 1000]);
      return kernels.assignNear(...keys, count, base, span, slots, entries, max, state, take(4 * count));
    }),
    [],
  );
});

t.test('cells gather counts, sums, moments and extremes', async t => {
  t.strictSame(
    differences(2 * SEEDS, (kernels, area) => {
      const { bytes, view, take, random } = area;
      const count = lengthOf(random);
      const groups = 1 + random.below(8);
      const cells = take(4 * count);
      kernels.cellsOf(takeU32(area, count, groups), count, 2, random.below(2), cells);
      const values = take(8 * count);
      const isSpecial = random.next() < 0.3;
      for (let i = 0; i < count; i++) {
        const value = isSpecial ? random.pick(SPECIAL_FLOATS) : (random.next() - 0.5) * 10 ** random.below(20);
        view.setFloat64(values + 8 * i, value, true);
      }
      const wide = take(8 * count);
      for (let i = 0; i < count; i++) putValues(view, wide + 8 * i, 'i64', [randomValue(random, 'i64', 2 ** 20)]);
      const small = take(8 * count);
      for (let i = 0; i < count; i++) view.setFloat64(small + 8 * i, random.below(2 ** 32) - 2 ** 31, true);
      const floats: { at: number; bytes: number }[] = [];
      const cellBytes = 8 * random.pick([4, 5, 16]);
      const fields = (...starts: readonly number[]): [number, number] => {
        const at = take(2 * groups * cellBytes);
        for (let i = 0; i < 2 * groups * cellBytes; i += 8)
          view.setFloat64(at + i, starts[(i / 8) % (cellBytes / 8)] ?? 0, true);
        floats.push({ at, bytes: 2 * groups * cellBytes });
        return [at, cellBytes];
      };
      const signed = random.pick([false, true]);
      kernels.countCells(cells, count, ...fields());
      kernels.zeroCells(values, cells, count, ...fields());
      kernels.sumCells(values, cells, count, ...fields());
      const moments = fields();
      kernels.momentCells(values, cells, count, ...moments);
      kernels.settleMoments(false, false, 2 * groups, ...moments);
      const wideMoments = fields();
      kernels.momentWideCells(wide, signed, cells, count, ...wideMoments);
      if (random.next() < 0.5) kernels.settleMoments(true, signed, 2 * groups, ...wideMoments);
      kernels.extremeCells(values, cells, count, ...fields(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY));
      // NaN have signs that mean nothing.
      for (const { at, bytes: length } of floats) {
        for (let i = 0; i < length; i += 8) {
          if (Number.isNaN(view.getFloat64(at + i, true))) view.setFloat64(at + i, Number.NaN, true);
        }
      }
      kernels.sumIntegerCells(small, cells, count, ...fields());
      kernels.sumWideCells(wide, signed, cells, count, ...fields());
      kernels.extremeWideCells(wide, signed, cells, count, ...fields());
      // What stands behind the kept ones is nobody's.
      const kept = kernels.dropNan(values, cells, count);
      bytes.fill(0, values - bytes.byteOffset + 8 * kept, values - bytes.byteOffset + 8 * count);
      bytes.fill(0, cells - bytes.byteOffset + 4 * kept, cells - bytes.byteOffset + 4 * count);
      return kept;
    }),
    [],
  );
});

t.test('counters of cells are added up, and made as narrow as they may be', async t => {
  t.strictSame(
    differences(SEEDS, (kernels, area) => {
      const { take, random } = area;
      const cells = random.below(6);
      const buckets = random.pick([32, 64]);
      const below = random.pick([2 ** 8, 2 ** 16, 2 ** 26, 2 ** 32]);
      const counters = takeU32(area, cells * buckets, below);
      const largest = kernels.cellSizes(counters, cells, buckets, take(4 * cells), take(4 * cells));
      for (const itemBytes of [1, 2]) {
        const to = take(itemBytes * cells * buckets);
        if (below <= 2 ** (8 * itemBytes)) kernels.narrowCounters(counters, cells * buckets, itemBytes, to);
      }
      return largest;
    }),
    [],
  );
});

for (const type of NATIVE_TYPES) {
  t.test(`${type} are counted by bucket, NaN and what lies outside apart`, async t => {
    t.strictSame(
      differences(SEEDS, (kernels, area) => {
        const { bytes, take, random } = area;
        const count = lengthOf(random);
        const cells = takeU32(area, count, 3);
        const isFloat = type.startsWith('f');
        const values = takeValues(area, type, count, () => {
          if (!isFloat) return randomValue(random, type, 20);
          return random.next() < 0.3 ? random.pick(SPECIAL_FLOATS) : (random.next() - 0.5) * 10;
        });
        const buckets = random.pick([4, 8, 64]);
        const counters = take(4 * 3 * buckets);
        bytes.fill(0, counters - bytes.byteOffset, counters - bytes.byteOffset + 4 * 3 * buckets);
        const [low, scale] = [random.pick([-4.1, 0, 3]), random.pick([0.5, 7.3])];
        kernels.countScaled(takeSpec(area, [...values, count, cells, 0]), low, scale, buckets, counters);
      }),
      [],
    );
  });

  t.test(`${type} are collected in the ranges of their cell, and counted by bucket`, async t => {
    t.strictSame(
      differences(SEEDS, (kernels, area) => {
        const { bytes, take, random } = area;
        const count = random.below(140);
        const first = random.below(3);
        const cellCount = 1 + random.below(5);
        // Of each value, or of all.
        const cells = random.next() < 0.5 ? takeU32(area, count, first + cellCount + 2) : 0;
        const isFloat = type.startsWith('f');
        const values = takeValues(area, type, count, () => {
          const special = isFloat && random.next() < 0.2;
          return special ? random.pick(SPECIAL_FLOATS) : randomValue(random, type, 20);
        });
        const { starts, hulls, ranges, number } = takeRanges(area, type, cellCount, random.pick([4, 4, 20]));
        const bits = random.pick([1, 3, 6]);
        const counters = take(4 * number * 2 ** bits);
        bytes.fill(0, counters - bytes.byteOffset, counters - bytes.byteOffset + 4 * number * 2 ** bits);
        const spec = takeSpec(area, [...values, count, cells, first + random.below(cellCount + 1)]);
        const where = takeSpec(area, [first, cellCount, hulls, starts, ranges]);
        const [keys, numbers] = [take(8 * (count + 1)), take(4 * (count + 1))];
        const found = kernels.collectKeys(spec, where, keys, numbers);
        const keyBytes = NATIVE_BYTES[type] === 8 ? 8 : 4;
        kernels.countRanges(keyBytes, keys, numbers, found, where, bits, counters);
        // What is behind the last one has no meaning.
        bytes.fill(0, keys - bytes.byteOffset + keyBytes * found, keys - bytes.byteOffset + 8 * (count + 1));
        bytes.fill(0, numbers - bytes.byteOffset + 4 * found, numbers - bytes.byteOffset + 4 * (count + 1));
        return found;
      }),
      [],
    );
  });
}

for (const type of ['f32', 'i32', 'u32'] as const) {
  t.test(`${type} are collected in ranges that their high bits tell`, async t => {
    t.strictSame(
      differences(SEEDS, (kernels, area) => {
        const { bytes, view, take, random } = area;
        const count = random.below(140);
        const valueOf = (): number => (type === 'f32' ? (random.next() - 0.5) * 4 : random.below(2 ** 20));
        const from = take(4 * count);
        for (let i = 0; i < count; i++) putValues(view, from + 4 * i, type, [valueOf()]);
        const highs = [
          ...new Set(Array.from({ length: 2 + random.below(14) }, () => keyOf(type, Math.fround(valueOf())) >> 16n)),
        ];
        highs.sort((a, b) => (a < b ? -1 : 1));
        const ranges = take(16 * highs.length);
        for (const [i, high] of highs.entries()) {
          const low = BigInt(random.pick([0, 0, 500]));
          view.setBigUint64(ranges + 16 * i, (high << 16n) + low, true);
          view.setBigUint64(ranges + 16 * i + 8, BigInt(random.pick([0xffff, 0x8000])) - low, true);
        }
        const spec = takeSpec(area, [NATIVE_TYPES.indexOf(type), from, 4, 0, count, 0, 5]);
        const where = takeSpec(area, [5, 1, 0, takeSpec(area, [0, highs.length]), ranges]);
        const [keys, numbers] = [take(4 * (count + 1)), take(4 * (count + 1))];
        const found = kernels.collectKeys(spec, where, keys, numbers);
        for (const at of [keys, numbers]) {
          bytes.fill(0, at - bytes.byteOffset + 4 * found, at - bytes.byteOffset + 4 * (count + 1));
        }
        return found;
      }),
      [],
    );
  });
}

/** Numbers of 32 bits that kernels are told together. */
function takeSpec({ view, take }: Area, numbers: readonly number[]): number {
  const at = take(4 * numbers.length);
  for (const [i, number] of numbers.entries()) view.setUint32(at + 4 * i, number, true);
  return at;
}

/** Fewer than `below` ranges of a few values for each cell; now and then none. */
function takeRanges(
  { view, take, random }: Area,
  type: NativeType,
  cellCount: number,
  below: number,
): { starts: number; hulls: number; ranges: number; number: number } {
  const starts = take(4 * (cellCount + 1));
  const hulls = take(2 * NATIVE_BYTES[type] * cellCount);
  const ranges = take(16 * below * cellCount);
  const isFloat = type.startsWith('f');
  const wide = (value: number): number | bigint => (type === 'i64' || type === 'u64' ? BigInt(value) : value);
  let number = 0;
  for (let cell = 0; cell < cellCount; cell++) {
    view.setUint32(starts + 4 * cell, number, true);
    let low = random.below(8) - (type.startsWith('u') ? 0 : 5);
    // No value is above the one and below the other.
    let [least, most] = [100, isFloat ? -100 : 0];
    for (let own = random.below(below); own > 0; own--, number++) {
      const high = low + random.below(5);
      [least, most] = [Math.min(least, low), high];
      const key = keyOf(type, wide(low));
      view.setBigUint64(ranges + 16 * number, key, true);
      view.setBigUint64(ranges + 16 * number + 8, keyOf(type, wide(high)) - key, true);
      low = high + 1 + random.below(3);
    }
    putValues(view, hulls + 2 * NATIVE_BYTES[type] * cell, type, [wide(least), wide(most)]);
  }
  view.setUint32(starts + 4 * cellCount, number, true);
  return { starts, hulls, ranges, number };
}
