/** Sums and moments against exactly rounded references, on data that makes them difficult. */
import t from 'tap';
import { WORKSPACE_BYTES } from '../../../src/kernels/cell-fields.js';
import type { Lines } from '../../../src/kernels/lines.js';
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

/** What kernels are told of one run. */
function runOf(type: number, ptr: number, length: number, cells: number): Lines {
  return { type, ptr, step: 0, count: 1, length, cells, fieldBytes: FIELD_BYTES, cellStep: 0 };
}

/** The same elements as rows of `width` neighbouring columns, of which each but the first begins a row later. */
function rowsOf({ base }: Implementation, type: number, ptr: number, count: number, cells: number, width = 1): Lines {
  const step = TYPES[type]!.itemsize;
  return { ...runOf(type, ptr, width, cells), step, count, blocks: 1, workspace: base + CELLS_BYTES };
}

/** By runs: the sum alone, and the moments. */
function byRuns(implementation: Implementation, type: number, ptr: number, length: number): Found {
  const { kernels, lines, base } = implementation;
  const cells = newCells(implementation, base, TYPES[type]!.type);
  const at = lines.write(runOf(type, ptr, length, cells.at));
  kernels.sumRuns(at);
  kernels.momentsRuns(at);
  return foundIn(cells.number);
}

/** By rows of one column. */
function byRows(implementation: Implementation, type: number, ptr: number, length: number): Found {
  const { kernels, lines, base } = implementation;
  const cells = newCells(implementation, base, TYPES[type]!.type);
  const at = lines.write(rowsOf(implementation, type, ptr, length, cells.at));
  kernels.sumRows(at);
  kernels.momentsRows(at);
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
    const { kernels, lines, base } = implementation;
    const random = seededRandom(9);
    const ptr = base + CELLS_BYTES + 2 * WORKSPACE_BYTES + 7;
    // Samples are among the first values, so that nothing is known of the offset.
    const values = Array.from({ length: 1000 }, (_, i) => (i < 256 ? Number.NaN : 1e9 + random.next()));
    putValues(new DataView(implementation.bytes.buffer), ptr, 'f64', values);
    const exact = exactly(values.slice(256)).m2;
    const runs = newCells(implementation, base, 'f64');
    kernels.momentsRuns(lines.write({ ...runOf(1, ptr, values.length, runs.at), omits: true }));
    t.ok(isNear(runs.number('m2'), exact, exact), `by runs ${runs.number('m2')}, ${exact}`);
    for (const width of [1, 2]) {
      const rows = newCells(implementation, base, 'f64', width);
      kernels.momentsRows(lines.write({ ...rowsOf(implementation, 1, ptr, 999, rows.at, width), omits: true }));
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
          const { kernels, lines, base } = implementation;
          const cells = newCells(implementation, base, type);
          if (byRow) kernels.sumRows(lines.write(rowsOf(implementation, number, ptr, length, cells.at)));
          else kernels.sumRuns(lines.write(runOf(number, ptr, length, cells.at)));
          const high = itemsize === 8 ? cells.integer('sumRest') << 32n : 0n;
          const found = cells.integer('sum') + high;
          if (found !== sum) wrong.push(`${type}, ${length}: ${found} instead of ${sum}`);
        }
      }
    }
    t.strictSame(wrong, []);
  });

  t.test(`${implementation.name}: squares of 64-bit integers do not depend on their offset`, async t => {
    const { kernels, lines, base } = implementation;
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
      kernels.momentsRuns(lines.write(runOf(number, ptr, values.length, runs.at)));
      const byRun = runs.number('m2');
      const rows = newCells(implementation, base, TYPES[number]!.type);
      kernels.momentsRows(lines.write(rowsOf(implementation, number, ptr, values.length, rows.at)));
      t.ok(isNear(byRun, exact, exact), `runs from ${offset} on: ${byRun}, ${exact}`);
      t.ok(isNear(rows.number('m2'), exact, exact), `rows from ${offset} on: ${rows.number('m2')}, ${exact}`);
    }
  });
}
