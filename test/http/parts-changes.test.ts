/** What others do to the files of an array in several, and what a write leaves that does not reach all of them. */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { header, npy } from '../helpers/npy.js';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { binary, create, describe, json, MiB, outcome } from '../system/calls.js';

const KILLS = caseCount(1, 10);

let root: string;
let server: TestServer;

const serve = (dataDir?: string): Promise<TestServer> =>
  startServer({ ...(dataDir !== undefined && { dataDir }), env: { HYPERSLAB_ROOTS: root }, descriptorsMax: 256 });

t.before(async () => {
  root = temporaryFolder();
  server = await serve();
});
t.teardown(async () => {
  await server.stop();
  fs.rmSync(server.dataDir, { recursive: true, force: true });
  fs.rmSync(root, { recursive: true, force: true });
});

/** Puts a file in the place of a part, in one step: `rows` rows of `<i4` [2] that have this value. */
function part(name: string, rows: number, value: number, order: 'C' | 'F' = 'C', dtype = '<i4'): void {
  const data = Buffer.from(new Int32Array(2 * rows).fill(value).buffer);
  const dict = header(dtype, `(${rows}, 2)`);
  const target = path.join(root, name);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(`${target}.new`, npy(order === 'C' ? dict : dict.replace('False', 'True'), data));
  fs.renameSync(`${target}.new`, target);
}

const post = (body: object): Promise<Response> => server.fetch('/v1/datasets', json('POST', body));
const at = (name: string, query: string): string => `/v1/datasets/${name}/data?${query}`;
const column = async (name: string, slice: string): Promise<unknown> => {
  const answer = await server.fetch(at(name, `slice=${slice},0`));
  const told = (await answer.json()) as { data?: unknown; code?: string; part?: string };
  return told.data ?? [answer.status, told.code, told.part];
};

t.test('a part that grew shows the rows it had, until they are looked for again', async t => {
  for (let i = 0; i < 3; i++) part(`grown/p${i}.npy`, 2, i);
  const { id } = await create(server, { name: 'grown', path: 'grown/p*.npy' });
  t.strictSame(await column('grown', ':'), [0, 0, 1, 1, 2, 2]);
  part('grown/p1.npy', 3, 7);
  t.strictSame(await column('grown', ':'), [0, 0, 7, 7, 2, 2]);
  const refused = [409, 'file_changed', 'grown/p1.npy'];
  for (const [rows, order, dtype] of [
    [1, 'C', '<i4'],
    [3, 'F', '<i4'],
    [2, 'C', '>i4'],
    [2, 'C', '<f4'],
  ] as const) {
    part('grown/p1.npy', rows, 7, order, dtype);
    t.strictSame(await column('grown', ':'), refused, `${rows} ${order} ${dtype}`);
    t.strictSame(await column('grown', '4:'), [2, 2], 'calls that do not touch it go on');
  }
  part('grown/p1.npy', 3, 8);
  t.equal(await outcome(server.fetch('/v1/datasets/grown', json('PATCH', { path: 'grown/p*.npy' }))), '200');
  t.match(await describe(server, 'grown'), { id, shape: [7, 2] });
  t.strictSame(await column('grown', ':'), [0, 0, 8, 8, 8, 2, 2]);
});

t.test('who follows is told of each file', async t => {
  for (let i = 0; i < 3; i++) part(`told/p${i}.npy`, 1, i);
  await create(server, { name: 'told', path: 'told/p*.npy', mode: 'r+' });
  const { generation } = (await (await server.fetch(at('told', 'format=json'))).json()) as { generation: number };
  const waiting = server.fetch(`/v1/datasets/told?wait=${generation}&timeout=20`);
  await sleep(100);
  part('told/p2.npy', 1, 9);
  const seen = (await (await waiting).json()) as { generation: number };
  t.ok(seen.generation > generation, 'another program has replaced one');
  const began = performance.now();
  const next = server.fetch(`/v1/datasets/told?wait=${seen.generation}&timeout=20`);
  await sleep(100);
  t.equal(await outcome(server.fetch(at('told', 'slice=1'), json('PUT', 5))), '200');
  t.ok(((await (await next).json()) as { generation: number }).generation > seen.generation);
  t.ok(performance.now() - began < 15_000, 'and the service has written one');
});

t.test('a slow reader of parts in another order has the old bytes', async t => {
  const rows = 1024;
  const columns = 8 * 1024;
  for (const name of ['slow/a.raw', 'slow/b.raw']) {
    fs.mkdirSync(path.join(root, 'slow'), { recursive: true });
    fs.writeFileSync(path.join(root, name), Buffer.alloc(4 * rows * columns, 1));
  }
  const form = { dtype: '<i4', shape: [rows, columns], order: 'F', mode: 'r+' };
  await create(server, { name: 'slow', path: 'slow/*.raw', ...form });
  const reader = (await server.fetch(at('slow', 'format=raw'))).body!.getReader();
  await reader.read();
  t.equal(await outcome(server.fetch(at('slow', `slice=${2 * rows - 16}:`), json('PUT', 7))), '200');
  let bytes = 0;
  let sum = 0;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    const value = piece.value as Uint8Array;
    bytes += value.byteLength;
    for (const byte of value.subarray(-64 * 1024)) sum += byte === 1 ? 0 : 1;
  }
  t.ok(bytes > 60 * MiB, `${bytes} bytes`);
  t.equal(sum, 0, 'as they were when it began');
  t.strictSame(await column('slow', '-17:-15'), [0x01010101, 7]);
});

t.test('what was written before a file failed is named', async t => {
  for (let i = 0; i < 3; i++) part(`broken/p${i}.npy`, 1, i);
  await create(server, { name: 'broken', path: 'broken/p*.npy', mode: 'r+' });
  const manifest = path.join(server.dataDir, 'catalog', 'broken.json');
  const { parts } = JSON.parse(fs.readFileSync(manifest, 'utf8')) as { parts: { file_id: string }[] };
  // Where the journal of the second file would have to be.
  const inTheWay = path.join(server.dataDir, 'journal', `${parts[1]!.file_id}.journal`);
  fs.mkdirSync(inTheWay);
  const failed = await server.fetch(at('broken', 'slice=:'), json('PUT', 5));
  fs.rmdirSync(inTheWay);
  t.ok(failed.status >= 500, `${failed.status}`);
  t.match(await failed.json(), { part: 'broken/p1.npy', committed: ['broken/p0.npy'] });
  t.strictSame(await column('broken', '0'), 5);
  t.strictSame(await column('broken', '2'), 2);
});

t.test('a part that is gone at a start fails what touches it', async t => {
  for (let i = 0; i < 3; i++) part(`gone/p${i}.npy`, 1, i);
  await create(server, { name: 'gone', path: 'gone/p*.npy', mode: 'r+' });
  t.equal(await outcome(server.fetch(at('gone', 'slice=:'), json('PUT', 5))), '200');
  await server.stop('SIGKILL');
  fs.renameSync(path.join(root, 'gone/p1.npy'), path.join(root, 'away.npy'));
  server = await serve(server.dataDir);
  t.match(await describe(server, 'gone'), { state: 'missing', shape: [3, 2] });
  t.strictSame(await column('gone', '0'), 5);
  t.strictSame(await column('gone', ':'), [409, 'file_changed', 'gone/p1.npy']);
  t.equal(await outcome(server.fetch(at('gone', 'slice=:'), json('PUT', 6))), '409 file_changed deleted');
  t.strictSame(await column('gone', '0'), 5, 'refused before any file is written');
  t.equal(await outcome(server.fetch('/v1/datasets/gone', json('PATCH', { mode: 'r' }))), '200');
  const writable = await server.fetch('/v1/datasets/gone', json('PATCH', { mode: 'r+' }));
  t.match([writable.status, await writable.json()], [409, { code: 'file_changed', part: 'gone/p1.npy' }]);
  fs.renameSync(path.join(root, 'away.npy'), path.join(root, 'gone/p1.npy'));
  t.strictSame(await column('gone', ':'), [5, 5, 5]);
});

t.test('killed while files are written: each is old or new, in their order', async t => {
  const files = 40;
  for (let i = 0; i < files; i++) part(`killed/p${i}.npy`, 64, 0);
  await create(server, { name: 'killed', path: 'killed/p*.npy', mode: 'r+' });
  let acknowledged = 0;
  for (let round = 0; round < KILLS; round++) {
    const writing = (async () => {
      for (;;) {
        const answer = await server.fetch(at('killed', 'slice=:'), json('PUT', acknowledged + 1));
        if (answer.status === 200) acknowledged++;
      }
    })().catch(() => undefined);
    await sleep(700 + 97 * round);
    await server.stop('SIGKILL');
    await writing;
    server = await serve(server.dataDir);
    const answer = await server.fetch(at('killed', 'format=raw'));
    const values = new Int32Array(await answer.arrayBuffer());
    const perFile = Array.from({ length: files }, (_, i) => [...new Set(values.subarray(128 * i, 128 * (i + 1)))]);
    t.ok(
      perFile.every(({ length }) => length === 1),
      'each file has one write',
    );
    const firsts = perFile.map(([value]) => value!);
    t.ok(
      firsts.every((value, i) => i === 0 || value <= firsts[i - 1]!),
      'the first files are the newest',
    );
    t.ok(firsts.at(-1)! >= acknowledged && firsts[0]! <= acknowledged + 1, `${acknowledged}: ${firsts.join(' ')}`);
    acknowledged = firsts[0]!;
  }
});

t.test('names come in the order of their numbers', async t => {
  const ordered = ['A1', 'a', 'a01', 'a1', 'a1b2', 'a1b10', 'a9', 'a10', 'a10.x', 'a10.5', 'b', '温2', '温10'];
  fs.mkdirSync(path.join(root, 'order'));
  for (const name of ['.hidden', ...ordered]) fs.writeFileSync(path.join(root, 'order', name), Uint8Array.of(1));
  await create(server, { name: 'order', path: 'order/*', dtype: '|u1' });
  const told = (await (await server.fetch('/v1/datasets/order?parts=true')).json()) as { parts: { path: string }[] };
  t.strictSame(
    told.parts.map(each => each.path),
    ordered.map(name => `order/${name}`),
  );
});

t.test('what is not of parts is refused', async t => {
  part('form/p.npy', 1, 0);
  const paths = ['form/p.npy'];
  t.equal(await outcome(post({ name: 'f', paths: [] })), '400 bad_request');
  t.equal(await outcome(post({ name: 'f', paths: [], dtype: '<f4', shape: [2] })), '400 bad_request');
  t.equal(await outcome(post({ name: 'f', paths, member: 'x' })), '400 bad_request');
  t.equal(await outcome(post({ name: 'f', paths, dtype: '<i4', shape: [null, null] })), '400 bad_request');
  t.equal(await outcome(post({ name: 'f', paths, mode: 'c' })), '400 bad_request');
  await create(server, { name: 'f', paths, mode: 'r+' });
  t.equal(await outcome(server.fetch('/v1/datasets/f/append', binary('POST', Buffer.alloc(8)))), '422 not_growable');
});
