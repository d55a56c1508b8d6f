/** Kernels over runs: WebAssembly does what the scalar twins do, to the bit. */
import t from 'tap';
import { type RunKernels } from './spec/runs.js';
import { caseCount } from '../../helpers/cases.js';
import { seededRandom, type Random } from '../../helpers/random.js';
import { anyOf, CELLS_BYTES, FIELD_BYTES, fieldDifference, newCells, putSome, TYPES } from './cell-memory.js';
import { IMPLEMENTATIONS } from './implementations.js';

type Options<K extends keyof RunKernels> =
  Parameters<RunKernels[K]> extends [...Eight: Tuple8, ...options: infer Rest] ? Rest : never;
type Tuple8 = [number, number, number, number, number, number, number, number];

/** What each kernel may be asked for. */
const OPTIONS: { readonly [K in keyof RunKernels]: (random: Random) => Options<K> } = {
  sumRuns: random => [anyOf(random)],
  momentsRuns: random => [anyOf(random), anyOf(random), anyOf(random)],
  extremesRuns: () => [],
  argsRuns: random => [random.below(50), random.pick([1, 3, -1]), 1000, 1 + random.below(7)],
  zerosRuns: () => [],
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
  const found = IMPLEMENTATIONS.map(implementation => {
    const random = seededRandom(seed);
    const { base, bytes, kernels } = implementation;
    const gap = random.below(3) * itemsize;
    const ptr = base + CELLS_BYTES + (seed % 16);
    const step = length * itemsize + gap;
    const isOneCell = anyOf(random);
    const cells = newCells(implementation, base, name, runs);
    const call = kernels[kernel] as (...args: (number | boolean)[]) => void;
    // Twice, so that what is there already counts.
    for (let round = 0; round < 2; round++) {
      for (let run = 0; run < runs; run++) {
        putSome(bytes, ptr + run * step, itemsize, name, length, random);
      }
      call(type, ptr, step, length, runs, cells.at, FIELD_BYTES, isOneCell ? 0 : 8, ...OPTIONS[kernel](random));
    }
    return cells.snapshot();
  });
  const [scalar, wasm] = found as [Float64Array, Float64Array];
  const differs = fieldDifference(scalar, wasm);
  if (differs === undefined) return undefined;
  return `${kernel} of ${runs} runs of ${length} ${name}, seed ${seed}: ${differs}`;
}

for (const kernel of KERNELS) {
  t.test(`${kernel} is the same in both for every type, length and alignment`, async t => {
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

  t.test(`${kernel} is the same in both for many runs, and for runs longer than a block`, async t => {
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
