/** Files of served folders are datasets as long as they stand there, as they are when a call comes. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { counting, digitsOf as hashOf, eventually, microsOf, serveFolder as serve } from '../helpers/served-folder.js';
import { temporaryFolder } from '../helpers/server.js';
import { npzOf } from '../helpers/tables.js';

t.test('files come and go, under names that follow from their paths', async t => {
  const { folder, ask, put, names } = await serve(t);
  put('a.npy', counting(0, 3));
  put('2026/day 1/b.npy', counting(10, 2));
  put('温度.npy', counting(20, 1));
  put('湿度.npy', counting(30, 1));
  put('-x.npy', counting(40, 1));
  put(`${'l'.repeat(140)}.npy`, counting(50, 1));
  put('box.npz', npzOf(7));
  put('.hidden.npy', counting(0, 1));
  put('.git/c.npy', counting(0, 1));
  put('notes.txt', 'no array');
  const due = [
    `2026.day_1.b-${hashOf('2026/day 1/b.npy')}`,
    `__-${hashOf('温度.npy')}`,
    `__-${hashOf('湿度.npy')}`,
    `_x-${hashOf('-x.npy')}`,
    'a',
    'box.a',
    `${'l'.repeat(119)}-${hashOf(`${'l'.repeat(140)}.npy`)}`,
  ].sort();
  t.ok(await eventually(async () => (await names()).length === due.length), 'all of them are found');
  t.strictSame(await names(), due);
  const [status, a] = await ask('/v1/datasets/a');
  const generation = microsOf(path.join(folder, 'a.npy'));
  t.match([status, a], [200, { path: 'a.npy', root: null, mode: 'r', external: true, shape: [3], state: 'ready' }]);
  t.equal(a['generation'], generation);
  t.match(await ask('/v1/datasets/a/data'), [200, { data: [0, 1, 2], generation }]);
  t.match(await ask('/v1/datasets/box.a/data'), [200, { data: [7] }]);
  t.match(await ask('/v1/datasets/a/statistics?ops=sum'), [200, { results: { sum: 3 } }]);

  fs.renameSync(path.join(folder, 'a.npy'), path.join(folder, 'z.npy'));
  t.match(await ask('/v1/datasets/a'), [404, { code: 'unknown_dataset' }]);
  t.ok(await eventually(async () => (await ask('/v1/datasets/z'))[0] === 200));
  fs.rmSync(path.join(folder, 'z.npy'));
  t.match(await ask('/v1/datasets/z/data'), [404, { code: 'unknown_dataset' }]);
  fs.rmSync(path.join(folder, '2026'), { recursive: true });
  t.ok(await eventually(async () => (await names()).length === due.length - 2));
});

t.test('each call is answered by the file that stands there when it comes', async t => {
  const { folder, ask, put } = await serve(t);
  put('x.npy', counting(1, 3));
  await eventually(async () => (await ask('/v1/datasets/x'))[0] === 200);
  const [, { id }] = await ask('/v1/datasets/x');
  let last = 0;
  for (let round = 1; round <= 20; round++) {
    const [length, first] = [1 + (round % 4), round * 100];
    put('.x', counting(first, length));
    if (round % 2 === 0) fs.copyFileSync(path.join(folder, '.x'), path.join(folder, 'x.npy'));
    else fs.renameSync(path.join(folder, '.x'), path.join(folder, 'x.npy'));
    const data = Array.from({ length }, (_, i) => first + i);
    const [status, answer] = await ask('/v1/datasets/x/data');
    t.match([status, answer], [200, { data, shape: [length] }], `round ${round}`);
    t.ok((answer['generation'] as number) > last, 'the generation grows');
    last = answer['generation'] as number;
  }
  t.equal((await ask('/v1/datasets/x'))[1]['id'], id, 'the id follows from the path');
});

t.test('a file is served when it is whole', async t => {
  const { folder, ask, names } = await serve(t);
  const bytes = counting(5, 100);
  const at = path.join(folder, 'slow.npy');
  fs.writeFileSync(at, '');
  for (let done = 0; done < bytes.byteLength; done += 100) {
    fs.appendFileSync(at, bytes.subarray(done, done + 100));
    const isWhole = done + 100 >= bytes.byteLength;
    t.ok(await eventually(async () => isWhole === (await names()).includes('slow'), isWhole ? 3000 : 200));
  }
  t.match(await ask('/v1/datasets/slow/data?slice=99'), [200, { data: 104 }]);
  fs.truncateSync(at, 300);
  t.match(await ask('/v1/datasets?state=quarantined'), [
    200,
    { datasets: [{ name: 'slow', state: 'quarantined', path: 'slow.npy', code: 'file_too_small', reason: /whole/ }] },
  ]);
  t.strictSame(await names(), []);
  // More than the array, as np.load has it.
  fs.writeFileSync(at, Buffer.concat([bytes, Buffer.alloc(100)]));
  t.match(await ask('/v1/datasets/slow/data?slice=99'), [200, { data: 104 }]);
});

t.test('what cannot be served is told, and the rest is', async t => {
  const { folder, ask, put, names } = await serve(t);
  put('same.npy', counting(0, 1));
  put('same.npz', npzOf(1));
  put('a/b.npy', counting(1, 1));
  put('a.b.npy', counting(2, 1));
  put('text.npy', 'no array');
  await eventually(async () => (await names('state=quarantined')).length === 2);
  t.strictSame(await names(), ['same', 'same.a']);
  const [, { datasets }] = await ask('/v1/datasets?state=quarantined');
  t.match(datasets, [
    { name: 'a.b', code: 'name_clash', reason: /"a(\.|\/)b\.npy" and "a(\.|\/)b\.npy"/ },
    { name: 'text', code: 'bad_npy', path: 'text.npy' },
  ]);
  const [status, clash] = await ask('/v1/datasets/a.b/data');
  t.equal(status, 409);
  t.strictSame([...(clash['paths'] as string[])].sort(), ['a.b.npy', 'a/b.npy']);
  fs.rmSync(path.join(folder, 'a.b.npy'));
  t.match(await ask('/v1/datasets/a.b/data'), [200, { data: [1] }]);
  const json = { 'content-type': 'application/json' };
  const made = {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ name: 'same', dtype: '<i4', shape: [2], fill: 9 }),
  };
  t.match(await ask('/v1/datasets', made), [201, { name: 'same' }]);
  t.match(await ask('/v1/datasets/same/data'), [200, { data: [9, 9] }], 'the catalog hides the file');
  t.strictSame(await names(), ['a.b', 'same', 'same.a']);
  t.equal((await ask('/v1/datasets/same', { method: 'DELETE' }))[0], 204);
  t.match(await ask('/v1/datasets/same/data'), [200, { data: [0] }]);

  const changes: [string, string, unknown, number, string][] = [
    ['PUT', '/data', 1, 403, 'read_only'],
    ['PATCH', '', { mode: 'r+' }, 409, 'from_folder'],
    ['PATCH', '', { attrs: { a: 1 } }, 409, 'from_folder'],
    ['DELETE', '', undefined, 409, 'from_folder'],
    ['DELETE', '?data=delete', undefined, 403, 'not_owned'],
  ];
  for (const [method, where, body, code, name] of changes) {
    const init = body === undefined ? { method } : { method, headers: json, body: JSON.stringify(body) };
    t.match(await ask(`/v1/datasets/same${where}`, init), [code, { code: name }], `${method} ${where}`);
  }
  t.equal((await ask('/v1/datasets?state=other'))[0], 400);
});

t.test('a description beside a file', async t => {
  const { ask, put, names, folder } = await serve(t);
  put('raw.bin', Buffer.from(Int16Array.of(1, 2, 3, 4, 5, 6).buffer));
  put('raw.json', JSON.stringify({ dtype: '<i2', shape: [2, 2], offset: 4, order: 'F', attrs: { unit: 'K' } }));
  put('grid.npy', counting(0, 2));
  put('grid.json', JSON.stringify({ attrs: { title: 'a grid' }, dims: ['x'] }));
  put('table.csv', '1,2');
  put('table.json', JSON.stringify({ columns: ['a', 'b'] }));
  put('alone.json', JSON.stringify({ dtype: '<i2' }));
  await eventually(async () => (await names()).length === 2);
  t.strictSame(await names(), ['grid', 'raw']);
  t.match(await ask('/v1/datasets/raw/data'), [
    200,
    {
      data: [
        [3, 5],
        [4, 6],
      ],
    },
  ]);
  t.match(await ask('/v1/datasets/raw'), [200, { attrs: { unit: 'K' }, format: 'raw', offset: 4 }]);
  t.match(await ask('/v1/datasets/grid'), [200, { attrs: { title: 'a grid' }, dims: ['x'], shape: [2] }]);
  put('grid.json', JSON.stringify({ attrs: { title: 'another' } }));
  t.match(await ask('/v1/datasets/grid'), [200, { attrs: { title: 'another' }, dims: null }]);
  put('raw.json', JSON.stringify({ dtype: '<i2', shape: [2, 20] }));
  t.match(await ask('/v1/datasets/raw'), [422, { code: 'file_too_small' }]);
  fs.rmSync(path.join(folder, 'raw.json'));
  t.ok(await eventually(async () => (await ask('/v1/datasets/raw'))[0] === 404));
});

t.test('links stay inside, and a folder that is away comes back with its ids', async t => {
  const outside = temporaryFolder();
  t.teardown(() => fs.rmSync(outside, { recursive: true, force: true }));
  fs.writeFileSync(path.join(outside, 'secret.npy'), counting(0, 1));
  const { folder, ask, put, names } = await serve(t);
  put('real/a.npy', counting(1, 1));
  fs.symlinkSync(path.join(folder, 'real'), path.join(folder, 'again'));
  fs.symlinkSync(folder, path.join(folder, 'real', 'circle'));
  fs.symlinkSync(path.join(folder, 'real', 'a.npy'), path.join(folder, 'b.npy'));
  fs.symlinkSync(outside, path.join(folder, 'out'));
  fs.symlinkSync(path.join(outside, 'secret.npy'), path.join(folder, 'secret.npy'));
  fs.symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'dead.npy'));
  await eventually(async () => (await names()).length === 2);
  t.strictSame(await names(), ['b', 'real.a']);
  t.match(await ask('/v1/datasets/b/data'), [200, { data: [1] }]);
  put('real/c.npy', counting(8, 1));
  fs.rmSync(path.join(folder, 'b.npy'));
  fs.symlinkSync(path.join(folder, 'real', 'c.npy'), path.join(folder, 'b.npy'));
  t.ok(await eventually(async () => (await ask('/v1/datasets/b/data'))[1]['data']?.toString() === '8'));

  const [, { id }] = await ask('/v1/datasets/real.a');
  fs.renameSync(folder, `${folder}.away`);
  t.match(await ask('/v1/datasets/real.a/data'), [503, { code: 'folder_away' }]);
  t.match(await ask('/v1/datasets?state=quarantined'), [200, { datasets: [{ code: 'folder_away' }, {}, {}] }]);
  t.match(await ask('/readyz'), [200, { folders: [{ folder: 1, state: 'away' }] }]);
  fs.renameSync(`${folder}.away`, folder);
  t.match(await ask('/v1/datasets/real.a'), [200, { id }]);
  t.ok(await eventually(async () => (await names()).length === 3));
  t.match(await ask('/readyz'), [200, { folders: [{ folder: 1, state: 'ready', watched: true }] }]);
});

t.test('trees that come at once are found', async t => {
  const { folder, put, names } = await serve(t);
  for (let i = 0; i < 50; i++) put(`t${i}/b/c/x.npy`, counting(i, 1));
  fs.cpSync(path.join(folder, 't0'), path.join(folder, 'copy'), { recursive: true, preserveTimestamps: true });
  fs.renameSync(path.join(folder, 't1'), path.join(folder, 't2', 'b', 'inner'));
  const due = [
    ...Array.from({ length: 50 }, (_, i) => `t${i}.b.c.x`).filter(name => name !== 't1.b.c.x'),
    'copy.b.c.x',
    't2.b.inner.b.c.x',
  ].sort();
  t.ok(await eventually(async () => (await names()).length === due.length));
  t.strictSame(await names(), due);
  fs.renameSync(path.join(folder, 't2'), `${folder}.out`);
  t.teardown(() => fs.rmSync(`${folder}.out`, { recursive: true, force: true }));
  t.ok(await eventually(async () => (await names()).length === due.length - 2));
});
