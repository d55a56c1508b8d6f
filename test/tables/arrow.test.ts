/** Streams of Arrow through the door: what pyarrow reads is what numpy has, for every dtype that Arrow has. */
import fs from 'node:fs';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { runPythonBeside, withoutModule } from '../helpers/python.js';
import { temporaryFolder } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { json } from '../system/calls.js';

t.test('pyarrow reads what numpy has', { skip: withoutModule('pyarrow') }, async t => {
  const root = temporaryFolder();
  t.teardown(() => fs.rmSync(root, { recursive: true }));
  // Some answers are held whole, and some are streamed.
  const server = await startHere(t, { env: { HYPERSLAB_ROOTS: root, HYPERSLAB_WHOLE_BYTES_MAX: '1000000' } });
  const args = [server.url, root, '1', String(caseCount(40, 1500))];
  t.equal(await runPythonBeside('tables/arrow.py', args), '');
});

t.test('the tag moves with what the schema says, and what Arrow has not is refused', async t => {
  const server = await startHere(t);
  await server.fetch('/v1/datasets', json('POST', { name: 'a', dtype: '<f4', shape: [2, 3], dims: ['y', 'x'] }));
  const ask = (path: string): Promise<Response> => server.fetch(`/v1/datasets/${path}`);
  const before = await ask('a/data.arrow');
  const bytes = Buffer.from(await before.arrayBuffer());
  t.equal(before.headers.get('content-length'), String(bytes.byteLength));
  t.ok(bytes.includes('["y","x"]'));
  const patch = {
    ...json('PATCH', { attrs: { unit: 'm' } }),
    headers: { 'content-type': 'application/merge-patch+json' },
  };
  t.equal((await server.fetch('/v1/datasets/a', patch)).status, 200);
  const after = await ask('a/data.arrow');
  t.ok(Buffer.from(await after.arrayBuffer()).includes('{"unit":"m"}'));
  t.not(after.headers.get('etag'), before.headers.get('etag'));
  await server.fetch('/v1/datasets', json('POST', { name: 'years', dtype: '<M8[Y]', shape: [2] }));
  t.match(await (await ask('years/data.arrow')).json(), { code: 'not_tabular', dtype: '<M8[Y]' });
  t.equal((await ask('years/data.arrow?dtype=M8[D]')).status, 200);
});
