/** What clients ask of an array while others append to it all the time: nobody is refused, and no answer is of two lengths. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { startServer, temporaryFolder } from '../helpers/server.js';
import { json } from '../system/calls.js';

const ROUNDS = caseCount(6, 200);
const ROW_BYTES = 16;

t.test('reads, writes and statistics go on beside appends', async t => {
  const files = temporaryFolder();
  const server = await startServer({ env: { HYPERSLAB_ROOTS: files } });
  t.teardown(async () => {
    await server.stop();
    for (const folder of [files, server.dataDir]) fs.rmSync(folder, { recursive: true });
  });
  fs.writeFileSync(path.join(files, 'raw.dat'), new Uint8Array(10 * ROW_BYTES));
  const shape = { dtype: '<i4', shape: [10, 4] };
  for (const body of [
    { name: 'npy', ...shape },
    { name: 'raw', path: 'raw.dat', mode: 'r+', ...shape },
  ]) {
    t.equal((await server.fetch('/v1/datasets', json('POST', body))).status, 201);
  }
  for (const name of ['npy', 'raw']) {
    const url = `/v1/datasets/${name}`;
    const rows = Buffer.from(Int32Array.from({ length: 12 }, (_, i) => i).buffer);
    const octets = (method: string): RequestInit => ({
      method,
      body: rows,
      headers: { 'content-type': 'application/octet-stream' },
    });
    const calls: Record<string, () => Promise<Response>> = {
      append: () => server.fetch(`${url}/append`, octets('POST')),
      'append too': () => server.fetch(`${url}/append`, json('POST', [1, 2, 3, 4])),
      'write of bytes': () => server.fetch(`${url}/data?slice=0:3`, octets('PUT')),
      'write of JSON': () => server.fetch(`${url}/data?slice=-1`, json('PUT', [1, 2, 3, 4])),
      'writes together': () => server.fetch(`${url}/writes`, json('POST', { writes: [{ index: [0], data: 5 }] })),
      read: () => server.fetch(`${url}/data?format=raw`),
      'read as JSON': () => server.fetch(`${url}/data?slice=-2:`),
      describe: () => server.fetch(url),
      statistics: () => server.fetch(`${url}/statistics`, json('POST', { ops: ['mean', 'count'] })),
      select: () => server.fetch(`${url}/select`, json('POST', { index: [[0, -1]] })),
      filter: () => server.fetch(`${url}/select`, json('POST', { where: { column: 0, gt: 3 }, limit: 5 })),
      'select of many': () => server.fetch('/v1/select', json('POST', { reads: [{ dataset: name, slice: '0' }] })),
      patch: () => server.fetch(url, json('PATCH', { attrs: { seen: true } })),
    };
    const refused = new Map<string, string>();
    const mixed: string[] = [];
    let others = Object.keys(calls).length - 2;
    await Promise.all(
      Object.entries(calls).map(async ([what, call]) => {
        const appends = what.startsWith('append');
        for (let round = 0; appends ? others > 0 : round < ROUNDS; round++) {
          const response = await call();
          const body = Buffer.from(await response.arrayBuffer());
          if (!response.ok) refused.set(what, body.toString());
          const told = response.headers.get('x-array-shape');
          if (what === 'read' && told && Number(told.split(',')[0]) * ROW_BYTES !== body.byteLength) mixed.push(told);
        }
        if (!appends) others--;
      }),
    );
    t.strictSame([...refused], [], `${name}: none is refused`);
    t.strictSame(mixed, [], 'the bytes of a read are those of its shape');
  }
});
