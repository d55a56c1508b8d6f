/** The registry over HTTP: names, pages, metadata, replacing and removing, and many requests for one name. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { npyOf } from './helpers/bytes.js';
import { start, startServer, temporaryFolder } from './helpers/server.js';
import { makePipe } from './helpers/special-files.js';
import { binary, create, describe, json, outcome, readRaw, type DatasetAnswer } from './system/calls.js';

const server = await start(t);

const post = (request: object): Promise<Response> => server.fetch('/v1/datasets', json('POST', request));
const patch = (name: string, body: object): Promise<Response> =>
  server.fetch(`/v1/datasets/${name}`, json('PATCH', body));
const remove = (name: string, query = ''): Promise<string> =>
  outcome(server.fetch(`/v1/datasets/${name}${query}`, { method: 'DELETE' }));
const inArrays = (file: string): string => path.join(server.dataDir, 'arrays', file);

const importNpy = (name: string, body: Uint8Array, query = ''): Promise<Response> =>
  server.fetch(`/v1/datasets/${name}${query}`, binary('PUT', body, 'application/x-npy'));

t.test('names have 1 to 128 letters, digits, dots, hyphens and underscores', async t => {
  for (const name of ['a', '_', '0', 'A.b-c_9', 'x'.repeat(128), 'a..b', 'con', 'a.json']) {
    t.equal(await outcome(post({ name, dtype: '|u1', shape: [1] })), '201', name);
    t.equal((await describe(server, name)).name, name);
    t.equal(await remove(name, '?data=delete'), '204');
  }
  for (const name of ['', '.', '..', '.a', '-a', 'a b', 'a/b', 'ä', 'a\n', 'a\0', '../a', 'x'.repeat(129), 'a%2e']) {
    t.equal(await outcome(post({ name, dtype: '|u1', shape: [1] })), '400 bad_name', JSON.stringify(name));
  }
  t.equal(await outcome(importNpy('..%2Fa', npyOf('|u1', [1], Buffer.alloc(1)))), '400 bad_name');
  t.strictSame(fs.readdirSync(path.join(server.dataDir, 'catalog')), []);
});

t.test('the answer to a registration describes the array and says where it is', async t => {
  const response = await post({
    name: 'made',
    dtype: 'float32',
    shape: [3, 4],
    attrs: { unit: 'm' },
    dims: ['y', 'x'],
  });
  t.equal(response.status, 201);
  t.equal(response.headers.get('location'), 'datasets/made');
  const body = (await response.json()) as DatasetAnswer;
  t.match(body, {
    name: 'made',
    dtype: '<f4',
    shape: [3, 4],
    strides: [16, 4],
    order: 'C',
    offset: 128,
    size: 12,
    nbytes: 48,
    mode: 'r+',
    format: 'npy',
    generation: Number,
    external: false,
    state: 'ready',
    attrs: { unit: 'm' },
    dims: ['y', 'x'],
  });
  t.strictSame(await describe(server, 'made'), body);
  t.notMatch(JSON.stringify(body), server.dataDir, 'no path of the server');
});

t.test('PATCH merges attrs member by member; null removes', async t => {
  await create(server, { name: 'meta', dtype: '|u1', shape: [2, 2], attrs: { a: 1, deep: { x: 1, y: [1, 2] } } });
  const { id, generation } = await describe(server, 'meta');
  const attrsAfter = async (attrs: unknown): Promise<unknown> => {
    const response = await patch('meta', { attrs });
    t.equal(response.status, 200);
    return ((await response.json()) as DatasetAnswer).attrs;
  };
  t.strictSame(await attrsAfter({ b: 'two' }), { a: 1, deep: { x: 1, y: [1, 2] }, b: 'two' });
  t.strictSame(await attrsAfter({ deep: { x: null, z: { w: null } } }), {
    a: 1,
    deep: { y: [1, 2], z: {} },
    b: 'two',
  });
  t.strictSame(await attrsAfter({ deep: [0] }), { a: 1, deep: [0], b: 'two' });
  t.strictSame(await attrsAfter({ a: null, missing: null }), { deep: [0], b: 'two' });
  t.strictSame(await attrsAfter({}), { deep: [0], b: 'two' });
  t.strictSame(await attrsAfter(null), {});
  const now = await describe(server, 'meta');
  t.strictSame([now.id, now.generation], [id, generation], 'data did not change');
});

t.test('PATCH changes dims, mode and external, and nothing else', async t => {
  t.equal(await outcome(patch('meta', { dims: ['y', 'x'] })), '200');
  t.strictSame((await describe(server, 'meta')).dims, ['y', 'x']);
  for (const dims of [['y'], ['y', 'x', 'z'], ['']]) {
    t.equal(await outcome(patch('meta', { dims })), '422 bad_shape', JSON.stringify(dims));
  }
  t.strictSame((await describe(server, 'meta')).dims, ['y', 'x']);
  t.equal(await outcome(patch('meta', { dims: null })), '200');
  t.equal((await describe(server, 'meta')).dims, null);

  t.equal(await outcome(patch('meta', { mode: 'r' })), '200');
  t.equal(await outcome(server.fetch('/v1/datasets/meta/data', json('PUT', 1))), '403 read_only');
  t.equal(await outcome(patch('meta', { mode: 'r+' })), '200');
  t.equal(await outcome(server.fetch('/v1/datasets/meta/data', json('PUT', 1))), '200');

  const etag = async (): Promise<string | null> => (await server.fetch('/v1/datasets/meta/data')).headers.get('etag');
  t.ok(await etag());
  t.equal(await outcome(patch('meta', { external: true })), '200');
  t.equal(await etag(), null);
  t.equal(await outcome(patch('meta', { external: false })), '200');
  t.ok(await etag());

  for (const body of [{ name: 'x' }, { shape: [4] }, { dtype: '<f4' }, { path: 'x' }, { mode: 'w' }, { attrs: 1 }]) {
    t.equal(await outcome(patch('meta', body)), '400 bad_request', JSON.stringify(body));
  }
  t.equal(await outcome(patch('meta', { attrs: { big: 'x'.repeat(70_000) } })), '413 too_large');
  t.equal(await outcome(patch('unknown', {})), '404 unknown_dataset');
});

t.test('dims name every axis when an array is registered', async t => {
  for (const [shape, dims] of [
    [[2, 3], ['a']],
    [[2], ['a', 'b']],
    [[], ['a']],
  ]) {
    t.equal(await outcome(post({ name: 'dims', dtype: '|u1', shape, dims })), '422 bad_shape');
  }
  t.notOk(fs.existsSync(inArrays('dims.npy')));
  fs.writeFileSync(path.join(server.dataDir, 'dims.raw'), Buffer.alloc(6));
  t.equal(await outcome(post({ name: 'dims', path: 'dims.raw', dims: ['a', 'b'] })), '422 bad_shape');
  t.equal(await outcome(post({ name: 'dims', path: 'dims.raw', dims: ['a'] })), '201');
});

t.test('DELETE keeps the file, or deletes it where the service made it', async t => {
  await create(server, { name: 'kept', dtype: '|u1', shape: [3], fill: 5 });
  t.equal(await remove('kept'), '204');
  t.equal(await outcome(server.fetch('/v1/datasets/kept')), '404 unknown_dataset');
  t.ok(fs.existsSync(inArrays('kept.npy')));
  t.equal(await outcome(post({ name: 'kept', dtype: '|u1', shape: [3] })), '409 exists', 'the file is in the way');
  t.match(await create(server, { name: 'again', path: 'arrays/kept.npy' }), { shape: [3] });
  t.strictSame(await readRaw(server, 'again'), Buffer.of(5, 5, 5));
  t.equal(await remove('again', '?data=delete'), '403 not_owned', 'registered in place: external');
  t.equal(await remove('again', '?data=keep'), '204');

  await create(server, { name: 'gone', dtype: '|u1', shape: [3] });
  t.equal(await remove('gone', '?data=delete'), '204');
  t.notOk(fs.existsSync(inArrays('gone.npy')));
  t.equal(await remove('gone'), '404 unknown_dataset');

  fs.writeFileSync(path.join(server.dataDir, 'theirs.raw'), Buffer.alloc(4));
  await create(server, { name: 'theirs', path: 'theirs.raw', external: false });
  t.equal(await remove('theirs', '?data=delete'), '403 not_owned');
  t.equal(await remove('theirs', '?data=burn'), '400 bad_request');
  t.equal(await remove('theirs'), '204');
  t.ok(fs.existsSync(path.join(server.dataDir, 'theirs.raw')));
});

t.test('who made a file decides whether it may be deleted, whatever external says', async t => {
  const made = { dtype: '|u1', shape: [3] };
  await create(server, { ...made, name: 'shown', external: true });
  t.equal(await remove('shown', '?data=delete'), '204', 'made, though others may change it');
  t.notOk(fs.existsSync(inArrays('shown.npy')));
  await create(server, { ...made, name: 'opened' });
  t.equal(await outcome(patch('opened', { external: true })), '200');
  t.equal(await remove('opened', '?data=delete'), '204');
  fs.writeFileSync(inArrays('put.raw'), Buffer.alloc(3));
  await create(server, { name: 'put', path: 'arrays/put.raw', mode: 'r+', external: false });
  t.equal(await remove('put', '?data=delete'), '403 not_owned', 'put there by somebody else');
  await create(server, { ...made, name: 'put', mode: 'w+', overwrite: true });
  t.ok(fs.existsSync(inArrays('put.raw')), 'nor is it deleted when its name goes to another file');
  t.equal(await remove('put', '?data=delete'), '204');
  await create(server, { ...made, name: 'elsewhere', mode: 'w+', path: 'elsewhere.npy' });
  t.equal(await remove('elsewhere', '?data=delete'), '403 not_owned', 'only under arrays/');
  t.equal(await remove('elsewhere'), '204');
});

t.test('an array that another dataset reads too is kept when its name goes to another file', async t => {
  await create(server, { name: 'source', dtype: '|u1', shape: [3], fill: 4 });
  await create(server, { name: 'copy', path: 'arrays/source.npy' });
  const request = { name: 'source', dtype: '|u1', shape: [3], mode: 'w+', overwrite: true };
  t.equal(await outcome(post(request)), '409 file_in_use');
  await create(server, { ...request, format: 'raw' });
  t.strictSame(await readRaw(server, 'copy'), Buffer.of(4, 4, 4));
});

t.test('w+ replaces regular files and nothing else', async t => {
  const at = (name: string): string => path.join(server.dataDir, name);
  fs.mkdirSync(at('target-folder'));
  fs.writeFileSync(at('target-file'), 'kept');
  fs.symlinkSync(at('target-file'), at('target-link'));
  fs.symlinkSync(at('nothing'), at('target-nothing'));
  makePipe(at('target-pipe'));
  for (const name of ['target-folder', 'target-link', 'target-nothing', 'target-pipe']) {
    const request = { name: 'target', dtype: '|u1', shape: [1], mode: 'w+', path: name };
    t.equal(await outcome(post({ ...request, overwrite: true })), '422 not_a_regular_file', name);
    t.equal(await outcome(post(request)), '409 exists', name);
  }
  fs.mkdirSync(inArrays('target.npy'));
  const body = npyOf('|u1', [1], Buffer.of(1));
  t.equal(await outcome(importNpy('target', body, '?overwrite=true')), '422 not_a_regular_file');
  t.equal(fs.readFileSync(at('target-file'), 'utf8'), 'kept');
  t.notOk(fs.readdirSync(server.dataDir).some(name => name.startsWith('.hyperslab-')));
});

t.test('a file with two registrations has one writer, one generation, and is not deleted under the other', async t => {
  await create(server, { name: 'one', dtype: '|u1', shape: [4] });
  const two = await create(server, { name: 'two', path: 'arrays/one.npy' });
  t.equal(two.mode, 'r');
  t.equal(await outcome(post({ name: 'three', path: 'arrays/one.npy', mode: 'r+' })), '409 file_in_use');
  fs.linkSync(inArrays('one.npy'), path.join(server.dataDir, 'link.npy'));
  t.equal(await outcome(post({ name: 'three', path: 'link.npy', mode: 'r+' })), '409 file_in_use', 'by another path');
  t.equal(await outcome(patch('two', { mode: 'r+' })), '409 file_in_use');
  const written = await server.fetch('/v1/datasets/one/data', json('PUT', 9));
  const { generation } = (await written.json()) as { generation: number };
  t.equal((await describe(server, 'two')).generation, generation);
  t.strictSame(await readRaw(server, 'two'), Buffer.of(9, 9, 9, 9));
  t.equal(await remove('one', '?data=delete'), '409 file_in_use');
  t.equal(await outcome(patch('one', { mode: 'r' })), '200');
  t.equal(await outcome(patch('two', { mode: 'r+' })), '200', 'the other may write now');
  t.equal(await outcome(patch('one', { mode: 'r+' })), '409 file_in_use');
  t.equal(await remove('two'), '204');
  t.equal(await remove('one', '?data=delete'), '204');
});

t.test('w+ with overwrite replaces an array: a new id, and generations that go on', async t => {
  const first = await create(server, { name: 'again', dtype: '|u1', shape: [4], mode: 'w+' });
  for (const value of [1, 2, 3]) {
    t.equal(await outcome(server.fetch('/v1/datasets/again/data', json('PUT', value))), '200');
  }
  const { generation } = await describe(server, 'again');
  t.equal(generation, first.generation + 3);
  const request = { name: 'again', dtype: '<f8', shape: [2, 2], fill: 1.5 };
  t.equal(await outcome(post(request)), '409 exists');
  t.equal(await outcome(post({ ...request, mode: 'w+' })), '409 exists');
  t.equal(await outcome(post({ ...request, overwrite: true })), '400 bad_request', 'overwrite needs w+');
  const second = await create(server, { ...request, mode: 'w+', overwrite: true });
  t.not(second.id, first.id);
  t.ok(second.generation > generation, `${second.generation} is above ${generation}`);
  t.match(second, { dtype: '<f8', shape: [2, 2], mode: 'w+' });
  const read = await server.fetch('/v1/datasets/again/data');
  t.strictSame(((await read.json()) as { data: unknown }).data, [
    [1.5, 1.5],
    [1.5, 1.5],
  ]);
  const third = await create(server, { ...request, format: 'raw', mode: 'w+', overwrite: true });
  t.ok(third.generation > second.generation);
  t.strictSame(
    fs.readdirSync(path.join(server.dataDir, 'arrays')).filter(file => file.startsWith('again')),
    ['again.raw'],
    'the array that was replaced takes no room',
  );
});

t.test('an import replaces an array only when asked to', async t => {
  const body = npyOf('<u2', [3], Buffer.from(Uint16Array.of(1, 2, 3).buffer));
  const response = await importNpy('imported', body);
  t.equal(response.status, 201);
  t.equal(response.headers.get('location'), 'imported');
  const first = (await response.json()) as DatasetAnswer;
  t.match(first, { dtype: '<u2', shape: [3], mode: 'r+', external: false });
  t.equal(await outcome(server.fetch('/v1/datasets/imported/data', json('PUT', 4))), '200');
  t.equal(await outcome(importNpy('imported', body)), '409 exists');
  const other = npyOf('|i1', [1, 2], Buffer.of(254, 3));
  const replaced = await importNpy('imported', other, '?overwrite=true');
  t.equal(replaced.status, 200);
  const second = (await replaced.json()) as DatasetAnswer;
  t.match(second, { dtype: '|i1', shape: [1, 2] });
  t.not(second.id, first.id);
  t.ok(second.generation > first.generation + 1, `generation ${second.generation}`);
  t.strictSame(await readRaw(server, 'imported'), Buffer.of(254, 3));
  t.strictSame(fs.readFileSync(inArrays('imported.npy')).subarray(128), Buffer.of(254, 3), 'the file has its elements');
  const download = await server.fetch('/v1/datasets/imported/data.npy');
  t.strictSame(Buffer.from(await download.arrayBuffer()), other, 'and the body is what comes back');
});

t.test('a bad import changes nothing', async t => {
  const before = fs.readdirSync(path.join(server.dataDir, 'arrays')).sort();
  const good = npyOf('<f4', [4], Buffer.alloc(16));
  for (const [body, wanted] of [
    [Buffer.from('no npy at all, but long enough to be looked at'), '400 bad_npy'],
    [good.subarray(0, 50), '400 bad_npy'],
    [good.subarray(0, good.byteLength - 1), '422 body_size_mismatch'],
    [Buffer.alloc(0), '400 bad_npy'],
  ] as const) {
    t.equal(await outcome(importNpy('broken', body)), wanted);
    t.equal(await outcome(importNpy('imported', body, '?overwrite=true')), wanted);
  }
  t.strictSame(fs.readdirSync(path.join(server.dataDir, 'arrays')).sort(), before);
  t.strictSame(await readRaw(server, 'imported'), Buffer.of(254, 3), 'what was there still is');
});

t.test('what follows the array is neither refused nor kept, with and without a length', async t => {
  const good = npyOf('<f4', [4], Buffer.from('0123456789abcdef'));
  for (const [i, behind] of [1, 100, 300_000].entries()) {
    const body = Buffer.concat([good, Buffer.alloc(behind, 0xff)]);
    const name = `followed-${i}`;
    t.equal(await outcome(importNpy(name, body)), '201');
    t.strictSame(fs.readFileSync(path.join(server.dataDir, 'arrays', `${name}.npy`)).subarray(128), good.subarray(128));
    const chunked = await server.fetch(`/v1/datasets/${name}?overwrite=true`, {
      method: 'PUT',
      headers: { 'content-type': 'application/x-npy' },
      body: new Blob([new Uint8Array(body)]).stream(),
      duplex: 'half',
    });
    t.equal(chunked.status, 200);
    t.strictSame(fs.readFileSync(path.join(server.dataDir, 'arrays', `${name}.npy`)).subarray(128), good.subarray(128));
    fs.writeFileSync(path.join(server.dataDir, `${name}.npy`), body);
    t.equal(await outcome(post({ name: `registered-${i}`, path: `${name}.npy` })), '201');
    t.strictSame(await readRaw(server, `registered-${i}`), Buffer.from('0123456789abcdef'));
  }
});

t.test('of twenty requests for one name at a time exactly one wins', async t => {
  for (let round = 0; round < 5; round++) {
    const name = `race-${round}`;
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) => outcome(post({ name, dtype: '|u1', shape: [i + 1] }))),
    );
    t.equal(outcomes.filter(each => each === '201').length, 1, outcomes.join(', '));
    t.ok(outcomes.every(each => ['201', '409 exists', '503 busy'].includes(each)));
    const { shape } = await describe(server, name);
    t.equal((await readRaw(server, name)).byteLength, shape[0], 'the file is the winner’s');
  }
});

t.test('of twenty registrations of files under one name at a time exactly one wins', async t => {
  for (let i = 0; i < 20; i++) fs.writeFileSync(path.join(server.dataDir, `candidate-${i}.raw`), Buffer.alloc(i + 1));
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, i) => outcome(post({ name: 'candidate', path: `candidate-${i}.raw` }))),
  );
  t.equal(outcomes.filter(each => each === '201').length, 1, outcomes.join(', '));
  t.equal((await describe(server, 'candidate')).shape[0], outcomes.indexOf('201') + 1);
});

t.test('of many registrations of one file for writing exactly one wins', async t => {
  fs.writeFileSync(path.join(server.dataDir, 'wanted.raw'), Buffer.alloc(4));
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, i) => outcome(post({ name: `wants-${i}`, path: 'wanted.raw', mode: 'r+' }))),
  );
  t.equal(outcomes.filter(each => each === '201').length, 1, outcomes.join(', '));
  t.equal(outcomes.filter(each => each === '409 file_in_use').length, 19);
});

t.test('imports, deletions and reads of one name at a time leave a dataset that is whole', async t => {
  const body = (value: number): Buffer => npyOf('|u1', [1000], Buffer.alloc(1000, value));
  const outcomes = await Promise.all(
    Array.from({ length: 60 }, async (_, i) => {
      if (i % 3 === 0) return outcome(importNpy('busy', body(i), '?overwrite=true'));
      if (i % 3 === 1) return remove('busy', '?data=delete');
      return outcome(server.fetch('/v1/datasets/busy/data?format=raw'));
    }),
  );
  const allowed = ['200', '201', '204', '404 unknown_dataset', '503 busy'];
  t.strictSame(
    outcomes.filter(each => !allowed.includes(each) && !each.startsWith('409')),
    [],
  );
  t.match(await outcome(importNpy('busy', body(7), '?overwrite=true')), /^20[01]$/);
  t.strictSame(await readRaw(server, 'busy'), Buffer.alloc(1000, 7));
});

t.test('a root that is a link may be named in an absolute path', async t => {
  const folder = temporaryFolder();
  fs.mkdirSync(path.join(folder, 'real'));
  fs.symlinkSync(path.join(folder, 'real'), path.join(folder, 'link'));
  fs.writeFileSync(path.join(folder, 'real', 'x.raw'), Buffer.of(1));
  const linked = await startServer({ env: { HYPERSLAB_ROOTS: path.join(folder, 'link') } });
  t.teardown(async () => {
    await linked.stop();
    fs.rmSync(linked.dataDir, { recursive: true });
    fs.rmSync(folder, { recursive: true });
  });
  for (const [name, file] of [
    ['relative', 'x.raw'],
    ['real', path.join(folder, 'real', 'x.raw')],
    ['link', path.join(folder, 'link', 'x.raw')],
  ] as const) {
    const registered = linked.fetch('/v1/datasets', json('POST', { name, path: file }));
    t.equal(await outcome(registered), '201', name);
  }
});
