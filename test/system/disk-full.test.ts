/** A full disk: every call says so, and leaves what was there as it was. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { constantOf, npyOf } from '../helpers/bytes.js';
import { startServer, temporaryFolder } from '../helpers/server.js';
import { binary, describe, freeBytes, json, MiB, outcome, readRaw, upload } from './calls.js';

function filesOf(folder: string): string[] {
  return fs.readdirSync(folder).sort();
}

/** A disk of 16 MiB; needs root. */
const smallDisk = temporaryFolder();
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'none', smallDisk]).status === 0;
t.teardown(() => {
  if (mounted) spawnSync('umount', [smallDisk]);
  fs.rmdirSync(smallDisk);
});

t.test('a full disk', { skip: !mounted && 'no tmpfs can be mounted here' }, async t => {
  const folder = smallDisk;
  const server = await startServer({ dataDir: folder });
  t.teardown(() => server.stop());
  const arrays = path.join(folder, 'arrays');
  const post = (request: object): Promise<string> => outcome(server.fetch('/v1/datasets', json('POST', request)));
  const bytes = (name: string, length: number): object => ({ name, dtype: '|u1', shape: [length] });
  const remove = (name: string): Promise<string> =>
    outcome(server.fetch(`/v1/datasets/${name}?data=delete`, { method: 'DELETE' }));

  await t.test('creating an array is 507 and leaves nothing', async t => {
    t.equal(await post(bytes('huge', 64 * MiB)), '507 disk_full');
    t.equal(await post({ ...bytes('huge', 64 * MiB), fill: 3 }), '507 disk_full');
    t.strictSame(filesOf(arrays), []);
    t.equal(await outcome(server.fetch('/v1/datasets/huge')), '404 unknown_dataset');
    t.equal(await outcome(server.fetch('/healthz')), '200');
  });

  await t.test('space that is freed can be used', async t => {
    t.equal(await post(bytes('first', 10 * MiB)), '201');
    t.equal(await post(bytes('second', 10 * MiB)), '507 disk_full');
    t.equal(await remove('first'), '204');
    t.equal(await post(bytes('second', 10 * MiB)), '201');
    t.equal(await remove('second'), '204');
    t.strictSame(filesOf(arrays), []);
  });

  await t.test('an import is 507 and leaves nothing, with and without a length', async t => {
    const body = npyOf('|u1', [20 * MiB], Buffer.alloc(20 * MiB, 1));
    t.equal(
      await outcome(server.fetch('/v1/datasets/import', binary('PUT', body, 'application/x-npy')).catch(gone)),
      '507 disk_full',
    );
    const chunked = upload('PUT', `${server.url}/v1/datasets/import`, { 'content-type': 'application/x-npy' });
    await chunked.send(body.subarray(0, 1000));
    t.equal((await chunked.finish()).status, 507, 'found out from the header');
    t.strictSame(filesOf(arrays), []);
    t.equal(await outcome(server.fetch('/healthz')), '200');
  });

  await t.test('a write into a hole is 507, and the array stays readable and writable', async t => {
    t.equal(await post({ ...bytes('sparse', 40 * MiB), sparse: true }), '201');
    const { generation } = await describe(server, 'sparse');
    const body = Buffer.alloc(20 * MiB, 8);
    t.equal(
      await outcome(server.fetch('/v1/datasets/sparse/data?slice=:20971520', binary('PUT', body)).catch(gone)),
      '507 disk_full',
    );
    t.ok((await describe(server, 'sparse')).generation >= generation);
    t.equal(await outcome(server.fetch('/v1/datasets/sparse/data?format=raw&slice=0:100')), '200');
    t.equal(constantOf(await readRaw(server, 'sparse', '-1000:')), 0, 'what was not written is still zero');
    t.equal(await remove('sparse'), '204');
    t.equal(await post({ ...bytes('sparse', 40 * MiB), sparse: true }), '201');
    const fits = await server.fetch('/v1/datasets/sparse/data?slice=:1000', binary('PUT', Buffer.alloc(1000, 8)));
    t.equal(await outcome(fits), '200');
    t.equal(constantOf(await readRaw(server, 'sparse', ':1000')), 8);
    t.equal(await remove('sparse'), '204');
  });

  await t.test('an array that fits, but whose manifest does not, is 507 and leaves nothing', async t => {
    const { bavail, bsize } = fs.statfsSync(folder);
    // The .npy header takes 128 bytes of the first page.
    t.equal(await post(bytes('exact', bavail * bsize - 128)), '507 disk_full');
    t.strictSame(filesOf(arrays), []);
    t.strictSame(filesOf(path.join(folder, 'catalog')), []);
    t.equal(await outcome(server.fetch('/v1/datasets/exact')), '404 unknown_dataset');
    t.equal(await post(bytes('exact', MiB)), '201', 'the name and the space are free');
  });

  await t.test('an array that cannot be replaced for lack of space stays as it is', async t => {
    t.equal(await outcome(server.fetch('/v1/datasets/exact/data', binary('PUT', Buffer.of(6)))), '200');
    const before = await describe(server, 'exact');
    const files = filesOf(arrays);
    const { bavail, bsize } = fs.statfsSync(folder);
    const length = bavail * bsize - 128;
    t.equal(await post({ ...bytes('exact', length), mode: 'w+', overwrite: true }), '507 disk_full');
    const body = npyOf('|u1', [length], Buffer.alloc(length, 1));
    const imported = server.fetch('/v1/datasets/exact?overwrite=true', binary('PUT', body, 'application/x-npy'));
    t.equal(await outcome(imported.catch(gone)), '507 disk_full');
    t.strictSame(await describe(server, 'exact'), before);
    t.equal(constantOf(await readRaw(server, 'exact')), 6);
    t.strictSame(filesOf(arrays), files);
    t.strictSame(filesOf(path.join(folder, 'catalog')), ['exact.json']);
  });

  await t.test('a file that another program writes is read as it is now, under a new generation', async t => {
    fs.writeFileSync(path.join(folder, 'other.bin'), Buffer.alloc(4096, 1));
    t.equal(await post({ name: 'other', path: 'other.bin', dtype: '|u1', shape: [4096] }), '201');
    const read = async (): Promise<number | undefined> => constantOf(await readRaw(server, 'other'));
    const generation = async (): Promise<number> => (await describe(server, 'other')).generation;
    const values = [await read()];
    const generations = [await generation()];
    const filler = fs.openSync(path.join(folder, 'filler'), 'w');
    t.throws(() => {
      for (;;) fs.writeSync(filler, Buffer.alloc(4096));
    }, /ENOSPC/);
    fs.closeSync(filler);
    for (const value of [2, 3]) {
      const fd = fs.openSync(path.join(folder, 'other.bin'), 'r+');
      fs.writeSync(fd, Buffer.alloc(4096, value));
      fs.closeSync(fd);
      values.push(await read(), await read());
      generations.push(await generation());
    }
    t.strictSame(values, [1, 2, 2, 3, 3]);
    t.strictSame(
      generations,
      generations.toSorted((a, b) => a - b),
    );
    t.equal(new Set(generations).size, 3, 'each state has a generation of its own');
    fs.rmSync(path.join(folder, 'filler'));
  });
});

t.test('an append beyond the commit limit', { skip: !mounted && 'no tmpfs can be mounted here' }, async t => {
  const dataDir = path.join(smallDisk, 'appends');
  const server = await startServer({ dataDir, env: { HYPERSLAB_COMMIT_BYTES_MAX: '100000' } });
  t.teardown(() => server.stop());
  const file = path.join(dataDir, 'arrays', 'grows.npy');
  t.equal(
    await outcome(server.fetch('/v1/datasets', json('POST', { name: 'grows', dtype: '|u1', shape: [10] }))),
    '201',
  );
  const before = await describe(server, 'grows');
  const append = async (bytes: number, headers: Record<string, number>): Promise<string> => {
    const type = { 'content-type': 'application/octet-stream' };
    const sent = upload('POST', `${server.url}/v1/datasets/grows/append`, { ...type, ...headers });
    await sent.send(Buffer.alloc(bytes, 4)).catch(() => undefined);
    const { status, text } = await sent.finish();
    return status === 200 ? '200' : `${status} ${(JSON.parse(text) as { code: string }).code}`;
  };
  const free = freeBytes(smallDisk);
  t.equal(await append(1000, { 'content-length': 40 * MiB }), '507 disk_full', 'found out before the body is read');
  t.equal(await append(20 * MiB, {}), '507 disk_full', 'found out on the way');
  t.equal(fs.statSync(file).size, 138);
  t.ok(freeBytes(smallDisk) >= free - MiB / 4, 'what was laid down is given back');
  t.strictSame(await describe(server, 'grows'), before);
  t.equal(await append(9 * MiB, {}), '200');
  t.equal(constantOf(await readRaw(server, 'grows', '10:')), 4);
});

/** fetch may see the connection end before it sees the answer that was sent while it still uploaded. */
function gone(error: unknown): never {
  throw new Error('the connection was cut before an answer', { cause: error });
}
