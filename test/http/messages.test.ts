/**
 * What errors say: where the fault is, what was given, and what is taken, for every kind of fault and every part of a
 * request. Each row is a call and its whole detail; docs/errors.md has more of them (test/errors-page.test.ts).
 */
import t from 'tap';
import { ERRORS, type ErrorCode } from '../../src/errors.js';
import { LIMITS } from '../../src/limits.js';
import { startHere } from '../helpers/service-here.js';

type Row = readonly [call: string, body: unknown, wanted: string];

const JSON_TYPES = 'application/json or application/merge-patch+json';
const FORM = '"application/x-www-form-urlencoded;charset=UTF-8"';

/** Of /v1/datasets/v, a float64 array of (4, 3). */
const QUERIES: readonly (readonly [query: string, wanted: string])[] = [
  ['data.npy?endian=b', 'bad_request: Query parameter endian is "b"; it takes "little" or "big".'],
  [
    '?verbose=1',
    'bad_request: There is no query parameter verbose; there are residency, wait, timeout, parts and expected_shape.',
  ],
  ['?residency=perhaps', 'bad_request: Query parameter residency is "perhaps"; it takes true or false.'],
  ['rows?start=a', 'bad_slice: start is "a"; it takes an integer in ASCII digits, or is left out.'],
  ['rows?stop=1:2', 'bad_slice: stop is "1:2"; it takes an integer in ASCII digits, or is left out.'],
  [
    'statistics?ops=mean&slice=0,0&axis=0',
    'bad_axis: Axis 0 does not exist: the selection has none, since it is one element. Leave axis out.',
  ],
  [
    'statistics?ops=mean&axis=0,-2',
    'bad_axis: Axis 0 is named twice in axis=0,-2, where -2 means 0, too. Name it once.',
  ],
  ['statistics?ops=mean&ddof=x', 'bad_request: Query parameter ddof is "x"; it takes a number.'],
  [
    'statistics?q=x',
    'bad_request: q has "x"; it takes numbers from 0 to 1. Percentiles are divided by 100: 0.25 for the 25th.',
  ],
  ['statistics?bins=x', 'bad_request: bins is "x"; it takes a whole number from 1 to 262144.'],
  ['statistics?range=1', 'bad_operation: range is [1]; it takes two numbers, the first and the last edge: [0, 1].'],
  ['statistics?range=a,b', 'bad_request: range has "a"; it takes numbers.'],
  [
    'statistics?ops=mean&where={',
    'bad_request: where is "{", which is no JSON. Write it like where={"column":3,"gt":0.5}, percent-encoded.',
  ],
  [
    'statistics?ops=mean&group_by={',
    'bad_request: group_by is "{", which is no JSON. Write it like group_by={"column":3} or [{"column":3},{"dataset":"other"}], percent-encoded.',
  ],
  [
    'statistics?ops=mean&where={"gt":0}',
    'bad_request: where cannot be read: one of column, self, dataset or field should say whose values are meant, and none of them does in {"gt":0}.',
  ],
  [
    'statistics?ops=mean&group_by=3',
    'bad_request: group_by cannot be read: 3 stands there, and a key is {"column": 3}, with column, self, dataset or field, and with bins or every where they are wanted, or {"rows": 1000}.',
  ],
  [
    'statistics?ops=mean&group_by={"column":0,"bin":[1,2]}',
    'bad_request: group_by cannot be read: "bin" is no member of a key; a key has one of column, self, dataset or field, and perhaps bins or every. Did you mean bins?',
  ],
];

const needs = (member: string): string => `It needs ${member}.`;

const ROWS: readonly Row[] = [
  ...QUERIES.map(([query, wanted]): Row => [
    `GET /v1/datasets/v${query.startsWith('?') ? '' : '/'}${query}`,
    undefined,
    wanted,
  ]),
  [
    'GET /v1/jobs?limit=ten',
    undefined,
    'bad_request: Query parameter limit is "ten"; it takes an integer from 1 to 1000.',
  ],
  // Bodies by their media type: what the call takes differs.
  [
    'POST /v1/datasets',
    new URLSearchParams('{"name":"x"}'),
    `unsupported_media_type: The body comes as Content-Type ${FORM}; this call takes ${JSON_TYPES}. Send the header content-type: application/json (curl -H 'content-type: application/json').`,
  ],
  [
    'POST /v1/datasets',
    Buffer.from('{"name":"x"}'),
    `unsupported_media_type: The body comes without a Content-Type; this call takes ${JSON_TYPES}. Send the header content-type: application/json (curl -H 'content-type: application/json').`,
  ],
  [
    'PUT /v1/datasets/new',
    new URLSearchParams('1'),
    `unsupported_media_type: The body comes as Content-Type ${FORM}; this call takes application/x-npy, text/csv, application/x-ndjson, application/vnd.apache.arrow.stream, application/x-npz or application/octet-stream. Send the header content-type: application/x-npy (curl -H 'content-type: application/x-npy').`,
  ],
  [
    'POST /v1/datasets/v/writes',
    new URLSearchParams('1'),
    `unsupported_media_type: The body comes as Content-Type ${FORM}; this call takes application/json or multipart/form-data. Send the header content-type: application/json (curl -H 'content-type: application/json').`,
  ],
  [
    'POST /v1/datasets/v/flush',
    new URLSearchParams('1'),
    `unsupported_media_type: The body comes as Content-Type ${FORM}; this call takes no body. Leave it out.`,
  ],
  // Bodies by their schema.
  ['POST /v1/datasets', {}, `bad_request: The body lacks "name", which takes text. ${needs('"name"')}`],
  ['POST /v1/datasets', { name: 5 }, 'bad_request: Member name of the body is 5; it takes text.'],
  ['POST /v1/datasets', [], 'bad_request: The body is []; it takes an object.'],
  [
    'POST /v1/datasets',
    { name: 'x', shap: [2] },
    'bad_request: There is no member shap of the body; there are name, dtype, shape, order, mode, path, paths, axis, offset, strides, format, member, fill, sparse, overwrite, external, attrs and dims. Did you mean shape?',
  ],
  [
    'POST /v1/datasets',
    { name: 'x', shape: [1, 'y'.repeat(100)] },
    `bad_request: Member shape[1] of the body is "${'y'.repeat(60)}"…; it takes an integer, or null.`,
  ],
  [
    'POST /v1/datasets',
    { name: 'x', shape: Array.from({ length: 65 }, () => 1) },
    'bad_request: Member shape of the body has 65 members; it takes a list of at most 64 integers.',
  ],
  [
    'POST /v1/datasets',
    { name: 'x', mode: 'c' },
    'bad_request: Mode c lies over a file that is there: give its path. Nothing is written to the file.',
  ],
  [
    'POST /v1/datasets',
    { name: 'x', dtype: 'f4', shape: [2], fill: [1] },
    'bad_json: The value is [1]; it takes one number, string or boolean.',
  ],
  ['PATCH /v1/datasets/v', { mode: 'w+' }, 'bad_request: Member mode of the body is "w+"; it takes "r", "r+" or "c".'],
  [
    'PATCH /v1/datasets/v',
    { dim: ['a'] },
    'bad_request: There is no member dim of the body; there are attrs, dims, mode, external, path and paths. Did you mean dims?',
  ],
  [
    'PATCH /v1/datasets/v',
    { dims: [5] },
    'bad_request: Member dims[0] of the body is 5; it takes text of at most 128 characters.',
  ],
  [
    'POST /v1/datasets/v/statistics',
    {},
    `bad_request: The body lacks "ops", which takes a list of members, not empty. ${needs('"ops"')}`,
  ],
  [
    'POST /v1/datasets/v/statistics',
    { ops: ['mean'], axis: 'day' },
    'bad_axis: axis is "day", and none has that name. No axis of the selection has a name; axes are integers in ASCII digits, with commas between them: axis=0, axis=-1 or axis=0,1. Names come from dims of the dataset.',
  ],
  [
    'POST /v1/datasets/v/statistics',
    { ops: ['mean', 'median'], nan: 'omitt' },
    'bad_request: Member nan of the body is "omitt"; it takes "propagate", "omit" or "raise". Did you mean omit?',
  ],
  [
    'POST /v1/datasets/v/statistics',
    { ops: [{ quantile: { q: 0.1, method: 'lineer' } }] },
    'bad_operation: method is "lineer"; it takes inverted_cdf, averaged_inverted_cdf, closest_observation, interpolated_inverted_cdf, hazen, weibull, linear, median_unbiased, normal_unbiased, lower, higher, midpoint or nearest. Did you mean linear?',
  ],
  [
    'POST /v1/datasets/v/statistics',
    { ops: [{ histogram: { bin: 1 } }] },
    'bad_operation: histogram has no "bin"; it takes bins and range, or edges: {"histogram": {"bins": 100, "range": [0, 1]}} or {"histogram": {"edges": [0, 1, 10]}}. Did you mean bins?',
  ],
  [
    'POST /v1/datasets/v/statistics',
    { ops: [{ mean: {}, sum: {} }] },
    'bad_operation: {"mean":{},"sum":{}} names 2 operations in one; write one object for each of mean and sum.',
  ],
  [
    'POST /v1/statistics',
    { queries: [{ dataset: 'v', ops: ['mean'] }, { ops: ['mean'] }] },
    `bad_request: Member queries[1] of the body lacks "dataset", which takes text. ${needs('"dataset" and "ops"')}`,
  ],
  [
    'POST /v1/statistics',
    { queries: [] },
    'bad_request: Member queries of the body has 0 members; it takes a list of 1 to 1000 members.',
  ],
  [
    'POST /v1/jobs',
    { dataset: 'v', ops: ['mean'], slices: '0' },
    'bad_request: There is no member slices of the body; there are dataset, ops, slice, field, axis, keepdims, ddof, bias, nan, as, where, group_by and expected_shape. Did you mean slice?',
  ],
  [
    'POST /v1/datasets/v/writes',
    { write: [] },
    'bad_json: The JSON cannot be read: at byte 1, the member "write" is not known here; there is writes.',
  ],
];

function sent(body: unknown): { body?: string | Buffer | URLSearchParams; headers?: Record<string, string> } {
  if (body === undefined) return {};
  if (body instanceof URLSearchParams || Buffer.isBuffer(body)) return { body };
  return { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

t.test('an error says where the fault is, what was given, and what is taken', async t => {
  const service = await startHere(t);
  await service.fetch('/v1/datasets', { method: 'POST', ...sent({ name: 'v', dtype: 'f8', shape: [4, 3] }) });
  for (const [call, body, wanted] of ROWS) {
    const [method = '', where = ''] = call.split(/ (.*)/);
    // oxlint-disable-next-line no-await-in-loop
    const response = await service.fetch(where, { method, ...sent(body) });
    // oxlint-disable-next-line no-await-in-loop
    const { code, detail, title } = (await response.json()) as { code: ErrorCode; detail: string; title: string };
    t.equal(`${code}: ${detail}`, wanted, `${call} ${JSON.stringify(body) ?? ''}`.slice(0, 120));
    t.equal(title, ERRORS[code].title);
  }
});

t.test('a limit of elements lets exactly so many pass, whatever their shape', async t => {
  const max = LIMITS.jsonElementsMax;
  const service = await startHere(t);
  const make = async (name: string, shape: readonly number[]): Promise<void> => {
    const body = sent({ name, dtype: 'u1', shape, sparse: true });
    t.equal((await service.fetch('/v1/datasets', { method: 'POST', ...body })).status, 201, name);
  };
  const detailOf = async (name: string): Promise<string> => {
    const response = await service.fetch(`/v1/datasets/${name}/data`);
    const { detail = response.status } = (await response.json()) as { detail?: string };
    return String(detail);
  };
  const side = Math.sqrt(max);
  const ones = (count: number): number[] => Array.from({ length: count }, () => 1);
  const shapes: readonly (readonly [fits: readonly number[], over: readonly number[], asked: number, what?: string])[] =
    [
      [[max], [max + 1], max + 1],
      [[side, side], [side, side + 1], max + side],
      [[max, 1], [max + 1, 1], max + 1],
      [[...ones(63), max], [...ones(63), max + 1], max + 1],
      [[max, 0], [max + 1, 0], max + 1, 'empty lists'],
      [[0, max + 1], [side, side + 1, 0, 5], max + side, 'empty lists'],
    ];
  for (const [i, [fits, over, asked, what = 'elements']] of shapes.entries()) {
    /* oxlint-disable no-await-in-loop */
    await make(`fits${i}`, fits);
    await make(`over${i}`, over);
    t.equal(await detailOf(`fits${i}`), '200', `(${fits.join()})`);
    const wanted = `The answer would have ${asked} ${what} of JSON; at most ${max} are sent. Ask for a smaller slice, or for format=raw or npy.`;
    t.equal(await detailOf(`over${i}`), wanted, `(${over.join()})`);
    /* oxlint-enable no-await-in-loop */
  }
  await make('deep', [max, ...ones(8)]);
  t.match(await detailOf('deep'), /in \d+ lists of JSON; at most 1048640 lists are sent\. Take an index where/);
});

t.test('statistics have as many values as the limit says, and one more is refused', async t => {
  const service = await startHere(t, { env: { HYPERSLAB_JSON_ELEMENTS_MAX: '6' } });
  const body = sent({ name: 'v', dtype: 'f8', shape: [2, 7] });
  await service.fetch('/v1/datasets', { method: 'POST', ...body });
  const statusOf = async (query: string): Promise<number> =>
    (await service.fetch(`/v1/datasets/v/statistics?${query}`)).status;
  t.equal(await statusOf('ops=mean&axis=0&slice=:,:6'), 200);
  t.equal(await statusOf('ops=mean,max&axis=0&slice=:,:3'), 200);
  t.equal(await statusOf('ops=mean&axis=0'), 413);
  t.equal(await statusOf('ops=mean,max&axis=0&slice=:,:4'), 413);
});
