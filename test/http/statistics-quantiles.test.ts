/** Medians, quantiles and histograms over HTTP: parameters of a URL, shapes and dtypes of answers, filters, refusals. */
import fs from 'node:fs';
import t from 'tap';
import { startServer } from '../helpers/server.js';
import { create } from '../system/calls.js';

const server = await startServer();
t.teardown(async () => {
  await server.stop();
  fs.rmSync(server.dataDir, { recursive: true });
});

await create(server, { name: 'grid', dtype: '<f4', shape: [3, 4] });
await server.fetch('/v1/datasets/grid/data', {
  method: 'PUT',
  headers: { 'content-type': 'application/json' },
  body: '[[0, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23]]',
});

type Answer = Record<string, unknown>;

async function ask(query: string): Promise<Answer> {
  const response = await server.fetch(`/v1/datasets/grid/statistics?${query}`);
  const answer = (await response.json()) as Answer;
  return response.status === 200 ? (answer['results'] as Answer) : { status: response.status, code: answer['code'] };
}

const ASKED: readonly (readonly [title: string, query: string, expected: Answer])[] = [
  ['one q has no axis in the answer', 'q=0.5', { quantile: 11.5 }],
  [
    'a list of q has one, first',
    'q=0,1&axis=0',
    {
      quantile: [
        [0, 1, 2, 3],
        [20, 21, 22, 23],
      ],
    },
  ],
  ['a comma makes a list of one', 'q=0.5,', { quantile: [11.5] }],
  ['q stands where quantile is named', 'ops=quantile,median&q=1&as=most,middle', { most: 23, middle: 11.5 }],
  ['and last where it is not', 'ops=median&q=1&as=middle,most', { middle: 11.5, most: 23 }],
  ['bins imply a histogram', 'bins=2', { histogram: { counts: [6, 6], edges: [0, 11.5, 23] } }],
  ['over a range', 'bins=2&range=0,20', { histogram: { counts: [4, 5], edges: [0, 10, 20] } }],
  [
    'of ten bins where none are given',
    'range=0,10&slice=0',
    { histogram: { counts: [1, 1, 1, 1, 0, 0, 0, 0, 0, 0], edges: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] } },
  ],
  [
    'rows are chosen first',
    `ops=median&q=0,1&bins=1&where=${encodeURIComponent('{"column":0,"gt":5}')}`,
    { median: 16.5, quantile: [10, 23], histogram: { counts: [8], edges: [10, 23] } },
  ],
  [
    'also where they remain',
    `ops=median&axis=1&where=${encodeURIComponent('{"column":0,"gt":5}')}`,
    { median: [11.5, 21.5] },
  ],
  ['a percentile is refused', 'q=50', { status: 422, code: 'bad_operation' }],
  ['text is refused', 'q=half', { status: 400, code: 'bad_request' }],
  ['edges are no bins', 'bins=0,1,2', { status: 400, code: 'bad_request' }],
  ['half a range is refused', 'bins=2&range=0', { status: 422, code: 'bad_operation' }],
  ['a histogram along an axis is refused', 'bins=2&axis=0', { status: 422, code: 'bad_operation' }],
  ['too many quantiles are refused', `q=${'0.5,'.repeat(1001)}0.5`, { status: 413, code: 'too_large' }],
];

for (const [title, query, expected] of ASKED) {
  t.test(title, async t => {
    t.same(await ask(query), expected);
  });
}

t.test('one operation answers as an array: a histogram as its counts', async t => {
  const counts = await server.fetch('/v1/datasets/grid/statistics?bins=2&format=raw');
  t.equal(counts.headers.get('x-array-dtype'), '<i8');
  t.same(new BigInt64Array(await counts.arrayBuffer()), BigInt64Array.of(6n, 6n));
  const quantiles = await server.fetch('/v1/datasets/grid/statistics?q=0,1&axis=1&format=raw');
  t.equal(quantiles.headers.get('x-array-dtype'), '<f8');
  t.equal(quantiles.headers.get('x-array-shape'), '2,3');
  const median = await server.fetch('/v1/datasets/grid/statistics?ops=median&axis=1&format=raw');
  t.equal(median.headers.get('x-array-dtype'), '<f4', 'as numpy, in the dtype of the floats');
});

t.test('a query names its method, and its edges may be infinite', async t => {
  const response = await server.fetch('/v1/datasets/grid/statistics', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ops: [{ quantile: { q: [0.5], method: 'higher' } }, { histogram: { edges: ['-Infinity', 5, 'Infinity'] } }],
    }),
  });
  const { results } = (await response.json()) as { results: Answer };
  t.same(results, { quantile: [12], histogram: { counts: [4, 8], edges: ['-Infinity', 5, 'Infinity'] } });
});

t.test('queries that differ in the sign of an infinite edge are not taken for each other', async t => {
  const countsOf = async (edges: unknown[]): Promise<unknown> => {
    const body = JSON.stringify({ ops: [{ histogram: { edges } }] });
    const headers = { 'content-type': 'application/json' };
    const response = await server.fetch('/v1/datasets/grid/statistics', { method: 'POST', headers, body });
    return ((await response.json()) as { results: { histogram: { counts: unknown } } }).results.histogram.counts;
  };
  t.same(await countsOf(['-Infinity', '-Infinity']), [0]);
  t.same(await countsOf(['-Infinity', 'Infinity']), [12]);
});

t.test('an answer with more numbers than JSON may have is refused before anything is read', async t => {
  const { status, code } = await ask('bins=200000');
  t.same([status, code], [413, 'too_large']);
  const npy = await server.fetch('/v1/datasets/grid/statistics?bins=200000&format=npy');
  t.equal(npy.status, 200);
});
