/** Medians and quantiles to the bit of numpy's, for any dtype, layout, axes and method, gathered and searched in passes. */
import t, { type Test } from 'tap';
import { HyperslabError } from '../../../src/errors.js';
import { LIMITS } from '../../../src/limits.js';
import { computeInProcess, parseQuery, PLAN_BOUNDS, type PlanBounds } from '../../../src/statistics/index.js';
import { caseCount } from '../../helpers/cases.js';
import { NO_NUMPY, PYTHON } from '../../helpers/python.js';
import { seededRandom, type Random } from '../../helpers/random.js';
import { makeCase, QUANTILE_METHODS, type Case, type CaseOptions } from '../cases.js';
import { askNumpy, differenceFrom, liveCases, type Listed } from '../live-numpy.js';

interface QuantileCase extends Case {
  readonly asks: { readonly q: number | readonly number[]; readonly method: string };
}

type Answer = Readonly<Record<'median' | 'quantile', Listed | string>>;

/** Fractions that meet elements, lie beside them, and are anywhere. */
function fractionsOf(random: Random, size: number): number | number[] {
  const one = (): number =>
    random.pick([0, 1, 0.5, 0.1, 0.25, 0.9, random.next(), random.next(), random.below(size + 1) / Math.max(size, 1)]);
  if (random.next() < 0.3) return one();
  return Array.from({ length: 1 + random.below(random.pick([3, 3, 30])) }, one);
}

/** Tables take 256 KiB each: only few cells are searched in passes. */
function boundsOf(random: Random, { query, view }: Case): PlanBounds['quantiles'] {
  const reduced = [query.axis ?? view.shape.map((_, axis) => axis)]
    .flat()
    .map(axis => (Number(axis) + view.shape.length) % view.shape.length);
  const cells = view.shape.reduce((product, length, axis) => (reduced.includes(axis) ? product : product * length), 1);
  return {
    tablesMax: random.pick([1, 2, 16]),
    cellBytesMax: cells > 12 ? 2 ** 24 : random.pick([0, 0, 400, 2 ** 24]),
    soleCellElementsMax: random.pick([0, 0, 100]),
    searchedQuantilesMax: random.pick([0, 64, 64]),
  };
}

function quantileCase(seed: number, options: CaseOptions = {}): QuantileCase {
  const random = seededRandom(seed);
  const each = makeCase(random, options);
  const q = fractionsOf(random, each.values.length);
  const method = random.pick(QUANTILE_METHODS);
  const { axis, keepdims, nan } = each.query;
  return {
    ...each,
    query: { ops: ['median', { quantile: { q, method } }], axis, keepdims, nan },
    bounds: {
      ...each.bounds,
      chunkBytesMax: Math.max(100, each.bounds.chunkBytesMax),
      quantiles: boundsOf(random, each),
      search: {
        rangesMax: random.pick([1, 20, 1000]),
        countersMax: random.pick([200, 2 ** 20, 2 ** 20]),
        collectedMax: random.pick([0, 3, 65_536]),
        sortedMax: random.pick([1, 65_536]),
        sampledMin: 0,
      },
    },
    asks: { q, method, axis: axis ?? null, keepdims: keepdims ?? false, nan },
  } as QuantileCase;
}

function differenceIn(each: QuantileCase, answer: Answer): string | undefined {
  try {
    const query = parseQuery(each.query, each.view.shape.length);
    const { results } = computeInProcess(query, each.dtype, each.view, each.file, each.bounds);
    for (const result of results) {
      const listed = answer[result.op as 'median' | 'quantile'];
      if (typeof listed === 'string') return `an answer instead of ${listed}`;
      const difference = differenceFrom(listed, result);
      if (difference !== undefined) return `${result.op} ${difference}`;
      if (result.dtype.typestr !== listed.dtype)
        return `${result.op} is of ${result.dtype.typestr}, not ${listed.dtype}`;
    }
    return undefined;
  } catch (error) {
    if (error instanceof HyperslabError && error.code === answer.median) return undefined;
    return `${String(error)} instead of ${JSON.stringify(answer)}`;
  }
}

function check(t: Test, cases: readonly QuantileCase[], folder: string): void {
  const answers = askNumpy<Answer>(folder, 'selections', cases);
  const found = cases.flatMap((each, i) => {
    const difference = differenceIn(each, answers[i]!);
    const { dtype, view, query, bounds } = each;
    return difference === undefined
      ? []
      : [`case ${i} of ${dtype.typestr}: ${difference}: ${JSON.stringify({ view, query, bounds })}`];
  });
  t.same(found.slice(0, 5), []);
}

/** Cases of arrays that many tasks share. */
const LONG = caseCount(30, 300);

const skip = PYTHON === undefined && NO_NUMPY;

t.test('small arrays, searched in whichever way, have the quantiles of numpy', { skip }, async t => {
  check(
    t,
    Array.from({ length: liveCases('quantiles') - LONG }, (_, i) => quantileCase(70_000 + i)),
    t.testdir(),
  );
});

t.test('arrays that many tasks share have them, too', { skip }, async t => {
  const shapes = [[3000], [40, 90], [5, 700], [700, 5], [20, 6, 30], [2, 900, 2]];
  check(
    t,
    Array.from({ length: LONG }, (_, i) => quantileCase(90_000 + i, { shapes })),
    t.testdir(),
  );
});

t.test('the bounds of the service are those that tests lower', async t => {
  t.equal(PLAN_BOUNDS.quantiles.cellBytesMax, LIMITS.cellBytesGatheredMax);
});
