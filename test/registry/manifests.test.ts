/** Manifests on disk: a damaged one takes its own dataset out of service, with a reason, and no other. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { startServer, temporaryFolder } from '../helpers/server.js';
import { startServiceHere } from '../helpers/service-here.js';
import { create, describe, json, outcome, readRaw } from '../system/calls.js';

const dataDir = temporaryFolder();
t.teardown(() => fs.rmSync(dataDir, { recursive: true }));
const manifestOf = (name: string): string => path.join(dataDir, 'catalog', `${name}.json`);

t.test('what a manifest says survives a restart', async t => {
  const first = await startServiceHere({ dataDir });
  t.teardown(() => first.stop());
  fs.writeFileSync(path.join(dataDir, 'file.raw'), Buffer.alloc(100, 1));
  const made = await create(first, {
    name: 'made',
    dtype: '>i2',
    shape: [3, 5],
    order: 'F',
    fill: -2,
    attrs: { nested: { list: [1, 'zwei', null, true] } },
    dims: ['y', 'x'],
  });
  await create(first, { name: 'raw', path: 'file.raw', dtype: '<u4', offset: 4, shape: [2, 12] });
  await create(first, { name: 'good', dtype: '<f4', shape: [], format: 'raw' });
  const described = await Promise.all(['made', 'raw', 'good'].map(name => describe(first, name)));
  t.strictSame(described[0], made);
  await first.stop();
  const second = await startServiceHere({ dataDir });
  t.teardown(() => second.stop());
  t.strictSame(await Promise.all(['made', 'raw', 'good'].map(name => describe(second, name))), described);
  t.ok((await readRaw(second, 'made')).equals(Buffer.alloc(30, Buffer.of(0xff, 0xfe))));
});

t.test('paths in the data folder are relative, so that a copy works elsewhere', async t => {
  for (const name of ['made', 'raw', 'good']) {
    const { path: stored } = JSON.parse(fs.readFileSync(manifestOf(name), 'utf8')) as { path: string };
    t.notOk(path.isAbsolute(stored), `${name}: ${stored}`);
  }
  const copy = temporaryFolder();
  fs.cpSync(dataDir, copy, { recursive: true });
  const server = await startServiceHere({ dataDir: copy });
  t.teardown(async () => {
    await server.stop();
    fs.rmSync(copy, { recursive: true });
  });
  t.equal(await outcome(server.fetch('/v1/datasets/made/data', json('PUT', 7))), '200');
  t.ok((await readRaw(server, 'made')).equals(Buffer.alloc(30, Buffer.of(0, 7))));
  t.notOk(
    fs.readFileSync(path.join(dataDir, 'arrays', 'made.npy')).includes(Buffer.of(0, 7, 0, 7)),
    'the original is as it was',
  );
});

t.test('a damaged manifest quarantines its dataset', async t => {
  const good = fs.readFileSync(manifestOf('made'), 'utf8');
  const members = JSON.parse(good) as Record<string, unknown>;
  const changed = (name: string, change: Record<string, unknown>): string =>
    JSON.stringify({ ...members, name, id: 'a'.repeat(24), file_id: 'b'.repeat(24), ...change });
  const { shape: _, ...shapeless } = members;
  const damaged: Record<string, string> = {
    empty: '',
    cut: good.slice(0, good.length / 2),
    'not-json': 'a: 1',
    zeros: '\0'.repeat(200),
    list: '[]',
    null: 'null',
    shapeless: JSON.stringify({ ...shapeless, name: 'shapeless' }),
    'other-name': changed('made', {}),
    dtype: changed('dtype', { dtype: '<q9' }),
    object: changed('object', { dtype: '|O' }),
    negative: changed('negative', { shape: [-1] }),
    fraction: changed('fraction', { shape: [1.5] }),
    huge: changed('huge', { shape: [2 ** 53, 2 ** 53] }),
    order: changed('order', { order: 'K' }),
    mode: changed('mode', { mode: 'rw' }),
    outside: changed('outside', { path: '../outside.raw' }),
    absolute: changed('absolute', { path: '/etc/hostname' }),
    offset: changed('offset', { offset: -1 }),
    attrs: changed('attrs', { attrs: 'none' }),
    dims: changed('dims', { dims: ['only-one'] }),
    id: changed('id', { file_id: '../../x' }),
  };
  for (const [name, text] of Object.entries(damaged)) fs.writeFileSync(manifestOf(name), text);
  fs.mkdirSync(manifestOf('folder'));
  const server = await startServer({ dataDir });
  t.teardown(() => server.stop());

  const ready = (await (await server.fetch('/readyz')).json()) as {
    status: string;
    datasets: number;
    quarantined: { name: string; reason: string }[];
  };
  t.equal(ready.status, 'ready');
  t.equal(ready.datasets, 3);
  const reasons = new Map(ready.quarantined.map(({ name, reason }) => [name, reason]));
  t.strictSame([...reasons.keys()].sort(), [...Object.keys(damaged), 'folder'].sort());
  for (const [name, reason] of reasons) {
    t.ok(reason.length > 10, `${name}: ${reason}`);
    t.notMatch(reason, dataDir, 'no path of the server');
  }
  t.match(reasons.get('not-json'), /JSON/);
  t.match(reasons.get('shapeless'), /shape/);
  t.match(reasons.get('dtype'), /dtype|<q9/);
  t.match(reasons.get('outside'), /folders/);
  t.match(server.log.join('\n'), /not-json/, 'the log says so too');

  for (const name of Object.keys(damaged)) {
    for (const call of ['', '/data', '/statistics?ops=sum']) {
      const response = await server.fetch(`/v1/datasets/${name}${call}`);
      t.equal(await outcome(response), `503 quarantined ${reasons.get(name)}`, `${name}${call}`);
    }
  }
  for (const name of ['made', 'raw', 'good']) t.equal(await outcome(server.fetch(`/v1/datasets/${name}/data`)), '200');
  t.match(server.log.join('\n'), /quarantined/);

  t.equal(
    await outcome(server.fetch('/v1/datasets/outside?data=delete', { method: 'DELETE' })),
    `503 quarantined ${reasons.get('outside')}`,
  );
  for (const name of Object.keys(damaged)) {
    t.equal(await outcome(server.fetch(`/v1/datasets/${name}`, { method: 'DELETE' })), '204', name);
    t.notOk(fs.existsSync(manifestOf(name)), `${name} is gone`);
    t.equal(await outcome(server.fetch(`/v1/datasets/${name}`)), '404 unknown_dataset');
  }
  t.equal(
    await outcome(server.fetch('/v1/datasets', json('POST', { name: 'empty', dtype: '|u1', shape: [1] }))),
    '201',
  );
  t.ok(fs.existsSync(path.join(dataDir, 'arrays', 'made.npy')));
});

t.test('two manifests that may both write one file are not both served as they are', async t => {
  const folder = temporaryFolder();
  const first = await startServiceHere({ dataDir: folder });
  t.teardown(async () => {
    await first.stop();
    fs.rmSync(folder, { recursive: true });
  });
  await create(first, { name: 'one', dtype: '|u1', shape: [4] });
  await first.stop();
  const manifest = JSON.parse(fs.readFileSync(path.join(folder, 'catalog', 'one.json'), 'utf8')) as object;
  const copy = { ...manifest, name: 'two', id: 'a'.repeat(24), file_id: 'b'.repeat(24) };
  fs.writeFileSync(path.join(folder, 'catalog', 'two.json'), JSON.stringify(copy));
  const second = await startServiceHere({ dataDir: folder });
  t.teardown(() => second.stop());
  const outcomes = await Promise.all(
    ['one', 'two'].map(name => outcome(second.fetch(`/v1/datasets/${name}/data`, json('PUT', 1)))),
  );
  t.notSame(outcomes, ['200', '200'], 'a file has one writer');
});

t.test('two manifests on one file share its generation, whatever their file ids', async t => {
  const folder = temporaryFolder();
  const first = await startServiceHere({ dataDir: folder });
  t.teardown(async () => {
    await first.stop();
    fs.rmSync(folder, { recursive: true });
  });
  await create(first, { name: 'writer', dtype: '|u1', shape: [4] });
  for (const value of [1, 2]) {
    t.equal(await outcome(first.fetch('/v1/datasets/writer/data', json('PUT', value))), '200');
  }
  const { generation } = await describe(first, 'writer');
  await first.stop();
  const catalog = path.join(folder, 'catalog');
  const manifest = JSON.parse(fs.readFileSync(path.join(catalog, 'writer.json'), 'utf8')) as object;
  const reader = { ...manifest, name: 'reader', id: 'a'.repeat(24), file_id: 'b'.repeat(24), mode: 'r' };
  fs.writeFileSync(path.join(catalog, 'reader.json'), JSON.stringify(reader));
  const second = await startServiceHere({ dataDir: folder });
  t.teardown(() => second.stop());
  t.ok((await describe(second, 'writer')).generation > generation, 'above all that were used');
  t.equal(await outcome(second.fetch('/v1/datasets/writer/data', json('PUT', 3))), '200');
  t.equal((await describe(second, 'reader')).generation, (await describe(second, 'writer')).generation);
  t.strictSame(await readRaw(second, 'reader'), Buffer.alloc(4, 3));
});

t.test('manifests of before `made` was written down: an array of ours is one that lies under arrays/', async t => {
  const folder = temporaryFolder();
  const first = await startServiceHere({ dataDir: folder });
  t.teardown(async () => {
    await first.stop();
    fs.rmSync(folder, { recursive: true });
  });
  await create(first, { name: 'ours', dtype: '|u1', shape: [4] });
  await create(first, { name: 'theirs', dtype: '|u1', shape: [4], external: true });
  await first.stop();
  for (const name of ['ours', 'theirs']) {
    const file = path.join(folder, 'catalog', `${name}.json`);
    const { made, ...older } = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
    t.equal(made, true);
    fs.writeFileSync(file, JSON.stringify(older));
  }
  const second = await startServiceHere({ dataDir: folder });
  t.teardown(() => second.stop());
  const remove = (name: string): Promise<string> =>
    outcome(second.fetch(`/v1/datasets/${name}?data=delete`, { method: 'DELETE' }));
  t.equal(await remove('ours'), '204');
  t.equal(await remove('theirs'), '403 not_owned');
});

t.test('temporary files of an interrupted service are removed at the start', async t => {
  const left = ['arrays', 'catalog', 'journal'].map(room =>
    path.join(dataDir, room, '.hyperslab-0123456789abcdef.tmp'),
  );
  for (const file of left) fs.writeFileSync(file, 'half');
  const server = await startServiceHere({ dataDir });
  t.teardown(() => server.stop());
  for (const file of left) t.notOk(fs.existsSync(file), path.relative(dataDir, file));
});

t.test('a damaged counter of generations quarantines its datasets', async t => {
  const { file_id: fileId } = JSON.parse(fs.readFileSync(manifestOf('good'), 'utf8')) as { file_id: string };
  fs.writeFileSync(path.join(dataDir, 'journal', `${fileId}.generation.json`), '{"generation":');
  const server = await startServiceHere({ dataDir });
  t.teardown(() => server.stop());
  t.match(await outcome(server.fetch('/v1/datasets/good')), /^503 quarantined .*generation/);
  t.equal(await outcome(server.fetch('/v1/datasets/made')), '200');
  t.equal(await outcome(server.fetch('/v1/datasets/good', { method: 'DELETE' })), '204');
});
