/** Streams that are applied as they arrive: the file is closed to everybody else, and to nobody for longer. */
import t from 'tap';
import { constantOf, npyOf } from '../helpers/bytes.js';
import { start } from '../helpers/server.js';
import { binary, create, describe, eventually, json, MiB, outcome, readRaw, upload, type Upload } from './calls.js';

const server = await start(t);

/** Goes on being served, whatever happens to the files of others. */
await create(server, { name: 'whole', dtype: '|u1', shape: [MiB], fill: 9 });

/** Starts a stream that is applied as it arrives, and sends its first bytes. */
async function startBulkLoad(name: string, bytes: number): Promise<Upload> {
  const sent = upload('PUT', `${server.url}/v1/datasets/${name}/data?durability=none`, {
    'content-type': 'application/octet-stream',
    'content-length': bytes,
  });
  await sent.send(Buffer.alloc(10 * MiB, 1));
  return sent;
}

t.test('while a large stream is being applied other calls on the file are answered 503', async t => {
  const bytes = 66 * MiB;
  await create(server, { name: 'bulk', dtype: '|u1', shape: [bytes], sparse: true });
  const { generation } = await describe(server, 'bulk');
  const sent = await startBulkLoad('bulk', bytes);
  t.ok(await eventually(async () => (await describe(server, 'bulk')).state === 'bulk_load'), 'it is under way');
  for (const call of ['data?format=raw&slice=0:10', 'rows/0', 'statistics?ops=sum']) {
    const response = await server.fetch(`/v1/datasets/bulk/${call}`);
    t.ok(Number(response.headers.get('retry-after')) > 0, 'with Retry-After');
    t.equal(await outcome(response), '503 bulk_load', call);
  }
  const write = server.fetch('/v1/datasets/bulk/data?slice=0', json('PUT', 1));
  t.equal(await outcome(write), '503 bulk_load', 'a write');
  t.equal(constantOf(await readRaw(server, 'whole')), 9, 'other files are served');
  await sent.send(Buffer.alloc(bytes - 10 * MiB, 1));
  const { status, text } = await sent.finish();
  t.equal(status, 200, text);
  t.match(JSON.parse(text), { elements: bytes, bytes, durability: 'none', generation: generation + 1 });
  t.equal(constantOf(await readRaw(server, 'bulk')), 1);
});

t.test('a large stream that is cut frees the file', async t => {
  const sent = await startBulkLoad('bulk', 66 * MiB);
  t.ok(await eventually(async () => (await describe(server, 'bulk')).state === 'bulk_load'));
  sent.request.destroy();
  t.ok(await eventually(async () => (await describe(server, 'bulk')).state === 'ready'));
  t.equal(constantOf(await readRaw(server, 'bulk', '-1000:')), 1);
});

t.test('a dataset that is forgotten while it is written does not fail the writer with an internal error', async t => {
  const bytes = 66 * MiB;
  await create(server, { name: 'forgotten', dtype: '|u1', shape: [bytes], sparse: true });
  const sent = await startBulkLoad('forgotten', bytes);
  t.ok(await eventually(async () => (await describe(server, 'forgotten')).state === 'bulk_load'));
  await outcome(server.fetch('/v1/datasets/forgotten?data=delete', { method: 'DELETE' }));
  await sent.send(Buffer.alloc(bytes - 10 * MiB, 1));
  const { status, text } = await sent.finish();
  t.not(status, 500, text);
});

t.test('while a large stream is being applied its dataset cannot be forgotten or replaced', async t => {
  const bytes = 66 * MiB;
  const request = { name: 'occupied', dtype: '|u1', shape: [bytes], sparse: true };
  await create(server, request);
  const sent = await startBulkLoad('occupied', bytes);
  t.ok(await eventually(async () => (await describe(server, 'occupied')).state === 'bulk_load'));
  const url = '/v1/datasets/occupied';
  const overwritten = { ...request, mode: 'w+', overwrite: true };
  const body = npyOf('|u1', [1], Buffer.of(1));
  for (const [call, answer] of [
    ['DELETE', server.fetch(url, { method: 'DELETE' })],
    ['w+', server.fetch('/v1/datasets', json('POST', overwritten))],
  ] as const) {
    t.equal(await outcome(answer), '503 bulk_load', call);
  }
  const imported = server.fetch(`${url}?overwrite=true`, binary('PUT', body, 'application/x-npy'));
  t.equal(await outcome(imported), '503 bulk_load', 'import');
  await sent.send(Buffer.alloc(bytes - 10 * MiB, 1));
  t.equal((await sent.finish()).status, 200);
  t.equal(await outcome(server.fetch(`${url}?data=delete`, { method: 'DELETE' })), '204', 'then it can');
});
