/** Sums and moments against exactly rounded references, on data that makes them difficult. */
import t from 'tap';
import { WORKSPACE_BYTES } from '../../../src/kernels/cell-fields.js';
import { seededRandom, type Random } from '../../helpers/random.js';
import { CELLS_BYTES, FIELD_BYTES, newCells, TYPES } from './cell-memory.js';
import { exactly } from './exact.js';
import { IMPLEMENTATIONS, type Implementation } from './implementations.js';
import { putValues, randomValue } from './values.js';

const TOLERANCE = 1e-12;

/** Each made of its index, and of random numbers from -1 to 1. */
const SETS: Readonly<Record<string, (i: number, u: () => number, length: number) => number>> = {
  'an offset of 1e9': (_, u) => 1e9 + u(),
  'half a unit about 1e9': i => 1e9 + (i % 2 === 0 ? 0.5 : -0.5),
  'signs that alternate over small parts': (i, u) => (i % 2 === 0 ? 1e9 : -1e9) + 1e-3 * u(),
  'signs that alternate in blocks': (i, u) => (Math.floor(i / 1000) % 2 === 0 ? 1e9 : -1e9) + 1e-3 * (1 + u()),
  'denormal numbers': (i, u) => (i % 7 === 0 ? 0 : 1e-310 * u()),
  'magnitudes from 1e-20 to 1e20': (_, u) => u() * 10 ** (20 * u()),
  'a ramp': (i, _, length) => 1e6 + i / length,
  'steps far from the first values': i => (i < 300 ? 0 : 1e8 + (i % 3)),
  'one large value among small ones': (i, u) => (i === 77 ? 1e8 : u()),
  'a constant that is no binary fraction': () => 0.1,
};

const LENGTHS = [1, 2, 3, 15, 64, 1000, 8193, 20_001];

interface Found {
  readonly sum: number;
  readonly mean: number;
  readonly m2: number;
}

/** By runs: the sum alone, and the moments. */
function byRuns(implementation: Implementation, type: number, ptr: number, length: number): Found {
  const { kernels, base } = implementation;
  const cells = newCells(implementation, base, TYPES[type]!.type);
  kernels.sumRuns(type, ptr, 0, length, 1, cells.at, FIELD_BYTES, 0, false);
  kernels.momentsRuns(type, ptr, 0, length, 1, cells.at, FIELD_BYTES, 0, false, false, false);
  return foundIn(cells.number);
}

/** By rows of one column, which is the second of two. */
function byRows(implementation: Implementation, type: number, ptr: number, length: number): Found {
  const { kernels, base } = implementation;
  const { type: name, itemsize } = TYPES[type]!;
  const cells = newCells(implementation, base, name);
  const room = base + CELLS_BYTES;
  const step = itemsize;
  kernels.sumRows(type, ptr, step, length, 1, 1, 0, cells.at, FIELD_BYTES, 0, room, false);
  kernels.momentsRows(type, ptr, step, length, 1, 1, 0, cells.at, FIELD_BYTES, 0, room, false, false);
  return foundIn(cells.number);
}

function foundIn(number: (field: 'sum' | 'sumRest' | 'mean' | 'meanRest' | 'm2') => number): Found {
  return { sum: number('sum') + number('sumRest'), mean: number('mean') + number('meanRest'), m2: number('m2') };
}

function isNear(found: number, exact: number, scale: number): boolean {
  return Math.abs(found - exact) <= TOLERANCE * scale + Number.MIN_VALUE;
}

function makeSet(name: string, length: number, round: (x: number) => number): number[] {
  const random: Random = seededRandom(length);
  const u = (): number => 2 * random.next() - 1;
  return Array.from({ length }, (_, i) => round(SETS[name]!(i, u, length)));
}

for (const implementation of IMPLEMENTATIONS) {
  for (const [way, compute] of [
    ['runs', byRuns],
    ['rows', byRows],
  ] as const) {
    t.test(`${implementation.name} by ${way}: sums and squares are right to twelve digits`, async t => {
      const wrong: string[] = [];
      for (const type of [0, 1]) {
        const isDouble = type === 1;
        for (const name of Object.keys(SETS)) {
          for (const length of LENGTHS) {
            const values = makeSet(name, length, isDouble ? x => x : Math.fround);
            const ptr = implementation.base + CELLS_BYTES + WORKSPACE_BYTES + 5;
            putValues(new DataView(implementation.bytes.buffer), ptr, TYPES[type]!.type, values);
            const found = compute(implementation, type, ptr, length);
            const exact = exactly(values);
            const magnitude = values.reduce((sum, value) => sum + Math.abs(value), 0);
            // Sums of float32 are plain within a block: they keep the digits that float64 has beyond float32's.
            const sumScale = Math.max(Math.abs(exact.sum), isDouble ? 0 : magnitude * 1e-3);
            const problems = [
              ...(isNear(found.sum, exact.sum, sumScale) ? [] : [`sum ${found.sum}, not ${exact.sum}`]),
              ...(isNear(found.mean, exact.mean, magnitude / length) ? [] : [`mean ${found.mean}, not ${exact.mean}`]),
              ...(isNear(found.m2, exact.m2, exact.m2) ? [] : [`m2 ${found.m2}, not ${exact.m2}`]),
            ];
            if (problems.length > 0) wrong.push(`${TYPES[type]!.type}, ${name}, ${length}: ${problems.join('; ')}`);
          }
        }
      }
      t.strictSame(wrong, []);
    });
  }

  t.test(`${implementation.name}: NaN where a block is sampled leave its squares right`, async t => {
    const { kernels, base } = implementation;
    const random = seededRandom(9);
    const ptr = base + CELLS_BYTES + 2 * WORKSPACE_BYTES + 7;
    // Samples are among the first values, so that nothing is known of the offset.
    const values = Array.from({ length: 1000 }, (_, i) => (i < 256 ? Number.NaN : 1e9 + random.next()));
    putValues(new DataView(implementation.bytes.buffer), ptr, 'f64', values);
    const exact = exactly(values.slice(256)).m2;
    const runs = newCells(implementation, base, 'f64');
    kernels.momentsRuns(1, ptr, 0, values.length, 1, runs.at, FIELD_BYTES, 0, true, false, false);
    t.ok(isNear(runs.number('m2'), exact, exact), `by runs ${runs.number('m2')}, ${exact}`);
    for (const width of [1, 2]) {
      const rows = newCells(implementation, base, 'f64', width);
      const room = base + CELLS_BYTES;
      // A second column is the first, one row further on.
      kernels.momentsRows(1, ptr, 8, 999, width, 1, 0, rows.at, FIELD_BYTES, 0, room, true, false);
      const alone = exactly(values.slice(256, 999)).m2;
      t.ok(isNear(rows.number('m2'), alone, alone), `by rows of ${width} ${rows.number('m2')}, ${alone}`);
    }
  });

  t.test(`${implementation.name}: integers are exact, whatever their size`, async t => {
    const wrong: string[] = [];
    for (const { type, number, itemsize } of TYPES.slice(2)) {
      for (const length of [0, 1, 67, 5000, 70_000]) {
        const random = seededRandom(length + number);
        const isLarge = length > 100;
        const values = Array.from({ length }, () => BigInt(randomValue(random, type, isLarge ? 2 ** 31 : 100)));
        const ptr = implementation.base + CELLS_BYTES + WORKSPACE_BYTES + 3;
        putValues(new DataView(implementation.bytes.buffer), ptr, type, values);
        const sum = values.reduce((a, b) => a + b, 0n);
        for (const byRow of [false, true]) {
          const { kernels, base } = implementation;
          const cells = newCells(implementation, base, type);
          if (byRow)
            kernels.sumRows(
              number,
              ptr,
              itemsize,
              length,
              1,
              1,
              0,
              cells.at,
              FIELD_BYTES,
              0,
              base + CELLS_BYTES,
              false,
            );
          else kernels.sumRuns(number, ptr, 0, length, 1, cells.at, FIELD_BYTES, 0, false);
          const high = itemsize === 8 ? cells.integer('sumRest') << 32n : 0n;
          const found = cells.integer('sum') + high;
          if (found !== sum) wrong.push(`${type}, ${length}: ${found} instead of ${sum}`);
        }
      }
    }
    t.strictSame(wrong, []);
  });

  t.test(`${implementation.name}: squares of 64-bit integers do not depend on their offset`, async t => {
    const { kernels, base } = implementation;
    const ptr = base + CELLS_BYTES + WORKSPACE_BYTES + 1;
    const near = Array.from({ length: 10_000 }, (_, i) => BigInt((i * 37) % 1000));
    const exact = exactly(near.map(Number)).m2;
    for (const [number, offset] of [
      [8, 2n ** 62n],
      [8, -(2n ** 63n)],
      [9, 2n ** 64n - 1000n],
    ] as const) {
      const values = near.map(value => value + offset);
      putValues(new DataView(implementation.bytes.buffer), ptr, TYPES[number]!.type, values);
      const runs = newCells(implementation, base, TYPES[number]!.type);
      kernels.momentsRuns(number, ptr, 0, values.length, 1, runs.at, FIELD_BYTES, 0, false, false, false);
      const byRun = runs.number('m2');
      const rows = newCells(implementation, base, TYPES[number]!.type);
      kernels.momentsRows(
        number,
        ptr,
        8,
        values.length,
        1,
        1,
        0,
        rows.at,
        FIELD_BYTES,
        0,
        base + CELLS_BYTES,
        false,
        false,
      );
      t.ok(isNear(byRun, exact, exact), `runs from ${offset} on: ${byRun}, ${exact}`);
      t.ok(isNear(rows.number('m2'), exact, exact), `rows from ${offset} on: ${rows.number('m2')}, ${exact}`);
    }
  });
}
