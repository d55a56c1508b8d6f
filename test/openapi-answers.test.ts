/**
 * Answers have no member that the document does not tell: clients in some languages refuse those. Calls of every kind
 * are sent, and each answer is held to its schema with no further members allowed.
 */
import fs from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { CALLS, faultsOf, faultsOfAnswer, type Call } from './helpers/api-document.js';
import { startHere } from './helpers/service-here.js';
import { temporaryFolder, type Service } from './helpers/server.js';
import { binary, json } from './system/calls.js';

/** The operation of the document that a request is for. */
function callOf(method: string, url: string): Call {
  const where = url.split('?')[0]!;
  const found = CALLS.filter(call => call.method === method).find(call =>
    new RegExp(`^${call.url.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(where),
  );
  if (!found) throw new Error(`${method} ${where} is not told`);
  return found;
}

/** Sends a request, and holds its answer to the document. */
async function send(t: Test, server: Service, url: string, init: RequestInit = {}): Promise<unknown> {
  const { operation } = callOf(init.method ?? 'GET', url);
  const response = await server.fetch(url, init);
  const body = Buffer.from(await response.arrayBuffer());
  const title = `${init.method ?? 'GET'} ${url} is ${response.status}`;
  t.strictSame(faultsOfAnswer(operation, response, body, ['ETag', 'Accept-Ranges']), [], title);
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '') && body.length > 0;
  return isJson && !url.startsWith('/v1/statistics') ? JSON.parse(body.toString()) : body.toString();
}

async function service(t: Test): Promise<Service> {
  const dataDir = temporaryFolder();
  fs.writeFileSync(path.join(dataDir, 'plain.bin'), new Uint8Array(64));
  fs.mkdirSync(path.join(dataDir, 'catalog'), { recursive: true });
  fs.writeFileSync(path.join(dataDir, 'catalog', 'broken.json'), '{');
  return startHere(t, { dataDir });
}

t.test('datasets of every kind and state', async t => {
  const server = await service(t);
  const made: readonly object[] = [
    { name: 'made', dtype: '<f4', shape: [4, 2], fill: 1.5, attrs: { unit: 'm' }, dims: ['y', 'x'] },
    { name: 'scalar', dtype: '|u1', shape: [] },
    { name: 'empty', dtype: '<i8', shape: [0, 3], order: 'F', format: 'raw' },
    { name: 'raw', path: 'plain.bin', dtype: '>i2', shape: [2, 3], offset: 4 },
    { name: 'again', path: 'plain.bin' },
    { name: 'made', dtype: '<f4', shape: [1] },
    { name: 'none', path: 'nowhere.npy' },
    { name: 'bad', dtype: 'nonsense', shape: [1] },
    { name: 'bad', dtype: '<f4', shape: [1], nonsense: true },
  ];
  for (const body of made) await send(t, server, '/v1/datasets', json('POST', body));
  for (const name of ['made', 'scalar', 'empty', 'raw', 'broken', 'nowhere']) {
    await send(t, server, `/v1/datasets/${name}`);
    await send(t, server, `/v1/datasets/${name}?residency=true`);
  }
  fs.rmSync(path.join(server.dataDir, 'plain.bin'));
  for (const url of [
    '/v1/datasets',
    '/v1/datasets?limit=1',
    '/v1/datasets?state=true',
    '/v1/datasets?state=ready',
    '/v1/datasets?state=quarantined',
    '/v1/datasets?fields=name,shape',
    '/v1/datasets?state=nonsense',
    '/v1/datasets/raw',
    '/v1/datasets/raw/data.json',
    '/readyz',
    '/healthz',
    '/metrics',
    '/',
  ]) {
    await send(t, server, url);
  }
  const quarantined = (await send(t, server, '/readyz')) as { readonly quarantined?: readonly object[] };
  t.equal(quarantined.quarantined?.length, 1, 'one is not served');
  for (const init of [json('PATCH', { attrs: { a: 1 }, mode: 'r' }), json('PATCH', { dims: ['a'] })]) {
    await send(t, server, '/v1/datasets/made', init);
  }
  await send(t, server, '/v1/datasets/made/data.json', json('PUT', 1));
  await send(t, server, '/v1/datasets/made?data=delete', { method: 'DELETE' });
  await send(t, server, '/v1/datasets/raw?data=delete', { method: 'DELETE' });
});

t.test('reads and writes', async t => {
  const server = await service(t);
  await send(t, server, '/v1/datasets', json('POST', { name: 'a', dtype: '<f4', shape: [4, 2] }));
  await send(t, server, '/v1/datasets', json('POST', { name: 'rows', path: 'plain.bin', shape: [8, 8] }));
  for (const name of ['a', 'rows', 'nowhere']) {
    for (const rest of [
      'rows/0',
      'rows/99',
      'rows?stop=2',
      'data',
      'data?slice=x',
      'data.json?slice=0,0',
      'data.raw',
    ]) {
      if (name === 'a') await send(t, server, `/v1/datasets/${name}/${rest}`);
      else if (!rest.endsWith('raw')) await send(t, server, `/v1/datasets/${name}/${rest}`, {});
    }
  }
  for (const range of ['bytes=0-3', 'bytes=999-']) {
    await send(t, server, '/v1/datasets/a/data.raw', { headers: { range } });
    await send(t, server, '/v1/datasets/a/data.npy', { headers: { range } });
  }
  for (const init of [
    json('PUT', 2),
    json('PUT', [1]),
    binary('PUT', new Uint8Array(32)),
    binary('PUT', new Uint8Array(3)),
  ]) {
    await send(t, server, '/v1/datasets/a/data', init);
    await send(t, server, '/v1/datasets/a/data?durability=none', init);
  }
  const npy = await (await server.fetch('/v1/datasets/a/data.npy')).arrayBuffer();
  const file = binary('PUT', new Uint8Array(npy), 'application/x-npy');
  await send(t, server, '/v1/datasets/a/data.npy', file);
  await send(t, server, '/v1/datasets/b', file);
  await send(t, server, '/v1/datasets/b', file);
  await send(t, server, '/v1/datasets/b?overwrite=true', file);
  for (const writes of [[{ slice: '0', data: 1 }, { data: 2 }], [{ slice: 'x', data: 1 }], [{ slice: '9', data: 1 }]]) {
    await send(t, server, '/v1/datasets/a/writes', json('POST', { writes }));
  }
  await send(t, server, '/v1/datasets/a/flush', { method: 'POST' });
  await send(t, server, '/v1/datasets/rows/flush', { method: 'POST' });
});

/** Questions of every form, good ones and bad ones. */
const QUERIES: readonly ({ readonly dataset: string } & Readonly<Record<string, unknown>>)[] = [
  { dataset: 'a', ops: ['mean', 'std', 'min'] },
  { dataset: 'a', ops: ['mean', 'count'], axis: 0, keepdims: true, as: ['m', 'n'] },
  { dataset: 'a', ops: ['count', 'sum'], axis: [0], nan: 'omit' },
  { dataset: 'a', ops: [{ quantile: { q: [0.1, 0.9] } }, { histogram: { bins: 3 } }] },
  { dataset: 'a', ops: ['mean'], where: { column: 0, gt: 0 } },
  { dataset: 'a', ops: ['mean'], where: { dataset: 'key', in: [0, 1] } },
  { dataset: 'a', ops: ['sum', 'count'], group_by: [{ dataset: 'key' }] },
  { dataset: 'a', ops: ['sum'], axis: 0, group_by: [{ column: 0, bins: [0, 1, 2] }, { dataset: 'key' }] },
  { dataset: 'a', ops: ['nonsense'] },
  { dataset: 'a', ops: ['mean'], axis: 7 },
  { dataset: 'a', ops: ['mean'], where: { column: 9, gt: 0 } },
];

t.test('statistics, batches of them, and jobs in each state', async t => {
  const server = await service(t);
  await send(t, server, '/v1/datasets', json('POST', { name: 'a', dtype: '<f8', shape: [4, 2], fill: 1 }));
  await send(t, server, '/v1/datasets', json('POST', { name: 'key', dtype: '<i4', shape: [4] }));
  for (const { dataset, ...query } of QUERIES) {
    await send(t, server, `/v1/datasets/${dataset}/statistics`, json('POST', query));
  }
  await send(t, server, '/v1/datasets/a/data', json('PUT', 'NaN'));
  await send(t, server, '/v1/datasets/a/statistics?ops=mean&nan=raise');
  await send(t, server, '/v1/datasets/a/statistics.npy?ops=mean&axis=0');
  const queries = [...QUERIES, { dataset: 'nowhere', ops: ['mean'] }];
  for (const order of ['input', 'finished']) {
    const lines = String(await send(t, server, '/v1/statistics', json('POST', { queries, order })));
    t.equal(lines.trimEnd().split('\n').length, queries.length);
    t.match(lines, /"error"/);
  }
  const states = new Set<string>();
  const ask = async (id: string): Promise<void> => {
    const { state, result } = (await send(t, server, `/v1/jobs/${id}`)) as Job;
    states.add(state);
    if (state === 'done') t.strictSame(faultsOf(result, { $ref: '#/components/schemas/StatisticsAnswer' }), [], id);
  };
  const large = { name: 'large', dtype: '|u1', shape: [2 ** 32], sparse: true };
  await send(t, server, '/v1/datasets', json('POST', large));
  const slow = (await send(t, server, '/v1/jobs', json('POST', { dataset: 'large', ops: ['median'] }))) as Id;
  await ask(slow.id);
  await send(t, server, `/v1/jobs/${slow.id}`, { method: 'DELETE' });
  for (const body of [...queries, { dataset: 'a', ops: ['mean'], nan: 'raise' }]) {
    const { id } = (await send(t, server, '/v1/jobs', json('POST', body))) as Partial<Id>;
    if (id === undefined) continue;
    await send(t, server, `/v1/jobs/${id}/events`);
    await ask(id);
  }
  await send(t, server, `/v1/jobs/${slow.id}/events`);
  await ask(slow.id);
  await send(t, server, '/v1/jobs');
  await send(t, server, '/v1/jobs?limit=1');
  await send(t, server, `/v1/jobs/${slow.id}`, { method: 'DELETE' });
  for (const state of ['running', 'done', 'failed', 'cancelled']) t.ok(states.has(state), `a job was ${state}`);
});

interface Id {
  readonly id: string;
}

interface Job {
  readonly state: string;
  readonly result?: unknown;
}
