/** Kernels over rows: WebAssembly does what the specification does, sums of floats and moments to twelve digits. */
import t from 'tap';
import { WORKSPACE_BYTES } from '../../../src/kernels/cell-fields.js';
import type { Lines } from '../../../src/kernels/lines.js';
import { type RowKernels } from './spec/rows.js';
import { caseCount } from '../../helpers/cases.js';
import { seededRandom, type Random } from '../../helpers/random.js';
import { anyOf, cellDifference, CELLS_BYTES, FIELD_BYTES, newCells, putSome, TYPES } from './cell-memory.js';
import { IMPLEMENTATIONS } from './implementations.js';

/** What each kernel may be asked for. */
const OPTIONS: { readonly [K in keyof RowKernels]: (random: Random) => Partial<Lines> } = {
  sumRows: random => ({ omits: anyOf(random) }),
  momentsRows: random => ({ omits: anyOf(random), sums: anyOf(random) }),
  extremesRows: () => ({}),
  argsRows: random => ({
    index: random.below(50),
    indexStep: random.pick([1, 3, -1]),
    outerIndexStep: 1000,
    wants: 4 * random.below(2),
  }),
  zerosRows: () => ({}),
};

const KERNELS = Object.keys(OPTIONS) as (keyof RowKernels)[];

interface Shape {
  readonly blocks: number;
  readonly rows: number;
  readonly width: number;
}

/** Runs one kernel on both implementations; undefined, or what differs. */
function difference(kernel: keyof RowKernels, type: number, shape: Shape, seed: number): string | undefined {
  const { blocks, rows, width } = shape;
  const { type: name, itemsize } = TYPES[type]!;
  const magnitudes = new Float64Array(width * blocks);
  const found = IMPLEMENTATIONS.map(implementation => {
    const random = seededRandom(seed);
    const { base, bytes, kernels, lines } = implementation;
    const step = (width + random.below(3)) * itemsize;
    const blockStep = rows * step;
    const isOneBlock = anyOf(random);
    const cells = newCells(implementation, base, name, isOneBlock ? width : width * blocks);
    const workspace = base + CELLS_BYTES;
    const ptr = workspace + WORKSPACE_BYTES * width + 1024 + (seed % 16);
    // Twice, so that what is there already counts.
    for (let round = 0; round < 2; round++) {
      for (let block = 0; block < blocks; block++) {
        for (let j = 0; j < width; j++) {
          // Each column has its own kind of values.
          const magnitude = putSome(bytes, ptr + block * blockStep + j * itemsize, step, name, rows, random);
          magnitudes[isOneBlock ? j : block * width + j]! += magnitude;
        }
      }
      const into = { cells: cells.at, fieldBytes: FIELD_BYTES, cellStep: isOneBlock ? 0 : 8 * width, workspace };
      const over = { type, ptr, step, count: rows, length: width, blocks, blockStep, ...into };
      kernels[kernel](lines.write({ ...over, ...OPTIONS[kernel](random) }));
    }
    return cells.snapshot();
  });
  const [scalar, wasm] = found as [Float64Array, Float64Array];
  const differs = cellDifference(name, scalar, wasm, magnitudes);
  if (differs === undefined) return undefined;
  return `${kernel} of ${JSON.stringify(shape)} ${name}, seed ${seed}: ${differs}`;
}

for (const kernel of KERNELS) {
  t.test(`${kernel} does what it has to for every type, width, number of rows and alignment`, async t => {
    const found: (string | undefined)[] = [];
    for (const { number } of TYPES) {
      for (let size = 0; size <= 67; size++) {
        for (let seed = 0; seed < caseCount(1, 4); seed++) {
          const alignment = 16 * size + 4 * (size % 4) + seed;
          found.push(difference(kernel, number, { blocks: 1, rows: size, width: 1 + (size % 5) }, alignment));
          found.push(difference(kernel, number, { blocks: 1, rows: 1 + (size % 9), width: size }, alignment));
        }
      }
    }
    t.strictSame(found.filter(each => each !== undefined).slice(0, 5), []);
  });

  t.test(`${kernel} does what it has to for many blocks, and for more rows than are summed at once`, async t => {
    const found: (string | undefined)[] = [];
    for (const { number } of TYPES) {
      for (let seed = 0; seed < caseCount(6, 30); seed++) {
        const random = seededRandom(seed);
        const rows = 1 + random.below(40);
        const shape = { blocks: 2 + random.below(4), rows, width: 1 + random.below(20) };
        found.push(difference(kernel, number, shape, seed));
        if (seed < caseCount(1, 3))
          found.push(difference(kernel, number, { blocks: 1, rows: 8190 + 3 * seed, width: 3 }, seed));
        if (seed < caseCount(2, 6))
          found.push(difference(kernel, number, { blocks: 2, rows: 3 + seed, width: 1020 + 3 * seed }, seed));
      }
    }
    t.strictSame(found.filter(each => each !== undefined).slice(0, 5), []);
  });
}
