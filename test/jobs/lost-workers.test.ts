/** Threads that end in the middle of a task: it is given once more, and the pool is whole again. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

import { start, temporaryFolder, type TestServer } from '../helpers/server.js';
import { jobOf, reaches, startJob } from '../helpers/slow-server.js';
import { create, eventually, json, outcome } from '../system/calls.js';

const folder = temporaryFolder();
let server: TestServer;

t.before(async () => {
  server = await start(t, {
    env: { HYPERSLAB_MAPPING: 'positional', HYPERSLAB_CACHE_BYTES: '0', HYPERSLAB_TEST_KILL_WORKERS: folder },
    nodeArgs: ['--import', fileURLToPath(new URL('../helpers/kill-worker.js', import.meta.url))],
  });
  await create(server, { name: 'large', dtype: 'f4', shape: [4096, 4096] });
  await server.fetch('/v1/datasets/large/data?slice=7', json('PUT', 2));
});

t.teardown(() => fs.rmSync(folder, { recursive: true }));

function doom(threads: number, when: 'start' | 'task' = 'task'): void {
  for (let i = 0; i < threads; i++) fs.writeFileSync(path.join(folder, `${when}-${i}`), '');
}

function spare(): void {
  for (const name of fs.readdirSync(folder)) fs.rmSync(path.join(folder, name));
}

async function metric(name: string): Promise<number> {
  const text = await (await server.fetch('/metrics')).text();
  return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1]);
}

function lost(): Promise<number> {
  return metric('hyperslab_workers_lost_total');
}

const SUM = '/v1/datasets/large/statistics?ops=sum,max';

async function checkWhole(test: Test): Promise<void> {
  const answer = await server.fetch(SUM);
  test.match(await answer.json(), { results: { sum: 8192, max: 2 } }, 'the pool is whole');
}

t.test('a task that loses its thread is computed by another one, and nobody notices', async t => {
  doom(1);
  t.match(await (await server.fetch(SUM)).json(), { results: { sum: 8192, max: 2 } });
  t.strictSame(fs.readdirSync(folder), [], 'a thread ended');
  t.equal(await lost(), 1);
  t.match(server.log.join(''), /a worker thread ended/);
  await checkWhole(t);
});

t.test('a task that loses a second thread is given up with 503', async t => {
  const before = await lost();
  // More than there are tasks, so that one of them meets two.
  doom(40);
  const answer = await server.fetch(SUM);
  t.equal(await outcome(answer), '503 worker_lost');
  t.equal(answer.headers.get('retry-after'), '5');
  spare();
  t.ok((await lost()) >= before + 2);
  await checkWhole(t);
});

t.test('a job survives the loss of a thread, and fails at the second one', async t => {
  doom(1);
  const survivor = await startJob(server, SUM);
  t.ok(await reaches(server, survivor.id, 'done'));
  t.match(await jobOf(server, survivor.id), { result: { results: { sum: 8192, max: 2 } } });
  t.strictSame(fs.readdirSync(folder), [], 'a thread ended');
  doom(40);
  const { id } = await startJob(server, SUM);
  t.ok(await reaches(server, id, 'failed'));
  t.match(await jobOf(server, id), { error: { code: 'worker_lost', status: 503, attempts: 2 } });
  spare();
  await checkWhole(t);
});

t.test('a slice that a worker gathers survives it too', async t => {
  doom(1);
  const answer = await server.fetch('/v1/datasets/large/data?format=raw&slice=::2,::2');
  const floats = new Float32Array(await answer.arrayBuffer());
  t.equal(floats.length, 2048 * 2048);
  t.ok(floats.every(value => value === 0));
  t.strictSame(fs.readdirSync(folder), [], 'a thread ended');
  await checkWhole(t);
});

t.test('threads that end before they are ready are replaced as well', async t => {
  doom(2);
  doom(3, 'start');
  t.match(await (await server.fetch(SUM)).json(), { results: { sum: 8192 } });
  t.strictSame(fs.readdirSync(folder), [], 'threads ended');
  t.ok(await eventually(async () => (await metric('hyperslab_workers')) === 2), 'both threads are there');
  await checkWhole(t);
});
