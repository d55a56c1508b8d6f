/** Kernels over runs: WebAssembly does what the specification does, sums of floats and moments to twelve digits. */
import t from 'tap';
import type { Lines } from '../../../src/kernels/lines.js';
import { type RunKernels } from './spec/runs.js';
import { caseCount } from '../../helpers/cases.js';
import { seededRandom, type Random } from '../../helpers/random.js';
import { anyOf, cellDifference, CELLS_BYTES, FIELD_BYTES, newCells, putSome, TYPES } from './cell-memory.js';
import { IMPLEMENTATIONS } from './implementations.js';

/** What each kernel may be asked for. */
const OPTIONS: { readonly [K in keyof RunKernels]: (random: Random) => Partial<Lines> } = {
  sumRuns: random => ({ omits: anyOf(random) }),
  momentsRuns: random => ({ omits: anyOf(random), extremes: anyOf(random), sums: anyOf(random) }),
  extremesRuns: () => ({}),
  argsRuns: random => ({
    index: random.below(50),
    indexStep: random.pick([1, 3, -1]),
    outerIndexStep: 1000,
    wants: 1 + random.below(7),
  }),
  zerosRuns: () => ({}),
};

const KERNELS = Object.keys(OPTIONS) as (keyof RunKernels)[];

/** Runs one kernel on both implementations; undefined, or what differs. */
function difference(
  kernel: keyof RunKernels,
  type: number,
  runs: number,
  length: number,
  seed: number,
): string | undefined {
  const { type: name, itemsize } = TYPES[type]!;
  const magnitudes = new Float64Array(runs);
  const found = IMPLEMENTATIONS.map(implementation => {
    const random = seededRandom(seed);
    const { base, bytes, kernels, lines } = implementation;
    const gap = random.below(3) * itemsize;
    const ptr = base + CELLS_BYTES + (seed % 16);
    const step = length * itemsize + gap;
    const isOneCell = anyOf(random);
    const cells = newCells(implementation, base, name, runs);
    // Twice, so that what is there already counts.
    for (let round = 0; round < 2; round++) {
      for (let run = 0; run < runs; run++) {
        magnitudes[isOneCell ? 0 : run]! += putSome(bytes, ptr + run * step, itemsize, name, length, random);
      }
      const into = { cells: cells.at, fieldBytes: FIELD_BYTES, cellStep: isOneCell ? 0 : 8 };
      kernels[kernel](lines.write({ type, ptr, step, count: runs, length, ...into, ...OPTIONS[kernel](random) }));
    }
    return cells.snapshot();
  });
  const [scalar, wasm] = found as [Float64Array, Float64Array];
  const differs = cellDifference(name, scalar, wasm, magnitudes);
  if (differs === undefined) return undefined;
  return `${kernel} of ${runs} runs of ${length} ${name}, seed ${seed}: ${differs}`;
}

for (const kernel of KERNELS) {
  t.test(`${kernel} does what it has to for every type, length and alignment`, async t => {
    const found: (string | undefined)[] = [];
    for (const { number } of TYPES) {
      for (let length = 0; length <= 67; length++) {
        // The seed is the alignment too. The short form takes another pair of them for each length.
        for (let i = 0; i < caseCount(2, 16); i++) {
          const seed = 16 * length + ((length + 8 * i + Math.floor(i / 2)) % 16);
          found.push(difference(kernel, number, 1, length, seed));
        }
      }
    }
    t.strictSame(found.filter(each => each !== undefined).slice(0, 5), []);
  });

  t.test(`${kernel} does what it has to for many runs, and for runs longer than a block`, async t => {
    const found: (string | undefined)[] = [];
    for (const { number } of TYPES) {
      for (let seed = 0; seed < caseCount(8, 40); seed++) {
        const random = seededRandom(seed);
        found.push(difference(kernel, number, 2 + random.below(7), random.below(200), seed));
        if (seed < caseCount(3, 16)) found.push(difference(kernel, number, 1, 8000 + random.below(20_000), seed));
      }
    }
    t.strictSame(found.filter(each => each !== undefined).slice(0, 5), []);
  });
}

t.test('a run has the same sums and moments to the bit, whatever runs are beside it and came before', async t => {
  const { base, bytes, kernels, lines } = IMPLEMENTATIONS[1]!;
  const found: string[] = [];
  for (const { number: type, type: name, itemsize } of TYPES) {
    for (const length of [1, 7, 50, 1001, 4095, 4097]) {
      const random = seededRandom(length);
      const count = 7;
      const ptr = base + CELLS_BYTES + 1;
      const step = length * itemsize;
      for (let run = 0; run < count; run++) putSome(bytes, ptr + run * step, itemsize, name, length, random);
      const compute = (first: number, runs: number): number[] => {
        const cells = newCells(IMPLEMENTATIONS[1]!, base, name, runs);
        const into = { cells: cells.at, fieldBytes: FIELD_BYTES, cellStep: 8, omits: true };
        const at = lines.write({ type, ptr: ptr + first * step, step, count: runs, length, ...into });
        kernels.sumRuns(at);
        kernels.momentsRuns(at);
        const fields = ['sum', 'sumRest', 'mean', 'meanRest', 'm2'] as const;
        return Array.from({ length: runs }, (_, run) => fields.map(field => cells.number(field, run))).flat();
      };
      const together = compute(0, count);
      const alone = Array.from({ length: count }, (_, run) => compute(count - 1 - run, 1)).toReversed();
      const at = alone.flat().findIndex((value, i) => !Object.is(value, together[i]));
      if (at >= 0) found.push(`${name}, ${length}: ${together[at]} beside others, ${alone.flat()[at]} alone`);
    }
  }
  t.strictSame(found, []);
});
