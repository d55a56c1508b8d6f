/** Files of Parquet through the door: what pyarrow, pandas, polars and DuckDB read is what numpy has. */
import fs from 'node:fs';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { runPythonBeside, withoutModule } from '../helpers/python.js';
import { temporaryFolder } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { json } from '../system/calls.js';

t.test('pyarrow and others read what numpy has', { skip: withoutModule('pyarrow') }, async t => {
  const root = temporaryFolder();
  t.teardown(() => fs.rmSync(root, { recursive: true }));
  // Some answers are held whole, and some are streamed.
  const server = await startHere(t, { env: { HYPERSLAB_ROOTS: root, HYPERSLAB_WHOLE_BYTES_MAX: '1000000' } });
  const args = [server.url, root, '1', String(caseCount(30, 1000))];
  t.equal(await runPythonBeside('tables/parquet.py', args), '');
});

t.test('the tag moves with what the footer says, parts are had, and what Parquet has not is refused', async t => {
  const server = await startHere(t);
  await server.fetch('/v1/datasets', json('POST', { name: 'a', dtype: '<f4', shape: [2, 3], dims: ['y', 'x'] }));
  const ask = (path: string, init?: RequestInit): Promise<Response> => server.fetch(`/v1/datasets/${path}`, init);
  const before = await ask('a/data.parquet');
  t.equal(before.headers.get('content-type'), 'application/vnd.apache.parquet');
  t.equal(before.headers.get('content-disposition'), 'attachment; filename="a.parquet"');
  const bytes = Buffer.from(await before.arrayBuffer());
  t.equal(before.headers.get('content-length'), String(bytes.byteLength));
  t.equal(bytes.toString('latin1', 0, 4), 'PAR1');
  t.equal(bytes.toString('latin1', bytes.byteLength - 4), 'PAR1');
  t.ok(bytes.includes('["y","x"]'));
  const head = await ask('a/data.parquet', { method: 'HEAD' });
  t.equal(head.headers.get('content-length'), String(bytes.byteLength));
  const part = await ask('a/data.parquet', { headers: { range: 'bytes=-8' } });
  t.equal(part.status, 206);
  t.strictSame(Buffer.from(await part.arrayBuffer()), bytes.subarray(-8));
  const patch = {
    ...json('PATCH', { attrs: { unit: 'm' } }),
    headers: { 'content-type': 'application/merge-patch+json' },
  };
  t.equal((await server.fetch('/v1/datasets/a', patch)).status, 200);
  t.not((await ask('a/data.parquet')).headers.get('etag'), before.headers.get('etag'));
  await server.fetch('/v1/datasets', json('POST', { name: 'years', dtype: '<M8[Y]', shape: [2] }));
  t.match(await (await ask('years/data.parquet')).json(), { code: 'not_tabular', dtype: '<M8[Y]' });
  t.equal((await ask('years/data.parquet?dtype=M8[D]')).status, 200);
  await server.fetch('/v1/datasets', json('POST', { name: 'cube', dtype: '<f4', shape: [2, 2, 2] }));
  t.match(await (await ask('cube/data?format=parquet')).json(), { code: 'not_tabular', shape: [2, 2, 2] });
  const accept = 'application/vnd.apache.parquet, application/x-npy;q=0.5';
  t.equal((await ask('cube/data', { headers: { accept } })).headers.get('content-type'), 'application/x-npy');
});

t.test('what would be more in the footer than readers can hold is refused before it is read', async t => {
  const server = await startHere(t);
  const columns = Array.from({ length: 8000 }, (_, i) => i.toString(36));
  const body = { name: 'a', dtype: '|u1', shape: [100_000, 8000], attrs: { columns } };
  t.equal((await server.fetch('/v1/datasets', json('POST', body))).status, 201);
  const answer = await server.fetch('/v1/datasets/a/data.parquet');
  t.equal(answer.status, 413);
  t.match(await answer.json(), { code: 'too_large' });
  t.equal((await server.fetch('/v1/datasets/a/data.parquet?slice=:10')).status, 200);
});
