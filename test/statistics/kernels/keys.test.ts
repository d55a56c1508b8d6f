/** What rows are told apart by that is no number: texts and dates, by both implementations. */
import t from 'tap';
import { fitsKernel, putTimeBlocks, TIME_BLOCKS_BYTES, type TimeBlocks } from '../../../src/kernels/time-blocks.js';
import { caseCount } from '../../helpers/cases.js';
import type { Random } from '../../helpers/random.js';
import { differences, type Area } from './twins.js';

const SEEDS = caseCount(60, 400);
const lengthOf = (random: Random): number => random.below(68);

/** Units of few values, so that texts agree for long: bytes, or code points in either order. */
function putUnits({ view, random }: Area, form: number, at: number, units: number): void {
  const end = random.next() < 0.5 ? units : random.below(units + 1);
  for (let i = 0; i < units; i++) {
    const unit = i < end ? random.pick(form === 0 ? [97, 98, 255, 0] : [97, 98, 0x1_f600, 0xffff_ffff, 0]) : 0;
    if (form === 0) view.setUint8(at + i, unit);
    else view.setUint32(at + 4 * i, unit, form === 1);
  }
}

/** Entries ascend, the longest first where one is cut: they are made of texts that ascend. */
function putEntries(area: Area, form: number, units: number, n: number): number {
  const { view, take, random } = area;
  const unitBytes = form === 0 ? 1 : 4;
  const rows = Array.from({ length: n }, () => {
    const row = Array.from({ length: units - 1 }, () =>
      random.pick(form === 0 ? [97, 98, 255, 0] : [97, 98, 0x1_f600, 0]),
    );
    return [...row, random.next() < 0.2 ? 1 : 0];
  });
  const name = (row: readonly number[]): string => row.map(unit => String(unit).padStart(10, '0')).join('');
  const sorted = [...new Map(rows.map(row => [name(row), row])).entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  const at = take(Math.max(1, n * units * unitBytes));
  for (const [i, [, row]] of sorted.entries()) {
    for (const [j, unit] of row.entries()) {
      if (form === 0) view.setUint8(at + i * units + j, unit);
      else view.setUint32(at + 4 * (i * units + j), unit, true);
    }
  }
  entriesPut = sorted.length;
  return at;
}

let entriesPut = 0;

/** More entries than the kernel keeps keys of. */
const MANY = 1000;

t.test('texts have places among ascending ones', async t => {
  for (const form of [0, 1, 2]) {
    const found = differences(SEEDS, (kernels, area) => {
      const { take, random } = area;
      const unitBytes = form === 0 ? 1 : 4;
      const length = 1 + random.below(form === 0 ? 20 : 5);
      const units = 1 + random.below(length + 1);
      const entries = putEntries(area, form, units, random.below(units < 8 && random.next() < 0.2 ? MANY : 20));
      const n = entriesPut;
      const count = lengthOf(random);
      const stride = length * unitBytes + random.below(5);
      const from = take(Math.max(1, count * stride));
      for (let i = 0; i < count; i++) putUnits(area, form, from + i * stride, length);
      const to = take(4 * Math.max(1, count));
      kernels.textPlaces(form, from, stride, count, length, entries, units, n, to);
    });
    t.same(found, [], `form ${form}`);
  }
});

t.test('the different ones among items are found', async t => {
  const found = differences(SEEDS, (kernels, area) => {
    const { view, take, random } = area;
    const length = 1 + random.below(13);
    const count = lengthOf(random);
    const stride = length + random.below(3);
    const from = take(Math.max(1, count * stride));
    for (let i = 0; i < count; i++) putUnits(area, 0, from + i * stride, length);
    const picked = random.next() < 0.5 ? take(4 * Math.max(1, count)) : 0;
    if (picked) for (let i = 0; i < count; i++) view.setUint32(picked + 4 * i, random.below(count), true);
    const knownMax = 1 + random.below(40);
    const bits = Math.ceil(Math.log2(2 * knownMax));
    const slots = take(4 * 2 ** bits);
    for (let i = 0; i < 2 ** bits; i++) view.setUint32(slots + 4 * i, 0, true);
    const entries = take(length * knownMax);
    const counts = take(4 * knownMax);
    const state = take(4);
    view.setUint32(state, 0, true);
    const add = (rows: number): number =>
      kernels.distinctItems(from, stride, rows, count, length, slots, bits, entries, counts, knownMax, state);
    return `${add(picked)} ${add(0)}`;
  });
  t.same(found, []);
});

const DAY = 86_400n;

function randomBlocks(random: Random): TimeBlocks {
  const blocks = {
    unit: random.pick([1n, 1n, 1n, 7n, 25n, DAY]),
    period: random.pick([1n, 7n, 24n, DAY, 7n * DAY, 2n ** 62n + 1n, 2n ** 63n, 10n ** 20n]),
  };
  const isCalendar = random.next() < 0.4;
  const shift = isCalendar ? 0n : random.pick([0n, 0n, blocks.period / 2n, blocks.period - 1n]);
  return { ...blocks, shift, months: isCalendar ? random.pick([1n, 3n, 12n, 1200n]) : 0n };
}

t.test('dates have codes, and so have their blocks', async t => {
  const found = differences(5 * SEEDS, (kernels, { view, take, random }) => {
    const count = lengthOf(random);
    const from = take(Math.max(1, 8 * count));
    const whole = (): bigint => BigInt.asIntN(64, BigInt(random.below(2 ** 31)) ** 2n * random.pick([1n, -1n, 3n]));
    const near = (): bigint => BigInt(random.below(2_000_000)) - 1_000_000n;
    // Products of the largest dates and of units lie beyond what a kernel tells apart.
    const blocks = random.next() < 0.8 ? randomBlocks(random) : undefined;
    const isWide = blocks === undefined || blocks.unit === 1n;
    for (let i = 0; i < count; i++) {
      const value = random.next() < 0.1 ? -(2n ** 63n) : isWide && random.next() < 0.5 ? whole() : near();
      view.setBigInt64(from + 8 * i, value, true);
    }
    const spec = blocks && fitsKernel(blocks) ? take(TIME_BLOCKS_BYTES) : 0;
    if (spec) putTimeBlocks(view, spec, blocks!);
    kernels.timeCodes(from, 8, 0, count, spec, take(8 * Math.max(1, count)));
  });
  t.same(found, []);
});

t.test('rows have the number of their stretch', async t => {
  const found = differences(SEEDS, (kernels, { view, take, random }) => {
    const count = lengthOf(random);
    const picked = random.next() < 0.5 ? take(4 * Math.max(1, count)) : 0;
    if (picked) for (let i = 0; i < count; i++) view.setUint32(picked + 4 * i, random.below(1000), true);
    const first = random.pick([0, 7, 2 ** 33, 2 ** 52]);
    kernels.rowCodes(first, random.below(100), picked, count, 1 + random.below(50), take(8 * Math.max(1, count)));
  });
  t.same(found, []);
});
