/** Several files as one array: what numpy's concatenate has, and what becomes of a part that is replaced or missing. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { header, npy } from '../helpers/npy.js';
import { NO_NUMPY, PYTHON, runPythonBeside } from '../helpers/python.js';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { create, describe, json, outcome } from '../system/calls.js';

const ARRAYS = caseCount(12, 400);

let root: string;
let server: TestServer;

t.before(async () => {
  root = temporaryFolder();
  server = await startServer({ env: { HYPERSLAB_ROOTS: root }, descriptorsMax: 256 });
});
t.teardown(async () => {
  await server.stop();
  fs.rmSync(server.dataDir, { recursive: true, force: true });
  fs.rmSync(root, { recursive: true, force: true });
});

/** A part of so many rows of `<i4` [2], each of which counts on from `first`. */
function part(name: string, rows: number, first: number): void {
  const data = Buffer.from(Int32Array.from({ length: 2 * rows }, (_, i) => first + i).buffer);
  fs.writeFileSync(path.join(root, name), npy(header('<i4', `(${rows}, 2)`), data));
}

const at = (name: string, slice: string): Promise<Response> => server.fetch(`/v1/datasets/${name}/data?slice=${slice}`);

t.test('random files read, compute and write what numpy does', { skip: PYTHON === undefined && NO_NUMPY }, async t => {
  const told = await runPythonBeside('http/parts_numpy.py', [server.url, root, '1', String(ARRAYS)]);
  t.equal(told.trim(), `${ARRAYS} arrays`);
});

t.test('one hundred days; one is replaced, one is missing', async t => {
  fs.mkdirSync(path.join(root, 'days'));
  for (let day = 0; day < 100; day++) part(`days/d${day}.npy`, 3, 6 * day);
  const told = await create(server, { name: 'year', path: 'days/d*.npy' });
  t.match(told, {
    shape: [300, 2],
    parts: 100,
    order: null,
    strides: null,
    offset: null,
    mode: 'r',
    path: 'days/d*.npy',
  });
  const list = await server.fetch('/v1/datasets?prefix=year');
  t.match(await list.json(), { datasets: [{ name: 'year', parts: 100 }] }, 'a list says so, too');
  const sum = await server.fetch('/v1/datasets/year/statistics?ops=sum');
  t.match(await sum.json(), { results: { sum: (599 * 600) / 2 } });
  part('days/new.npy', 3, 1000);
  fs.renameSync(path.join(root, 'days/new.npy'), path.join(root, 'days/d7.npy'));
  t.match(await (await at('year', '21')).json(), { data: [1000, 1001] });
  t.ok((await describe(server, 'year')).generation > told.generation, 'the generation moves with a part');
  fs.rmSync(path.join(root, 'days/d8.npy'));
  const missing = await at('year', '20:25');
  t.match([missing.status, await missing.json()], [409, { code: 'file_changed', part: 'days/d8.npy' }]);
  t.equal(await outcome(at('year', '0:24')), '200', 'calls that do not touch it go on');
  t.equal(await outcome(server.fetch('/v1/datasets/year', json('PATCH', { path: 'days/d*.npy' }))), '200');
  t.match(await describe(server, 'year'), { id: told.id, shape: [297, 2], state: 'ready' });
  t.match(await (await at('year', '24')).json(), { data: [54, 55] });
  t.equal(await outcome(server.fetch('/v1/datasets/year?data=delete', { method: 'DELETE' })), '403 not_owned');
});

t.test('what does not fit is refused by its name', async t => {
  part('a.npy', 2, 0);
  fs.writeFileSync(path.join(root, 'b.npy'), npy(header('>i4', '(2, 2)'), Buffer.alloc(16)));
  const post = (body: object): Promise<Response> => server.fetch('/v1/datasets', json('POST', { name: 'x', ...body }));
  const differs = await post({ paths: ['a.npy', 'b.npy'] });
  t.match([differs.status, await differs.json()], [422, { code: 'part_differs', part: 'b.npy' }]);
  const absent = await post({ paths: ['a.npy', 'c.npy'] });
  t.match([absent.status, await absent.json()], [404, { code: 'file_not_found', part: 'c.npy' }]);
  t.equal(await outcome(post({ paths: ['a.npy', 'a.npy'], mode: 'r+' })), '409 file_in_use');
  t.equal(await outcome(post({ paths: ['a.npy'], axis: 1 })), '422 bad_axis');
  t.equal(await outcome(post({ path: 'none*.npy' })), '404 file_not_found');
  t.equal(await outcome(post({ paths: ['a.npy', 'a.npy'] })), '201');
  t.equal(await outcome(post({ name: 'y', paths: ['a.npy'], mode: 'r+' })), '201');
  t.equal(await outcome(post({ name: 'z', path: 'a.npy', mode: 'r+' })), '409 file_in_use');
});

t.test('digits in names count by their value', async t => {
  for (const [i, name] of ['t0.5', 't0.25', 't0.125'].entries()) {
    fs.writeFileSync(path.join(root, name), Uint8Array.of(i));
  }
  await create(server, { name: 'times', path: 't0.*', dtype: '|u1' });
  t.match(await (await at('times', ':')).json(), { data: [0, 1, 2] });
});
