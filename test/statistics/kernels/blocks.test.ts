/** Kernels over blocks of short runs: WebAssembly does what the specification does, sums to twelve digits. */
import t from 'tap';
import { RUN_WORKSPACE_BYTES } from '../../../src/kernels/cell-fields.js';
import { caseCount } from '../../helpers/cases.js';
import { seededRandom } from '../../helpers/random.js';
import { anyOf, cellDifference, CELLS_BYTES, FIELD_BYTES, newCells, putSome, TYPES } from './cell-memory.js';
import { IMPLEMENTATIONS } from './implementations.js';
import type { BlockKernels } from './spec/blocks.js';

/** What each kernel takes: types, and the shortest run. */
const TAKES: { readonly [K in keyof BlockKernels]: (type: string, itemsize: number, length: number) => boolean } = {
  sumBlocks: (type, _, length) => type === 'f32' && length >= 1,
  extremesBlocks: (_, itemsize, length) => itemsize * length >= 16,
};

interface Shape {
  readonly rows: number;
  readonly runs: number;
  readonly length: number;
}

/** Runs one kernel on both implementations; undefined, or what differs. */
function difference(kernel: keyof BlockKernels, type: number, shape: Shape, seed: number): string | undefined {
  const { rows, runs, length } = shape;
  const { type: name, itemsize } = TYPES[type]!;
  if (!TAKES[kernel](name, itemsize, length)) return undefined;
  const magnitudes = new Float64Array(runs);
  const found = IMPLEMENTATIONS.map(implementation => {
    const random = seededRandom(seed);
    const { base, bytes, kernels, lines } = implementation;
    const step = (length + random.below(3)) * itemsize;
    // A row alone has no step.
    const blockStep = rows === 1 ? 0 : runs * step + random.below(3) * itemsize;
    const cells = newCells(implementation, base, name, runs);
    const workspace = base + CELLS_BYTES;
    const ptr = workspace + RUN_WORKSPACE_BYTES * runs + 1024 + (seed % 16);
    const omits = anyOf(random);
    // Twice, so that what is there already counts.
    for (let round = 0; round < 2; round++) {
      for (let row = 0; row < rows; row++) {
        for (let run = 0; run < runs; run++) {
          magnitudes[run]! += putSome(bytes, ptr + row * blockStep + run * step, itemsize, name, length, random);
        }
      }
      const into = { cells: cells.at, fieldBytes: FIELD_BYTES, cellStep: 8, workspace, omits };
      kernels[kernel](lines.write({ type, ptr, step, count: runs, length, blocks: rows, blockStep, ...into }));
    }
    return cells.snapshot();
  });
  const [scalar, wasm] = found as [Float64Array, Float64Array];
  const differs = cellDifference(name, scalar, wasm, magnitudes);
  if (differs === undefined) return undefined;
  return `${kernel} of ${JSON.stringify(shape)} ${name}, seed ${seed}: ${differs}`;
}

for (const kernel of Object.keys(TAKES) as (keyof BlockKernels)[]) {
  t.test(`${kernel} does what it has to for every type, length and alignment`, async t => {
    const found: (string | undefined)[] = [];
    for (const { number } of TYPES) {
      for (let length = 1; length <= 67; length++) {
        for (let i = 0; i < caseCount(2, 8); i++) {
          const seed = 16 * length + ((length + 7 * i) % 16);
          found.push(difference(kernel, number, { rows: 1 + (length % 4), runs: 1 + i, length }, seed));
        }
      }
    }
    t.strictSame(found.filter(each => each !== undefined).slice(0, 5), []);
  });

  t.test(`${kernel} does what it has to for more rows than are summed at once`, async t => {
    const found: (string | undefined)[] = [];
    for (const { number } of TYPES) {
      for (let seed = 0; seed < caseCount(2, 10); seed++) {
        found.push(difference(kernel, number, { rows: 700 + 100 * seed, runs: 3, length: 20 + seed }, seed));
      }
    }
    t.strictSame(found.filter(each => each !== undefined).slice(0, 5), []);
  });
}
