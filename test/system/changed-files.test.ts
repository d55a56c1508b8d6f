/** Array files that other programs truncate, replace and delete while they are served. */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { constantOf } from '../helpers/bytes.js';
import { start } from '../helpers/server.js';
import { create, describe, get, json, MiB, outcome, readRaw, rest, sparseFile } from './calls.js';

const server = await start(t);

/** Goes on being served, whatever happens to the files of others. */
await create(server, { name: 'whole', dtype: '|u1', shape: [MiB], fill: 9 });

t.test('a file that is truncated is refused until it is restored', async t => {
  const file = path.join(server.dataDir, 'shrinking.raw');
  fs.writeFileSync(file, Buffer.alloc(4 * MiB, 5));
  await create(server, { name: 'shrinking', path: 'shrinking.raw' });
  t.equal(constantOf(await readRaw(server, 'shrinking')), 5);
  fs.truncateSync(file, 2 * MiB);
  for (const call of ['data', 'data?format=raw&slice=::3', 'data?slice=0', 'rows/0', 'statistics?ops=sum']) {
    t.equal(await outcome(server.fetch(`/v1/datasets/shrinking/${call}`)), expectedFor(call), call);
  }
  t.equal((await describe(server, 'shrinking')).state, 'truncated');
  t.equal(constantOf(await readRaw(server, 'whole')), 9, 'others are served');
  fs.writeFileSync(file, Buffer.alloc(4 * MiB, 6));
  t.equal(constantOf(await readRaw(server, 'shrinking')), 6, 'served again');
  t.equal((await describe(server, 'shrinking')).state, 'ready');

  // JSON of four million elements is refused for its size before the file is looked at.
  function expectedFor(call: string): string {
    return call === 'data' ? '413 too_large' : '409 file_changed truncated';
  }
});

t.test('a file that is truncated while it is being read ends the answer, not the process', async t => {
  for (const call of ['data?format=raw', 'data?format=raw&slice=::-1', 'statistics?ops=sum&slice=::-1']) {
    const server = await start(t);
    for (let round = 0; round < 4 && server.child.signalCode === null; round++) {
      const file = path.join(server.dataDir, `vanishing-${round}.raw`);
      sparseFile(file, 64 * MiB, []);
      await create(server, { name: `vanishing-${round}`, path: path.basename(file) });
      const answering = get(`${server.url}/v1/datasets/vanishing-${round}/${call}`).then(rest, () => undefined);
      await sleep(10 + 5 * round);
      fs.truncateSync(file, 4096);
      const answer = await answering;
      t.notOk(answer && answer.whole && answer.bytes.byteLength >= 64 * MiB, 'nothing is made up');
      await sleep(50);
    }
    t.equal(server.child.signalCode, null, `the process lives through ${call}`);
  }
});

t.test('a file that another takes the place of is refused once, then its content is served', async t => {
  const file = path.join(server.dataDir, 'replaced.raw');
  fs.writeFileSync(file, Buffer.alloc(1000, 1));
  const { generation } = await create(server, { name: 'replaced', path: 'replaced.raw' });
  t.equal(constantOf(await readRaw(server, 'replaced')), 1);
  fs.writeFileSync(`${file}.new`, Buffer.alloc(1000, 2));
  fs.renameSync(`${file}.new`, file);
  t.equal(await outcome(server.fetch('/v1/datasets/replaced/data')), '409 file_changed replaced');
  const response = await server.fetch('/v1/datasets/replaced/data?format=raw');
  t.equal(response.status, 200);
  t.equal(constantOf(new Uint8Array(await response.arrayBuffer())), 2);
  const now = Number(response.headers.get('x-dataset-generation'));
  t.ok(now > generation, `generation ${now} is above ${generation}`);
  t.equal((await describe(server, 'replaced')).generation, now);
  t.equal(
    await outcome(server.fetch('/v1/datasets/replaced/data', { headers: { 'if-match': '"x.1"' } })),
    '412 generation_moved',
  );
});

t.test('a file that is deleted is refused, and served again when it is put back', async t => {
  const file = path.join(server.dataDir, 'deleted.raw');
  fs.writeFileSync(file, Buffer.alloc(1000, 3));
  const { generation } = await create(server, { name: 'deleted', path: 'deleted.raw' });
  t.equal(constantOf(await readRaw(server, 'deleted')), 3);
  fs.rmSync(file);
  for (let i = 0; i < 3; i++) {
    t.match(await outcome(server.fetch('/v1/datasets/deleted/data')), /^409 file_changed/);
    t.match(await outcome(server.fetch('/v1/datasets/deleted/statistics?ops=sum')), /^409 file_changed/);
  }
  t.equal((await describe(server, 'deleted')).state, 'missing');
  t.equal(constantOf(await readRaw(server, 'whole')), 9, 'others are served');
  fs.writeFileSync(file, Buffer.alloc(1000, 4));
  await outcome(server.fetch('/v1/datasets/deleted/data'));
  t.equal(constantOf(await readRaw(server, 'deleted')), 4);
  // The file system may give the new file the inode of the old one; only then nothing shows that it is another.
  t.ok((await describe(server, 'deleted')).generation >= generation);
});

t.test('a writable file that was replaced cannot get a second writer', async t => {
  const file = path.join(server.dataDir, 'contested.raw');
  fs.writeFileSync(file, Buffer.alloc(1000, 1));
  await create(server, { name: 'contested', path: 'contested.raw', mode: 'r+' });
  await readRaw(server, 'contested');
  fs.writeFileSync(`${file}.new`, Buffer.alloc(1000, 2));
  fs.renameSync(`${file}.new`, file);
  await outcome(server.fetch('/v1/datasets/contested/data'));
  t.equal(constantOf(await readRaw(server, 'contested')), 2);
  const second = server.fetch('/v1/datasets', json('POST', { name: 'second', path: 'contested.raw', mode: 'r+' }));
  t.equal(await outcome(second), '409 file_in_use');
});
