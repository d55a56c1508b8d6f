/** What a client asks for and gets: media types with their weights, and the byte order of binary answers. */
import t from 'tap';
import { startHere } from '../helpers/service-here.js';

t.test('Accept weighs media types, and parameters and npy follow endian', async t => {
  const server = await startHere(t);
  const body = JSON.stringify({ name: 'x', dtype: '<u2', shape: [2], fill: 258 });
  const headers = { 'content-type': 'application/json' };
  t.equal((await server.fetch('/v1/datasets', { method: 'POST', headers, body })).status, 201);
  for (const [accept, wanted] of [
    ['application/json; q=0.1, application/x-npy; q=0.9', 'application/x-npy'],
    ['application/json;q=0.1,application/x-npy;q=0.9', 'application/x-npy'],
    ['application/json ; q=0, application/octet-stream', 'application/octet-stream'],
    ['application/json; q=0, */*; q=0.5', /octet-stream|x-npy/],
    ['Application/X-NPY; version="1,0"; Q=1, application/json; charset=utf-8; q=0.5', 'application/x-npy'],
    ['application/json; charset=utf-8', /json/],
  ] as const) {
    const answer = await server.fetch('/v1/datasets/x/data', { headers: { accept } });
    t.equal(answer.status, 200, accept);
    t.match(answer.headers.get('content-type'), wanted, accept);
  }
  for (const [query, dtype, bytes] of [
    ['format=npy&endian=little', '<u2', [2, 1, 2, 1]],
    ['format=npy&endian=big', '>u2', [1, 2, 1, 2]],
    ['format=raw&endian=big', '>u2', [1, 2, 1, 2]],
  ] as const) {
    const answer = await server.fetch(`/v1/datasets/x/data?${query}`);
    const got = Buffer.from(await answer.arrayBuffer());
    t.equal(answer.headers.get('x-array-dtype'), dtype, query);
    if (query.includes('npy')) t.ok(got.includes(`'descr': '${dtype}'`), query);
    t.strictSame([...got.subarray(-4)], bytes, query);
  }
  const problem = (await (await server.fetch('/v1/datasets/x/rows?step=0')).json()) as { detail: string };
  t.notMatch(problem.detail, /undefined/);
});

t.test('media types and codings of a body count without case', async t => {
  const server = await startHere(t);
  const headers = { 'content-type': 'Application/JSON; Charset=UTF-8', 'content-encoding': 'Identity' };
  const body = JSON.stringify({ name: 'x', dtype: '<u2', shape: [2] });
  t.equal((await server.fetch('/v1/datasets', { method: 'POST', headers, body })).status, 201);
  for (const [type, bytes] of [
    ['APPLICATION/JSON', '[1, 2]'],
    ['Application/Octet-Stream', 'abcd'],
  ] as const) {
    const write = { method: 'PUT', headers: { ...headers, 'content-type': type }, body: bytes };
    t.equal((await server.fetch('/v1/datasets/x/data', write)).status, 200, type);
  }
});
