/** An append beyond the commit limit that is killed before any of its steps: there whole, or the file as it was. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { caseStride } from '../helpers/cases.js';
import { startServer, temporaryFolder } from '../helpers/server.js';
import { startServiceHere } from '../helpers/service-here.js';
import { binary, create, describe, json, outcome, readRaw } from './calls.js';

const KILLER = fileURLToPath(new URL('../helpers/kill-at-step.js', import.meta.url));
const folder = temporaryFolder();
t.teardown(() => fs.rmSync(folder, { recursive: true }));

const NAMES = ['grows', 'bytes'];
const before = Buffer.alloc(10, 1);
const added = Buffer.alloc(9000, 2);
const last = Buffer.alloc(100, 3);

t.test('killed before any of its steps', { timeout: 240_000 }, async t => {
  const crashed = path.join(folder, 'crashed');
  const first = await startServer({ dataDir: crashed });
  await create(first, { name: 'grows', dtype: '|u1', shape: [10], fill: 0 });
  await create(first, { name: 'bytes', dtype: '|u1', shape: [10], fill: 0, format: 'raw' });
  // The journals have something to say of the array when the append comes.
  for (const name of NAMES) t.equal(await outcome(first.fetch(`/v1/datasets/${name}/data`, json('PUT', 1))), '200');
  await first.stop('SIGKILL');
  const stride = caseStride(12);
  let [olds, news] = [0, 0];
  let step = 1;
  for (; ; step += stride) {
    const dataDir = path.join(folder, `killed-${step}`);
    fs.cpSync(crashed, dataDir, { recursive: true });
    const env = { HYPERSLAB_TEST_KILL_AT: String(step), HYPERSLAB_WORKERS: '1', HYPERSLAB_COMMIT_BYTES_MAX: '1000' };
    const killed = await startServer({ dataDir, env, nodeArgs: ['--import', KILLER] }).catch(() => undefined);
    const answers: string[] = [];
    for (const name of NAMES) {
      const sent = killed && outcome(killed.fetch(`/v1/datasets/${name}/append?at=10`, binary('POST', added)));
      answers.push((await sent?.catch(() => undefined)) ?? 'none');
    }
    await killed?.stop('SIGKILL');
    const next = await startServiceHere({ dataDir });
    for (const [i, name] of NAMES.entries()) {
      const { shape } = await describe(next, name);
      const isNew = shape[0] !== 10;
      if (isNew) news++;
      else olds++;
      t.ok(isNew || answers[i] === 'none', `${name}, killed at ${step}: what was answered is there`);
      const query = `?at=${isNew ? 10 + added.byteLength : 10}`;
      t.equal(await outcome(next.fetch(`/v1/datasets/${name}/append${query}`, binary('POST', last))), '200');
      const all = await readRaw(next, name);
      t.ok(all.equals(Buffer.concat(isNew ? [before, added, last] : [before, last])), `${name}, killed at ${step}`);
    }
    await next.stop();
    fs.rmSync(dataDir, { recursive: true });
    if (answers.every(answer => answer === '200')) break;
  }
  t.ok(step > 2 * stride && olds > 0 && news > 0, `fewer than ${step} steps: ${olds} times the old, ${news} the new`);
});
