import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { Generations } from '../../src/file/generations.js';
import { temporaryFolder } from '../helpers/server.js';

const FILE = 'abcdef0123456789';

async function open(folder: string): Promise<Generations> {
  const generations = new Generations(folder);
  await generations.load();
  return generations;
}

async function advance(generations: Generations, times: number): Promise<number> {
  let last = 0;
  for (let i = 0; i < times; i++) {
    await generations.reserve(FILE);
    last = generations.advance(FILE);
  }
  return last;
}

t.test('after a clean stop counting goes on without a gap', async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const first = await open(folder);
  t.equal(first.current(FILE), 1);
  t.equal(await advance(first, 3000), 3001);
  await first.close();
  const second = await open(folder);
  t.equal(second.current(FILE), 3001);
  t.equal(await advance(second, 1), 3002);
});

t.test('after a crash at any moment no generation comes again', async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  let highest = 0;
  for (const writes of [0, 1, 5, 1023, 1024, 1025, 0, 2]) {
    const generations = await open(folder);
    t.ok(generations.current(FILE) >= highest, 'what was seen last is not above');
    if (writes > 0) {
      const before = highest;
      highest = await advance(generations, writes);
      t.ok(highest > before);
    }
    // No close(): the process is gone.
  }
});

t.test('a generation cannot be used before it is reserved on disk', async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const generations = await open(folder);
  t.throws(() => generations.advance(FILE));
  await generations.reserve(FILE);
  t.equal(generations.advance(FILE), 2);
});

t.test('a file that replaces another goes on above it, also after a crash', async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const generations = await open(folder);
  await generations.startAbove(FILE, 41);
  t.equal(generations.current(FILE), 42);
  t.equal((await open(folder)).current(FILE), 42);
});

t.test('a damaged counter is reported instead of counting from one', async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  for (const text of ['', '{}', '{"generation": -1, "exact": true}', '{"generation": 1.5, "exact": true}']) {
    fs.writeFileSync(path.join(folder, `${FILE}.generation.json`), text);
    const generations = await open(folder);
    t.ok(generations.isDamaged(FILE), JSON.stringify(text));
    t.notOk(generations.isDamaged('another'));
  }
});
