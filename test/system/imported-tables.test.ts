/** Tables that are taken while something goes wrong: nothing is changed, and nothing is left behind. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { binary, create, describe, eventually, MiB, outcome, readRaw, upload } from './calls.js';

const CSV = 'text/csv';
const ROW = '1.5,"two, or three",4\n';
/** About three mebibytes. */
const TABLE = Buffer.from(`a,b,c\n${ROW.repeat(Math.ceil((3 * MiB) / ROW.length))}`);

function filesOf(server: TestServer): string[] {
  return fs.readdirSync(path.join(server.dataDir, 'arrays')).sort();
}

/** Descriptors of files that have no name: bodies that are laid down. */
function spoolsOf(server: TestServer): number {
  const folder = `/proc/${server.pid}/fd`;
  return fs.readdirSync(folder).filter(fd => {
    try {
      return /[.]hyperslab-\w+[.]tmp \(deleted\)$/.test(fs.readlinkSync(path.join(folder, fd)));
    } catch {
      return false;
    }
  }).length;
}

const dataDir = temporaryFolder();
let server = await startServer({ dataDir });
t.teardown(async () => {
  await server.stop();
  fs.rmSync(dataDir, { recursive: true });
});

t.test('a client that goes in the middle', async t => {
  await create(server, { name: 'whole', dtype: '<f8', shape: [40_000, 2], fill: 7 });
  const before = filesOf(server);
  const { generation } = await describe(server, 'whole');
  const numbers = Buffer.from(`x,y\n${'1,2\n'.repeat(40_000)}`);
  for (const [url, body] of [
    ['/v1/datasets/imported', TABLE],
    ['/v1/datasets/whole/data', numbers],
    ['/v1/datasets/whole/data?durability=none', numbers],
  ] as const) {
    for (const chunked of [false, true]) {
      const headers = { 'content-type': CSV, ...(!chunked && { 'content-length': body.byteLength }) };
      // The name is held until everything is cleared away.
      const sent = upload('PUT', `${server.url}${url}`.replace('imported', `imported-${chunked}`), headers);
      await sent.send(body.subarray(0, body.byteLength - 1000));
      t.ok(await eventually(() => spoolsOf(server) === 1), 'it is laid down');
      t.strictSame(filesOf(server), before, 'under no name');
      sent.request.destroy();
      t.ok(await eventually(() => spoolsOf(server) === 0), `${url} is let go`);
    }
  }
  t.strictSame(filesOf(server), before);
  t.equal(await outcome(server.fetch('/v1/datasets/imported-true')), '404 unknown_dataset');
  const { buffer } = new Uint8Array(await readRaw(server, 'whole'));
  t.ok(
    new Float64Array(buffer).every(value => value === 7),
    'as it was',
  );
  t.equal((await describe(server, 'whole')).generation, generation, 'no generation was made');
  const forget = (): Promise<string> => outcome(server.fetch('/v1/datasets/imported-true', { method: 'DELETE' }));
  t.ok(await eventually(async () => (await forget()) === '404 unknown_dataset'), 'the name is let go');
  const taken = await server.fetch('/v1/datasets/imported-true', binary('PUT', TABLE, CSV));
  t.equal(await outcome(taken), '201', 'the name is free');
});

t.test('two imports to one name, and one that replaces what is read', async t => {
  const put = (body: Buffer, query = ''): Promise<string> =>
    outcome(server.fetch(`/v1/datasets/one${query}`, binary('PUT', body, CSV)));
  const both = await Promise.all([put(TABLE), put(TABLE)]);
  t.strictSame(both.filter(each => each === '201').length, 1, both.join(', '));
  t.match(
    both.find(each => each !== '201'),
    /^409 exists$|^503 busy$/,
  );
  t.equal(await put(Buffer.from('a\n1\n2\n'), '?overwrite=true'), '200');
  t.strictSame((await describe(server, 'one')).shape, [2]);
  t.equal(await put(Buffer.from('a\n1,2\n'), '?overwrite=true'), '422 shape_mismatch');
  t.strictSame((await describe(server, 'one')).shape, [2], 'what is refused replaces nothing');
  t.equal(spoolsOf(server), 0);
});

t.test('a service that is killed in the middle', async t => {
  const before = filesOf(server);
  const sent = upload('PUT', `${server.url}/v1/datasets/imported`, { 'content-type': CSV });
  sent.request.on('error', () => undefined);
  await sent.send(TABLE.subarray(0, 2 * MiB));
  t.ok(await eventually(() => spoolsOf(server) === 1));
  await server.stop('SIGKILL');
  // As if it had been killed between the two steps in which the file gets and loses its name.
  fs.writeFileSync(path.join(dataDir, 'arrays', '.hyperslab-0123456789abcdef.tmp'), 'a,b');
  server = await startServer({ dataDir });
  t.strictSame(filesOf(server), before);
  t.equal(await outcome(server.fetch('/v1/datasets/imported')), '404 unknown_dataset');
});

const smallDisk = temporaryFolder();
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'none', smallDisk]).status === 0;
t.teardown(() => {
  if (mounted) spawnSync('umount', [smallDisk]);
  fs.rmdirSync(smallDisk);
});

t.test('a full disk', { skip: !mounted && 'no tmpfs can be mounted here' }, async t => {
  const full = await startServer({ dataDir: smallDisk });
  t.teardown(() => full.stop());
  const rowsOf = (bytes: number): Buffer => Buffer.from(ROW.repeat(Math.ceil(bytes / ROW.length)));
  const large = rowsOf(24 * MiB);
  // Its array has three times as many bytes.
  const small = rowsOf(6 * MiB);
  const refused = (error: unknown): Response => {
    // The answer may be lost when the connection is closed under the body.
    t.ok(error);
    return new Response('{"code":"disk_full"}', { status: 507 });
  };
  const known = full.fetch('/v1/datasets/x?header=false', binary('PUT', large, CSV)).catch(refused);
  t.equal(await outcome(known), '507 disk_full', 'told by its length');
  const chunked = upload('PUT', `${full.url}/v1/datasets/x?header=false`, { 'content-type': CSV });
  chunked.request.on('error', () => undefined);
  const answered = chunked.send(large).then(() => chunked.finish());
  t.equal((await answered).status, 507, 'found out on the way');
  t.equal(
    await outcome(full.fetch('/v1/datasets/x?header=false', binary('PUT', small, CSV))),
    '507 disk_full',
    'body and array',
  );
  t.strictSame(filesOf(full), []);
  t.ok(await eventually(() => spoolsOf(full) === 0));
  t.equal(await outcome(full.fetch('/v1/datasets/x', binary('PUT', Buffer.from('a\n1\n'), CSV))), '201');
});
