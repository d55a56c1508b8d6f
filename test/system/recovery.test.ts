/** A start that finds journals: what was committed is there, whatever moment the start itself is killed at. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { caseStride } from '../helpers/cases.js';
import { startServer, temporaryFolder } from '../helpers/server.js';
import { startServiceHere } from '../helpers/service-here.js';
import { binary, create, json, outcome, readRaw } from './calls.js';

const KILLER = fileURLToPath(new URL('../helpers/kill-at-step.js', import.meta.url));
const folder = temporaryFolder();
t.teardown(() => fs.rmSync(folder, { recursive: true }));

/** A data folder as a power cut leaves it: commits in the journals, and array files that never got them. */
async function crashedFolder(): Promise<string> {
  const dataDir = path.join(folder, 'crashed');
  const server = await startServer({ dataDir });
  await create(server, { name: 'rows', dtype: '<u2', shape: [100, 50] });
  await create(server, { name: 'columns', dtype: '|u1', shape: [3, 8] });
  const before = path.join(folder, 'before');
  fs.cpSync(path.join(dataDir, 'arrays'), before, { recursive: true });
  // Few runs: each is a step of the recovery that is killed further below.
  for (let i = 0; i < 3; i++) {
    const row = Buffer.from(Uint16Array.from({ length: 50 }, () => i + 1).buffer);
    await server.fetch(`/v1/datasets/rows/data?slice=${10 * i}`, binary('PUT', row));
    await server.fetch(`/v1/datasets/columns/data?slice=:,${i}`, json('PUT', i + 1));
  }
  const batch = {
    writes: [
      { slice: '99', data: 9 },
      { slice: '::-50,7', data: 8 },
    ],
  };
  t.equal((await server.fetch('/v1/datasets/rows/writes', json('POST', batch))).status, 200);
  await server.stop('SIGKILL');
  fs.cpSync(before, path.join(dataDir, 'arrays'), { recursive: true });
  return dataDir;
}

async function checkCommits(t: Test, read: (name: string) => Promise<Buffer>, title: string): Promise<void> {
  const rows = new Uint16Array(new Uint8Array(await read('rows')).buffer);
  const expected = new Uint16Array(5000);
  for (let i = 0; i < 3; i++) expected.fill(i + 1, 500 * i, 500 * i + 50);
  expected.fill(9, 4950);
  for (const row of [49, 99]) expected[50 * row + 7] = 8;
  t.strictSame(rows, expected, `${title}: rows`);
  const columns = await read('columns');
  t.ok(
    columns.every((byte, at) => byte === (at % 8 < 3 ? (at % 8) + 1 : 0)),
    `${title}: columns`,
  );
}

t.test('a start replays the journals, and a clean stop leaves none', async t => {
  const crashed = await crashedFolder();
  t.equal(journalsIn(crashed).length, 2);
  const dataDir = path.join(folder, 'clean');
  fs.cpSync(crashed, dataDir, { recursive: true });
  const server = await startServiceHere({ dataDir });
  await checkCommits(t, name => readRaw(server, name), 'after the start');
  await server.stop();
  t.strictSame(journalsIn(dataDir), []);
});

t.test('a start that is killed before any of its steps can be started again', { timeout: 240_000 }, async t => {
  const stride = caseStride(9);
  let step = 1;
  for (; ; step += stride) {
    const dataDir = path.join(folder, `killed-${step}`);
    fs.cpSync(path.join(folder, 'crashed'), dataDir, { recursive: true });
    const env = { HYPERSLAB_TEST_KILL_AT: String(step), HYPERSLAB_WORKERS: '1' };
    const survivor = await startServer({ dataDir, env, nodeArgs: ['--import', KILLER] }).catch(() => undefined);
    await survivor?.stop('SIGKILL');
    if (survivor) break;
    const next = await startServiceHere({ dataDir });
    await checkCommits(t, name => readRaw(next, name), `killed at step ${step}`);
    await next.stop();
    fs.rmSync(dataDir, { recursive: true });
  }
  t.ok(step > 10, `it has fewer than ${step} steps, and each ${stride === 1 ? '' : `${stride}th `}was killed`);
});

t.test('a damaged journal keeps its dataset out, tells why, and goes with the dataset', async t => {
  const dataDir = path.join(folder, 'damaged');
  fs.cpSync(path.join(folder, 'crashed'), dataDir, { recursive: true });
  const manifest = JSON.parse(fs.readFileSync(path.join(dataDir, 'catalog', 'rows.json'), 'utf8')) as {
    file_id: string;
  };
  const journal = path.join(dataDir, 'journal', `${manifest.file_id}.journal`);
  const bytes = fs.readFileSync(journal);
  bytes[4096 + 60]! ^= 1;
  fs.writeFileSync(journal, bytes);
  let server = await startServiceHere({ dataDir });
  t.teardown(() => server.stop());
  for (const call of ['data', 'rows/0', 'statistics?ops=mean']) {
    t.equal(
      await outcome(server.fetch(`/v1/datasets/rows/${call}`)),
      '503 quarantined record 1 of its journal is damaged',
    );
  }
  t.equal((await readRaw(server, 'columns'))[0], 1, 'others are served');
  const ready = await server.fetch('/readyz');
  t.equal(ready.status, 200);
  t.match(await ready.json(), { quarantined: [{ name: 'rows', reason: 'record 1 of its journal is damaged' }] });
  t.match(await (await server.fetch('/v1/datasets/rows')).json(), { state: 'quarantined' });
  await server.stop();
  t.ok(fs.readFileSync(journal).equals(bytes), 'a stop leaves it as it is');
  server = await startServiceHere({ dataDir });
  t.equal((await server.fetch('/v1/datasets/rows', { method: 'DELETE' })).status, 204);
  t.notOk(fs.existsSync(journal));
  t.equal((await create(server, { name: 'rows', path: 'arrays/rows.npy' })).state, 'ready', 'the file was kept');
});

t.test('a file that was away at the start gets its commits when it is back', async t => {
  const dataDir = path.join(folder, 'away');
  fs.cpSync(path.join(folder, 'crashed'), dataDir, { recursive: true });
  const [file, elsewhere] = ['arrays/rows.npy', 'rows.npy'].map(name => path.join(dataDir, name));
  fs.renameSync(file!, elsewhere!);
  const server = await startServiceHere({ dataDir });
  t.teardown(() => server.stop());
  t.equal(await outcome(server.fetch('/v1/datasets/rows/rows/0')), '409 file_changed deleted');
  fs.renameSync(elsewhere!, file!);
  await checkCommits(t, name => readRaw(server, name), 'back again');
});

function journalsIn(dataDir: string): string[] {
  return fs.readdirSync(path.join(dataDir, 'journal')).filter(name => name.endsWith('.journal'));
}
