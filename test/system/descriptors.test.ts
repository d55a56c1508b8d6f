/** Many more files than the process may have open: all of them are served, again and again. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { startRefused } from '../helpers/refused-start.js';
import { start, temporaryFolder } from '../helpers/server.js';
import { binary, json, metric, readRaw } from './calls.js';

const FILES = caseCount(280, 400);
const AT_ONCE = 32;
const DESCRIPTORS = 256;

const nameOf = (i: number): string => `d${String(i).padStart(5, '0')}`;

/** A data folder as an earlier run left it: arrays of eight bytes, each of which says which it is. */
function prepared(): string {
  const dataDir = temporaryFolder();
  for (const folder of ['arrays', 'catalog', 'journal']) fs.mkdirSync(path.join(dataDir, folder));
  for (let i = 0; i < FILES; i++) {
    const name = nameOf(i);
    fs.writeFileSync(path.join(dataDir, 'arrays', `${name}.raw`), Buffer.alloc(8, i % 251));
    const manifest = {
      version: 1,
      name,
      id: i.toString(16).padStart(24, '0'),
      file_id: `f${i.toString(16).padStart(23, '0')}`,
      path: `arrays/${name}.raw`,
      dtype: '|u1',
      shape: [8],
      order: 'C',
      offset: 0,
      mode: i % 3 === 0 ? 'r' : 'r+',
      format: 'raw',
      external: i % 2 === 0,
      made: true,
      attrs: {},
      dims: null,
    };
    fs.writeFileSync(path.join(dataDir, 'catalog', `${name}.json`), JSON.stringify(manifest));
    fs.writeFileSync(
      path.join(dataDir, 'journal', `${manifest.file_id}.generation.json`),
      '{"generation":7,"exact":true}',
    );
  }
  return dataDir;
}

/** Calls for every file, a few at a time. */
async function each(call: (name: string, i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop
    while (next < FILES) await call(nameOf(next), next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

t.test('many more files than descriptors are found, read, written and summed', async t => {
  const server = await start(t, { dataDir: prepared(), descriptorsMax: DESCRIPTORS, env: { HYPERSLAB_WORKERS: '1' } });
  t.equal(await metric(server, 'hyperslab_datasets'), FILES, 'all are found');
  t.equal(await metric(server, 'hyperslab_datasets_quarantined'), 0, 'none is given up');
  const failures: string[] = [];
  const expect = (name: string, found: unknown, wanted: unknown): void => {
    if (found !== wanted) failures.push(`${name}: ${String(found)} instead of ${String(wanted)}`);
  };
  await each(async (name, i) => expect(name, (await readRaw(server, name))[7], i % 251));
  await each(async (name, i) => {
    if (i % 3 === 0) return;
    const durability = i % 2 === 0 ? 'commit' : 'none';
    const write = binary('PUT', Buffer.alloc(8, (i + 1) % 251));
    const response = await server.fetch(`/v1/datasets/${name}/data?durability=${durability}`, write);
    expect(name, `${response.status} ${response.headers.get('x-dataset-generation')}`, '200 8');
    await response.text();
  });
  await each(async (name, i) => {
    const response = await server.fetch(`/v1/datasets/${name}/statistics?ops=sum`);
    const { results } = (await response.json()) as { results?: { sum: number } };
    expect(name, results?.sum, 8 * ((i % 3 === 0 ? i : i + 1) % 251));
  });
  t.strictSame(failures, []);
  t.ok((await metric(server, 'hyperslab_open_files')) < DESCRIPTORS / 2);
  t.ok(fs.readdirSync(`/proc/${server.pid}/fd`).length < DESCRIPTORS);
  // A batch keeps several files open at a time.
  const queries = Array.from({ length: 100 }, (_, i) => ({ dataset: nameOf(i), ops: ['max'] }));
  const batch = await (await server.fetch('/v1/statistics', json('POST', { queries }))).text();
  t.notMatch(batch, /"error"/);
});

t.test('a start that finds no descriptor gives up no dataset: it waits for one, or is no start', async t => {
  const dataDir = prepared();
  const nodeArgs = ['--import', fileURLToPath(new URL('../helpers/scarce-descriptors.js', import.meta.url))];
  const server = await start(t, { dataDir, nodeArgs, env: { HYPERSLAB_TEST_EMFILE: '100' } });
  t.equal(await metric(server, 'hyperslab_datasets'), FILES);
  t.equal(await metric(server, 'hyperslab_datasets_quarantined'), 0);
  await server.stop();
  const { status, stderr } = await startRefused(dataDir, { HYPERSLAB_TEST_EMFILE: '1000000' }, undefined, { nodeArgs });
  t.equal(status, 1);
  t.match(stderr, /finds no file descriptor.*ulimit -n/);
  t.equal(stderr.trim().split('\n').length, 1, `one line: ${stderr}`);
});
