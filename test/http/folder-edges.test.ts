/** Served folders at their edges: names of any bytes, files that change kinds, folders that are away, and calls that may not be. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { eventsOf } from '../helpers/events.js';
import { header, npy } from '../helpers/npy.js';
import { counting, digitsOf, eventually, microsOf, serveFolder } from '../helpers/served-folder.js';
import { start, temporaryFolder } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { npzOf } from '../helpers/tables.js';

/** Answers that are looked at for mixtures: before files were shared, one in twenty was one. */
const ANSWERS = caseCount(20, 600);

const JSON_TYPE = { 'content-type': 'application/json' };
const post = (body: unknown): RequestInit => ({ method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) });

t.test('names may be of any bytes', async t => {
  const { folder, ask, names } = await serveFolder(t);
  const latin = (text: string): Buffer => Buffer.from(text, 'latin1');
  const at = (name: Buffer): Buffer => Buffer.concat([Buffer.from(`${folder}/`), name]);
  fs.writeFileSync(at(latin('caf\xe9.npy')), counting(1, 1));
  fs.writeFileSync(at(latin('caf\xe8.npy')), counting(2, 1));
  fs.mkdirSync(at(latin('d\xff')));
  fs.writeFileSync(at(latin('d\xff/x.npy')), counting(3, 1));
  fs.writeFileSync(at(latin('d\xff/y.npz')), npzOf(4));
  fs.writeFileSync(at(latin('raw\xfe.bin')), Buffer.from([9, 0]));
  fs.writeFileSync(at(latin('raw\xfe.json')), JSON.stringify({ dtype: '<i2', shape: [1] }));
  fs.symlinkSync(at(latin('d\xff/x.npy')), at(latin('link\xfd.npy')));
  fs.writeFileSync(path.join(folder, '\uFFFD.npy'), counting(5, 1));
  const due: Record<string, number> = {
    [`caf_-${digitsOf(latin('caf\xe9.npy'))}`]: 1,
    [`caf_-${digitsOf(latin('caf\xe8.npy'))}`]: 2,
    [`d_.x-${digitsOf(latin('d\xff/x.npy'))}`]: 3,
    [`d_.y.a-${digitsOf(latin('d\xff/y.npz:a'))}`]: 4,
    [`__-${digitsOf('\uFFFD.npy')}`.slice(1)]: 5,
    [`raw_-${digitsOf(latin('raw\xfe.bin'))}`]: 9,
    [`link_-${digitsOf(latin('link\xfd.npy'))}`]: 3,
  };
  t.ok(await eventually(async () => (await names()).length === 7));
  t.strictSame(await names(), Object.keys(due).sort());
  const ids = new Set<unknown>();
  for (const [name, value] of Object.entries(due)) {
    t.match(await ask(`/v1/datasets/${name}/data`), [200, { data: [value] }], name);
    const [, { id }] = await ask(`/v1/datasets/${name}`);
    ids.add(id);
  }
  t.equal(ids.size, 7, 'ids follow from the bytes');
  const [first] = Object.keys(due);
  t.match(await ask(`/v1/datasets/${first}`), [200, { path: 'caf\uFFFD.npy', state: 'ready' }]);
  fs.writeFileSync(at(latin('caf\xe9.npy')), counting(7, 2));
  t.match(await ask(`/v1/datasets/${first}/data`), [200, { data: [7, 8] }]);
  fs.renameSync(at(latin('caf\xe9.npy')), at(latin('caf\xea.npy')));
  t.match(await ask(`/v1/datasets/${first}`), [404, { code: 'unknown_dataset' }]);
  const renamed = `caf_-${digitsOf(latin('caf\xea.npy'))}`;
  t.match(await ask(`/v1/datasets/${renamed}/data`), [200, { data: [7, 8] }], 'a new name is looked for');
});

t.test('a description may have numbers that only exact JSON has', async t => {
  const { put, ask } = await serveFolder(t);
  put('a.json', '{"attrs":{"serial":12345678901234567890}}');
  put('a.npy', counting(1, 2));
  t.match(await ask('/v1/datasets/a/data'), [200, { data: [1, 2] }]);
  put('a.npy', counting(3, 2));
  t.match(await ask('/v1/datasets/a/data'), [200, { data: [3, 4] }], 'changed in place');
  put('a.json', '{"attrs":{"serial":12345678901234567891}}');
  t.match(await ask('/v1/datasets/a/data'), [200, { data: [3, 4] }], 'described anew');
});

t.test('a container whose arrays cannot be told keeps no other file from being served', async t => {
  const { folder, ask, put, names } = await serveFolder(t);
  put('same.npy', counting(3, 1));
  put('same.npz', npzOf(1).subarray(0, 50));
  put('box.npz', npzOf(1).subarray(0, 50));
  const held = async (): Promise<string[]> => names('state=quarantined');
  t.ok(await eventually(async () => (await held()).length === 2));
  t.strictSame(await held(), ['box', 'same']);
  t.match(await ask('/v1/datasets?state=quarantined'), [
    200,
    {
      datasets: [
        { path: 'box.npz', code: 'bad_container' },
        { path: 'same.npz', code: 'bad_container' },
      ],
    },
  ]);
  t.match(await ask('/v1/datasets/box'), [422, { code: 'bad_container' }]);
  t.match(await ask('/v1/datasets/same/data'), [200, { data: [3] }]);
  t.strictSame(await names(), ['same']);
  put('box.npz', npzOf(8));
  t.match(await ask('/v1/datasets/box.a/data'), [200, { data: [8] }], 'whole now');
  t.equal((await ask('/v1/datasets/box'))[0], 404);
  fs.rmSync(path.join(folder, 'same.npz'));
  t.ok(await eventually(async () => (await held()).length === 0));
});

t.test('a dataset in the catalog hides the file of its name, also where that cannot be served', async t => {
  const { ask, put, names } = await serveFolder(t);
  put('a.npy', counting(1, 1));
  put('bad.npy', 'no array');
  t.ok(await eventually(async () => (await names()).length === 1));
  for (const name of ['a', 'bad']) {
    t.equal((await ask('/v1/datasets', post({ name, dtype: '<i4', shape: [1], fill: 5 })))[0], 201);
    t.match(await ask(`/v1/datasets/${name}/data`), [200, { data: [5] }]);
  }
  t.strictSame(await names(), ['a', 'bad']);
  t.strictSame(await names('state=quarantined'), []);
  for (const name of ['a', 'bad']) t.equal((await ask(`/v1/datasets/${name}`, { method: 'DELETE' }))[0], 204);
  t.strictSame(await names(), ['a']);
  t.strictSame(await names('state=quarantined'), ['bad']);
});

t.test('who follows a file is told what becomes of it', async t => {
  const { folder, ask, put, server } = await serveFolder(t);
  put('x.npy', counting(1, 3));
  const [status, first] = await ask('/v1/datasets/x');
  t.equal(status, 200, 'a file that has just come is found by its name');
  const at = path.join(folder, 'x.npy');
  const waiting = ask(`/v1/datasets/x?wait=${first['generation'] as number}&timeout=20`);
  setTimeout(() => put('x.npy', counting(4, 5)), 300);
  const begunMs = performance.now();
  t.match(await waiting, [200, { shape: [5], id: first['id'], generation: microsOf(at) }]);
  t.ok(performance.now() - begunMs < 10_000, 'within seconds');

  const stream = await server.fetch('/v1/datasets/x/events');
  const events: [string | undefined, string][] = [];
  const over = (async () => {
    for await (const { event, data } of eventsOf(stream.body!)) if (event) events.push([event, data]);
  })();
  t.ok(await eventually(async () => events.length === 1));
  put('.x', counting(7, 2));
  fs.renameSync(path.join(folder, '.x'), at);
  t.ok(await eventually(async () => events.length >= 2));
  const change = JSON.parse(events.at(-1)![1]) as Record<string, unknown>;
  t.match(change, { id: first['id'], shape: [2], generation: microsOf(at) });
  const late = ask(`/v1/datasets/x?wait=${microsOf(at)}&timeout=20`);
  fs.rmSync(at);
  await over;
  t.equal(events.at(-1)![0], 'deleted');
  t.match(await late, [404, { code: 'unknown_dataset' }]);
});

t.test('the folder is no root, and nothing of it is changed by calls', async t => {
  const { folder, ask, put } = await serveFolder(t);
  put('a.npy', counting(1, 2));
  t.equal((await ask('/v1/datasets/a'))[0], 200);
  for (const asked of ['a.npy', path.join(folder, 'a.npy')]) {
    const [status, { code }] = await ask('/v1/datasets', post({ name: 'b', path: asked }));
    t.ok([403, 404].includes(status) && ['path_forbidden', 'file_not_found'].includes(String(code)), asked);
  }
  const before = fs.readFileSync(path.join(folder, 'a.npy'));
  const calls: [string, RequestInit, number, string][] = [
    ['/append', post([1]), 403, 'read_only'],
    ['/data', { ...post(1), method: 'PUT' }, 403, 'read_only'],
    ['?data=delete', { method: 'DELETE' }, 403, 'not_owned'],
    ['', { method: 'DELETE' }, 409, 'from_folder'],
    ['', { ...post({ dims: ['x'] }), method: 'PATCH' }, 409, 'from_folder'],
  ];
  for (const [where, init, status, code] of calls) {
    t.match(await ask(`/v1/datasets/a${where}`, init), [status, { code }], `${init.method} ${where}`);
  }
  t.strictSame(fs.readFileSync(path.join(folder, 'a.npy')), before);
});

t.test('ids and generations outlive a restart; what is away stays what it was', async t => {
  const { folder, ask, put, names } = await serveFolder(t);
  put('a.npy', counting(1, 2));
  put('box.npz', npzOf(3));
  t.ok(await eventually(async () => (await names()).length === 2));
  const seen = async (get: typeof ask): Promise<unknown[]> =>
    Promise.all(
      ['a', 'box.a'].map(async name => {
        const [, { id, generation }] = await get(`/v1/datasets/${name}`);
        return [id, generation];
      }),
    );
  const before = await seen(ask);
  const again = await serveFolder(t, { folder });
  t.strictSame(await seen(again.ask), before);
  fs.renameSync(folder, `${folder}.away`);
  t.match(await ask('/v1/datasets/a/data'), [503, { code: 'folder_away' }]);
  t.match(await ask('/v1/datasets/never'), [404, { code: 'unknown_dataset' }]);
  const late = await startHere(t, { env: { HYPERSLAB_FOLDERS: folder } });
  const unknown = await late.fetch('/v1/datasets/a');
  t.match([unknown.status, await unknown.json()], [503, { code: 'folder_away' }], 'nobody can say that there is none');
  t.ok(Number(unknown.headers.get('retry-after')) > 0);
  fs.renameSync(`${folder}.away`, folder);
  t.match(await ask('/v1/datasets/a'), [200, { id: (before[0] as unknown[])[0] }]);
  t.ok(await eventually(async () => (await late.fetch('/v1/datasets/a')).status === 200));
  t.strictSame(await seen(ask), before);
});

t.test('links lead to files and to hidden folders; every other folder has the name under which it stands', async t => {
  const { folder, ask, put, names } = await serveFolder(t);
  put('z/deep/a.npy', counting(1, 1));
  fs.symlinkSync('z/deep', path.join(folder, 'a-link'));
  put('.store/v1/b.npy', counting(2, 1));
  fs.symlinkSync('.store/v1', path.join(folder, 'current'));
  fs.symlinkSync('loop', path.join(folder, 'loop'));
  t.ok(await eventually(async () => (await names()).length === 2));
  t.strictSame(await names(), ['current.b', 'z.deep.a']);
  put('.store/v2/b.npy', counting(3, 1));
  fs.symlinkSync('.store/v2', path.join(folder, '.next'));
  fs.renameSync(path.join(folder, '.next'), path.join(folder, 'current'));
  t.ok(await eventually(async () => (await ask('/v1/datasets/current.b/data'))[1]['data']?.toString() === '3'));
});

t.test('a folder in the data folder is left out', async t => {
  const dataDir = temporaryFolder();
  fs.mkdirSync(path.join(dataDir, 'arrays'));
  fs.writeFileSync(path.join(dataDir, 'arrays', 'own.npy'), counting(1, 1));
  const service = await startHere(t, {
    dataDir,
    env: { HYPERSLAB_FOLDERS: path.join(dataDir, 'arrays') },
  });
  t.match(await (await service.fetch('/v1/datasets')).json(), { datasets: [] });
  t.equal((await service.fetch('/v1/datasets/own')).status, 404);
});

t.test('a file that takes another form is another array from then on', async t => {
  const { folder, ask, put } = await serveFolder(t);
  const at = path.join(folder, 'x.npy');
  put('x.npy', counting(1, 4));
  const last = { generation: 0 };
  const forms: [Buffer, Record<string, unknown>][] = [
    [npy(header('<f8', '(2, 1)'), 16), { dtype: '<f8', shape: [2, 1] }],
    [npy(header('>i2', '()'), Buffer.of(1, 2)), { dtype: '>i2', shape: [] }],
    [npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", 6), { dtype: '|u1', shape: [2, 3], order: 'F' }],
    [counting(9, 4), { dtype: '<i4', shape: [4] }],
  ];
  for (const [bytes, due] of forms) {
    fs.writeFileSync(at, bytes);
    const [status, found] = await ask('/v1/datasets/x');
    t.match([status, found], [200, due], JSON.stringify(due));
    t.ok((found['generation'] as number) > last.generation);
    last.generation = found['generation'] as number;
    t.equal((await ask('/v1/datasets/x/data'))[0], 200);
  }
  // What is no array is said to be none, with its reason, and mended at once.
  fs.writeFileSync(at, Buffer.from('nothing'));
  t.match(await ask('/v1/datasets/x/statistics?ops=sum'), [400, { code: 'bad_npy' }]);
  fs.writeFileSync(at, counting(2, 3));
  t.match(await ask('/v1/datasets/x/statistics?ops=sum'), [200, { results: { sum: 9 } }]);
});

t.test('a file that the catalog writes gives whole answers in its folder, too', async t => {
  const folder = temporaryFolder();
  const { ask, put, server } = await serveFolder(t, { folder, env: { HYPERSLAB_ROOTS: folder }, begin: start });
  const length = 300_000;
  put('x.npy', npy(header('<i4', `(${length},)`), 4 * length));
  const at = path.join(folder, 'x.npy');
  const [, first] = await ask('/v1/datasets/x');
  t.equal((await ask('/v1/datasets', post({ name: 'own', path: 'x.npy', mode: 'r+' })))[0], 201);
  let written = 0;
  const seen = { answers: 0, mixed: 0, old: 0 };
  const end = Date.now() + 8000;
  const goesOn = (): boolean => Date.now() < end && (seen.answers < ANSWERS || written < ANSWERS / 4);
  const write = async (): Promise<void> => {
    for (let value = 1; goesOn(); value++) {
      // oxlint-disable-next-line no-await-in-loop
      const [status] = await ask('/v1/datasets/own/data', { ...post(value), method: 'PUT' });
      if (status !== 200) throw new Error(`a write was answered with ${status}`);
      written = value;
    }
  };
  const note = (values: readonly number[], due: number): void => {
    seen.answers++;
    if (values.some(value => value !== values[0])) seen.mixed++;
    if (values[0]! < due) seen.old++;
  };
  const read = async (): Promise<void> => {
    while (goesOn()) {
      const due = written;
      // oxlint-disable-next-line no-await-in-loop
      const answer = await server.fetch('/v1/datasets/x/data?format=raw');
      // oxlint-disable-next-line no-await-in-loop
      note([...new Int32Array(await answer.arrayBuffer())], due);
    }
  };
  const compute = async (): Promise<void> => {
    while (goesOn()) {
      const due = written;
      // oxlint-disable-next-line no-await-in-loop
      const [status, { results }] = await ask('/v1/datasets/x/statistics?ops=min,max');
      // A file that never stands still is 503 busy_writing.
      if (status === 200) note(Object.values(results as Record<string, number>), due);
    }
  };
  await Promise.all([write(), read(), compute()]);
  t.match(seen, { mixed: 0, old: 0 });
  t.ok(seen.answers > 3 && written > 3, `${seen.answers} answers beside ${written} writes`);
  const [, last] = await ask('/v1/datasets/x');
  t.ok((last['generation'] as number) > (first['generation'] as number));
  t.ok((last['generation'] as number) >= microsOf(at), 'it is the change time, or more where that stood still');
  t.equal(last['id'], first['id']);
  t.equal((await ask('/v1/datasets/own', { method: 'DELETE' }))[0], 204);
  t.match(
    await ask('/v1/datasets/x/data?slice=:2'),
    [200, { data: [written, written] }],
    'it stays a file of the folder',
  );
});

t.test('an answer under way is cut where its file is replaced, cut off or filled anew', async t => {
  const { folder, put, ask, server } = await serveFolder(t);
  const length = 8_000_000;
  const filled = (value: number): Buffer =>
    npy(header('<i4', `(${length},)`), Buffer.from(new Int32Array(length).fill(value).buffer));
  const at = path.join(folder, 'x.npy');
  const ways: Record<string, () => void> = {
    replaced: () => {
      put('.next', filled(2));
      fs.renameSync(path.join(folder, '.next'), at);
    },
    'cut off': () => fs.truncateSync(at, 1000),
    'filled anew': () => fs.writeFileSync(at, filled(3)),
    gone: () => fs.rmSync(at),
  };
  for (const [way, change] of Object.entries(ways)) {
    put('x.npy', filled(1));
    t.equal((await ask('/v1/datasets/x'))[0], 200);
    const answer = await server.fetch('/v1/datasets/x/data?format=raw');
    const seen = new Set<number>();
    let bytes = 0;
    const read = async (): Promise<void> => {
      for await (const piece of answer.body! as AsyncIterable<Uint8Array>) {
        if (bytes === 0) change();
        bytes += piece.byteLength;
        seen.add(piece[piece.length - 4]!);
      }
    };
    const cut = await read().then(
      () => false,
      () => true,
    );
    t.ok(cut && bytes < 4 * length, `${way}: ${bytes} bytes`);
  }
});
