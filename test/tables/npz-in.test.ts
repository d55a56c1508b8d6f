/** Archives of numpy as bodies: one member is an array, whatever zip it stands in; what is broken is refused. */
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { NO_NUMPY, PYTHON, runPythonBeside } from '../helpers/python.js';
import { startHere } from '../helpers/service-here.js';
import { npzOf } from '../helpers/tables.js';
import { binary, json } from '../system/calls.js';

const NPZ = 'application/x-npz';

t.test('what numpy and zipfile write is taken', { skip: PYTHON === undefined && NO_NUMPY }, async t => {
  const server = await startHere(t);
  const args = [server.url, '1', String(caseCount(25, 500)), String(caseCount(120, 5000))];
  t.equal(await runPythonBeside('tables/npz_in.py', args), '');
});

t.test('a member is a new array, or is written into one', async t => {
  const server = await startHere(t);
  const put = (path: string, type = NPZ): Promise<Response> =>
    server.fetch(`/v1/datasets/${path}`, binary('PUT', npzOf(7), type));
  const imported = await put('b');
  t.equal(imported.status, 201);
  t.match(await imported.json(), { dtype: '|i1', shape: [1] });
  await server.fetch('/v1/datasets', json('POST', { name: 'c', dtype: '<f8', shape: [3] }));
  t.equal((await put('c/data?slice=1')).status, 200);
  t.equal((await put('c/data.npz?slice=2:&member=a', 'application/octet-stream')).status, 200);
  t.match(await (await server.fetch('/v1/datasets/c/data')).json(), { data: [0, 7, 7] });
  t.match(await (await put('c/data.npz?member=b')).json(), { code: 'unknown_field', members: ['a'] });
  t.match(await (await put('d?dtype=f8')).json(), { code: 'bad_request' });
  t.match(await (await put('c/data?member=a', 'application/octet-stream')).json(), { code: 'bad_request' });
});
