/** Tables as CSV and NDJSON through the door: what Python reads is what numpy has, for every dtype; and what is no table. */
import fs from 'node:fs';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { NO_NUMPY, PYTHON, runPythonBeside } from '../helpers/python.js';
import { temporaryFolder } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { json } from '../system/calls.js';

t.test('every cell is what numpy has', { skip: PYTHON === undefined && NO_NUMPY }, async t => {
  const root = temporaryFolder();
  t.teardown(() => fs.rmSync(root, { recursive: true }));
  const server = await startHere(t, { env: { HYPERSLAB_ROOTS: root } });
  const args = [server.url, root, '1', String(caseCount(25, 1500))];
  t.equal(await runPythonBeside('tables/csv_ndjson.py', args), '');
});

t.test('cells, quotes and lone empty fields, to the byte', async t => {
  const server = await startHere(t);
  const rows: readonly (readonly [object, unknown, string, string])[] = [
    [{ dtype: '<f4', shape: [2, 2] }, [[0.1, 'NaN'], ['-Infinity', -1]], 'c0,c1\n0.1,NaN\n-inf,-1.0\n', '{"c0":0.1,"c1":null}\n{"c0":null,"c1":-1.0}\n'],
    [{ dtype: '<M8[D]', shape: [2] }, ['NaT', '2024-02-29'], 'c0\n""\n2024-02-29\n', '{"c0":null}\n{"c0":"2024-02-29"}\n'],
    [{ dtype: '<U3', shape: [3] }, ['', 'a,b', 'é"\n'], 'c0\n""\n"a,b"\n"é""\n"\n', '{"c0":""}\n{"c0":"a,b"}\n{"c0":"é\\"\\n"}\n'],
    [{ dtype: '<i8', shape: [] }, '9007199254740993', 'c0\n9007199254740993\n', '{"c0":9007199254740993}\n'],
    [{ dtype: '<c8', shape: [2] }, [[1, -2], ['NaN', 'Infinity']], 'c0\n1.0-2.0j\nNaN+infj\n', '{"c0":[1.0,-2.0]}\n{"c0":[null,null]}\n'],
    [{ dtype: '<f8', shape: [0, 2] }, [], 'c0,c1\n', ''],
    [{ dtype: [['a', '|b1'], ['p', '<u2', [2]], ['t', [['x', '|S2']]]], shape: [1] }, [{ a: true, p: [1, 2], t: { x: 'q"' } }],
      'a,p.0,p.1,t.x\ntrue,1,2,"q"""\n', '{"a":true,"p":[1,2],"t":{"x":"q\\""}}\n'],
  ]; // prettier-ignore
  for (const [i, [array, data, csv, ndjson]] of rows.entries()) {
    const name = `a${i}`;
    t.equal((await server.fetch('/v1/datasets', json('POST', { name, ...array }))).status, 201);
    const sent = typeof data === 'string' ? data : JSON.stringify(data);
    if (i !== 5) {
      const init = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: sent };
      t.equal((await server.fetch(`/v1/datasets/${name}/data`, init)).status, 200, name);
    }
    t.equal(await (await server.fetch(`/v1/datasets/${name}/data.csv`)).text(), csv, name);
    t.equal(await (await server.fetch(`/v1/datasets/${name}/data?format=ndjson`)).text(), ndjson, name);
  }
});

t.test('names of columns follow the slice and the field', async t => {
  const server = await startHere(t);
  const attrs = { columns: ['day', 'wind', 'rain'] };
  await server.fetch('/v1/datasets', json('POST', { name: 'a', dtype: '<i2', shape: [2, 3], fill: 7, attrs }));
  const head = async (query: string): Promise<string> =>
    (await (await server.fetch(`/v1/datasets/a/data.csv?${query}`)).text()).split('\n', 1)[0]!;
  t.equal(await head(''), 'day,wind,rain');
  t.equal(await head('slice=:,::-2'), 'rain,day');
  t.equal(await head('slice=:,1'), 'wind');
  t.equal(await head('slice=0,1'), 'wind');
  t.equal(await head('slice=0'), 'c0', 'a row is one column of three');
  t.equal(await head('field=rain'), 'rain');
  t.equal(await head('field=rain,day'), 'rain,day');
  t.equal(await head('field=rain,day&slice=:,1'), 'day');
  t.equal(await head('coarsen=2,1'), 'c0,c1,c2', 'blocks are not the columns');
  t.equal(await head('slice=:,1,newaxis'), 'wind');
  const chosen = async (body: object, query = ''): Promise<string> =>
    (await (await server.fetch(`/v1/datasets/a/select?format=csv${query}`, json('POST', body))).text()).split(
      '\n',
      1,
    )[0]!;
  t.equal(await chosen({ index: [[1, 0, 1]] }), 'day,wind,rain');
  t.equal(await chosen({ index: [':', [2, 0]] }), 'rain,day');
  t.equal(await chosen({ index: [':', [2, 0, 2]] }), 'c0,c1,c2', 'names are not given twice');
  t.equal(
    await chosen({
      index: [
        [1, 0],
        [2, 1],
      ],
      mode: 'orthogonal',
    }),
    'rain,wind',
  );
  t.equal(
    await chosen({
      index: [
        [[1], [0]],
        [
          [2, 1],
          [1, 2],
        ],
      ],
    }),
    'c0,c1',
    'a column of two columns',
  );
  t.equal(
    await chosen({
      index: [
        [1, 0],
        [2, 1],
      ],
    }),
    'c0',
    'elements are rows',
  );
  t.equal(await chosen({ index: [[1, 0], 2] }), 'rain');
  t.equal(await chosen({ points: [[1, 2]] }), 'c0');
  t.equal(await chosen({ where: { column: 1, ge: 0 }, slice: ':,1:' }), 'wind,rain');
  t.equal(await chosen({ mask: [true, false] }), 'day,wind,rain');
  t.equal(
    await chosen(
      {
        index: [
          [1, 0, 0],
          [1, 0],
        ],
        mode: 'orthogonal',
      },
      '&field=rain,day',
    ),
    'day,rain',
  );
  const tag = async (): Promise<string | null> => (await server.fetch('/v1/datasets/a/data.csv')).headers.get('etag');
  const before = await tag();
  const patch = { ...json('PATCH', { attrs: { columns: ['x', 'y', 'z'] } }) };
  patch.headers = { 'content-type': 'application/merge-patch+json' };
  t.equal((await server.fetch('/v1/datasets/a', patch)).status, 200);
  t.equal(await head(''), 'x,y,z');
  t.not(await tag(), before, 'the tag moves with the names');
});

t.test('what is no table is refused where it is named, and passed over where Accept asks', async t => {
  const server = await startHere(t);
  await server.fetch('/v1/datasets', json('POST', { name: 'cube', dtype: '<f4', shape: [2, 2, 2] }));
  for (const path of ['data.csv', 'data?format=ndjson', 'data.ndjson', 'data.csv?coarsen=1,2,2']) {
    const answer = await server.fetch(`/v1/datasets/cube/${path}`);
    t.equal(answer.status, 422, path);
    t.match(await answer.json(), { code: 'not_tabular', dtype: '<f4' }, path);
  }
  t.equal((await server.fetch('/v1/datasets/cube/data.csv?slice=0')).status, 200);
  const typeOf = async (accept: string, query = ''): Promise<string> => {
    const answer = await server.fetch(`/v1/datasets/cube/data${query}`, { headers: { accept } });
    return answer.status === 200 ? answer.headers.get('content-type')! : String(answer.status);
  };
  t.match(await typeOf('text/csv, application/x-npy;q=0.5'), 'application/x-npy');
  t.equal(await typeOf('text/csv'), '406');
  t.equal(await typeOf('text/csv, */*;q=0.1', '?slice=0'), 'text/csv; charset=utf-8; header=present');
  t.equal(await typeOf('text/csv', '?slice=0&header=false'), 'text/csv; charset=utf-8; header=absent');
  const write = await server.fetch('/v1/datasets/cube/data', {
    method: 'PUT',
    headers: { 'content-type': 'image/png' },
    body: '1',
  });
  t.equal(write.status, 415);
});

t.test('selections by index, and rows that a filter keeps, are tables', async t => {
  const server = await startHere(t);
  await server.fetch('/v1/datasets', json('POST', { name: 'a', dtype: '<i4', shape: [3, 2] }));
  await server.fetch('/v1/datasets/a/data', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '[[1,2],[3,4],[5,6]]',
  });
  const ask = async (body: object): Promise<string> =>
    (await server.fetch('/v1/datasets/a/select?format=csv&header=false', json('POST', body))).text();
  t.equal(await ask({ index: [[2, 0]] }), '5,6\n1,2\n');
  t.equal(await ask({ where: { column: 0, gt: 2 } }), '3,4\n5,6\n');
  t.equal(await ask({ where: { column: 0, gt: 2 }, return: 'indices' }), '1\n2\n');
});
