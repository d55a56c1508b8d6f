/** Streams of Arrow as bodies: what libraries write, and what we send, is numpy's array again; what is broken is refused. */
import fs from 'node:fs';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { runPythonBeside, withoutModule } from '../helpers/python.js';
import { temporaryFolder } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { binary, json } from '../system/calls.js';

const ARROW = 'application/vnd.apache.arrow.stream';

t.test('what others write, and what is sent, is taken back equal', { skip: withoutModule('pyarrow') }, async t => {
  const root = temporaryFolder();
  t.teardown(() => fs.rmSync(root, { recursive: true }));
  const server = await startHere(t, { env: { HYPERSLAB_ROOTS: root } });
  const args = [server.url, root, '1', String(caseCount(30, 1000)), String(caseCount(150, 5000))];
  t.equal(await runPythonBeside('tables/arrow_in.py', args), '');
});

t.test('a stream that we sent is a new array with its attrs and dims, or is written into one', async t => {
  const server = await startHere(t);
  const made = {
    name: 'a',
    dtype: '<f4',
    shape: [2, 3],
    dims: ['y', 'x'],
    attrs: { unit: 'm', columns: ['p', 'q', 'r'] },
  };
  await server.fetch('/v1/datasets', json('POST', made));
  await server.fetch(
    '/v1/datasets/a/data',
    json('PUT', [
      [1, 2, 3],
      [4, 5, 'NaN'],
    ]),
  );
  const body = Buffer.from(await (await server.fetch('/v1/datasets/a/data.arrow')).arrayBuffer());
  const imported = await server.fetch('/v1/datasets/b', binary('PUT', body, ARROW));
  t.equal(imported.status, 201);
  t.match(await imported.json(), { dtype: '<f4', shape: [2, 3], dims: ['y', 'x'], attrs: made.attrs });
  const numbers = async (name: string): Promise<unknown> =>
    ((await (await server.fetch(`/v1/datasets/${name}/data`)).json()) as { data: unknown }).data;
  t.strictSame(await numbers('b'), [
    [1, 2, 3],
    [4, 5, 'NaN'],
  ]);
  const wide = await server.fetch('/v1/datasets/c?dtype=%3Ef8', binary('PUT', body, ARROW));
  t.match(await wide.json(), { dtype: '>f8', shape: [2, 3] });
  t.strictSame(await numbers('c'), [
    [1, 2, 3],
    [4, 5, 'NaN'],
  ]);
  await server.fetch('/v1/datasets', json('POST', { name: 'd', dtype: '<f8', shape: [4, 3] }));
  const written = await server.fetch(
    '/v1/datasets/d/data.arrow?slice=1:3',
    binary('PUT', body, 'application/octet-stream'),
  );
  t.equal(written.status, 200);
  t.strictSame(await numbers('d'), [
    [0, 0, 0],
    [1, 2, 3],
    [4, 5, 'NaN'],
    [0, 0, 0],
  ]);
  await server.fetch('/v1/datasets', json('POST', { name: 'e', dtype: '<i4', shape: [2, 3] }));
  const refused = await server.fetch('/v1/datasets/e/data.arrow', binary('PUT', body, ARROW));
  t.equal(refused.status, 422);
  await server.fetch(
    '/v1/datasets',
    json('POST', { name: 'f', dtype: '<f4', shape: [2, 3], attrs: { columns: ['q', 'p', 'r'] } }),
  );
  t.match(await (await server.fetch('/v1/datasets/f/data.arrow', binary('PUT', body, ARROW))).json(), {
    code: 'unknown_field',
  });
});

t.test('what is no stream is refused, wherever it ends', async t => {
  const server = await startHere(t);
  await server.fetch('/v1/datasets', json('POST', { name: 'a', dtype: '<f4', shape: [2, 3] }));
  const body = Buffer.from(await (await server.fetch('/v1/datasets/a/data.arrow')).arrayBuffer());
  const statusOf = async (bytes: Buffer): Promise<number> =>
    (await server.fetch('/v1/datasets/b?overwrite=true', binary('PUT', bytes, ARROW))).status;
  for (const text of ['', 'ARROW1', 'a,b\n1,2\n', '\x93NUMPY'])
    t.equal(await statusOf(Buffer.from(text, 'latin1')), 400, text);
  for (let end = 0; end < body.byteLength - 8; end += 7) {
    // A stream may end behind any of its messages.
    t.ok([200, 201, 400].includes(await statusOf(body.subarray(0, end))), `cut at ${end}`);
  }
  t.ok([200, 201].includes(await statusOf(body)));
});
