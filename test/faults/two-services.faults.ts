/** Two services on one data folder would write over each other: the second refuses, and takes over from a killed first. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { startRefused } from '../helpers/refused-start.js';
import { startServer, temporaryFolder } from '../helpers/server.js';
import { create, json, outcome, readRaw } from '../system/calls.js';

t.test('a second service on a data folder', async t => {
  const dataDir = temporaryFolder();
  const link = `${dataDir}-link`;
  fs.symlinkSync(dataDir, link);
  const first = await startServer({ dataDir });
  t.teardown(async () => {
    await first.stop('SIGKILL');
    fs.rmSync(link);
    fs.rmSync(dataDir, { recursive: true });
  });
  await create(first, { name: 'array', dtype: '|u1', shape: [1000] });
  t.equal(await outcome(first.fetch('/v1/datasets/array/data', json('PUT', 5))), '200');

  const refused = [
    { title: 'by its path', folder: dataDir },
    { title: 'by another path to it', folder: path.join(dataDir, 'arrays', '..') },
    { title: 'by a symbolic link', folder: link },
  ];
  const ends = await Promise.all(refused.map(({ folder }) => startRefused(folder)));
  for (const [i, { title }] of refused.entries()) {
    await t.test(`is refused ${title}, with a sentence that says why`, async t => {
      const { status, stderr } = ends[i]!;
      t.equal(status, 1, 'it ended by itself');
      t.match(stderr, /data folder/);
      t.match(stderr, /in use/);
      t.match(stderr, String(first.pid), 'names the process that has it');
      t.notMatch(stderr, /\n\s+at /, 'no stack');
    });
  }

  await t.test('does not disturb the first', async t => {
    t.ok((await readRaw(first, 'array')).equals(Buffer.alloc(1000, 5)));
    t.equal(await outcome(first.fetch('/v1/datasets/array/data', json('PUT', 6))), '200');
  });

  await t.test('takes over when the one before is killed, and when it is stopped', async t => {
    let server = first;
    for (const [signal, value] of [
      ['SIGKILL', 7],
      ['SIGTERM', 8],
    ] as const) {
      t.equal(await outcome(server.fetch('/v1/datasets/array/data', json('PUT', value))), '200');
      await server.stop(signal);
      server = await startServer({ dataDir });
      t.ok((await readRaw(server, 'array')).equals(Buffer.alloc(1000, value)), 'with everything that was confirmed');
    }
    await server.stop('SIGKILL');
  });
});

t.test('of many that start at once on a new folder, one serves', async t => {
  const dataDir = temporaryFolder();
  t.teardown(() => fs.rmSync(dataDir, { recursive: true }));
  const starts = await Promise.allSettled(Array.from({ length: 3 }, () => startServer({ dataDir })));
  const served = starts.flatMap(start => (start.status === 'fulfilled' ? [start.value] : []));
  const refusals = starts.flatMap(start => (start.status === 'rejected' ? [String(start.reason)] : []));
  for (const server of served) await server.stop('SIGKILL');
  t.equal(served.length, 1);
  t.ok(refusals.length === 2 && refusals.every(each => each.includes('in use')), 'the others are told');
});
