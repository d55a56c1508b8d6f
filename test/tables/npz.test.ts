/** One array as a .npz: numpy opens it, and its length is known before it is read. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { NO_NUMPY, PYTHON, runPython } from '../helpers/python.js';
import { temporaryFolder } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { json } from '../system/calls.js';

const SELECTIONS = ['', 'slice=1,::-1', 'slice=0,0', 'slice=5:', 'endian=big', 'dtype=float64', 'coarsen=2,2'];

t.test('numpy opens what is sent, of every kind of selection', { skip: PYTHON === undefined && NO_NUMPY }, async t => {
  const server = await startHere(t);
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  await server.fetch('/v1/datasets', json('POST', { name: 'a', dtype: '<i4', shape: [4, 6], order: 'F', fill: 3 }));
  await server.fetch('/v1/datasets/a/data?slice=1', json('PUT', [1, 2, 3, 4, 5, 6]));
  for (const [i, query] of SELECTIONS.entries()) {
    for (const format of ['npz', 'npy']) {
      const answer = await server.fetch(`/v1/datasets/a/data.${format}?${query}`);
      t.equal(answer.status, 200, query);
      const bytes = Buffer.from(await answer.arrayBuffer());
      t.equal(answer.headers.get('content-length'), String(bytes.byteLength));
      const head = await server.fetch(`/v1/datasets/a/data.${format}?${query}`, { method: 'HEAD' });
      t.equal(head.headers.get('content-length'), String(bytes.byteLength), `HEAD ${query}`);
      fs.writeFileSync(path.join(folder, `${i}.${format}`), bytes);
    }
  }
  t.equal(runPython('tables/npz.py', [folder]), 'same '.repeat(SELECTIONS.length));
});

t.test('a part of a .npz is that part of the whole', async t => {
  const server = await startHere(t, { env: { HYPERSLAB_WHOLE_BYTES_MAX: '3000' } });
  await server.fetch('/v1/datasets', json('POST', { name: 'a', dtype: '<f8', shape: [300], fill: 1.5 }));
  const ask = async (query: string, headers: Record<string, string> = {}): Promise<readonly [Response, Buffer]> => {
    const answer = await server.fetch(`/v1/datasets/a/data.npz${query}`, { headers });
    return [answer, Buffer.from(await answer.arrayBuffer())];
  };
  const [whole, bytes] = await ask('');
  const [part, cut] = await ask('', { range: 'bytes=100-199', 'if-range': whole.headers.get('etag')! });
  t.equal(part.status, 206);
  t.equal(part.headers.get('content-range'), `bytes 100-199/${bytes.length}`);
  t.strictSame(cut, bytes.subarray(100, 200));
  t.equal((await ask('', { range: 'bytes=0-1', 'if-range': '"other"' }))[0].status, 200);
  const [large] = await ask('?dtype=complex128', { range: 'bytes=0-1' });
  t.equal(large.status, 200, 'one that is not held whole has no ranges');
  t.equal(large.headers.get('accept-ranges'), null);
});
