/** Blocks of neighbours against the stupid model: each block by itself, its elements listed one by one. */
import { test } from 'tap';
import { coarsenedBlock } from '../../src/coarsen/coarsened.js';
import { COARSEN_METHODS, coarsenedArray, parseCoarsening, planCoarsened } from '../../src/coarsen/coarsen.js';
import { computePlan, sourceFrom } from '../../src/statistics/index.js';
import { atOnce } from '../../src/turns.js';
import { caseCount } from '../helpers/cases.js';
import { seededRandom, type Random } from '../helpers/random.js';
import { indicesOf, makeCase, type Case, type CaseOptions, type Value } from './cases.js';
import { differenceOf, scaleOf } from './compare.js';
import { expectedOf } from './oracle.js';

/** The elements of each block, in C order. */
function blocksOf({ view, values }: Case, factors: readonly number[]): Value[][] {
  const shape = view.shape.map((length, axis) => Math.ceil(length / factors[axis]!));
  const blocks = new Map(indicesOf(shape).map(index => [index.join(), [] as Value[]]));
  for (const [i, index] of indicesOf(view.shape).entries()) {
    blocks.get(index.map((at, axis) => Math.floor(at / factors[axis]!)).join())!.push(values[i]!);
  }
  return [...blocks.values()];
}

function shuffled(random: Random, numbers: readonly number[]): number[] {
  return numbers
    .map(number => ({ number, at: random.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ number }) => number);
}

/** Undefined, or what is wrong. */
function check(seed: number, options?: CaseOptions): string | undefined {
  const random = seededRandom(seed);
  const each = makeCase(random, options);
  const { dtype, view, file, bounds } = each;
  const factors = view.shape.map(length =>
    random.next() < 0.25 ? 1 : 1 + random.below(random.pick([3, length + 3, 2 * length + 1])),
  );
  const method = random.pick(COARSEN_METHODS);
  const nan = random.pick(['propagate', 'omit']);
  const told = `seed ${seed}, ${JSON.stringify({ dtype: dtype.typestr, view, factors, method, nan, bounds })}`;
  const asked = parseCoarsening({ coarsen: factors.join(), method, nan }, view.shape.length);
  const plan = planCoarsened(asked, dtype, view, { bounds, origin: random.pick([undefined, each.offset]) });
  const { results } = computePlan(plan, [sourceFrom(file)], numbers => shuffled(random, numbers));
  const blocks = blocksOf(each, factors);
  for (const result of results) {
    const expected = blocks.map(values => {
      const query = { ops: [result.op], axis: null, keepdims: false, ddof: 0, nan: asked.nan } as const;
      const model = expectedOf(query, dtype.kind === 'f', [values.length], values);
      return typeof model === 'string' ? Number.NaN : model.results[result.op]![0]!;
    });
    const difference = differenceOf(result, expected, scaleOf(each));
    if (difference !== undefined) return `${difference}: ${told}`;
  }
  if (dtype.kind === 'b' && (method === 'mean' || method === 'sum')) return undefined;
  const array = coarsenedArray(asked, dtype, view.shape);
  if (method === 'sum' && dtype.itemsize === 8) return undefined;
  const { bytes } = atOnce(coarsenedBlock(results, array));
  const size = array.shape.reduce((product, length) => product * length, array.dtype.itemsize);
  return bytes.byteLength === size ? undefined : `${bytes.byteLength} bytes instead of ${size}: ${told}`;
}

function differences(count: number, firstSeed: number, options?: CaseOptions): string[] {
  const found: string[] = [];
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const difference = check(seed, options);
    if (difference !== undefined) found.push(difference);
  }
  return found;
}

test('small arrays cut into many pieces agree with the model', async t => {
  t.same(differences(caseCount(400, 3000), 1).slice(0, 5), []);
});

test('arrays longer than a tile agree with the model', async t => {
  const shapes = [[9000], [150, 70], [4, 5000], [5000, 3], [70, 8, 20], [2, 1100, 4], [40, 3, 100]];
  t.same(differences(caseCount(12, 60), 50_000, { shapes }).slice(0, 5), []);
});
