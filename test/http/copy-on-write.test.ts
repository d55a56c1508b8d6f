/** Mode c at the door: what is refused, what is held, what is left after a discard, a restart and a change of the file. */
import fs from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { header, npy } from '../helpers/npy.js';
import { startServer, temporaryFolder, type Service } from '../helpers/server.js';
import { startHere, startServiceHere } from '../helpers/service-here.js';
import { binary, create, describe, json, outcome, readRaw } from '../system/calls.js';

const PAGE = 4096;

/** A service with a folder of files. */
async function startWith(t: Test, env: Readonly<Record<string, string>> = {}) {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const service = await startHere(t, { env: { HYPERSLAB_ROOTS: folder, ...env } });
  const put = (name: string, bytes: Uint8Array): string => {
    fs.writeFileSync(path.join(folder, name), bytes);
    return path.join(folder, name);
  };
  return { service, put };
}

const write = (service: Service, name: string, slice: string, data: unknown, headers = {}): Promise<Response> =>
  service.fetch(`/v1/datasets/${name}/data?slice=${encodeURIComponent(slice)}`, {
    ...json('PUT', data),
    headers: { 'content-type': 'application/json', ...headers },
  });

const discard = (service: Service, name: string, headers = {}): Promise<Response> =>
  service.fetch(`/v1/datasets/${name}/discard`, { method: 'POST', headers });

async function dataOf(service: Service, name: string, slice: string): Promise<unknown> {
  const answer = await service.fetch(`/v1/datasets/${name}/data?slice=${encodeURIComponent(slice)}`);
  return ((await answer.json()) as { data: unknown }).data;
}

t.test('the file is only read, and each dataset has writes and generations of its own', async t => {
  const { service, put } = await startWith(t);
  const file = put('a.bin', Buffer.alloc(3 * PAGE, 1));
  fs.chmodSync(file, 0o444);
  const { mtimeMs } = fs.statSync(file);
  const made = await create(service, { name: 'one', path: 'a.bin', mode: 'c' });
  t.match(made, { mode: 'c', dtype: '|u1', shape: [3 * PAGE], external: true, state: 'ready' });
  await create(service, { name: 'two', path: 'a.bin', mode: 'c' });
  await create(service, { name: 'plain', path: 'a.bin' });
  const answer = await write(service, 'one', '0:2', [7, 8]);
  const told = (await answer.json()) as { generation: number };
  t.match(told, { dataset: 'one', elements: 2, bytes: 2, durability: 'none' });
  t.ok(told.generation > made.generation);
  t.equal(answer.headers.get('x-dataset-generation'), String(told.generation));
  t.strictSame(await dataOf(service, 'one', '0:3'), [7, 8, 1]);
  t.strictSame(await dataOf(service, 'two', '0:3'), [1, 1, 1]);
  t.strictSame(await dataOf(service, 'plain', '0:3'), [1, 1, 1]);
  t.equal((await describe(service, 'two')).generation, made.generation);
  t.equal(fs.statSync(file).mtimeMs, mtimeMs);
  t.ok(fs.readFileSync(file).every(byte => byte === 1));
  t.equal(await outcome(service.fetch('/v1/datasets/one?data=delete', { method: 'DELETE' })), '403 not_owned');
});

t.test('a writer of the file is not kept out, and what it writes is seen where nothing was written', async t => {
  const { service, put } = await startWith(t);
  put('a.bin', Buffer.alloc(3 * PAGE));
  await create(service, { name: 'trial', path: 'a.bin', mode: 'c' });
  await create(service, { name: 'writer', path: 'a.bin', mode: 'r+' });
  await create(service, { name: 'late', path: 'a.bin', mode: 'c' });
  t.equal(await outcome(write(service, 'trial', `${PAGE}`, 5)), '200');
  const { generation } = await describe(service, 'trial');
  t.equal(await outcome(write(service, 'writer', ':', 9)), '200');
  t.strictSame(await dataOf(service, 'trial', `${PAGE - 1}:${PAGE + 2}`), [9, 5, 0], 'a page is copied whole');
  t.strictSame(await dataOf(service, 'late', `${PAGE - 1}:${PAGE + 2}`), [9, 9, 9]);
  const after = await describe(service, 'trial');
  t.ok(after.generation > generation, 'it moved with the file');
  t.equal(await outcome(discard(service, 'trial')), '200');
  t.strictSame(await dataOf(service, 'trial', `${PAGE - 1}:${PAGE + 2}`), [9, 9, 9]);
  t.ok((await describe(service, 'trial')).generation > after.generation);
});

t.test('what is refused, and how', async t => {
  const { service, put } = await startWith(t);
  put('a.npy', npy(header('|b1', '(4,)'), 4));
  put('b.bin', Buffer.alloc(64));
  await create(service, { name: 'flags', path: 'a.npy', mode: 'c' });
  await create(service, { name: 'small', path: 'b.bin', mode: 'c', dtype: 'int8' });
  await create(service, { name: 'plain', path: 'b.bin', dtype: 'int8' });
  await create(service, { name: 'file', path: 'b.bin', mode: 'r+', dtype: 'int8' });
  const post = (where: string) => service.fetch(`/v1/datasets/${where}`, { method: 'POST' });
  const patch = (name: string, body: object) => service.fetch(`/v1/datasets/${name}`, json('PATCH', body));
  const made = (body: object) => service.fetch('/v1/datasets', json('POST', body));
  const raw = (name: string, bytes: number[]) =>
    service.fetch(`/v1/datasets/${name}/data`, binary('PUT', Buffer.from(bytes)));
  const cases: readonly (readonly [Promise<Response>, string])[] = [
    [made({ name: 'x', mode: 'c' }), '400 bad_request'],
    [made({ name: 'x', mode: 'c', dtype: 'u1', shape: [2] }), '400 bad_request'],
    [made({ name: 'x', mode: 'c', path: 'b.bin', fill: 1 }), '400 bad_request'],
    [made({ name: 'x', mode: 'c', path: 'b.bin', overwrite: true }), '400 bad_request'],
    [made({ name: 'x', mode: 'c', path: 'none.bin' }), '404 file_not_found'],
    [post('small/flush'), '403 copy_on_write'],
    [post('plain/discard'), '409 not_copy_on_write'],
    [post('file/discard'), '409 not_copy_on_write'],
    [post('nothing/discard'), '404 unknown_dataset'],
    [patch('small', { mode: 'r' }), '409 mode_fixed'],
    [patch('small', { mode: 'r+' }), '409 mode_fixed'],
    [patch('plain', { mode: 'c' }), '409 mode_fixed'],
    [patch('small', { mode: 'c', attrs: { kept: true } }), '200'],
    [write(service, 'small', '0', 128), '422 would_lose'],
    [write(service, 'small', '64', 1), '422 index_out_of_bounds'],
    [write(service, 'small', '0:2', [1, 2, 3]), '422 shape_mismatch'],
    [raw('flags', [0, 1, 2, 1]), '422 would_lose'],
    [raw('flags', [0, 1]), '422 body_size_mismatch'],
    [write(service, 'small', '0', 1, { 'if-match': '"x.1"' }), '412 generation_moved'],
    [discard(service, 'small', { 'if-match': '"x.1"' }), '412 generation_moved'],
  ];
  for (const [answer, expected] of cases) t.equal(await outcome(answer), expected);
  t.equal(
    (await describe(service, 'small')).generation,
    (await describe(service, 'flags')).generation,
    'nothing moved',
  );
  const { id, generation } = await describe(service, 'small');
  t.equal(await outcome(write(service, 'small', '0', 1, { 'if-match': `"${id}.${generation}"` })), '200');
  t.equal(
    await outcome(write(service, 'small', '0', 1, { 'if-match': `"${id}.${generation}"` })),
    '412 generation_moved',
  );
  t.equal(await outcome(discard(service, 'small', { 'if-match': `"${id}.${generation + 1}"` })), '200');
  t.equal(await outcome(write(service, 'small', '5:5', [])), '200', 'nothing is written');
  t.equal((await describe(service, 'small')).generation, generation + 2);
});

t.test('a batch is one change, or none', async t => {
  const { service, put } = await startWith(t);
  put('a.bin', Buffer.alloc(5 * PAGE));
  const before = await create(service, { name: 'trial', path: 'a.bin', mode: 'c' });
  const batch = (writes: object[]) => service.fetch('/v1/datasets/trial/writes', json('POST', { writes }));
  const last = `${5 * PAGE - 1}`;
  t.equal(
    await outcome(
      batch([
        { slice: '0', data: 1 },
        { slice: last, data: 256 },
      ]),
    ),
    '422 would_lose',
  );
  t.equal((await describe(service, 'trial')).generation, before.generation);
  const answer = await batch([
    { slice: ':', data: 1 },
    { slice: '::2', data: 2 },
    { slice: last, data: 3 },
  ]);
  t.match(await answer.json(), { generation: before.generation + 1, writes: 3, durability: 'none' });
  const expected = Buffer.alloc(5 * PAGE, Buffer.of(2, 1));
  expected[5 * PAGE - 1] = 3;
  t.ok((await readRaw(service, 'trial')).equals(expected));
});

t.test('memory is bounded before anything is changed, and discard gives it back', async t => {
  const { service, put } = await startWith(t, { HYPERSLAB_PRIVATE_BYTES: String(8 * PAGE) });
  put('a.bin', Buffer.alloc(64 * PAGE, 1));
  await create(service, { name: 'one', path: 'a.bin', mode: 'c' });
  await create(service, { name: 'two', path: 'a.bin', mode: 'c' });
  const heldBytes = async (): Promise<number> => {
    const text = await (await service.fetch('/metrics')).text();
    return Number(/^hyperslab_private_bytes (\d+)$/m.exec(text)?.[1]);
  };
  const before = await describe(service, 'one');
  t.match(await (await write(service, 'one', `::${PAGE}`, 2)).json(), {
    code: 'too_large',
    limit: 8 * PAGE,
    status: 413,
  });
  t.equal(await outcome(write(service, 'one', `0:${5 * PAGE}:${PAGE}`, 2)), '200', 'five pages');
  t.equal(await heldBytes(), 5 * PAGE);
  const { generation } = await describe(service, 'one');
  t.equal(generation, before.generation + 1);
  const full = await write(service, 'two', `0:${4 * PAGE}`, 3);
  t.match(await full.json(), {
    status: 507,
    code: 'private_memory_full',
    limit: 8 * PAGE,
    held: 5 * PAGE,
    asked: 4 * PAGE,
  });
  t.ok((await readRaw(service, 'two')).every(byte => byte === 1));
  t.equal((await describe(service, 'two')).generation, before.generation);
  for (let value = 3; value < 40; value++)
    t.equal(await outcome(write(service, 'one', `${PAGE}:${3 * PAGE}`, value)), '200');
  t.ok((await heldBytes()) <= 7 * PAGE, 'what is replaced is used again');
  t.strictSame(await dataOf(service, 'one', `::${PAGE}`), [2, 39, 39, 2, 2, ...Array.from({ length: 59 }, () => 1)]);
  t.equal(await outcome(discard(service, 'one')), '200');
  t.equal(await heldBytes(), 0);
  t.equal(await outcome(write(service, 'two', `0:${8 * PAGE}`, 3)), '200');
  t.equal(await outcome(service.fetch('/v1/datasets/two', { method: 'DELETE' })), '204');
  t.equal(await heldBytes(), 0, 'so does forgetting');
});

t.test('a start finds what is in the file, at a generation that was never used', async t => {
  const folder = temporaryFolder();
  const dataDir = temporaryFolder();
  t.teardown(() => [folder, dataDir].forEach(each => fs.rmSync(each, { recursive: true })));
  fs.writeFileSync(path.join(folder, 'a.bin'), Buffer.alloc(PAGE, 1));
  const used = new Map<number, string>();
  let highest = 0;
  const options = { dataDir, env: { HYPERSLAB_ROOTS: folder } };
  // Only a process of its own can be killed.
  for (const [round, isKilled] of [false, true, false].entries()) {
    const killed = isKilled ? await startServer(options) : undefined;
    const server = killed ?? (await startServiceHere(options));
    if (round === 0) {
      await create(server, { name: 'trial', path: 'a.bin', mode: 'c' });
      await create(server, { name: 'writer', path: 'a.bin', mode: 'r+' });
    }
    const note = async (): Promise<void> => {
      const { generation } = await describe(server, 'trial');
      const bytes = (await readRaw(server, 'trial')).toString('latin1');
      t.equal(used.get(generation) ?? bytes, bytes, `generation ${generation} has one meaning`);
      t.ok(generation >= highest);
      used.set(generation, bytes);
      highest = generation;
    };
    await note();
    t.ok(
      (await readRaw(server, 'trial')).equals(await readRaw(server, 'writer')),
      'nothing is left of what was written',
    );
    for (let i = 0; i < 3; i++) {
      t.equal(await outcome(write(server, 'trial', String(i), 10 * round + i)), '200');
      await note();
    }
    t.equal(await outcome(write(server, 'writer', '9', round)), '200');
    await note();
    if (round === 2) t.equal(await outcome(discard(server, 'trial')), '200');
    await note();
    await (killed ? killed.stop('SIGKILL') : server.stop());
  }
  const server = await startServiceHere(options);
  t.equal(await outcome(server.fetch('/v1/datasets/trial', { method: 'DELETE' })), '204');
  t.ok((await create(server, { name: 'trial', path: 'a.bin', mode: 'c' })).generation > highest);
  await server.stop();
});

t.test('copies are dropped where another file or another array takes the place of theirs', async t => {
  const { service, put } = await startWith(t);
  const file = put('a.npy', npy(header('|u1', '(4,)'), 4));
  await create(service, { name: 'trial', path: 'a.npy', mode: 'c' });
  t.equal(await outcome(write(service, 'trial', '0', 5)), '200');
  const { generation } = await describe(service, 'trial');
  put('b.npy', npy(header('|u1', '(4,)'), Buffer.of(1, 2, 3, 4)));
  fs.renameSync(path.join(path.dirname(file), 'b.npy'), file);
  t.equal(await outcome(service.fetch('/v1/datasets/trial/data')), '409 file_changed replaced');
  t.strictSame(await dataOf(service, 'trial', ':'), [1, 2, 3, 4]);
  t.equal(await outcome(write(service, 'trial', '0', 6)), '200');
  fs.writeFileSync(file, npy(header('|u1', '(2, 2)'), Buffer.of(1, 2, 3, 4)));
  t.equal(await outcome(service.fetch('/v1/datasets/trial/data')), '409 file_changed header');
  t.strictSame(await dataOf(service, 'trial', ':'), [
    [1, 2],
    [3, 4],
  ]);
  t.ok((await describe(service, 'trial')).generation > generation);
});
