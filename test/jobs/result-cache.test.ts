/** Under which name an answer is kept: questions that differ in anything must not get each other's answers. */
import t from 'tap';
import type { Dataset } from '../../src/dataset/dataset.js';
import { numberDType } from '../../src/dtype/index.js';
import { ResultCache } from '../../src/jobs/result-cache.js';
import type { StatisticsRun } from '../../src/jobs/statistics.js';
import type { Plan } from '../../src/statistics/index.js';

const RUN = { result: { axis: null, count: 1, results: [] }, generations: [1] } as unknown as StatisticsRun;
const VIEW = { shape: [4], strides: [8], offset: 0 };

function datasetOf(id: string, generation = 1, external = false): Dataset {
  return { record: { id, external }, generation, opened: () => true } as unknown as Dataset;
}

/** A new plan each time, as each request makes its own. */
function asking(filter: unknown): Plan {
  const dtype = numberDType('<f8');
  return { dtype, view: VIEW, scans: [], query: { ops: ['sum'], where: filter } } as unknown as Plan;
}

const LONG = Array.from({ length: 1000 }, (_, i) => i);

t.test('every question has a name of its own, and the same one each time', async t => {
  const filters: unknown[] = [
    1,
    1n,
    '1n',
    -1,
    Infinity,
    -Infinity,
    NaN,
    null,
    [1, 2],
    [1, 2n],
    ['1', 2],
    LONG,
    LONG.toReversed(),
    [...LONG, 1000],
    LONG.map(String),
    LONG.map(BigInt),
    [...LONG.map(BigInt), 1],
    [...LONG, null],
    [...LONG, 'a,b'],
    [...LONG, 'a', 'b'],
    [...LONG, Infinity],
    [...LONG, -Infinity],
    Float64Array.from(LONG),
    Float32Array.from(LONG),
    LONG.map(value => ({ value })),
    LONG.map(value => ({ value: value + 1 })),
  ];
  const cache = new ResultCache(1e9);
  const datasets = [datasetOf('a')];
  for (const [i, filter] of filters.entries()) {
    t.equal(await cache.get(datasets, asking(filter)), undefined, `filter ${i} is new`);
    cache.put(datasets, asking(filter), RUN);
    t.equal(await cache.get(datasets, asking(filter)), RUN);
  }
});

t.test('an answer is of its datasets, in their order, at their generations', async t => {
  const cache = new ResultCache(1e9);
  const put = (...datasets: Dataset[]): void =>
    cache.put(datasets, asking(0), { ...RUN, generations: datasets.map(({ generation }) => generation) });
  const isKnown = async (...datasets: Dataset[]): Promise<boolean> =>
    (await cache.get(datasets, asking(0))) !== undefined;
  put(datasetOf('a', 11), datasetOf('b', 2));
  t.ok(await isKnown(datasetOf('a', 11), datasetOf('b', 2)));
  t.notOk(await isKnown(datasetOf('b', 2), datasetOf('a', 11)));
  t.notOk(await isKnown(datasetOf('a', 1), datasetOf('b', 12)));
  t.notOk(await isKnown(datasetOf('a', 11)));
  t.notOk(await isKnown(datasetOf('a', 11, true), datasetOf('b', 2)), 'others may write it');
});

t.test('what does not fit is not kept', async t => {
  const cache = new ResultCache(8 * 1024);
  cache.put([datasetOf('a')], asking('short'), RUN);
  cache.put([datasetOf('a')], asking('x'.repeat(1000)), RUN);
  t.ok(await cache.get([datasetOf('a')], asking('short')));
  t.notOk(await cache.get([datasetOf('a')], asking('x'.repeat(1000))), 'the question counts');
});
