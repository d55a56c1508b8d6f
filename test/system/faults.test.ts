/** What goes wrong around a service: cut connections, files that change underneath, full disks, slow readers. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { parseDType } from '../../src/dtype.js';
import { npyHeader } from '../../src/formats/index.js';
import { start, startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import {
  binary,
  create,
  describe,
  eventually,
  get,
  json,
  MiB,
  outcome,
  readRaw,
  rest,
  sparseFile,
  upload,
  type Upload,
} from './calls.js';

const shared = await start(t);

function npyOf(typestr: string, shape: readonly number[], data: Uint8Array): Buffer {
  return Buffer.concat([npyHeader({ dtype: parseDType(typestr), shape, order: 'C' }), data]);
}

/** Every byte the same? Then that byte; undefined for a mixture. */
function constantOf(bytes: Uint8Array): number | undefined {
  return Buffer.from(bytes).equals(Buffer.alloc(bytes.byteLength, bytes[0])) ? bytes[0] : undefined;
}

async function heldBodyBytes(server: TestServer): Promise<number> {
  const text = await (await server.fetch('/metrics')).text();
  return Number(/^hyperslab_held_bytes (\d+)/m.exec(text)?.[1]);
}

function filesOf(folder: string): string[] {
  return fs.readdirSync(folder).sort();
}

t.test('a body that is cut changes nothing', async t => {
  await create(shared, { name: 'whole', dtype: '|u1', shape: [MiB], fill: 7 });
  const before = await describe(shared, 'whole');
  const url = `${shared.url}/v1/datasets/whole/data`;
  const data = Buffer.alloc(MiB, 9);
  const bodies = [
    ['application/octet-stream', data],
    ['application/x-npy', npyOf('|u1', [MiB], data)],
    ['application/json', Buffer.from(JSON.stringify(Array.from(data)))],
  ] as const;
  for (const [type, body] of bodies) {
    for (const chunked of [false, true]) {
      const sent = upload('PUT', url, { 'content-type': type, ...(!chunked && { 'content-length': body.byteLength }) });
      await sent.send(body.subarray(0, body.byteLength - 1000));
      t.ok(await eventually(async () => (await heldBodyBytes(shared)) > 0), `${type} is on its way`);
      sent.request.destroy();
      t.ok(await eventually(async () => (await heldBodyBytes(shared)) === 0), 'its memory is free again');
      t.equal(constantOf(await readRaw(shared, 'whole')), 7, `${type} cut${chunked ? ', chunked' : ''}`);
    }
  }
  t.equal((await describe(shared, 'whole')).generation, before.generation, 'no generation was made');
  const written = await shared.fetch('/v1/datasets/whole/data', binary('PUT', data));
  t.equal(await outcome(written), '200', 'a whole body is still taken');
});

t.test('an import that is cut leaves neither a dataset nor a file', async t => {
  const arrays = path.join(shared.dataDir, 'arrays');
  const before = filesOf(arrays);
  const body = npyOf('<f8', [MiB], Buffer.alloc(8 * MiB, 1));
  for (const [cut, chunked] of [
    [5 * MiB, false],
    [5 * MiB, true],
    [20, false],
    [body.byteLength - 1, true],
  ] as const) {
    const sent = upload('PUT', `${shared.url}/v1/datasets/imported`, {
      'content-type': 'application/x-npy',
      ...(!chunked && { 'content-length': body.byteLength }),
    });
    await sent.send(body.subarray(0, cut));
    if (cut > 1000) {
      t.ok(await eventually(() => filesOf(arrays).length > before.length), 'its temporary file is there');
      t.notOk(filesOf(arrays).includes('imported.npy'), 'under another name');
    }
    sent.request.destroy();
    t.ok(await eventually(() => filesOf(arrays).length === before.length), `cut after ${cut} bytes`);
    t.strictSame(filesOf(arrays), before);
    t.equal(await outcome(shared.fetch('/v1/datasets/imported')), '404 unknown_dataset');
    // The name is held until everything is cleared away, and answers 503 busy meanwhile.
    const forget = (): Promise<string> => outcome(shared.fetch('/v1/datasets/imported', { method: 'DELETE' }));
    t.ok(await eventually(async () => (await forget()) === '404 unknown_dataset'), 'the name is let go');
  }
  const whole = await shared.fetch('/v1/datasets/imported', binary('PUT', body, 'application/x-npy'));
  t.equal(await outcome(whole), '201', 'the name is free');
});

t.test('a file that is truncated is refused until it is restored', async t => {
  const file = path.join(shared.dataDir, 'shrinking.raw');
  fs.writeFileSync(file, Buffer.alloc(4 * MiB, 5));
  await create(shared, { name: 'shrinking', path: 'shrinking.raw' });
  t.equal(constantOf(await readRaw(shared, 'shrinking')), 5);
  fs.truncateSync(file, 2 * MiB);
  for (const call of ['data', 'data?format=raw&slice=::3', 'data?slice=0', 'rows/0', 'statistics?ops=sum']) {
    t.equal(await outcome(shared.fetch(`/v1/datasets/shrinking/${call}`)), expectedFor(call), call);
  }
  t.equal((await describe(shared, 'shrinking')).state, 'truncated');
  t.equal(constantOf(await readRaw(shared, 'whole')), 9, 'others are served');
  fs.writeFileSync(file, Buffer.alloc(4 * MiB, 6));
  t.equal(constantOf(await readRaw(shared, 'shrinking')), 6, 'served again');
  t.equal((await describe(shared, 'shrinking')).state, 'ready');

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
  const file = path.join(shared.dataDir, 'replaced.raw');
  fs.writeFileSync(file, Buffer.alloc(1000, 1));
  const { generation } = await create(shared, { name: 'replaced', path: 'replaced.raw' });
  t.equal(constantOf(await readRaw(shared, 'replaced')), 1);
  fs.writeFileSync(`${file}.new`, Buffer.alloc(1000, 2));
  fs.renameSync(`${file}.new`, file);
  t.equal(await outcome(shared.fetch('/v1/datasets/replaced/data')), '409 file_changed replaced');
  const response = await shared.fetch('/v1/datasets/replaced/data?format=raw');
  t.equal(response.status, 200);
  t.equal(constantOf(new Uint8Array(await response.arrayBuffer())), 2);
  const now = Number(response.headers.get('x-dataset-generation'));
  t.ok(now > generation, `generation ${now} is above ${generation}`);
  t.equal((await describe(shared, 'replaced')).generation, now);
  t.equal(
    await outcome(shared.fetch('/v1/datasets/replaced/data', { headers: { 'if-match': '"x.1"' } })),
    '412 generation_moved',
  );
});

t.test('a file that is deleted is refused, and served again when it is put back', async t => {
  const file = path.join(shared.dataDir, 'deleted.raw');
  fs.writeFileSync(file, Buffer.alloc(1000, 3));
  const { generation } = await create(shared, { name: 'deleted', path: 'deleted.raw' });
  t.equal(constantOf(await readRaw(shared, 'deleted')), 3);
  fs.rmSync(file);
  for (let i = 0; i < 3; i++) {
    t.match(await outcome(shared.fetch('/v1/datasets/deleted/data')), /^409 file_changed/);
    t.match(await outcome(shared.fetch('/v1/datasets/deleted/statistics?ops=sum')), /^409 file_changed/);
  }
  t.equal((await describe(shared, 'deleted')).state, 'missing');
  t.equal(constantOf(await readRaw(shared, 'whole')), 9, 'others are served');
  fs.writeFileSync(file, Buffer.alloc(1000, 4));
  await outcome(shared.fetch('/v1/datasets/deleted/data'));
  t.equal(constantOf(await readRaw(shared, 'deleted')), 4);
  // The file system may give the new file the inode of the old one; only then nothing shows that it is another.
  t.ok((await describe(shared, 'deleted')).generation >= generation);
});

t.test('a .npy file that is replaced by one with another header is refused until the old one is back', async t => {
  const file = path.join(shared.dataDir, 'header.npy');
  const data = Buffer.alloc(24, 1);
  fs.writeFileSync(file, npyOf('|u1', [4, 6], data));
  await create(shared, { name: 'header', path: 'header.npy' });
  t.equal(constantOf(await readRaw(shared, 'header')), 1);
  for (const other of [npyOf('|u1', [6, 4], data), npyOf('|i1', [4, 6], data), Buffer.alloc(1000, 'x')]) {
    fs.writeFileSync(`${file}.new`, other);
    fs.renameSync(`${file}.new`, file);
    for (let i = 0; i < 3; i++) t.match(await outcome(shared.fetch('/v1/datasets/header/data')), /^409 file_changed/);
    t.equal(await outcome(shared.fetch('/v1/datasets/header/data')), '409 file_changed header');
  }
  fs.writeFileSync(`${file}.new`, npyOf('|u1', [4, 6], data));
  fs.renameSync(`${file}.new`, file);
  await outcome(shared.fetch('/v1/datasets/header/data'));
  t.equal(constantOf(await readRaw(shared, 'header')), 1);
});

t.test('a writable file that was replaced cannot get a second writer', async t => {
  const file = path.join(shared.dataDir, 'contested.raw');
  fs.writeFileSync(file, Buffer.alloc(1000, 1));
  await create(shared, { name: 'contested', path: 'contested.raw', mode: 'r+' });
  await readRaw(shared, 'contested');
  fs.writeFileSync(`${file}.new`, Buffer.alloc(1000, 2));
  fs.renameSync(`${file}.new`, file);
  await outcome(shared.fetch('/v1/datasets/contested/data'));
  t.equal(constantOf(await readRaw(shared, 'contested')), 2);
  const second = shared.fetch('/v1/datasets', json('POST', { name: 'second', path: 'contested.raw', mode: 'r+' }));
  t.equal(await outcome(second), '409 file_in_use');
});

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
});

/** fetch may see the connection end before it sees the answer that was sent while it still uploaded. */
function gone(error: unknown): never {
  throw new Error('the connection was cut before an answer', { cause: error });
}

t.test('a large answer during a write is whole, and of one generation', async t => {
  const bytes = 24 * MiB;
  await create(shared, { name: 'read-slowly', dtype: '|u1', shape: [bytes] });
  const url = `${shared.url}/v1/datasets/read-slowly/data?format=raw`;
  for (const [round, readFirst] of [0, 2, 6, 10, 14, 17, 20, 22, 23, 23.5].entries()) {
    const response = await get(url);
    const first = await take(response, readFirst * MiB);
    const written = await shared.fetch('/v1/datasets/read-slowly/data', binary('PUT', Buffer.of(round + 1)));
    t.equal(await outcome(written), '200', 'a slow reader does not hold up the writer');
    const { bytes: others, whole } = await rest(response);
    const all = Buffer.concat([first, others]);
    t.ok(whole, `whole after ${readFirst} MiB`);
    t.equal(constantOf(all), round, 'and of one generation');
  }
});

t.test('the last bytes of an answer from a read-only mapping are not those of a later write', async t => {
  // The file is first open for reading only, when its mapped bytes go to the socket as they are.
  const bytes = 16 * MiB;
  let round = 0;
  /** Writes the file after a reader took some bytes and stopped; true when the reader still gets a whole answer. */
  const isWholeAfter = async (takenBytes: number): Promise<boolean> => {
    const file = path.join(shared.dataDir, `shared-${round++}.raw`);
    fs.writeFileSync(file, Buffer.alloc(bytes, 1));
    await create(shared, { name: 'reader', path: path.basename(file) });
    const response = await get(`${shared.url}/v1/datasets/reader/data?format=raw`);
    const first = await take(response, takenBytes);
    await sleep(40);
    await create(shared, { name: 'writer', path: path.basename(file), mode: 'r+' });
    t.equal(await outcome(shared.fetch('/v1/datasets/writer/data', binary('PUT', Buffer.of(2)))), '200');
    const { bytes: others, whole } = await rest(response);
    const all = Buffer.concat([first, others]);
    if (whole && constantOf(all) === undefined) t.fail(`a whole answer changes at byte ${all.indexOf(2)} of ${bytes}`);
    for (const name of ['reader', 'writer']) await shared.fetch(`/v1/datasets/${name}`, { method: 'DELETE' });
    fs.rmSync(file);
    return whole;
  };
  // How much the kernel takes off the service's hands is found by halving; then its last piece is the one that waits.
  let [cut, whole] = [0, bytes];
  while (whole - cut > MiB / 4) {
    const middle = (cut + whole) / 2;
    if (await isWholeAfter(middle)) whole = middle;
    else cut = middle;
  }
  for (let more = 0; more < 1.2; more += 0.1) await isWholeAfter(Math.min(bytes, cut + more * MiB));
  t.pass(`${round} slow readers`);
});

/** Reads some bytes and then stops reading. */
async function take(response: IncomingMessage, bytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let taken = 0; taken < bytes;) {
    const part = response.read() as Buffer | null;
    if (part) {
      parts.push(part);
      taken += part.byteLength;
    } else await once(response, 'readable');
  }
  return Buffer.concat(parts);
}

t.test(
  'eight writers and eight readers of one array: every answer is one write, and that of its generation',
  async t => {
    await create(shared, { name: 'contended', dtype: '|u1', shape: [1024, 1024], fill: 0 });
    const valueOf = new Map([[(await describe(shared, 'contended')).generation, 0]]);
    const seen: { generation: number; value: number | undefined; call: string }[] = [];
    const progress = { writing: true };
    const writers = Array.from({ length: 8 }, async (_, i) => {
      for (let turn = 0; turn < 10; turn++) {
        const value = 1 + i * 10 + turn;
        const response = await shared.fetch('/v1/datasets/contended/data', binary('PUT', Buffer.alloc(MiB, value)));
        const { generation } = (await response.json()) as { generation: number };
        t.notOk(valueOf.has(generation), `generation ${generation} belongs to one write`);
        valueOf.set(generation, value);
      }
    });
    const calls = ['data?format=raw', 'data?format=npy', 'data?format=raw&slice=::-1,::3', 'data?slice=:,5', 'stats'];
    const readers = Array.from({ length: 8 }, async (_, i) => {
      for (let turn = i; progress.writing; turn++) {
        const call = calls[turn % calls.length]!;
        const response = await shared.fetch(
          `/v1/datasets/contended/${call === 'stats' ? 'statistics?ops=min,max' : call}`,
        );
        const body = Buffer.from(await response.arrayBuffer());
        if (response.status !== 200) {
          t.match(body.toString(), /busy_writing/, 'only a statistic may give up');
          continue;
        }
        const generation = Number(response.headers.get('x-dataset-generation'));
        seen.push({ generation, value: valueIn(call, body), call });
      }
    });
    await Promise.all(writers);
    progress.writing = false;
    await Promise.all(readers);
    t.equal(valueOf.size, 81);
    const wrong = seen.filter(({ generation, value }) => value === undefined || valueOf.get(generation) !== value);
    t.strictSame(wrong, [], `${seen.length} answers`);
    for (const call of calls)
      t.ok(
        seen.some(each => each.call === call),
        call,
      );

    function valueIn(call: string, body: Buffer): number | undefined {
      if (call === 'stats') {
        const { results } = JSON.parse(body.toString()) as { results: { min: number; max: number } };
        return results.min === results.max ? results.min : undefined;
      }
      if (call === 'data?slice=:,5') {
        const { data } = JSON.parse(body.toString()) as { data: number[] };
        return constantOf(Buffer.from(data));
      }
      return constantOf(call === 'data?format=npy' ? body.subarray(body.byteLength - MiB) : body);
    }
  },
);

/** Starts a stream that is applied as it arrives, and sends its first bytes. */
async function startBulkLoad(name: string, bytes: number): Promise<Upload> {
  const sent = upload('PUT', `${shared.url}/v1/datasets/${name}/data?durability=none`, {
    'content-type': 'application/octet-stream',
    'content-length': bytes,
  });
  await sent.send(Buffer.alloc(10 * MiB, 1));
  return sent;
}

t.test('while a large stream is being applied other calls on the file are answered 503', async t => {
  const bytes = 66 * MiB;
  await create(shared, { name: 'bulk', dtype: '|u1', shape: [bytes], sparse: true });
  const { generation } = await describe(shared, 'bulk');
  const sent = await startBulkLoad('bulk', bytes);
  t.ok(await eventually(async () => (await describe(shared, 'bulk')).state === 'bulk_load'), 'it is under way');
  for (const call of ['data?format=raw&slice=0:10', 'rows/0', 'statistics?ops=sum']) {
    const response = await shared.fetch(`/v1/datasets/bulk/${call}`);
    t.ok(Number(response.headers.get('retry-after')) > 0, 'with Retry-After');
    t.equal(await outcome(response), '503 bulk_load', call);
  }
  const write = shared.fetch('/v1/datasets/bulk/data?slice=0', json('PUT', 1));
  t.equal(await outcome(write), '503 bulk_load', 'a write');
  t.equal(constantOf(await readRaw(shared, 'whole')), 9, 'other files are served');
  await sent.send(Buffer.alloc(bytes - 10 * MiB, 1));
  const { status, text } = await sent.finish();
  t.equal(status, 200, text);
  t.match(JSON.parse(text), { elements: bytes, bytes, durability: 'none', generation: generation + 1 });
  t.equal(constantOf(await readRaw(shared, 'bulk')), 1);
});

t.test('a large stream that is cut frees the file', async t => {
  const sent = await startBulkLoad('bulk', 66 * MiB);
  t.ok(await eventually(async () => (await describe(shared, 'bulk')).state === 'bulk_load'));
  sent.request.destroy();
  t.ok(await eventually(async () => (await describe(shared, 'bulk')).state === 'ready'));
  t.equal(constantOf(await readRaw(shared, 'bulk', '-1000:')), 1);
});

t.test('a dataset that is forgotten while it is written does not fail the writer with an internal error', async t => {
  const bytes = 66 * MiB;
  await create(shared, { name: 'forgotten', dtype: '|u1', shape: [bytes], sparse: true });
  const sent = await startBulkLoad('forgotten', bytes);
  t.ok(await eventually(async () => (await describe(shared, 'forgotten')).state === 'bulk_load'));
  await outcome(shared.fetch('/v1/datasets/forgotten?data=delete', { method: 'DELETE' }));
  await sent.send(Buffer.alloc(bytes - 10 * MiB, 1));
  const { status, text } = await sent.finish();
  t.not(status, 500, text);
});

t.test('while a large stream is being applied its dataset cannot be forgotten or replaced', async t => {
  const bytes = 66 * MiB;
  const request = { name: 'occupied', dtype: '|u1', shape: [bytes], sparse: true };
  await create(shared, request);
  const sent = await startBulkLoad('occupied', bytes);
  t.ok(await eventually(async () => (await describe(shared, 'occupied')).state === 'bulk_load'));
  const url = '/v1/datasets/occupied';
  const overwritten = { ...request, mode: 'w+', overwrite: true };
  const body = npyOf('|u1', [1], Buffer.of(1));
  for (const [call, answer] of [
    ['DELETE', shared.fetch(url, { method: 'DELETE' })],
    ['w+', shared.fetch('/v1/datasets', json('POST', overwritten))],
  ] as const) {
    t.equal(await outcome(answer), '503 bulk_load', call);
  }
  const imported = shared.fetch(`${url}?overwrite=true`, binary('PUT', body, 'application/x-npy'));
  t.equal(await outcome(imported), '503 bulk_load', 'import');
  await sent.send(Buffer.alloc(bytes - 10 * MiB, 1));
  t.equal((await sent.finish()).status, 200);
  t.equal(await outcome(shared.fetch(`${url}?data=delete`, { method: 'DELETE' })), '204', 'then it can');
});

t.test('writes, overwrites and deletions of one name at a time never fail with an internal error', async t => {
  const request = { name: 'churned', dtype: '|u1', shape: [1000], mode: 'w+', overwrite: true };
  await create(shared, request);
  const outcomes = await Promise.all(
    Array.from({ length: 90 }, async (_, i) => {
      if (i % 30 === 10) return outcome(shared.fetch('/v1/datasets/churned?data=delete', { method: 'DELETE' }));
      if (i % 10 === 5) return outcome(shared.fetch('/v1/datasets', json('POST', request)));
      return outcome(shared.fetch('/v1/datasets/churned/data', binary('PUT', Buffer.of(i))));
    }),
  );
  t.strictSame(
    outcomes.filter(each => /^500|io_error/.test(each)),
    [],
  );
});

t.test('an array that is overwritten again and again is read and written meanwhile without a wrong answer', async t => {
  const name = 'replaced-often';
  await create(shared, { name, dtype: '|u1', shape: [1000] });
  const url = `/v1/datasets/${name}`;
  const progress = { isRunning: true };
  const odd: string[] = [];
  const read = async (): Promise<void> => {
    for (let highest = 0; progress.isRunning;) {
      const response = await shared.fetch(`${url}/data?format=raw`);
      const bytes = new Uint8Array(await response.arrayBuffer());
      const generation = Number(response.headers.get('x-dataset-generation'));
      if (response.status === 200) {
        if (generation < highest) odd.push(`generation ${generation} after ${highest}`);
        if (bytes.some(byte => byte !== bytes[0])) odd.push('a mixture');
        highest = generation;
      } else if (response.status !== 409) odd.push(`read: ${response.status}`);
    }
  };
  const write = async (): Promise<void> => {
    for (let value = 0; progress.isRunning; value++) {
      const answer = await outcome(shared.fetch(`${url}/data`, binary('PUT', Buffer.alloc(1000, value))));
      if (!/^(200|409|503 busy)/.test(answer)) odd.push(`write: ${answer}`);
    }
  };
  const running = [read(), read(), read(), write(), write()];
  let replaced = 0;
  for (let i = 0; i < 40; i++) {
    const body = npyOf('|u1', [1000], Buffer.alloc(1000, i));
    const answer = await outcome(shared.fetch(`${url}?overwrite=true`, binary('PUT', body, 'application/x-npy')));
    if (answer === '200') replaced++;
    else if (!/^(409|503)/.test(answer)) odd.push(`overwrite: ${answer}`);
  }
  progress.isRunning = false;
  await Promise.all(running);
  t.strictSame([...new Set(odd)], []);
  t.ok(replaced > 20, `${replaced} times replaced`);
});
