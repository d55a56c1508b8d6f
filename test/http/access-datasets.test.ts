/** Which datasets a key reaches: all others are not there for it, and no call tells otherwise. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { CALLS, named, NPY, query, send, type Call } from '../helpers/access-calls.js';
import { addKey, bearer } from '../helpers/keys.js';
import { temporaryFolder } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { binary, json, outcome } from '../system/calls.js';

/** Calls that name a dataset in their path. */
const OF_ONE = /^\/(?:v1\/datasets|zarr2?)\/~?a1/;

t.test('datasets outside the patterns of a key answer like unknown ones, wherever they are named', async t => {
  const dataDir = temporaryFolder();
  const admin = await addKey(dataDir, ['admin']);
  const [reader, writer, owner] = [
    await addKey(dataDir, ['read'], { datasets: ['a*', 'c1'] }),
    await addKey(dataDir, ['write'], { datasets: ['a*', 'c1'] }),
    await addKey(dataDir, ['admin'], { datasets: ['a*', 'c1'] }),
  ];
  const server = await startHere(t, { dataDir });
  for (const name of ['a1', 'a2', 'b1', 'b2', 'c1', 'c2'])
    await send(server, { name, path: '/v1/datasets', init: named(name) }, admin);

  const same = async (call: (name: string) => Call, token: string): Promise<void> => {
    const [secret, nowhere] = await Promise.all(['b1', 'zz'].map(name => send(server, call(name), token)));
    const [left, right] = [await secret!.text(), await nowhere!.text()];
    t.equal(left.replaceAll('b1', 'zz'), right, call('').name);
    t.strictSame([secret!.status, secret!.headers.get('www-authenticate')], [nowhere!.status, null]);
    t.match(left, /unknown_dataset/, call('').name);
  };
  for (const [scope, token] of [
    ['read', reader],
    ['write', writer],
    ['admin', owner],
  ] as const) {
    for (const call of CALLS.filter(each => each.scope === scope && OF_ONE.test(each.path))) {
      if (call.init?.method === 'HEAD') continue;
      await same(name => ({ ...call, path: call.path.replace('a1', name) }), token);
    }
  }
  const batch = json('POST', { queries: ['b1', 'zz', 'a1'].map(dataset => ({ dataset, ops: query.ops })) });
  const lines = (await (await send(server, { name: '', path: '/v1/statistics', init: batch }, reader)).text())
    .trim()
    .split('\n');
  t.equal(lines[0]!.replaceAll('b1', 'zz').replace('"index":0', '"index":1'), lines[1]);
  t.match(JSON.parse(lines[2]!), { dataset: 'a1' });
});

t.test('a list shows what the key reaches, page by page', async t => {
  const dataDir = temporaryFolder();
  const admin = await addKey(dataDir, ['admin']);
  const key = await addKey(dataDir, ['read'], { datasets: ['*-x', 'b*', 'b-x'] });
  const server = await startHere(t, { dataDir });
  const names = ['a-x', 'a-y', 'b', 'b-x', 'bb', 'c-x', 'd'];
  for (const name of names) await send(server, { name, path: '/v1/datasets', init: named(name) }, admin);
  const listed = async (parameters: string): Promise<string[]> => {
    const found: string[] = [];
    for (let cursor = ''; ;) {
      const answer = await server.fetch(`/v1/datasets?${parameters}${cursor && `&cursor=${cursor}`}`, bearer(key));
      const page = (await answer.json()) as { datasets: { name: string }[]; next_cursor: string | null };
      found.push(...page.datasets.map(({ name }) => name));
      if (page.next_cursor === null) return found;
      cursor = page.next_cursor;
    }
  };
  const reached = ['a-x', 'b', 'b-x', 'bb', 'c-x'];
  for (const limit of [1, 2, 3, 100]) t.strictSame(await listed(`limit=${limit}`), reached, `limit ${limit}`);
  t.strictSame(await listed('prefix=b'), ['b', 'b-x', 'bb']);
  t.strictSame(await listed('prefix=b-&limit=1'), ['b-x']);
  t.strictSame(await listed('prefix=d'), []);
  t.match(await (await server.fetch('/readyz', bearer(key))).json(), { datasets: reached.length });
});

t.test('a key with patterns makes names that it reaches, and reaches no file by its path', async t => {
  const dataDir = temporaryFolder();
  const [admin, key] = [await addKey(dataDir, ['admin']), await addKey(dataDir, ['admin'], { datasets: ['a*'] })];
  const server = await startHere(t, { dataDir });
  const post = (body: object): Promise<string> =>
    outcome(send(server, { name: '', path: '/v1/datasets', init: json('POST', body) }, key));
  await send(server, { name: '', path: '/v1/datasets', init: named('b1') }, admin);
  t.equal(await post({ name: 'a1', dtype: 'f4', shape: [1] }), '201');
  for (const name of ['b1', 'b2']) {
    t.equal(await post({ name, dtype: 'f4', shape: [1] }), '403 forbidden', `${name}, taken or not`);
    const put = { name, path: `/v1/datasets/${name}`, init: binary('PUT', NPY, 'application/x-npy') };
    t.equal(await outcome(send(server, put, key)), '403 forbidden', `${name}, taken or not`);
  }
  t.equal(await post({ name: 'a2', path: 'arrays/b1.npy' }), '403 forbidden');
  t.equal(await post({ name: 'a2', path: 'x.npy', mode: 'w+', dtype: 'f4', shape: [1] }), '403 forbidden');
});

t.test('a key for writing replaces arrays of the service, but not what was registered by its path', async t => {
  const dataDir = temporaryFolder();
  const [admin, writer] = [await addKey(dataDir, ['admin']), await addKey(dataDir, ['write'])];
  fs.writeFileSync(path.join(dataDir, 'mine.npy'), NPY);
  const server = await startHere(t, { dataDir });
  const post = (body: object, key: string): Promise<string> =>
    outcome(send(server, { name: '', path: '/v1/datasets', init: json('POST', body) }, key));
  const put = (name: string, key: string): Promise<string> =>
    outcome(
      send(
        server,
        { name, path: `/v1/datasets/${name}?overwrite=true`, init: binary('PUT', NPY, 'application/x-npy') },
        key,
      ),
    );
  t.equal(await post({ name: 'made', dtype: 'f4', shape: [1] }, writer), '201');
  t.equal(await post({ name: 'mine', path: 'mine.npy' }, admin), '201');
  t.equal(await put('made', writer), '200');
  t.equal(await put('mine', writer), '403 forbidden');
  t.equal(await put('mine', admin), '200');
});

t.test('the key file itself is no dataset for anybody', async t => {
  const dataDir = temporaryFolder();
  const admin = await addKey(dataDir, ['admin']);
  const server = await startHere(t, { dataDir });
  for (const body of [
    { path: 'keys.json' },
    { path: 'keys.json', mode: 'r+' },
    { path: 'keys.json', mode: 'w+', overwrite: true, dtype: 'f4', shape: [1], format: 'raw' },
  ]) {
    const call = { name: '', path: '/v1/datasets', init: json('POST', { name: 'k', ...body }) };
    t.equal(await outcome(send(server, call, admin)), '403 path_forbidden', JSON.stringify(body));
  }
});
