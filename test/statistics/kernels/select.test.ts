/** Kernels that count digits, against their scalar twins. */
import t from 'tap';
import { NATIVE_BYTES, NATIVE_TYPES, type NativeType } from '../../../src/kernels/native-types.js';
import { NAN_DIGIT } from '../../../src/kernels/constants.js';
import * as SPEC from '../../../src/kernels/refine-spec.js';
import { caseCount } from '../../helpers/cases.js';
import { seededRandom, type Random } from '../../helpers/random.js';
import { compareTables, rowsCase, type Bench } from './digits.js';
import { randomValue } from './values.js';

const HALVES = 65_536;

const COUNTERS: readonly (readonly [
  name: 'countBytes' | 'countHalves' | 'countFloats32' | 'countFloats64',
  types: readonly NativeType[],
])[] = [
  ['countBytes', ['i8', 'u8']],
  ['countHalves', ['i16', 'u16']],
  ['countFloats32', ['f32']],
  ['countFloats64', ['f64']],
];

for (const [name, types] of COUNTERS) {
  t.test(`${name} counts what its twin counts, whatever the length and the alignment`, async t => {
    const wrong: string[] = [];
    for (let length = 0; length <= 67; length++) {
      for (let seed = 0; seed < caseCount(1, 6); seed++) {
        const random = seededRandom(length * 100 + seed);
        const type = random.pick(types);
        const each = rowsCase(type, 1 + random.below(3), length, () => randomValue(random, type, 50));
        const difference = compareTables(seed, each, HALVES, ({ kernels, at, table }) => kernels[name](...at, table));
        if (difference !== undefined) wrong.push(`${length} of ${type}: ${difference}`);
      }
    }
    t.same(wrong, []);
  });
}

t.test('every NaN is counted at one index, which no other float has', async t => {
  for (const [type, name, bits] of [
    ['f32', 'countFloats32', [0x7f80_0001, 0x7fff_ffff, 0xff80_0001, 0xffff_ffff, 0x7fc0_0000]],
    ['f64', 'countFloats64', [0x7ff0_0000, 0x7fff_ffff, 0xfff0_0000, 0xffff_ffff, 0x7ff8_0000]],
  ] as const) {
    for (const length of [5, 40]) {
      const each = rowsCase(type, 1, length, () => 1);
      const difference = compareTables(1, each, HALVES, ({ kernels, memory, at, table }) => {
        const itemsize = NATIVE_BYTES[type];
        for (let i = 0; i < length; i++) {
          memory.setUint32(at[0] + i * itemsize, 1, true);
          memory.setUint32(at[0] + i * itemsize + itemsize - 4, bits[i % bits.length]!, true);
        }
        kernels[name](...at, table);
        return memory.getUint32(table + 4 * NAN_DIGIT, true);
      });
      t.equal(difference, undefined);
      compareTables(1, each, HALVES, ({ memory, table }) => t.equal(memory.getUint32(table + 4 * NAN_DIGIT, true), 0));
    }
  }
});

t.test('offsets of integers from a base are counted after a shift', async t => {
  const wrong: string[] = [];
  for (let seed = 0; seed < caseCount(60, 200); seed++) {
    const random = seededRandom(seed);
    const type = random.pick(['i32', 'u32', 'i64', 'u64'] as const);
    const is64 = NATIVE_BYTES[type] === 8;
    const base = BigInt(randomValue(random, type, 1000));
    const shift = random.below(is64 ? 48 : 16);
    const last = random.pick([HALVES - 1, 1000]);
    const span = Math.min(2 ** 40, HALVES * 2 ** shift);
    const each = rowsCase(type, 1 + random.below(3), random.below(68), () => base + BigInt(random.below(span)));
    const difference = compareTables(seed, each, HALVES, ({ kernels, memory, at, spec, table }) => {
      memory.setBigInt64(spec, base, true);
      kernels[is64 ? 'countOffsets64' : 'countOffsets32'](...at, spec, shift, table, last);
    });
    if (difference !== undefined) wrong.push(`seed ${seed}: ${difference}`);
  }
  t.same(wrong, []);
});

/** Writes a spec of distinct intervals, some of which hold values of the case. */
function putIntervals(
  { memory, spec }: Bench,
  random: Random,
  values: readonly bigint[],
  is64: boolean,
  shift: number,
): number {
  const intervals = new Set<bigint>();
  const wanted = 1 + random.below(16);
  for (let i = 0; i < wanted; i++) intervals.add((random.pick(values) >> BigInt(shift)) << BigInt(shift));
  intervals.add(3n << BigInt(shift));
  const mask = BigInt.asUintN(64, -1n << BigInt(shift));
  const nextShift = Math.max(0, shift - 10);
  for (let lane = 0; lane < 16; lane += is64 ? 8 : 4) {
    if (is64) memory.setBigUint64(spec + lane, mask, true);
    else memory.setUint32(spec + lane, Number(BigInt.asUintN(32, mask)), true);
  }
  const { LENGTH: length, SHIFT: shiftAt, NEXT_SHIFT: nextAt, TABLE_LENGTH: tableLength, INTERVALS: firstAt } = SPEC;
  memory.setUint32(spec + length, intervals.size, true);
  memory.setUint32(spec + shiftAt, shift, true);
  memory.setUint32(spec + nextAt, nextShift, true);
  memory.setUint32(spec + tableLength, 1024, true);
  for (const [i, first] of [...intervals].entries()) {
    if (is64) memory.setBigUint64(spec + firstAt + 8 * i, first, true);
    else memory.setUint32(spec + firstAt + 4 * i, Number(first), true);
  }
  return intervals.size;
}

/** Patterns that often share their high bits. */
function patternsOf(random: Random, bits: number, shift: number): () => bigint {
  const highs = Array.from({ length: 1 + random.below(20) }, () => BigInt(random.below(2 ** 20)));
  return () => {
    const high = random.next() < 0.7 ? random.pick(highs) : BigInt(random.below(2 ** 32)) * 7919n;
    return BigInt.asUintN(
      bits,
      (high << BigInt(shift)) | BigInt.asUintN(shift, BigInt(random.below(2 ** 32)) * 12_345_677n),
    );
  };
}

t.test('elements of intervals are counted and collected as their twins do', async t => {
  const wrong: string[] = [];
  for (let seed = 0; seed < caseCount(100, 600); seed++) {
    const random = seededRandom(seed);
    const is64 = seed % 2 === 0;
    const shift = is64 ? random.pick([48, 32, 16, 5]) : random.pick([16, 16, 12, 20, 3]);
    const type = is64 ? random.pick(['f64', 'i64'] as const) : random.pick(['u32'] as const);
    const patternOf = patternsOf(random, is64 ? 64 : 32, shift);
    const length = random.below(68);
    const each = rowsCase('u64', 1, 0, patternOf);
    const rows = 1 + random.below(3);
    const values = Array.from({ length: rows * length }, patternOf);
    const filled = { ...each, type: is64 ? ('u64' as const) : type, rows, count: length, values };
    if (random.next() < 0.1) values.fill(values[0] ?? 0n);
    const difference = compareTables(seed, filled, 17 * 1024, bench => {
      const { kernels, memory, at, spec, table } = bench;
      const intervals = putIntervals(bench, seededRandom(seed + 1), [...values, 0n], is64, shift);
      if (!is64) return kernels.refine32(...at, spec, table);
      if (seed % 4 === 0) return kernels.refine64(...at, spec, table);
      const found = kernels.collect64(
        ...at,
        spec,
        seededRandom(seed).below(intervals),
        table,
        seed % 3 === 0 ? 5 : 300,
      );
      // The room for one more.
      memory.setBigUint64(table + 8 * found, 0n, true);
      return found;
    });
    if (difference !== undefined) wrong.push(`seed ${seed}: ${difference}`);
  }
  t.same(wrong.slice(0, 5), []);
});

t.test('constant data is refined as any other', async t => {
  for (const value of [0x3f80_1234n, 0x3f80_0000n]) {
    const each = { ...rowsCase('u32', 1, 0, () => 0), count: 67, values: Array.from({ length: 67 }, () => value) };
    const difference = compareTables(1, each, 1024, bench => {
      putIntervals(bench, seededRandom(1), [value], false, 16);
      bench.memory.setUint32(bench.spec + SPEC.LENGTH, 1, true);
      bench.kernels.refine32(...bench.at, bench.spec, bench.table);
      return bench.memory.getUint32(bench.table + 4 * Number((value & 0xffffn) >> 6n), true);
    });
    t.equal(difference, undefined);
  }
});

t.test('types stand where the kernels expect them', async t => {
  t.same(NATIVE_TYPES, ['f32', 'f64', 'i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64']);
});
